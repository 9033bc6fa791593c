"""`archiver hold`: what is held, by what, and until when."""

from pathlib import Path

import pytest

from archiver.keys import encode_identity_file, new_identity
from tests.cli.retained import again, dispose, make_two, review
from tests.cli.runner import Runner
from tests.homes import Home
from tests.packs import export


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return make_two(tmp_path_factory.mktemp("made"))


@pytest.fixture
def home(made: Home, tmp_path: Path) -> Home:
    return again(made, tmp_path / "home")


def add(run: Runner, home: Home, *how: str) -> dict[str, object]:
    result = run("--config", home.folder, "hold", "add", *how, "--reason", "a complaint", "--json")
    assert result.code == 0, result
    (told,) = result.json_lines()
    return told


def names(home: Home) -> tuple[str, str]:
    old, new = (one.name for one in home.archives)
    return old, new


def test_a_hold_on_an_archive_keeps_it_until_it_is_released(run: Runner, home: Home) -> None:
    old, _ = names(home)
    held = add(run, home, "--archive", old, "--case", "CO/17/26")
    assert (held["archives"], held["scope"], held["case"]) == ([old], "archives", "CO/17/26")
    assert f"held: hold {str(held['id'])[:8]}" in review(run, home, old).errors
    refused = dispose(run, home, old)
    assert refused.code == 1
    assert f"archive {old} is held: hold {str(held['id'])[:8]} on {old}, case CO/17/26" in refused.errors
    assert (home.folder / "vault/archives" / old / "key.age").exists()
    released = run("--config", home.folder, "hold", "release", str(held["id"])[:6], "--reason", "withdrawn")
    assert released.code == 0
    assert dispose(run, home, old).code == 0
    assert not (home.folder / "vault/archives" / old / "key.age").exists()


def test_what_is_held_is_found_and_shown_as_before(run: Runner, home: Home) -> None:
    before = run("--config", home.folder, "search", "the", "--limit", "0").output
    add(run, home, "--everything")
    assert run("--config", home.folder, "search", "the", "--limit", "0").output == before
    assert before


def test_a_hold_by_query_names_the_archives_and_covers_what_is_sealed_later(
    run: Runner, home: Home, tmp_path: Path
) -> None:
    """A month of the sample that is only in the second archive is taken as what came later."""
    old, new = names(home)
    texts = {
        archive: {
            str(one["text"])
            for one in run("--config", home.folder, "search", "the", "--limit", "0", "--json").json_lines()
            if one.get("archive") == archive
        }
        for archive in (old, new)
    }
    word = next(
        one for text in sorted(texts[new]) for one in text.split()
        if one.isalpha() and len(one) > 7 and not any(one.lower() in other.lower() for other in texts[old])
    )  # fmt: skip
    held = add(run, home, "--query", word)
    assert held["archives"] == [new]
    other = add(run, home, "--query", "nosuchwordanywhere")
    assert other["archives"] == []
    listed = run("--config", home.folder, "hold", "list", "--json").json_lines()
    assert [one["query"] for one in listed] == [word, "nosuchwordanywhere"]


def test_a_case_alone_holds_what_its_packs_took_and_everything_without_one(
    run: Runner, home: Home, tmp_path: Path
) -> None:
    old, new = names(home)
    (first, *_) = run("--config", home.folder, "search", "the", "--order", "oldest", "--json").json_lines()
    assert first["archive"] == old
    everything = run("--config", home.folder, "hold", "add", "--case", "SP/2026/0417", "--reason", "x")
    assert "is not known, so everything is held" in everything.errors
    (tmp_path / "ids").write_text(f"{first['id']}\n")
    export(home, tmp_path / "ABC_1", "--ids", tmp_path / "ids")
    (listed,) = run("--config", home.folder, "evidence", "list", "--json").json_lines()
    case = str(listed["case"])
    held = add(run, home, "--case", case)
    assert (held["scope"], held["archives"], held["everything"]) == ("case", [old], False)
    assert new not in held["archives"]  # type: ignore[operator]
    told = run("--config", home.folder, "retention", "due", "--all").output.split(new)[1]
    assert f"case {case}" in told and "(may cover this one too)" in told  # noqa: PT018


def test_a_released_hold_is_listed_on_demand_with_who_released_it_and_why(run: Runner, home: Home) -> None:
    held = add(run, home, "--everything")
    run("--config", home.folder, "hold", "release", str(held["id"]), "--reason", "withdrawn")
    assert run("--config", home.folder, "hold", "list").output == ""
    told = run("--config", home.folder, "hold", "list", "--all").output
    assert "on everything" in told
    assert "released by records on " in told
    (one,) = run("--config", home.folder, "hold", "list", "--all", "--json").json_lines()
    assert one["released"]["reason"] == "withdrawn"  # type: ignore[index]
    again_ = run.fails(2, "--config", home.folder, "hold", "release", str(held["id"]), "--reason", "x")
    assert "is released already" in again_


def test_every_decision_is_in_the_log_before_it_counts(run: Runner, home: Home) -> None:
    held = add(run, home, "--everything", "--case", "C/1")
    run("--config", home.folder, "hold", "release", str(held["id"]), "--reason", "over")
    log = run("--config", home.folder, "log", "show", "--json").json_lines()
    assert [one["verb"] for one in log if one.get("verb") in ("hold", "release")] == ["hold", "release"]
    assert run("--config", home.folder, "log", "verify").code == 0
    assert run("--config", home.folder, "verify").code == 0
    assert "complaint" not in run("--config", home.folder, "log", "verify").output


@pytest.mark.parametrize(
    ("how", "why"),
    [
        (("--reason", "x"), "a hold of what?"),
        (("--everything",), "--reason"),
        (("--everything", "--reason", "  "), "needs a reason"),
        (("--everything", "--archive", "a", "--reason", "x"), "exclude each other"),
        (("--archive", "1999-01-01", "--reason", "x"), "there is no archive 1999-01-01"),
        (("--archive", "../keys", "--reason", "x"), "there is no archive ../keys"),
        (("--query", "(", "--reason", "x"), ""),
        (("--query", "has:nothing", "--reason", "x"), ""),
        (("--everything", "--reason", "x" * 5000), "4,000 characters"),
    ],
)
def test_what_cannot_be_held_is_said_and_nothing_is_kept(
    run: Runner, home: Home, how: tuple[str, ...], why: str
) -> None:
    assert why in run.fails(2, "--config", home.folder, "hold", "add", *how)
    assert run("--config", home.folder, "hold", "list").output == ""


def test_an_id_that_is_none_is_refused(run: Runner, home: Home) -> None:
    for wrong in ("zzzz", "", "a"):
        assert "there is no hold" in run.fails(
            2, "--config", home.folder, "hold", "release", wrong, "--reason", "x"
        )


def test_whoever_is_no_keyholder_decides_nothing(run: Runner, home: Home) -> None:
    add(run, home, "--everything")
    path = home.folder / "keys/records.identity"
    path.chmod(0o600)
    path.write_bytes(encode_identity_file(new_identity(classic=True), "stranger", 0))
    for command in (("hold", "list"), ("hold", "add", "--everything", "--reason", "x")):
        assert run("--config", home.folder, *command).code == 12


def test_a_register_that_was_tampered_with_is_damage_everywhere(run: Runner, home: Home) -> None:
    old, _ = names(home)
    review(run, home, old)
    add(run, home, "--everything")
    entry = home.folder / "vault/audit/_custody.records/00000002.tar"
    data = entry.read_bytes()
    entry.unlink()
    for command in (
        ("hold", "list"),
        ("retention", "due", "--holds"),
        ("retention", "dispose", old, "--yes"),
    ):
        result = run("--config", home.folder, *command)
        assert result.code == 20, (command, result)
        assert "its end was cut off" in result.errors
    assert run("--config", home.folder, "verify").code == 20
    entry.write_bytes(data[:2000] + bytes([data[2000] ^ 1]) + data[2001:])
    assert run("--config", home.folder, "hold", "list").code == 20
    entry.write_bytes(data)
    assert run("--config", home.folder, "hold", "list").code == 0
