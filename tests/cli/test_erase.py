"""`archiver erase`: a record is nowhere any more, everything else is, and no source brings it back."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from archiver.collect.erased import CUT, ErasedFilter
from archiver.formats import age
from archiver.moderation.keeping import keep_entries
from archiver.rebuild import rebuild_segment
from archiver.sources.base import Capture
from archiver.sources.x_api.answer import cut_answer
from archiver.sources.x_api.endpoints import ENDPOINTS
from archiver.sources.x_api.reading import read_answer
from archiver.verification import verify_vault
from tests.cli.runner import Result, Runner
from tests.faults.folders import LATER, copy_folder, sample
from tests.homes import Home
from tests.made_vaults import moderation
from tests.programs import PROJECT
from tests.unit.reseal.erased import ID, OTHER_ID, POLITE, RUDE, THIRD_ID, make_mixed_home
from tests.unit.seal.spooled import answer_of, with_screenshot, x_post

WHY = ("--reason", "a request", "--reviewer", "A Person", "--yes")
ELSEWHERE = ("--everywhere", "--with-moderation")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return make_mixed_home(tmp_path_factory.mktemp("erase"))


class Eraser:
    """A folder with the command line on it."""

    def __init__(self, run: Runner, home: Home) -> None:
        self.run = run
        self.home = home

    def __call__(self, *words: str | Path) -> Result:
        return self.run("--config", self.home.folder, *words)

    def erase(self, *words: str) -> Result:
        result = self("erase", *words, *WHY)
        assert result.code == 0, result
        return result

    def readable(self) -> bytes:
        """All that any archive still opens to, decrypted and decompressed."""
        found = b""
        for archive in self.home.archives:
            if archive.disposed is not None:
                continue
            for file in archive.manifest.segments:
                with self.home.vault.open_segment(archive, file, self.home.identities) as segment:
                    found += segment.frames.read_at(0, segment.frames.size)
        return found

    def packed(self) -> bytes:
        """All that any media pack still opens to."""
        found, vault = b"", self.home.vault
        for archive in self.home.archives:
            for file in archive.manifest.files if archive.disposed is None else ():
                if file.kind == "media":
                    key = vault.open_key(archive, self.home.identities)
                    found += age.decrypt(
                        [key], (self.home.folder / "vault" / archive.path(file)).read_bytes()
                    )
        return found

    def require_sound(self) -> None:
        """The chain verifies with all keys, and every row comes from its capture."""
        with self.home.open_state() as state:
            known = state.head()
            assert state.sealing() is None
        assert verify_vault(self.home.vault, known_head=known, identities=self.home.identities).problems == []
        for archive in self.home.archives:
            for file in archive.manifest.segments if archive.disposed is None else ():
                rebuilt = rebuild_segment(self.home.vault, archive, file, self.home.identities)
                assert (rebuilt.different, rebuilt.named) == (0, [])


@pytest.fixture
def eraser(run: Runner, made: Home, tmp_path: Path) -> Eraser:
    return Eraser(run, Home(copy_folder(made.folder, tmp_path / "home")))


def test_it_is_nowhere_and_the_old_archive_opens_no_more(eraser: Eraser) -> None:
    (old,) = eraser.home.archives
    key = (eraser.home.folder / "vault" / "archives" / old.name / "key.age").read_bytes()
    result = eraser.erase(OTHER_ID)
    assert f"x:post:{OTHER_ID} is erased; decision " in result.output
    before, after = eraser.home.archives
    assert before.disposed is not None
    assert (before.disposed.reason, before.disposed.successor) == ("erased", after.name)
    assert after.manifest.replaces == old.name
    assert not (eraser.home.folder / "vault" / "archives" / old.name / "key.age").exists()
    assert age.decrypt(eraser.home.identities, key)  # it had opened it
    left = eraser.readable()
    assert POLITE.encode() not in left
    assert OTHER_ID.encode() not in left
    eraser.require_sound()
    assert eraser("search", "polite", "--ids").output == ""
    assert eraser("search", "reply", "--count").code == 0
    assert eraser("verify").code == 0


def test_show_and_a_second_try_say_when_and_by_which_decision(eraser: Eraser) -> None:
    decision = eraser.erase(OTHER_ID).output.split("decision ")[1].split()[0]
    shown = eraser("show", OTHER_ID)
    assert (shown.code, shown.output) == (1, "")
    assert f"the record {OTHER_ID} was erased on " in shown.errors
    assert decision in shown.errors
    again = eraser("erase", f"x:post:{OTHER_ID}", *WHY)
    assert (again.code, again.output) == (0, "")
    assert f"by decision {decision}" in again.errors
    assert len(eraser.home.archives) == 2


def test_the_log_and_the_register_have_nothing_of_it(eraser: Eraser) -> None:
    eraser.erase(OTHER_ID)
    told = eraser("log", "show", "--json", "--verb", "erase").output
    assert "a request" in told
    for text in (OTHER_ID, POLITE):
        assert text not in told
    folder = eraser.home.folder
    for path in folder.rglob("*"):
        if path.is_file() and not path.name.endswith((".age", ".tar")) and "cache" not in path.parts:
            assert OTHER_ID.encode() not in path.read_bytes(), path


def test_what_quotes_it_must_be_named_in_the_command(eraser: Eraser) -> None:
    names = sorted(eraser.home.vault.store.list("archives/"))
    refused = eraser("erase", ID, *WHY)
    assert refused.code == 2
    assert "the moderation register says what it was" in refused.errors
    refused = eraser("erase", ID, *WHY, "--with-moderation")
    assert refused.code == 2
    assert f"post {THIRD_ID} in archive" in refused.errors
    assert sorted(eraser.home.vault.store.list("archives/")) == names
    eraser.erase(ID, *ELSEWHERE)
    left = eraser.readable()
    assert RUDE.encode() not in left
    assert ID.encode() not in left
    assert b"another" in eraser.packed()
    assert b"a picture" not in eraser.packed()
    eraser.require_sound()
    listed = eraser("moderation", "list", "--json").json_lines()
    assert {one["id"]: one["text"] for one in listed[:-1]} == {"m1": None, "m2": "else"}


@pytest.mark.parametrize("way", ["hold", "case", "minimum", "evidence"])
def test_what_keeps_it_is_said_and_to_restrict_it_is_advised(
    eraser: Eraser, way: str, tmp_path: Path
) -> None:
    if way == "hold":
        assert eraser("hold", "add", "--everything", "--reason", "a claim").code == 0
    elif way == "case":
        assert eraser("hold", "add", "--query", "polite", "--reason", "a claim").code == 0
    elif way == "minimum":
        with (eraser.home.folder / "archiver.toml").open("a") as file:
            file.write("\n[retention]\nminimum_years = 5\n")
    else:
        words = ("--case", "C/1", "--exhibit", "ABC", "--produced-by", "A Person", "--format", "jsonl")
        assert eraser("evidence", "export", "polite", *words, "-o", tmp_path / "pack").code == 0
    names = sorted(eraser.home.vault.store.list("archives/"))
    refused = eraser("erase", OTHER_ID, *WHY)
    assert (refused.code, refused.output) == (1, "")
    assert "restrict it instead: archiver restrict x:post:" in refused.errors
    assert sorted(eraser.home.vault.store.list("archives/")) == names
    if way == "evidence":
        eraser.erase(OTHER_ID, "--not-in-evidence")


def test_the_next_export_does_not_bring_it_back(eraser: Eraser) -> None:
    (archive,) = eraser.home.archives
    with eraser.home.vault.open_segment(
        archive, archive.manifest.segments[0], eraser.home.identities
    ) as segment:
        ((one,),) = segment.connection.execute(
            "SELECT platform_id FROM post WHERE kind = 'post' ORDER BY key DESC LIMIT 1"
        ).fetchall()
    eraser.erase(one, "--everywhere")
    with eraser.home.open_state() as state:
        assert len(state.erased()) >= 1

    later = sample(eraser.home.folder.parent / "later.zip", until=LATER)
    assert eraser("import", later).code == 0
    assert eraser("seal").code == 0
    assert one.encode() not in eraser.readable()
    rows = [row for row in read_contents_of(eraser) if row[1] == one]
    assert rows == []


def read_contents_of(eraser: Eraser) -> list[tuple[object, ...]]:
    found: list[tuple[object, ...]] = []
    for archive in eraser.home.archives:
        for file in archive.manifest.segments if archive.disposed is None else ():
            with eraser.home.vault.open_segment(archive, file, eraser.home.identities) as segment:
                found += segment.connection.execute("SELECT 'post', platform_id FROM post")
                found += segment.connection.execute("SELECT 'gone', platform_id FROM gone")
    return found


def test_what_is_not_sealed_yet_leaves_the_spool(eraser: Eraser) -> None:
    own = "1588091220244370001"
    with eraser.home.open_spool() as spool:
        spool.add_answer(
            answer_of(
                spool,
                x_post(own, "airships are waiting to be sealed"),
                x_post("1588091220244370002", "zeppelins stay"),
                body_kind="mentions",
                series="post",
                change="new",
            )
        )
    eraser.erase(own)
    assert len(eraser.home.archives) == 1  # none had it
    with eraser.home.open_spool() as spool:
        payloads = b"".join(spool.read_page(one.id).payload for one in spool.pages())
        described = b"".join(row[0] for row in spool._rows("SELECT description FROM capture"))
    assert own.encode() not in payloads + described
    assert b"zeppelins stay" in payloads
    assert eraser("seal").code == 0
    eraser.require_sound()
    assert eraser("search", "zeppelins", "--ids").output.split() == ["1588091220244370002"]
    assert eraser("search", "airships", "--ids").output == ""


def test_a_decision_about_it_that_is_not_sealed_yet_loses_what_it_was_and_its_screenshot(
    eraser: Eraser,
) -> None:
    own, other, words = "1588091220244370011", "1588091220244370012", "airships over the town hall again"
    with eraser.home.open_spool() as spool:
        entries = [
            with_screenshot(
                spool, "m3", b"what it looked like", text=words, item_id=own, reason_codes=("spam",)
            ),
            with_screenshot(
                spool, "m4", b"what stays", text="zeppelins", item_id=other, reason_codes=("spam",)
            ),
        ]
        keep_entries(
            spool, entries, [answer_of(spool, x_post(own, words)), answer_of(spool, x_post(other, "y"))]
        )
    refused = eraser("erase", own, *WHY)
    assert refused.code == 2
    assert "the moderation register says what it was, by whom: m3\n" in refused.errors
    eraser.erase(own, "--with-moderation")
    with eraser.home.open_spool() as spool:
        left = b"".join(spool.read_page(one.id).payload for one in spool.pages())
        names = {one.file_name for one in spool.media()}
    assert own.encode() not in left
    assert words.encode() not in left
    assert names == {"screenshot-m4-1.png"}
    assert eraser("seal").code == 0
    eraser.require_sound()
    assert own.encode() not in eraser.readable()
    listed = eraser("moderation", "list", "--json").json_lines()
    assert {one["id"]: one["text"] for one in listed[:-1]}.items() >= {("m3", None), ("m4", "zeppelins")}


@pytest.mark.parametrize("is_sealed", [False, True])
def test_what_was_added_to_a_decision_later_goes_too(eraser: Eraser, *, is_sealed: bool) -> None:
    """It need not name the item again, and may lie in another archive than the decision."""
    words = "what it really said, as somebody put right"
    with eraser.home.open_spool() as spool:
        added = moderation("m1-2", record_id="m1", number=2, entry="correction", corrects="m1", text=words)
        keep_entries(spool, [added], [])
    if is_sealed:
        assert eraser("seal").code == 0
    assert "put right" in eraser("moderation", "show", "m1").output
    eraser.erase(ID, *ELSEWHERE)
    assert eraser("seal").code == 0
    assert words.encode() not in eraser.readable()
    assert "put right" not in eraser("moderation", "show", "m1").output
    eraser.require_sound()


def test_a_decision_about_another_that_names_it_is_refused_as_a_quote(eraser: Eraser) -> None:
    with eraser.home.open_spool() as spool:
        note = moderation(
            "m2-2", record_id="m2", number=2, entry="outcome", corrects="m2", entry_note=f"as {ID}"
        )
        keep_entries(spool, [note], [])
    assert eraser("seal").code == 0
    refused = eraser("erase", ID, *WHY, "--with-moderation")
    assert (refused.code, refused.output) == (2, "")
    assert "moderation m2 in archive" in refused.errors
    eraser.erase(ID, *ELSEWHERE)
    assert ID.encode() not in eraser.readable()


def test_an_answer_that_has_it_again_is_kept_without_it(eraser: Eraser) -> None:
    eraser.erase(OTHER_ID)

    body = json.dumps(
        {"data": [x_post(OTHER_ID, POLITE), x_post("1588091220244370003", "another one")]}
    ).encode()
    capture = Capture(
        key=0, source="x_api", route="api", platform="x", account="1001", handle=None, name=None,
        request="GET /2/m?", body_kind="mentions", layout="x-api-tweet", fetched_ms=1, status=200, headers={},
    )  # fmt: skip
    items = read_answer(capture, cut_answer(body), ENDPOINTS["mentions"]).items
    with eraser.home.open_spool() as spool, eraser.home.open_state() as state:
        marked, left, kept, _ = ErasedFilter(spool, state, "x").cut(capture, body, items)
    assert marked.context == CUT
    assert left is not None
    assert [one["id"] for one in json.loads(left)["data"]] == ["1588091220244370003"]
    ((start, length), *_) = kept[0].places
    assert json.loads(left[start : start + length])["text"] == "another one"
    assert OTHER_ID.encode() not in left


def test_without_one_of_the_two_keys_it_says_which(eraser: Eraser) -> None:
    settings = eraser.home.settings
    settings.signing_key.rename(settings.signing_key.with_suffix(".away"))
    refused = eraser("erase", OTHER_ID, *WHY)
    assert refused.code == 2
    assert "signing_key" in refused.errors
    settings.signing_key.with_suffix(".away").rename(settings.signing_key)
    assert settings.keyholder is not None
    settings.keyholder.identity.rename(settings.keyholder.identity.with_suffix(".away"))
    assert eraser("erase", OTHER_ID, *WHY).code in (1, 2, 12)
    assert len(eraser.home.archives) == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((OTHER_ID, "--reviewer", "A Person", "--yes"), "Missing option '--reason'"),
        ((OTHER_ID, "--reason", " ", "--reviewer", "A Person", "--yes"), "--reason says nothing"),
        ((OTHER_ID, "--reason", "x", "--reviewer", "A Person"), "there is no terminal to say so on"),
        (("5", *WHY), "no record 5 is held here"),
        (("x:moderation:m1", *WHY), "is a decision about something"),
    ],
)
def test_what_makes_no_sense_changes_nothing(eraser: Eraser, words: tuple[str, ...], said: str) -> None:
    result = eraser("erase", *words)
    assert result.code in (1, 2)
    assert said.lower() in result.errors.lower()
    assert len(eraser.home.archives) == 1


# Killed


def killed(folder: Path, step: int, **environ: str) -> "subprocess.CompletedProcess[str]":
    words = [sys.executable, "-m", "tests.faults.killed_run", str(folder), str(step), "--config", str(folder),
             "erase", OTHER_ID, *WHY]  # fmt: skip
    return subprocess.run(
        words,
        cwd=PROJECT,
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture(scope="module")
def steps(made: Home, tmp_path_factory: pytest.TempPathFactory) -> int:
    """How many steps on the disk an undisturbed run takes."""
    folder = copy_folder(made.folder, tmp_path_factory.mktemp("steps") / "home")
    done = killed(folder, 0)
    assert done.returncode == 0, done.stderr
    return int(done.stderr.rsplit("steps ", 1)[1])


@pytest.mark.parametrize(
    ("way", "part"), [*(("killed", n) for n in range(6)), *(("full", n) for n in (1, 3, 4))]
)
def test_cut_off_at_any_step_the_same_command_finishes(
    eraser: Eraser, steps: int, part: int, way: str
) -> None:
    step = 1 + (steps - 1) * part // 5
    done = killed(eraser.home.folder, step, **({"FAIL_INSTEAD": "1"} if way == "full" else {}))
    assert done.returncode != 0 or way == "full", done
    archives = eraser.home.archives
    whole = [one for one in archives if one.disposed is None]
    assert whole, "nothing holds what is left"
    result = eraser("erase", OTHER_ID, *WHY)
    assert result.code == 0, result
    left = eraser.readable()
    assert OTHER_ID.encode() not in left
    assert POLITE.encode() not in left
    assert RUDE.encode() in left
    old, new = eraser.home.archives
    assert old.disposed is not None
    assert new.manifest.replaces == old.name
    eraser.require_sound()


# Searches that go on from before


def test_a_later_page_and_a_recorded_search_find_what_is_left(eraser: Eraser, tmp_path: Path) -> None:
    words = ("search", "the", "--json", "--limit", "5", "--order", "oldest")
    first = eraser(*words).json_lines()
    everything = eraser("search", "the", "--json", "--limit", "0", "--order", "oldest").json_lines()[:-1]
    later = [one["id"] for one in everything[5:10]]
    record = tmp_path / "record.json"
    assert eraser("search", "the", "--record", record).code == 0
    gone = str(later[2])
    eraser.erase(gone, "--everywhere")
    second = eraser(*words, "--after", str(first[-1]["cursor"]))
    assert second.code == 0, second
    left = [one["id"] for one in everything[5:11] if one["id"] != gone]
    assert [one["id"] for one in second.json_lines()[:-1]] == left
    replayed = eraser("search", "--replay", record, "--json")
    (said,) = replayed.json_lines()
    assert gone in json.dumps(said)
    assert replayed.code == 3, replayed
