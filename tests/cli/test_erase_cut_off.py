"""`archiver erase` that is cut off where it takes several steps, and what comes between: the same command
goes on until nothing is left, and nothing is destroyed that somebody holds by then."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from archiver.cli import main
from archiver.cli.erase import _doing
from archiver.reseal.sealing import Resealer
from archiver.reseal.searching import LeftoverError
from tests.cli.runner import Runner
from tests.cli.test_erase import WHY, Eraser, killed
from tests.faults.folders import copy_folder
from tests.homes import Home
from tests.made_vaults import moderation
from tests.unit.reseal.erased import ID, OTHER_ID, POLITE, THIRD_ID, make_mixed_home
from tests.unit.seal.spooled import answer_of, keep_entries, x_post

EDIT, QUOTE, OWN = "1588091220244379502", "1588091220244379503", "1588091220244370001"
EDITED = "a polite reply, edited with even more secret words"
WAITING = "airships are waiting to be sealed"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return make_mixed_home(tmp_path_factory.mktemp("erase"))


@pytest.fixture
def eraser(run: Runner, made: Home, tmp_path: Path) -> Eraser:
    return Eraser(run, Home(copy_folder(made.folder, tmp_path / "home")))


def collect(eraser: Eraser, *posts: Mapping[str, object], change: str = "new", version: int = 1) -> None:
    with eraser.home.open_spool() as spool:
        spool.add_answer(
            answer_of(spool, *posts, body_kind="mentions", series="post", change=change, version=version)
        )


def collect_edit(eraser: Eraser) -> None:
    collect(
        eraser, x_post(EDIT, EDITED, edit_history_tweet_ids=[OTHER_ID, EDIT]), change="changed", version=2
    )


def collect_quote(eraser: Eraser, of: str, words: str) -> None:
    quote = x_post(QUOTE, f"so they said: {words}", referenced_tweets=[{"type": "quoted", "id": of}])
    collect(eraser, quote)


def cut_off(monkeypatch: pytest.MonkeyPatch, owner: object, name: str, call: int) -> Callable[[], None]:
    """Interrupt the program at the so-many-th call of something; the answer puts it right again."""
    real, calls = getattr(owner, name), []

    def interrupted(*arguments: object) -> object:
        calls.append(arguments)
        if len(calls) == call:
            raise KeyboardInterrupt
        return real(*arguments)

    monkeypatch.setattr(owner, name, interrupted)
    return lambda: monkeypatch.setattr(owner, name, real)


def keys(eraser: Eraser) -> list[bool]:
    """Of each archive, in order, whether its key is there."""
    archives = eraser.home.folder / "vault" / "archives"
    return [(archives / one.name / "key.age").exists() for one in eraser.home.archives]


def test_killed_between_two_archives_the_same_command_erases_the_rest(
    eraser: Eraser, tmp_path: Path, run: Runner
) -> None:
    """With a real SIGKILL, at steps all over it."""
    collect_edit(eraser)
    assert eraser("seal").code == 0
    steps = int(killed(copy_folder(eraser.home.folder, tmp_path / "count"), 0).stderr.rsplit("steps ", 1)[1])
    for part in range(1, 8, 2):
        again = Eraser(run, Home(copy_folder(eraser.home.folder, tmp_path / f"{part}")))
        killed(again.home.folder, 1 + (steps - 1) * (2 * part + 3) // 20)
        again.erase(OTHER_ID)
        left = again.readable()
        assert OTHER_ID.encode() not in left
        assert EDITED.encode() not in left
        again.require_sound()
        assert again.home.archives[0].disposed is not None


def test_what_quotes_it_in_another_archive_is_found_again(
    eraser: Eraser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By its words, too: so the archive that says them comes last."""
    collect(eraser, x_post(QUOTE, f"so they said: {POLITE}"))
    assert eraser("seal").code == 0
    for call in (1, 2):
        mend = cut_off(monkeypatch, Resealer, "reseal", call)
        assert eraser("erase", OTHER_ID, *WHY, "--everywhere").code == 130
        mend()
    assert POLITE.encode() in eraser.readable()
    eraser.erase(OTHER_ID, "--everywhere")
    assert POLITE.encode() not in eraser.readable()
    assert OTHER_ID.encode() not in eraser.readable()
    eraser.require_sound()


@pytest.mark.parametrize("at", ["reseal", "erase_from_spool", "dispose_replaced"])
def test_one_that_is_not_sealed_yet_and_is_quoted_in_an_archive(
    eraser: Eraser, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    collect_quote(eraser, OWN, WAITING)
    assert eraser("seal").code == 0
    collect(eraser, x_post(OWN, WAITING), x_post("1588091220244370002", "zeppelins stay"))
    owner: object = Resealer if at == "reseal" else _doing
    mend = cut_off(monkeypatch, owner, at, 2 if at == "dispose_replaced" else 1)
    assert eraser("erase", OWN, *WHY, "--everywhere").code == 130
    mend()
    eraser.erase(OWN, "--everywhere")
    assert eraser("seal").code == 0
    left = eraser.readable()
    assert WAITING.encode() not in left
    assert OWN.encode() not in left
    assert b"zeppelins stay" in left
    eraser.require_sound()
    assert "was erased on" in eraser.erase(OWN, "--everywhere").errors


def test_where_something_would_be_left_the_spool_keeps_what_it_has(
    eraser: Eraser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is lost, as the message says: not what waits to be sealed, nor what the next export brings."""
    collect_edit(eraser)

    def leftover(*_: object) -> None:
        raise LeftoverError("something is left", "nothing is lost")

    monkeypatch.setattr("archiver.reseal.sealing.require_gone", leftover)
    assert eraser("erase", OTHER_ID, *WHY).code == 1
    with eraser.home.open_spool() as spool, eraser.home.open_state() as state:
        assert EDITED.encode() in b"".join(spool.read_page(one.id).payload for one in spool.pages())
        assert state.erased() == frozenset()


def test_what_was_captured_again_is_erased_again(eraser: Eraser) -> None:
    """A decision about what is still on X captures it anew."""
    eraser.erase(OTHER_ID)
    with eraser.home.open_spool() as spool:
        entry = moderation("m9", text=POLITE, item_id=OTHER_ID, reason_codes=("spam",))
        keep_entries(spool, [entry], [answer_of(spool, x_post(OTHER_ID, POLITE))])
    assert eraser("seal").code == 0
    assert POLITE.encode() in eraser.readable()
    assert "m9" in eraser.run.fails(2, "--config", eraser.home.folder, "erase", OTHER_ID, *WHY)
    eraser.erase(OTHER_ID, "--with-moderation")
    assert POLITE.encode() not in eraser.readable()
    eraser.require_sound()


def test_a_name_that_means_nothing_erases_nothing_of_the_others(
    eraser: Eraser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also after a run that was cut off, of which the first step finishes what it left."""
    mend = cut_off(monkeypatch, _doing, "dispose_replaced", 2)
    assert eraser("erase", OTHER_ID, *WHY).code == 130
    mend()
    refused = eraser("erase", OTHER_ID, "1588091220244399998", *WHY)
    assert refused.code == 1
    assert "no record 1588091220244399998 is held here" in refused.errors
    assert "is replaced by" in refused.output  # which the run before had decided
    assert keys(eraser) == [False, True]


def test_a_hold_that_came_meanwhile_keeps_the_old_key(
    eraser: Eraser, monkeypatch: pytest.MonkeyPatch
) -> None:
    mend = cut_off(monkeypatch, _doing, "dispose_replaced", 2)
    assert eraser("erase", OTHER_ID, *WHY).code == 130
    mend()
    hold = eraser("hold", "add", "--everything", "--reason", "an inquiry", "--json").json_lines()[0]
    for record in (OTHER_ID, ID):
        refused = eraser("erase", record, *WHY)
        assert (refused.code, refused.output) == (1, "")
        assert "is held, and its key stays: " in refused.errors
        assert keys(eraser) == [True, True]
    assert eraser("hold", "release", str(hold["id"]), "--reason", "over").code == 0
    eraser.erase(OTHER_ID)
    assert keys(eraser) == [False, True]


def test_another_keyholder_finishes_what_one_who_has_left_began(
    eraser: Eraser, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = eraser.home.folder
    out = folder / "keys" / "second.identity"
    made = eraser("keys", "new", "second", "--no-passphrase", "--classic", "--out", out)
    assert eraser("keys", "add", "second", made.output.strip()).code == 0
    mend = cut_off(monkeypatch, _doing, "dispose_replaced", 2)
    assert eraser("erase", OTHER_ID, *WHY).code == 130
    mend()
    settings = folder / "archiver.toml"
    text = settings.read_text().replace("keys/records.identity", "keys/second.identity")
    settings.write_text(text.replace('name = "records"', 'name = "second"'))
    assert eraser("keys", "remove", "records").code == 0
    eraser.erase(THIRD_ID)
    assert keys(eraser) == [False, False, True]
    eraser.require_sound()
    assert eraser("verify").code == 0
    disposed = [one.disposed for one in eraser.home.archives]
    assert [one is None or one.keyholder for one in disposed] == ["second", "second", True]


@pytest.mark.parametrize("way", ["everything", "query", "minimum", "appeal"])
def test_what_is_not_sealed_yet_is_kept_by_the_same_reasons(eraser: Eraser, way: str) -> None:
    collect(eraser, x_post(OWN, WAITING))
    if way == "everything":
        assert eraser("hold", "add", "--everything", "--reason", "an inquiry").code == 0
    elif way == "query":
        assert eraser("hold", "add", "--query", "airships", "--reason", "an inquiry").code == 0
    elif way == "minimum":
        with (eraser.home.folder / "archiver.toml").open("a") as file:
            file.write("\n[retention]\nminimum_years = 5\n")
    else:
        decision = moderation("m5", text=WAITING, item_id=OWN, reason_codes=("spam",))
        appeal = moderation(
            "m5-2", record_id="m5", number=2, entry="appeal", corrects="m5", appeal_received_ms=5
        )
        with eraser.home.open_spool() as spool:
            keep_entries(spool, [decision, appeal], [])
    refused = eraser("erase", OWN, *WHY, "--with-moderation")
    assert (refused.code, refused.output) == (1, "")
    assert {
        "everything": "the spool is held",
        "query": "the spool is held",
        "minimum": "the spool is kept until ",
        "appeal": "an appeal that is not decided: m5",
    }[way] in refused.errors
    with eraser.home.open_spool() as spool:
        assert WAITING.encode() in b"".join(spool.read_page(one.id).payload for one in spool.pages())


def test_a_hold_that_comes_while_the_question_waits_counts(
    eraser: Eraser, monkeypatch: pytest.MonkeyPatch
) -> None:
    def asked(*_: object, **__: object) -> bool:
        words = ["hold", "add", "--everything", "--reason", "an inquiry"]
        assert main(["--config", str(eraser.home.folder), *words]) == 0
        return True

    monkeypatch.setattr(_doing, "confirm", asked)
    refused = eraser("erase", OTHER_ID, *WHY)
    assert refused.code == 1
    assert "is held" in refused.errors
    assert len(eraser.home.archives) == 1


@pytest.mark.parametrize("is_sealed", [False, True])
def test_a_decision_about_what_nobody_holds_loses_what_it_was(eraser: Eraser, *, is_sealed: bool) -> None:
    """As one that was typed in by hand: it goes by the item's id, and can be restricted by it."""
    item, words = "1588091220244399999", "zeppelins say something about a private person"
    entry = moderation(
        "m7", text=words, item_id=item, content="given", author_handle="private_person",
        reason_codes=("spam",), reason_text="@private_person is rude", entry_note="of 5 Elm Street",
    )  # fmt: skip
    with eraser.home.open_spool() as spool:
        keep_entries(spool, [entry], [])
    if is_sealed:
        assert eraser("seal").code == 0
    assert eraser("restrict", item, "--reason", "a complaint").code == 0
    assert words not in eraser("moderation", "list").output
    assert eraser("restrict", "--release", item, "--reason", "over").code == 0
    assert "m7" in eraser.run.fails(2, "--config", eraser.home.folder, "erase", item, *WHY)
    eraser.erase(item, "--with-moderation")
    if not is_sealed:
        assert eraser("seal").code == 0
    left = eraser.readable()
    for text in (words, item, "private_person", "Elm Street"):
        assert text.encode() not in left
    eraser.require_sound()
    shown = eraser("moderation", "show", "m7")
    assert shown.code == 0
    assert "spam" in shown.output


def test_a_picture_described_in_the_same_words_stays_described(eraser: Eraser) -> None:
    words = "the crest of a police department"
    posts = [
        x_post(own, f"different words {own}", attachments={"media_keys": [key]})
        for own, key in ((OWN, "3_1"), (QUOTE, "3_2"))
    ]
    media = [
        {"media_key": key, "type": "photo", "url": f"https://example.org/{key}.jpg", "alt_text": words}
        for key in ("3_1", "3_2")
    ]
    with eraser.home.open_spool() as spool:
        for post, one in zip(posts, media, strict=True):
            spool.add_answer(
                answer_of(spool, post, body_kind="mentions", series="post", change="new", media=[one])
            )
    assert eraser("seal").code == 0
    eraser.erase(OWN)
    assert words in eraser("show", QUOTE).output
    eraser.require_sound()
