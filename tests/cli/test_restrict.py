"""`archiver restrict`: a record is kept and nothing shows it, until somebody says why."""

import json
from pathlib import Path
from typing import Any

import pytest

from archiver.moderation.keeping import keep_entries
from tests.cli.runner import Result, Runner
from tests.faults.folders import copy_folder
from tests.homes import Home
from tests.made_vaults import moderation
from tests.unit.reseal.erased import ID, OTHER_ID, POLITE, RUDE, THIRD_ID, make_mixed_home
from tests.unit.seal.spooled import answer_of, x_post

NOT_SHOWN = "of the whole vault 1 record is restricted, and not shown whatever is asked"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return make_mixed_home(tmp_path_factory.mktemp("restrict"))


class Keeper:
    """A folder with the command line on it."""

    def __init__(self, run: Runner, home: Home) -> None:
        self.run = run
        self.home = home

    def __call__(self, *words: str | Path) -> Result:
        return self.run("--config", self.home.folder, *words)

    def restrict(self, *ids: str) -> Result:
        result = self("restrict", *ids, "--reason", "needed elsewhere")
        assert result.code == 0, result
        return result

    def ids(self, *words: str) -> set[str]:
        result = self("search", "--ids", "--limit", "0", *words)
        assert result.code == 0, result
        return set(result.output.split())

    def log(self) -> list[dict[str, Any]]:
        return [one for one in self("log", "show", "--json").json_lines() if one["type"] == "act"]


@pytest.fixture
def keeper(run: Runner, made: Home, tmp_path: Path) -> Keeper:
    return Keeper(run, Home(copy_folder(made.folder, tmp_path / "home")))


def test_search_and_counts_leave_it_out_and_say_so(keeper: Keeper) -> None:
    before = int(keeper("search", "reply", "--count").output)
    assert OTHER_ID in keeper.ids("polite")
    result = keeper.restrict(OTHER_ID)
    assert f"x:post:{OTHER_ID} is restricted; decision " in result.output
    assert keeper.ids("polite") == set()
    assert int(keeper("search", "reply", "--count").output) == before - 1
    found = keeper("search", "polite", "--json")
    assert found.json_lines()[-1]["restricted"] == 1
    assert NOT_SHOWN in keeper("search", "reply").errors
    for order in ("oldest", "relevance"):
        assert OTHER_ID not in keeper("search", "reply", "--order", order, "--ids", "--limit", "0").output
    for by in ("month", "kind", "author", "account"):
        assert sum(map(int, _numbers(keeper("search", "reply", "--by", by, "--json")))) == before - 1


def _numbers(result: Result) -> list[str]:
    return [str(one["count"]) for one in result.json_lines() if one["type"] == "group"]


def test_show_says_that_it_is_kept_and_shows_it_for_a_reason_which_the_log_has(keeper: Keeper) -> None:
    keeper.restrict(OTHER_ID)
    refused = keeper("show", OTHER_ID)
    assert (refused.code, refused.output) == (1, "")
    assert f"the record {OTHER_ID} is restricted: it is kept and not shown" in refused.errors
    assert keeper("show", OTHER_ID, "--restricted").code == 2
    shown = keeper("show", OTHER_ID, "--restricted", "--reason", "court")
    assert shown.code == 0
    assert POLITE in shown.output
    last = [one for one in keeper.log() if one.get("command") == "show" and one.get("reason") == "court"]
    assert last[0]["detail"] == {"restricted": True}


def test_a_thread_does_not_show_it_either(keeper: Keeper) -> None:
    keeper.restrict(ID)
    shown = keeper("show", THIRD_ID)
    assert shown.code == 0
    assert RUDE not in shown.output
    assert ID not in keeper.ids("id:" + ID)


def test_moderation_records_about_it_are_left_out_too(keeper: Keeper) -> None:
    assert len(keeper("moderation", "list", "--json").json_lines()) == 3
    keeper.restrict(f"x:post:{ID}")
    listed = keeper("moderation", "list", "--json")
    assert [one["id"] for one in listed.json_lines() if one["type"] == "moderation"] == ["m2"]
    assert RUDE not in keeper("moderation", "export").output
    everything = keeper("moderation", "list", "--json", "--restricted", "--why", "audit")
    assert len(everything.json_lines()) == 3
    assert NOT_SHOWN.replace("record", "moderation record") in keeper("moderation", "list").errors


EDIT = "1588091220244379502"
SAID_LATER = "a polite reply, edited into words that nobody shall see"


def keep_edit(keeper: Keeper) -> None:
    """The post was edited; collected, and not sealed yet."""
    with keeper.home.open_spool() as spool:
        edit = x_post(EDIT, SAID_LATER, edit_history_tweet_ids=[OTHER_ID, EDIT])
        spool.add_answer(
            answer_of(spool, edit, body_kind="mentions", series="post", change="changed", version=2)
        )


def keep_decision(keeper: Keeper) -> None:
    """A decision about the edit; not sealed yet."""
    with keeper.home.open_spool() as spool:
        entry = moderation("m8", text=SAID_LATER, item_id=EDIT, reason_codes=("spam",))
        keep_entries(spool, [entry], [])


@pytest.mark.parametrize("sealed", ["neither", "both", "decision", "edit"])
def test_a_decision_about_an_edit_of_it_is_left_out_wherever_both_lie(keeper: Keeper, sealed: str) -> None:
    steps = [keep_decision, keep_edit] if sealed == "decision" else [keep_edit, keep_decision]
    steps[0](keeper)
    if sealed in ("decision", "edit"):
        assert keeper("seal").code == 0
    steps[1](keeper)
    if sealed == "both":
        assert keeper("seal").code == 0
    ways: list[tuple[str, ...]] = [
        ("search", "nobody", "kind:moderation"), ("search", "nobody"), ("moderation", "list"),
        ("moderation", "show", "m8"), ("moderation", "show", EDIT), ("show", EDIT), ("show", OTHER_ID),
    ]  # fmt: skip
    if sealed in ("neither", "edit"):
        ways.append(("moderation", "list", "--open"))
    before = [SAID_LATER in keeper(*words).output for words in ways[:4]]
    assert before == [True] * 4
    assert "is still shown" not in keeper.restrict(OTHER_ID).errors
    for words in ways:
        assert SAID_LATER not in keeper(*words).output, words
    assert f"the record {EDIT} is restricted" in keeper("show", EDIT).errors
    assert "m2" in keeper("moderation", "list").output
    shown = keeper("moderation", "show", "m8", "--restricted", "--reason", "audit")
    assert SAID_LATER in shown.output
    assert keeper("restrict", "--release", OTHER_ID, "--reason", "over").code == 0
    assert SAID_LATER in keeper("moderation", "show", "m8").output


def test_a_pack_takes_it_only_when_it_is_asked_to(keeper: Keeper, tmp_path: Path) -> None:
    keeper.restrict(OTHER_ID)
    words = ("evidence", "export", "polite", "--case", "C/1", "--exhibit", "ABC", "--produced-by", "A Person",
             "--format", "jsonl")  # fmt: skip
    refused = keeper(*words, "-o", tmp_path / "pack")
    assert "no sealed record matches" in refused.errors
    made = keeper(*words, "-o", tmp_path / "pack", "--restricted", "--reason", "court")
    assert made.code == 0, made
    assert POLITE in (tmp_path / "pack" / "data" / "records.jsonl").read_text()


def test_what_quotes_it_is_named_and_still_shown(keeper: Keeper) -> None:
    result = keeper.restrict(ID)
    assert f"post {THIRD_ID} quotes or names it, and is still shown" in result.errors
    assert THIRD_ID in keeper.ids("mean")


def test_a_released_record_is_shown_again(keeper: Keeper) -> None:
    keeper.restrict(OTHER_ID, ID)
    listed = keeper("restrict", "--list", "--json").json_lines()
    assert {one["id"] for one in listed} == {ID, OTHER_ID}
    assert {one["reason"] for one in listed} == {"needed elsewhere"}
    assert keeper("restrict", "--release", OTHER_ID, "--reason", "over").code == 0
    assert OTHER_ID in keeper.ids("polite")
    assert ID not in keeper.ids("rude")
    assert keeper("restrict", "--release", OTHER_ID, "--reason", "over").code == 1


def test_what_is_not_sealed_yet_is_restricted_too(keeper: Keeper) -> None:
    with keeper.home.open_spool() as spool:
        spool.add_answer(
            answer_of(
                spool,
                x_post("1588091220244370001", "zeppelins wait to be sealed"),
                body_kind="mentions",
                series="post",
                change="new",
            )
        )
    assert keeper.ids("zeppelins") == {"1588091220244370001"}
    keeper.restrict("1588091220244370001")
    assert keeper.ids("zeppelins") == set()
    assert keeper("show", "1588091220244370001").code == 1


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ((), 2, "missing argument"),
        (("5",), 2, "a reason must be given"),
        (("5", "--reason", "x"), 1, "no record 5 is held here"),
        (("x:nonsense:5", "--reason", "x"), 2, "there is no kind of record"),
        (("x:message:" + ID, "--reason", "x"), 1, "is held here"),
        (("--list", "5"), 2, "--list takes nothing else"),
        (("--release", "5", "--reason", "x"), 1, "no record 5 is restricted"),
    ],
)
def test_what_makes_no_sense_is_said(keeper: Keeper, words: tuple[str, ...], code: int, said: str) -> None:
    result = keeper("restrict", *words)
    assert (result.code, result.output) == (code, "")
    assert said in result.errors


def test_nothing_is_shown_where_the_register_was_cut_off(keeper: Keeper) -> None:
    keeper.restrict(OTHER_ID)
    for path in (keeper.home.folder / "vault" / "audit").glob("_custody.*/*.tar"):
        path.unlink()
    result = keeper("search", "polite")
    assert result.code == 20, result
    assert json.dumps(POLITE) not in result.output
