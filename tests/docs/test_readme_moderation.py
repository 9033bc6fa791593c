"""The README's chapter on moderation, followed as written against the fake of X."""

import re
from pathlib import Path

import pytest

from archiver.records import MODERATION_VERBS
from tests.cli.runner import Runner
from tests.collected import fake_x
from tests.docs.documents import blocks, prose, table_rows
from tests.moderated import entries_of, make_scene
from tests.programs import PROJECT

README = PROJECT / "README.md"
HEADING = "Moderation: record first, then act"


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Runner:
    return Runner(capsys)


def block(language: str) -> str:
    (text,) = [one.text for one in blocks(README) if one.heading == HEADING and one.language == language]
    return text


def test_the_chapters_commands_record_hide_and_find_a_reply(run: Runner, tmp_path: Path) -> None:
    with fake_x() as x:
        scene = make_scene(x)
        home = scene.home(tmp_path / "police-archive", more=block("toml").strip())
        commands = [line.split()[1:] for line in block("console").splitlines()]
        assert [one[2] for one in commands] == ["moderate", "moderation", "search"]
        for command in commands:
            words = [
                re.sub(
                    r"^https://x\.com/HANDLE/status/\d+$",
                    scene.url,
                    word.replace("police-archive", str(home.folder)),
                )
                for word in command
            ]
            assert run(*words).code == 0, words
        assert scene.effective_acts == [("hide", scene.reply)]
        assert [one.entry for one in entries_of(home)] == ["decision", "outcome"]


def test_every_action_and_command_it_names_is_there(run: Runner) -> None:
    text = " ".join(prose(README).split())
    listed = text.partition("`--action` takes ")[2].partition(". What this program")[0]
    assert set(re.findall(r"`([a-z-]+)`", listed)) == set(MODERATION_VERBS)
    rows = table_rows(README, "| command | does |")
    for words in (re.findall(r"`([^`]+)`", row[0]) for row in rows):
        first = words[0].split()
        names = [first[2], *(word.split()[0] for word in words[1:])]
        for name in names:
            assert run("moderation", name, "--help").code == 0, name
