"""Lines for cron: what sh is given is what was meant, and other lines of a crontab stay as they are."""

import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.errors import UsageError
from archiver.schedule.cron import cron_block, cron_line, put_block, quote_for_cron
from archiver.schedule.starting import EVERY_HOURS, EVERY_MINUTES, Started, parse_every
from tests.programs import PROJECT
from tests.unit.schedule.layout import STARTED

OTHER = "MAILTO=office\n# mine\n0 1 * * * true 100\\%\n"


def as_cron_gives_it(command: str) -> str:
    """What Debian's cron gives to sh: a backslash before a % is taken away, and a % without one ends it
    (`do_command.c`)."""
    out, escaped = "", False
    for letter in command:
        if escaped and letter == "%":
            out = out[:-1] + letter
        elif letter == "%":
            return out
        else:
            out += letter
        escaped = not escaped and letter == "\\"
    return out


def started_with(folder: str) -> Started:
    return Started(Path(f"{folder}/archiver"), Path(f"{folder}/archiver.toml"))


@given(st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\n\0"), min_size=1))
def test_any_word_comes_to_sh_as_it_is(word: str) -> None:
    quoted = as_cron_gives_it(quote_for_cron(word))
    if "\r" not in word:  # which shlex takes for a space outside of quotes, and sh does not
        assert shlex.split(quoted) == [word]
    shown = subprocess.run(["/bin/sh", "-c", f"printf %s {quoted}"], capture_output=True, check=True)
    assert shown.stdout == word.encode()


@pytest.mark.parametrize("folder", ["/a b", "/100%", "/it's", "/a\\%b", "/$HOME", "/`x`", "/ü", "/%%", '/"'])
def test_paths_of_all_kinds_are_the_words_of_the_command(folder: str) -> None:
    started = started_with(folder)
    fields = cron_line(started).split(" ", 5)
    assert shlex.split(as_cron_gives_it(fields[5])) == started.words


def test_what_cannot_stand_in_a_crontab_is_refused() -> None:
    for folder in ("/a\nb", "/a\rb", "/a\x00b", "/\udcff", "/\x1b[2J"):
        with pytest.raises(UsageError, match="has a character that cannot stand there") as caught:
            cron_block(started_with(folder))
        assert "\n" not in caught.value.message
    with pytest.raises(UsageError, match="bytes long"):
        cron_block(started_with("/" + "long/" * 200))


def test_times_are_fields_that_cron_takes_and_the_same_each_time() -> None:
    minutes = [parse_every(f"{one}m") for one in EVERY_MINUTES]
    hours = [parse_every(f"{one}h") for one in EVERY_HOURS]
    for every in (*minutes, *hours, parse_every("1d")):
        started = Started(STARTED.program, STARTED.settings, every)
        line = cron_line(started)
        assert line == cron_line(started)
        minute, hour, *days = line.split()[:5]
        assert days == ["*", "*", "*"]
        assert re.fullmatch(r"[0-5]?[0-9](-59/[0-9]+)?", minute)
        assert runs_a_day(minute, hour) == 24 * 60 // every


def runs_a_day(minute: str, hour: str) -> int:
    first, _, step = minute.partition("-59/")
    in_an_hour = len(range(int(first), 60, int(step))) if step else 1
    hours = {"*": 24, "5": 1}.get(hour) or 24 // int(hour.removeprefix("*/"))
    return in_an_hour * hours


@pytest.mark.parametrize("text", ["", "7m", "0m", "60m", "5h", "24h", "2d", "1", "h", "1h1", "-1h", "1 h"])
def test_times_that_do_not_divide_an_hour_or_a_day_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is no time between two runs"):
        parse_every(text)


def test_a_block_goes_to_the_end_and_replaces_an_earlier_one_of_the_same_settings() -> None:
    once = put_block(OTHER, STARTED)
    assert once == OTHER + cron_block(STARTED)
    assert put_block(once, STARTED) == once
    daily = Started(STARTED.program, STARTED.settings, 24 * 60)
    between = once + "# after\n"
    assert put_block(between, daily) == OTHER + cron_block(daily) + "# after\n"
    second = started_with("/second")
    assert put_block(once, second) == once + cron_block(second)
    assert put_block("", STARTED) == cron_block(STARTED)


def test_lines_of_others_stay_byte_for_byte() -> None:
    odd = "a\x0bb\x0cc\u2028d\r\n\n\n  # \udcff\n0 0 * * * x"
    assert put_block(odd, STARTED) == f"{odd}\n{cron_block(STARTED)}"


@pytest.mark.parametrize("broken", ["no end", "twice", "one in the other"])
def test_a_block_that_somebody_broke_is_refused_and_nothing_is_guessed(broken: str) -> None:
    block = cron_block(STARTED)
    begin, *_, end = block.splitlines(keepends=True)
    crontab = {
        "no end": OTHER + block.replace(end, ""),
        "twice": block + block,
        "one in the other": begin + cron_block(started_with("/other")) + end,
    }[broken]
    with pytest.raises(UsageError, match="what belongs to it is not whole"):
        put_block(crontab, STARTED)


def test_the_sample_is_what_the_command_makes() -> None:
    assert (PROJECT / "config" / "archiver.cron").read_text() == cron_block(STARTED)
    assert os.path.basename(STARTED.settings) == "archiver.toml"
