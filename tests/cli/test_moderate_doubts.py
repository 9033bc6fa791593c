"""Where it would be easy to act on the wrong thing, to say "done" too early, or to lose what was said."""

import io
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from archiver.formats import age
from archiver.moderation.keeping import keep_entries
from archiver.records import Moderation
from archiver.register import compose
from archiver.times import format_time
from tests.cli.runner import Runner
from tests.collected import MINUTE_MS, XHome, fake_x
from tests.fakes.x_faults import Drop, Edit, problem
from tests.moderated import (
    ACTS,
    TEXT,
    Scene,
    entries_of,
    make_scene,
    moderate,
    registered,
    say,
    wait_for_nothing,
)
from tests.unit.moderation.test_screenshots import PNG

ITEM = r"^/2/tweets$"
ACT_PATH = r"/2/tweets/\d+/hidden$"
GIVEN = ["--text", TEXT, "--author", "loud_resident", "--posted-at", "2026-11-20T10:00Z"]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Runner:
    return Runner(capsys)


@pytest.fixture
def scene() -> Iterator[Scene]:
    with fake_x() as x:
        yield make_scene(x)


@pytest.fixture
def home(scene: Scene, tmp_path: Path) -> XHome:
    return scene.home(tmp_path / "home")


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    wait_for_nothing(monkeypatch)


def allow(home: XHome, acts: str) -> None:
    path = home.folder / "archiver.toml"
    path.write_text(path.read_text().replace(ACTS, acts))


def edited(change: Callable[[dict[str, Any]], None]) -> Edit:
    def edit(document: dict[str, Any]) -> dict[str, Any]:
        change(document)
        return document

    return Edit(edit)


# Acting on the wrong thing


def test_an_act_that_x_may_have_done_is_undone_and_not_called_off(
    run: Runner, scene: Scene, home: XHome
) -> None:
    scene.x.faults.add(ACT_PATH, Drop(), times=100)
    moderate(run, home, scene.url, "hide", code=3)
    assert scene.effective_acts == [("hide", scene.reply)]
    scene.x.faults.clear()
    assert "unhidden: X says" in say(run, home, "moderation", "reverse", scene.url, "--note", "no").output
    assert scene.effective_acts == [("hide", scene.reply), ("unhide", scene.reply)]


def test_a_removal_that_x_may_have_done_is_called_off_with_the_doubt_said(
    run: Runner, scene: Scene, home: XHome
) -> None:
    scene.x.faults.add(r"^/2/tweets/\d+$", Drop(), times=100, method="DELETE")
    moderate(run, home, scene.notice, "remove", reason="own_error", code=3)
    result = say(run, home, "moderation", "reverse", scene.notice, "--note", "it was right", code=3)
    assert "X may have done it before" in result.errors
    assert say(run, home, "moderation", "pending").output == "Nothing is pending.\n"


@pytest.mark.parametrize("how", ["another", "first of a list", "only beside it", "no number"])
def test_nobody_is_muted_but_who_was_named(run: Runner, scene: Scene, home: XHome, how: str) -> None:
    other = {"id": scene.bystander.id, "username": scene.bystander.handle, "name": "Quiet"}

    def change(document: dict[str, Any]) -> None:
        if how == "another":
            document["data"] = other
        elif how == "first of a list":
            document["data"] = [other, document["data"]]
        elif how == "only beside it":
            document["includes"] = {"users": [other]}
            del document["data"]
        else:
            document["data"]["id"] = "1\x1b]0;x\x07\n"

    scene.x.faults.add(r"/2/users/by/username/", edited(change), times=10)
    command = ["moderate", "@loud_resident", "--reason", "spam", "--action", "mute"]
    result = run("--config", home.folder, *command)
    assert result.code == 1, result
    assert "\x1b" not in result.output + result.errors
    assert (scene.x.acts, entries_of(home)) == ([], [])


@pytest.mark.parametrize("lack", ["text", "author_id"])
@pytest.mark.parametrize("value", [None, 5, "gone"])
def test_nothing_is_done_where_x_does_not_say_what_was_said_and_by_whom(
    run: Runner, scene: Scene, home: XHome, lack: str, value: object
) -> None:
    if (lack, value) == ("text", "gone"):
        value = ["gone"]

    def change(document: dict[str, Any]) -> None:
        for post in document["data"]:
            if value is None:
                del post[lack]
            else:
                post[lack] = value

    scene.x.faults.add(ITEM, edited(change), times=10)
    message = run.fails(
        1, "--config", home.folder, "moderate", scene.url, "--reason", "spam", "--action", "hide"
    )
    assert "lacks what it says, or who wrote it" in message
    assert (scene.x.acts, entries_of(home)) == ([], [])


@pytest.mark.parametrize(
    ("item", "action", "more", "said"),
    [
        ("{reply}", "hide", ["--message", *GIVEN], "a direct message cannot be hidden"),
        ("{notice}", "remove", ["--message", *GIVEN], "a direct message cannot be removed"),
        ("@loud_resident", "hide", [], "an account cannot be hidden"),
        ("@loud_resident", "reply", [], "an account cannot be replied to"),
        ("@SpringfieldPD", "mute", [], "is the account's own"),
        ("{notice}", "hide", [], "is the account's own"),
        ("{reply}", "comments-off", [], "only under its own posts"),
        ("{reply}", "remove", [], "only its author, or X itself"),
    ],
)
def test_an_action_that_does_not_fit_the_item_is_refused(
    run: Runner, scene: Scene, home: XHome, item: str, action: str, more: list[str], said: str
) -> None:
    named = item.format(reply=scene.reply, notice=scene.notice)
    command = ["moderate", named, "--reason", "spam", "--action", action, *more]
    assert said in run.fails(2, "--config", home.folder, *command)
    assert (scene.x.acts, entries_of(home)) == ([], [])


def test_a_message_and_a_post_of_the_same_number_are_two_items(
    run: Runner, scene: Scene, home: XHome
) -> None:
    moderate(run, home, scene.reply, "none", "--message", *GIVEN)
    assert moderate(run, home, scene.reply, "none").output.startswith("Recorded as ")
    assert [row.item_type for row in registered(home)] == ["message", "reply"]


def test_what_the_settings_no_longer_allow_is_not_done(run: Runner, scene: Scene, home: XHome) -> None:
    scene.x.faults.add(ACT_PATH, problem(503), times=100)
    moderate(run, home, scene.url, "hide", code=3)
    scene.x.faults.clear()
    allow(home, "acts = []")
    result = say(run, home, "moderation", "pending", "--finish", code=3)
    assert 'acts = ["hide"] in [account.api]' in result.output
    assert scene.x.acts == []


def test_what_the_settings_allow_since_is_done(run: Runner, scene: Scene, tmp_path: Path) -> None:
    home = scene.home(tmp_path / "home", more="acts = []")
    moderate(run, home, scene.url, "hide", code=3)
    path = home.folder / "archiver.toml"
    path.write_text(path.read_text().replace("acts = []", ACTS))
    result = moderate(run, home, scene.url, "hide")
    assert result.output.startswith("Recorded already as ")
    assert scene.effective_acts == [("hide", scene.reply)]
    assert [row.state for row in registered(home)] == ["done"]


def test_an_old_reversal_does_not_undo_a_newer_decision(run: Runner, scene: Scene, home: XHome) -> None:
    moderate(run, home, scene.url, "hide")
    scene.x.faults.add(ACT_PATH, problem(503), times=100)
    say(run, home, "moderation", "reverse", scene.url, "--note", "no", code=3)
    scene.x.faults.clear()
    command = ["moderate", scene.url, "--reason", "abusive", "--action", "hide"]
    message = run.fails(2, "--config", home.folder, *command)
    assert "is still to be unhidden" in message
    record = registered(home)[0].record_id
    assert f"archiver moderation reverse {record[:8]}" in message
    assert "hidden: X says" in say(run, home, "moderation", "reverse", record[:8], "--note", "yes").output
    assert say(run, home, "moderation", "pending").output == "Nothing is pending.\n"
    assert scene.reply in scene.x.world.hidden


# Losing what was said


def test_what_is_said_anew_of_a_known_record_is_added_to_it(
    run: Runner, scene: Scene, home: XHome, tmp_path: Path
) -> None:
    picture = tmp_path / "seen.png"
    picture.write_bytes(PNG)
    moderate(run, home, scene.url, "hide")
    anew = ["--note", "a threat", "--escalate", "crime:42", "--screenshot", str(picture)]
    result = moderate(run, home, scene.url, "hide", *anew, reason="threatening")
    assert "and what was said now is added." in result.output
    record = compose(entries_of(home))
    assert record.now.reason_codes == ("threatening",)
    assert record.reason_codes == ("abusive", "threatening")
    assert (record.now.reason_text, record.now.escalated_reference) == ("a threat", "42")
    assert [one.role for one in record.now.attachments] == ["screenshot"]
    # The same once more adds nothing.
    again = moderate(run, home, scene.url, "hide", *anew, reason="threatening")
    assert "added" not in again.output
    assert len(entries_of(home)) == 3
    assert len(registered(home)) == 1


def test_what_a_person_saw_of_a_post_that_is_gone_is_added_later(
    run: Runner, scene: Scene, home: XHome, tmp_path: Path
) -> None:
    picture = tmp_path / "seen.png"
    picture.write_bytes(PNG)
    scene.x.world.delete_post(scene.reply)
    first = moderate(run, home, scene.url, "hide", code=3)
    assert "hidden: nothing was done: X says that it is not there" in first.output
    second = moderate(run, home, scene.url, "hide", *GIVEN, "--screenshot", str(picture), code=3)
    assert "and what was said now is added." in second.output
    record = compose(entries_of(home))
    assert (record.now.content, record.now.text, len(record.now.attachments)) == ("given", TEXT, 1)
    assert record.now.unseen == "X says that it is not there"
    assert len(registered(home)) == 1


def test_a_post_that_is_there_again_is_recorded_and_acted_on(run: Runner, scene: Scene, home: XHome) -> None:
    scene.x.world.suspend(scene.author)
    moderate(run, home, scene.url, "hide", code=3)
    scene.author.suspended = False
    assert moderate(run, home, scene.url, "hide").output.startswith("Recorded as ")
    assert scene.effective_acts == [("hide", scene.reply)]
    assert [row.state for row in registered(home)] == ["failed", "done"]


def test_what_was_called_off_does_not_stand_for_another_decision(
    run: Runner, scene: Scene, home: XHome
) -> None:
    moderate(run, home, scene.url, "block", code=3)
    say(run, home, "moderation", "reverse", scene.url, "--note", "not needed")
    assert moderate(run, home, scene.url, "none").output.startswith("Recorded as ")
    assert moderate(run, home, scene.url, "block", code=3).output.startswith("Recorded as ")


def test_what_was_done_by_hand_is_recorded_as_done_though_it_is_gone(
    run: Runner, scene: Scene, home: XHome
) -> None:
    scene.x.world.delete_post(scene.notice)
    when = format_time(scene.x.world.now_ms() - MINUTE_MS)
    own = f"https://x.com/SpringfieldPD/status/{scene.notice}"
    moderate(run, home, own, "remove", "--done-at", when, reason="own_error", code=3)
    (decision,) = entries_of(home)
    assert (decision.item_type, decision.state, decision.way) == ("own_post", "done", "hand")
    assert format_time(decision.action_ms or 0) == when


def test_an_account_by_hand_needs_its_number_and_is_then_known_again(
    run: Runner, scene: Scene, home: XHome
) -> None:
    scene.x.faults.add(r"/2/users/by/username/", problem(503), times=100)
    command = ["moderate", "@loud_resident", "--reason", "impersonation", "--action", "report", *GIVEN]
    assert "--author-id" in run.fails(2, "--config", home.folder, *command)
    numbered = [*GIVEN, "--author-id", scene.author.id]
    result = moderate(run, home, "@loud_resident", "report", *numbered, reason="impersonation", code=3)
    assert f"open https://x.com/i/user/{scene.author.id}" in result.output
    moderate(run, home, "@loud_resident", "report", *numbered, reason="impersonation", code=3)
    assert len(registered(home)) == 1


def test_a_text_too_long_for_standard_input_is_refused_whole(
    run: Runner, scene: Scene, home: XHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.x.faults.add(ITEM, problem(503), times=100)
    given = ["--text", "-", "--author", "loud_resident", "--posted-at", "2026-11-20T10:00Z"]
    command = ["moderate", scene.url, "--reason", "spam", "--action", "none", *given]
    for text, code in (("é" * (512 * 1024) + "!", 2), ("é" * 1000 + "\n", 3)):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode()), "utf-8"))
        result = run("--config", home.folder, *command)
        assert result.code == code, result
    (decision,) = entries_of(home)
    assert decision.text == "é" * 1000


def test_a_version_that_was_edited_since_is_a_record_of_its_own(
    run: Runner, scene: Scene, home: XHome
) -> None:
    moderate(run, home, scene.reply, "hide")
    newer = scene.x.world.edit_post(scene.reply, "@SpringfieldPD Worse.")
    result = moderate(run, home, str(getattr(newer, "id", newer)), "hide")
    first, second = registered(home)
    assert f"another version of this post is on record as {first.record_id}" in result.errors
    texts = [one.text for one in entries_of(home) if one.entry == "decision"]
    assert texts == [TEXT, "@SpringfieldPD Worse."]
    assert second.item_id != first.item_id


@pytest.mark.parametrize("over", ["item", "account"])
def test_an_old_reversal_does_not_unmute_who_was_muted_since(
    run: Runner, scene: Scene, home: XHome, over: str
) -> None:
    moderate(run, home, scene.url, "mute")
    scene.x.faults.add(r"/muting/", problem(503), times=100, method="DELETE")
    say(run, home, "moderation", "reverse", scene.reply, "--note", "no", code=3)
    scene.x.faults.clear()
    again = scene.url if over == "item" else "@loud_resident"
    command = ["moderate", again, "--reason", "spam", "--action", "mute"]
    assert "is still to be unmuted" in run.fails(2, "--config", home.folder, *command)
    moderate(run, home, again, "mute", "--again")
    result = say(run, home, "moderation", "pending", "--finish", code=3)
    assert "by the newer record" in result.errors
    assert [act for act, _ in scene.effective_acts] == ["mute"]


def test_an_attempt_at_what_was_planned_otherwise_is_on_record_before_it_is_made(
    run: Runner, scene: Scene, home: XHome
) -> None:
    scene.x.faults.add(ACT_PATH, problem(403))
    moderate(run, home, scene.url, "hide", code=1)
    scene.x.faults.add(ACT_PATH, Drop(), times=100)
    record = registered(home)[0].record_id
    say(run, home, "moderation", "pending", "--finish", record, code=3)
    assert [(one.entry, one.state) for one in entries_of(home)] == [
        ("decision", "planned"),
        ("outcome", "failed"),
        ("outcome", "planned"),
    ]
    scene.x.faults.clear()
    say(run, home, "moderation", "reverse", record, "--note", "no")
    assert scene.effective_acts == [("hide", scene.reply), ("unhide", scene.reply)]


def test_another_picture_of_the_same_size_is_kept_too(
    run: Runner, scene: Scene, home: XHome, tmp_path: Path
) -> None:
    first, second = tmp_path / "a.png", tmp_path / "b.png"
    first.write_bytes(PNG)
    second.write_bytes(
        PNG[:60] + bytes([PNG[60] ^ 1]) + PNG[61:] if len(PNG) > 80 else PNG[:20] + b"x" + PNG[21:]
    )
    moderate(run, home, scene.url, "none", "--screenshot", str(first))
    for _ in range(2):
        moderate(run, home, scene.url, "none", "--screenshot", str(second))
    assert len({one.sha256 for one in compose(entries_of(home)).now.attachments}) == 2
    assert len(entries_of(home)) == 2


def test_what_was_done_by_hand_since_is_recorded_of_a_known_record(
    run: Runner, scene: Scene, home: XHome
) -> None:
    when = format_time(scene.x.world.now_ms())
    moderate(run, home, scene.url, "block", code=3)
    assert "blocked: done by hand" in moderate(run, home, scene.url, "block", "--done-at", when).output
    scene.x.world.delete_post(scene.notice)
    own = f"https://x.com/SpringfieldPD/status/{scene.notice}"
    moderate(run, home, own, "remove", reason="own_error", code=3)
    moderate(run, home, own, "remove", "--done-at", when, reason="own_error", code=3)
    assert [row.state for row in registered(home)] == ["done", "done"]
    early = ["moderate", "done", scene.reply, "--at", "2020-01-01T00:00Z"]
    moderate(run, home, scene.url, "report", code=3)
    assert "before it was posted" in run.fails(2, "--config", home.folder, *early)
    record = registered(home)[0].record_id
    later = format_time(scene.x.world.now_ms())
    say(run, home, "moderation", "correct", record, "--why", "clock", "--done-at", later)


def test_the_same_said_again_says_what_was_missing_and_adds_nothing(
    run: Runner, scene: Scene, home: XHome
) -> None:
    scene.x.faults.add(r"/search/recent$", problem(503), times=100)
    moderate(run, home, scene.url, "hide", code=3)
    scene.x.faults.clear()
    result = moderate(run, home, scene.url, "hide", code=3)
    assert "what was missing when it was recorded still is" in result.errors
    moderate(run, home, scene.url, "hide", "--note", "A")
    for more in ([], ["--note", "A"], [], GIVEN):
        result = run(
            "--config", home.folder, "moderate", scene.url, "--reason", "abusive", "--action", "hide", *more
        )
        assert "added" not in result.output
    assert len(entries_of(home)) == 3


def test_a_text_that_was_unseen_and_is_put_right_counts_as_given(
    run: Runner, scene: Scene, home: XHome
) -> None:
    scene.x.world.delete_post(scene.reply)
    moderate(run, home, scene.url, "hide", code=3)
    say(run, home, "moderation", "correct", scene.reply, "--why", "found in a mail", "--text", TEXT)
    assert compose(entries_of(home)).now.content == "given"


# What is short


def test_what_of_the_thread_x_does_not_show_is_named_and_the_exit_code_says_so(
    run: Runner, scene: Scene, home: XHome
) -> None:
    def empty(document: dict[str, Any]) -> None:
        document["data"] = []

    scene.x.faults.add(r"/search/recent$", edited(empty), times=10)
    result = moderate(run, home, scene.url, "hide", code=3)
    assert "not captured: thread: an answer has 0 records" in result.errors
    assert scene.effective_acts == [("hide", scene.reply)]


def test_a_handle_in_the_address_that_is_not_the_authors_is_told(
    run: Runner, scene: Scene, home: XHome
) -> None:
    result = moderate(run, home, f"https://x.com/somebody_else/status/{scene.reply}", "none")
    assert "the address names @somebody_else, and X says it is by @loud_resident" in result.errors


# Hostile and altered things


@pytest.mark.parametrize("command", ["done", "pending", "reverse", "correct", "appeal"])
@pytest.mark.parametrize(
    "record", ["\udce9\udcff", "a\0bcd", "a\nbcd", "\x1b[2J", "@loud_resident", "x" * 5000]
)
def test_a_record_named_by_nonsense_is_a_usage_error(
    run: Runner, home: XHome, command: str, record: str
) -> None:
    more = {
        "reverse": ["--note", "x"],
        "correct": ["--why", "x", "--reason", "spam"],
        "appeal": ["--outcome", "upheld"],
    }.get(command, [])
    run.fails(2, "--config", home.folder, "moderation", command, record, *more)


def test_a_record_of_another_platform_is_for_a_person(run: Runner, scene: Scene, home: XHome) -> None:
    entry = Moderation(
        id="facebook-1", record_id="facebook-1", number=1, entry="decision", entered_ms=1, entered_by="desk",
        platform="facebook", account="Springfield Town", item_type="comment", item_id="555_666",
        action="hidden", state="planned", way="api", reason_codes=("spam",),
    )  # fmt: skip
    with home.open_spool() as spool:
        keep_entries(spool, [entry])
    result = say(run, home, "moderation", "pending", "--finish", code=3)
    assert "this program acts on X only" in result.output
    assert "x.com" not in result.output
    say(run, home, "moderation", "correct", "555_666", "--why", "name", "--author", "some.facebook.name")
    assert "hidden: done by hand" in say(run, home, "moderate", "done", "555_666").output


def test_with_another_identity_nothing_is_recorded_and_nothing_done(
    run: Runner, scene: Scene, home: XHome
) -> None:
    moderate(run, home, scene.url, "none")
    path = home.folder / "collector" / "spool.identity"
    kept = path.read_text()
    path.write_text(age.X25519Identity.generate().encode() + "\n")
    command = ["moderate", scene.url, "--reason", "spam", "--action", "hide"]
    assert "for another identity" in run.fails(20, "--config", home.folder, *command)
    path.write_text(kept)
    assert scene.x.acts == []
    say(run, home, "seal")


def test_a_warning_is_taken_back_in_the_record_alone(run: Runner, scene: Scene, home: XHome) -> None:
    when = format_time(scene.x.world.now_ms())
    moderate(run, home, scene.url, "warn", "--done-at", when)
    allowed = ["--authorised-by", "inspector"]
    result = say(run, home, "moderation", "reverse", scene.url, "--note", "mistaken", *allowed)
    assert "warned: taken back in the record" in result.output
    record = compose(entries_of(home))
    assert (record.now.action, record.now.state, record.is_reversed) == ("warned", "done", True)
    assert record.now.authorised_by is None
    moderate(run, home, scene.question, "none")
    for item, stands in ((scene.reply, "warned, done"), (scene.question, "none, done")):
        message = run.fails(2, "--config", home.folder, "moderation", "reverse", item, "--note", "x")
        assert f"there is nothing to undo: {stands}" in message


def test_a_hold_is_released_and_stays_on_record(run: Runner, scene: Scene, home: XHome) -> None:
    moderate(run, home, scene.url, "none", "--hold", "complaint open", "--case", "C-7")
    correct = ["moderation", "correct", scene.url, "--why", "complaint closed"]
    say(run, home, *correct, "--clear", "hold", "--case", "C-8")
    assert "is given and cleared" in run.fails(
        2, "--config", home.folder, *correct, "--clear", "hold", "--hold", "x"
    )
    record = compose(entries_of(home))
    assert (record.now.hold, record.now.case, record.entries[0].hold) == (None, "C-8", "complaint open")
    home.seal(scene.x.world.now_ms())
    assert home.rows("SELECT cleared FROM moderation ORDER BY number") == [(None,), ('["hold"]',)]
    home.check_rebuilt()
    say(run, home, *correct, "--hold", "again")
    assert compose([*record.entries, *entries_of(home)]).now.hold == "again"


def test_a_picture_is_added_to_a_record_later(run: Runner, scene: Scene, home: XHome, tmp_path: Path) -> None:
    picture = tmp_path / "seen.png"
    picture.write_bytes(PNG)
    moderate(run, home, scene.url, "none")
    correct = ["moderation", "correct", scene.url, "--why", "sent in", "--screenshot", str(picture)]
    say(run, home, *correct)
    say(run, home, *correct)
    assert len(compose(entries_of(home)).now.attachments) == 2


# What stands around the item


def reply_chain(scene: Scene, length: int) -> str:
    """The last of so many replies, each to the one before; the first answers the scene's reply."""
    world, last = scene.x.world, scene.reply
    for number in range(length):
        at = world.now_ms() - (length - number) * MINUTE_MS // 2
        last = world.add_post(scene.author, f"@SpringfieldPD {number}", at, reply_to=last).id
    return last


def test_a_long_thread_is_followed_up_ten_posts_and_to_its_first(
    run: Runner, scene: Scene, home: XHome
) -> None:
    result = moderate(run, home, reply_chain(scene, 7), "none")
    assert "not captured" not in result.errors  # seven, the question and the notice: all of it
    result = moderate(run, home, reply_chain(scene, 14), "none")
    assert "not captured: the thread is longer than 10 posts up from the item" in result.errors
    home.seal(scene.x.world.now_ms())
    assert scene.notice in home.texts()


def test_a_post_above_that_is_gone_is_named(run: Runner, scene: Scene, home: XHome) -> None:
    scene.x.world.delete_post(scene.question)
    result = moderate(run, home, scene.url, "hide")
    assert f"the post {scene.question}, which it answers: X's interface: deleted" in result.errors
    assert scene.effective_acts == [("hide", scene.reply)]


@pytest.mark.parametrize(
    ("pattern", "after", "said"),
    [(ITEM, 1, "the posts it answers: "), (r"/search/recent$", 0, "other posts of the thread: ")],
)
@pytest.mark.parametrize("status", [403, 503])
def test_where_the_thread_cannot_be_asked_for_the_item_is_acted_on_and_the_exit_code_is_3(
    run: Runner, scene: Scene, home: XHome, pattern: str, after: int, said: str, status: int
) -> None:
    scene.x.faults.add(pattern, problem(status), times=100, after=after)
    result = moderate(run, home, scene.url, "hide", code=3)
    assert f"not captured: {said}" in result.errors
    assert scene.effective_acts == [("hide", scene.reply)]


def test_no_thread_is_asked_for_where_the_settings_want_none(run: Runner, scene: Scene, home: XHome) -> None:
    with (home.folder / "archiver.toml").open("a") as file:
        file.write("\n[moderation]\nthread_posts = 0\n")
    moderate(run, home, scene.url, "hide")
    assert [one.path for one in scene.x.requests if "search" in one.path] == []


def test_a_picture_that_cannot_be_had_is_named_and_the_exit_code_is_3(run: Runner, tmp_path: Path) -> None:
    with fake_x() as x:
        scene = make_scene(x, pictures=1)
        home = scene.home(tmp_path / "home")
        x.faults.add(r"^/media/", problem(404), times=100)
        result = moderate(run, home, scene.url, "hide", code=3)
        assert "X's media host answers 404" in result.errors
        (picture,) = compose(entries_of(home)).now.attachments
        assert (picture.sha256, picture.missing) == (None, "X's media host answers 404")
        assert scene.effective_acts == [("hide", scene.reply)]
        home.seal(x.world.now_ms())
        assert home.rows("SELECT missing FROM media WHERE record_table = 'moderation'") == [
            ("X's media host answers 404",)
        ]


# Who cannot act


def test_nobody_is_muted_whose_number_is_not_known(run: Runner, scene: Scene, home: XHome) -> None:
    scene.x.faults.add(ITEM, problem(503), times=100)
    result = moderate(run, home, scene.url, "mute", *GIVEN, code=3)
    assert "the author's number is not known" in result.output


def test_a_record_of_an_account_that_the_settings_do_not_name_any_more_is_for_a_person(
    run: Runner, scene: Scene, home: XHome
) -> None:
    scene.x.faults.add(ACT_PATH, problem(503), times=100)
    moderate(run, home, scene.url, "hide", code=3)
    path = home.folder / "archiver.toml"
    path.write_text(path.read_text().partition("[[account]]")[0])
    result = say(run, home, "moderation", "pending", "--finish", code=3)
    assert "the settings do not let X be asked for this account" in result.output


def test_keys_that_cannot_be_read_are_said_and_the_act_stays_pending(
    run: Runner, scene: Scene, home: XHome
) -> None:
    scene.x.faults.add(ACT_PATH, problem(503), times=100)
    moderate(run, home, scene.url, "hide", code=3)
    scene.x.faults.clear()
    token = home.folder / "collector" / f"{scene.force.id}.token"
    kept = token.read_text()
    token.unlink()
    result = say(run, home, "moderation", "pending", "--finish", code=3)
    assert "archiver login x" in result.errors
    token.write_text(kept)
    token.chmod(0o600)
    say(run, home, "moderation", "pending", "--finish")
    command = ["moderate", scene.notice, "--reason", "own_error", "--action", "remove"]
    token.unlink()
    assert "there is no token yet" in run.fails(2, "--config", home.folder, *command)


def test_times_that_cannot_be_together_are_refused(run: Runner, scene: Scene, home: XHome) -> None:
    command = ["moderate", scene.url, "--reason", "spam", "--action", "mute"]
    early = ["--done-at", "2025-01-01T00:00Z"]
    assert "before it was posted" in run.fails(2, "--config", home.folder, *command, *early)
    past = ["--until", "2025-01-01T00:00Z"]
    assert "--until lies in the past" in run.fails(2, "--config", home.folder, *command, *past)
    assert entries_of(home) == []
