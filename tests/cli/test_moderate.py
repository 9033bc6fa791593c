"""`archiver moderate` and what changes a record later, as a person runs them against the fake of X."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from archiver.times import format_time
from tests.cli.runner import Runner
from tests.collected import HOUR_MS, Asked, fake_x, make_x_home
from tests.fakes.x_faults import problem
from tests.moderated import (
    TEXT,
    Scene,
    entries_of,
    make_scene,
    moderate,
    registered,
    say,
    the_decision,
    wait_for_nothing,
)
from tests.unit.moderation.test_screenshots import PNG


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Runner:
    return Runner(capsys)


@pytest.fixture
def scene() -> Iterator[Scene]:
    with fake_x() as x:
        yield make_scene(x, pictures=1)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    wait_for_nothing(monkeypatch)


# What is recorded


def test_an_abusive_reply_is_recorded_and_hidden_with_one_command(
    run: Runner, scene: Scene, tmp_path: Path
) -> None:
    home = scene.home(tmp_path / "home")
    result = moderate(run, home, scene.url, "hide", "--note", "as it stands", "--by", "duty officer")
    assert "hidden: X says: hidden" in result.output
    assert scene.effective_acts == [("hide", scene.reply)]
    decision = the_decision(entries_of(home))
    assert (decision.text, decision.content, decision.item_type) == (TEXT, "captured", "reply")
    assert (decision.author_id, decision.author_handle) == (scene.author.id, "loud_resident")
    assert (decision.author_name, decision.language) == ("Loud Resident", "en")
    assert decision.posted_ms == scene.x.world.posts[scene.reply].created_ms
    assert (decision.item_id, decision.item_url) == (scene.reply, scene.url)
    assert (decision.account, decision.account_handle) == (scene.force.id, "SpringfieldPD")
    assert decision.reason_codes == ("abusive",)
    assert (decision.reason_text, decision.entered_by) == ("as it stands", "duty officer")
    assert (decision.detected_by, decision.detection) == ("duty officer", "staff")
    assert (decision.action, decision.state, decision.way) == ("hidden", "planned", "api")
    assert decision.schema_version == 1
    (picture,) = decision.attachments
    assert (picture.role, picture.alt_text, picture.missing) == ("media", "A drawing", None)
    assert len(picture.sha256 or "") == 64
    outcome = entries_of(home)[1]
    assert (outcome.entry, outcome.state, outcome.action_by) == ("outcome", "done", "duty officer")
    assert outcome.corrects == decision.id


def test_the_context_is_kept_as_x_sent_it(run: Runner, scene: Scene, tmp_path: Path) -> None:
    home = scene.home(tmp_path / "home")
    moderate(run, home, scene.url, "hide")
    decision = the_decision(entries_of(home))
    assert home.seal(scene.x.world.now_ms()).archive is not None
    captured = dict(home.rows("SELECT body_sha256, body_kind FROM capture WHERE source = 'x_api'"))
    assert set(captured) == set(decision.context_sha256)
    assert sorted(captured.values()) == ["moderated", "moderated", "thread"]
    # The reply, what it answers up to the first post, and another of the thread; the author's profile.
    assert set(home.texts()) >= {scene.notice, scene.question, scene.reply}
    assert len(home.texts()) == 4
    profiles = home.rows("SELECT platform_id, aspect, bio FROM account")
    assert profiles == [(scene.author.id, "author", "Says what comes to mind.")]
    assert decision.context_missing == ()
    home.check_rebuilt()


def test_everything_a_person_can_say_is_in_the_record(run: Runner, scene: Scene, tmp_path: Path) -> None:
    home = scene.home(tmp_path / "home")
    said = {
        "--rule": "3.2 Abuse", "--legal-ground": "Communications Act 2003 s.127", "--detected-by": "desk 4",
        "--detected-at": "2026-11-01T09:00Z", "--detection": "public", "--authorised-by": "inspector",
        "--until": "2030-01-01T00:00Z", "--notified": "by reply", "--notified-at": "2026-11-02T09:00+00:00",
        "--escalate": "crime:42/1/26", "--case": "C-7", "--exhibit": "ABC/1", "--retention-rule": "7 years",
        "--hold": "complaint open", "--note": "=HYPERLINK(1)",
    }  # fmt: skip
    options = [word for pair in said.items() for word in pair]
    moderate(run, home, scene.url, "none", *options, "--reason", "threatening")
    decision = the_decision(entries_of(home))
    assert decision.reason_codes == ("abusive", "threatening")
    assert (decision.house_rule, decision.legal_ground) == ("3.2 Abuse", "Communications Act 2003 s.127")
    assert (decision.detected_by, decision.detection) == ("desk 4", "public")
    assert decision.detected_ms == 1_793_523_600_000
    assert (decision.authorised_by, decision.until_ms) == ("inspector", 1_893_456_000_000)
    assert (decision.notified_how, decision.notified_ms) == ("by reply", 1_793_610_000_000)
    assert (decision.escalated, decision.escalated_reference) == ("crime", "42/1/26")
    assert (decision.case, decision.exhibit) == ("C-7", "ABC/1")
    assert (decision.retention_rule, decision.hold) == ("7 years", "complaint open")
    assert decision.reason_text == "=HYPERLINK(1)"
    assert (decision.action, decision.state) == ("none", "done")
    assert scene.x.acts == []


def test_an_own_post_is_removed_after_it_is_recorded(run: Runner, scene: Scene, tmp_path: Path) -> None:
    home = scene.home(tmp_path / "home")
    result = moderate(
        run, home, f"https://x.com/SpringfieldPD/status/{scene.notice}", "remove", reason="own_error"
    )
    assert "removed: X says: deleted" in result.output
    assert scene.effective_acts == [("remove", scene.notice)]
    decision = the_decision(entries_of(home))
    assert (decision.item_type, decision.text) == ("own_post", "Main Street is closed.")
    # Once more: it is known, though nothing of it is left on X.
    assert moderate(run, home, scene.notice, "remove", reason="own_error").output.startswith(
        "Recorded already"
    )
    assert len(scene.x.acts) == 1


def test_an_account_is_muted_by_its_handle_with_its_profile_on_record(
    run: Runner, scene: Scene, tmp_path: Path
) -> None:
    home = scene.home(tmp_path / "home")
    moderate(run, home, "@loud_resident", "mute", reason="impersonation")
    decision = the_decision(entries_of(home))
    assert (decision.item_type, decision.item_id) == ("user", scene.author.id)
    assert decision.text == "Says what comes to mind."
    assert scene.effective_acts == [("mute", scene.author.id)]
    assert moderate(run, home, "https://x.com/loud_resident", "mute").output.startswith("Recorded already")


def test_an_author_is_muted_by_a_reply(run: Runner, scene: Scene, tmp_path: Path) -> None:
    home = scene.home(tmp_path / "home")
    moderate(run, home, scene.url, "mute")
    assert scene.effective_acts == [("mute", scene.author.id)]


def test_two_actions_on_one_item_are_two_records(run: Runner, scene: Scene, tmp_path: Path) -> None:
    home = scene.home(tmp_path / "home")
    moderate(run, home, scene.url, "hide")
    moderate(run, home, scene.url, "report", code=3)
    assert [row.action for row in registered(home)] == ["hidden", "reported"]
    say(run, home, "moderate", "done", scene.url, "--note", "number 12345")
    assert [row.state for row in registered(home)] == ["done", "done"]


def test_the_money_is_counted_and_the_ceiling_does_not_stand_in_the_way(
    run: Runner, scene: Scene, tmp_path: Path
) -> None:
    home = scene.home(tmp_path / "home", more='acts = ["hide"]\nmax_spend_usd = 0')
    moderate(run, home, scene.url, "hide")
    month = format_time(scene.x.world.now_ms())[:7]
    spent = home.spent(month)
    assert sum(one.requests for one in spent) == 3
    assert sum(one.micro_usd for one in spent) > 0


# By hand


def test_what_the_settings_do_not_allow_a_person_is_told_to_click(
    run: Runner, scene: Scene, tmp_path: Path
) -> None:
    home = scene.home(tmp_path / "home", more="")
    result = moderate(run, home, scene.url, "hide", code=3)
    assert 'acts = ["hide"] in [account.api]' in result.output
    assert f"open https://x.com/i/status/{scene.reply}; in its menu choose: Hide reply" in result.output
    assert scene.x.acts == []
    record = registered(home)[0].record_id
    done = say(
        run,
        home,
        "moderate",
        "done",
        record[:8],
        "--by",
        "desk 4",
        "--at",
        format_time(scene.x.world.now_ms()),
    )
    assert "hidden: done by hand" in done.output
    assert [(one.entry, one.state, one.way) for one in entries_of(home)] == [
        ("decision", "planned", "hand"),
        ("outcome", "done", "hand"),
    ]
    assert entries_of(home)[1].action_by == "desk 4"
    message = run.fails(2, "--config", home.folder, "moderate", "done", record)
    assert "nothing is to be done: hidden, done" in message


def test_a_block_waits_for_a_person_and_pending_says_so(run: Runner, scene: Scene, tmp_path: Path) -> None:
    home = scene.home(tmp_path / "home")
    result = moderate(run, home, scene.url, "block", code=3)
    assert "X lets no program block" in result.output
    assert (
        f"open https://x.com/i/user/{scene.author.id}; in the account's menu choose: Block" in result.output
    )
    pending = say(run, home, "moderation", "pending", code=3)
    assert registered(home)[0].record_id in pending.output
    assert say(run, home, "moderation", "pending", "--finish", code=3).output.count("Block") == 1
    say(run, home, "moderate", "done", scene.reply)
    assert say(run, home, "moderation", "pending").output == "Nothing is pending.\n"


def test_a_token_without_the_permission_is_told_how_to_get_it(
    run: Runner, scene: Scene, tmp_path: Path
) -> None:
    asked = Asked(
        scene.force,
        more='acts = ["hide"]',
        scopes=("tweet.read", "users.read", "offline.access"),
        token="reads-only",
    )
    home = make_x_home(tmp_path / "home", scene.x, asked)
    result = moderate(run, home, scene.url, "hide", code=3)
    assert "the token may not hide: archiver login x --account SpringfieldPD" in result.output
    assert scene.x.acts == []


def test_what_a_person_did_already_is_recorded_as_done(run: Runner, scene: Scene, tmp_path: Path) -> None:
    home = scene.home(tmp_path / "home")
    when = format_time(scene.x.world.now_ms())
    moderate(run, home, scene.url, "block", "--done-at", when)
    decision = the_decision(entries_of(home))
    assert (decision.state, decision.way, format_time(decision.action_ms or 0)) == ("done", "hand", when)


def test_an_item_that_x_does_not_show_is_recorded_as_a_person_wrote_it_down(
    run: Runner, scene: Scene, tmp_path: Path
) -> None:
    home = scene.home(tmp_path / "home")
    scene.x.faults.add(r"^/2/tweets$", problem(503), times=100)
    picture = tmp_path / "seen.png"
    picture.write_bytes(PNG)
    given = ["--text", TEXT, "--author", "@loud_resident", "--posted-at", "2026-11-20T10:00Z"]
    result = moderate(run, home, scene.url, "hide", *given, "--screenshot", str(picture), code=3)
    assert "as given by hand" in result.errors
    decision = the_decision(entries_of(home))
    assert (decision.content, decision.text, decision.author_handle) == ("given", TEXT, "loud_resident")
    assert "503" in (decision.unseen or "")
    (kept,) = decision.attachments
    assert (kept.role, kept.media_type) == ("screenshot", "image/png")
    assert scene.effective_acts == [("hide", scene.reply)]
    home.seal(scene.x.world.now_ms())
    ((name, sha256, pack),) = home.rows(
        "SELECT file_name, sha256, pack FROM media WHERE media_type = 'screenshot'"
    )
    assert (name, sha256) == (kept.file_name, kept.sha256)
    assert pack == "media-000.tar.age"


def test_a_message_is_recorded_by_hand(run: Runner, scene: Scene, tmp_path: Path) -> None:
    home = scene.home(tmp_path / "home")
    given = [
        "--message",
        "--text",
        "Threat.",
        "--author",
        "loud_resident",
        "--posted-at",
        "2026-11-20T10:00Z",
    ]
    moderate(run, home, "1588091220244369409", "none", *given, reason="threatening")
    decision = the_decision(entries_of(home))
    assert (decision.item_type, decision.content, decision.text) == ("message", "given", "Threat.")


def test_an_account_without_the_interface_is_recorded_by_hand(run: Runner, tmp_path: Path) -> None:
    with fake_x() as x:
        scene = make_scene(x)
        home = scene.home(tmp_path / "home")
        path = home.folder / "archiver.toml"
        path.write_text(path.read_text().partition("[account.api]")[0])
        message = run.fails(
            2, "--config", home.folder, "moderate", scene.url, "--reason", "spam", "--action", "hide"
        )
        assert "[account.api]" in message
        given = ["--text", "Spam.", "--author", "loud_resident", "--posted-at", "2026-11-20T10:00Z"]
        result = moderate(run, home, scene.url, "hide", *given, reason="spam", code=3)
        assert "Hide reply" in result.output
        assert the_decision(entries_of(home)).content == "given"


# Bad input


def test_a_post_that_is_gone_is_recorded_with_what_is_known(
    run: Runner, scene: Scene, tmp_path: Path
) -> None:
    home = scene.home(tmp_path / "home")
    scene.x.world.delete_post(scene.reply)
    result = moderate(run, home, scene.url, "hide", code=3)
    assert "recorded is what is known: X says that it is not there" in result.errors
    decision = the_decision(entries_of(home))
    assert (decision.content, decision.text, decision.author_handle) == ("unseen", None, "loud_resident")
    assert decision.unseen == "X says that it is not there"
    assert (decision.action, decision.state) == ("hidden", "failed")
    assert scene.x.acts == []
    assert say(run, home, "moderation", "pending").output == "Nothing is pending.\n"
    again = moderate(run, home, scene.url, "hide", code=3)
    assert again.output.startswith("Recorded already")
    assert len(registered(home)) == 1
    home.seal(scene.x.world.now_ms())
    assert home.rows("SELECT count(*) FROM capture WHERE body_kind = 'moderated'") == [(1,)]


def test_a_post_that_is_gone_keeps_what_a_person_saw(run: Runner, scene: Scene, tmp_path: Path) -> None:
    home = scene.home(tmp_path / "home")
    scene.x.world.delete_post(scene.reply)
    given = ["--text", TEXT, "--author", "loud_resident", "--posted-at", "2026-11-20T10:00Z"]
    moderate(run, home, scene.url, "hide", *given, code=3)
    decision = the_decision(entries_of(home))
    assert (decision.content, decision.text, decision.unseen) == (
        "given",
        TEXT,
        "X says that it is not there",
    )


def test_a_post_that_the_token_may_not_see_is_refused(run: Runner, scene: Scene, tmp_path: Path) -> None:
    home = scene.home(tmp_path / "home")
    scene.x.world.protect(scene.author)
    message = run.fails(
        1, "--config", home.folder, "moderate", scene.url, "--reason", "spam", "--action", "hide"
    )
    assert "is not shown to @SpringfieldPD: protected" in message
    assert "nothing was recorded or done" in message
    assert (entries_of(home), scene.x.acts) == ([], [])


def test_nobody_removes_a_post_of_others(run: Runner, scene: Scene, tmp_path: Path) -> None:
    home = scene.home(tmp_path / "home")
    message = run.fails(
        2, "--config", home.folder, "moderate", scene.url, "--reason", "spam", "--action", "remove"
    )
    assert "--action hide" in message
    message = run.fails(
        2, "--config", home.folder, "moderate", scene.notice, "--reason", "spam", "--action", "block"
    )
    assert "is the account's own" in message
    assert (entries_of(home), scene.x.acts) == ([], [])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["https://www.facebook.com/a/posts/1", "--reason", "spam", "--action", "hide"], "is not X"),
        (["{url}", "--reason", "rude", "--action", "hide"], "one of: abusive, discriminatory"),
        (["{url}", "--reason", "spam", "--action", "ban"], "one of: hide, remove, block"),
        (["{url}", "--action", "hide"], "there is no reason"),
        (["{url}", "--reason", "spam"], "missing option '--action'"),
        (
            ["{url}", "--reason", "spam", "--action", "hide", "--text", "words"],
            "--author, --posted-at are missing",
        ),
        (
            [
                "{url}",
                "--reason",
                "spam",
                "--action",
                "hide",
                "--text",
                "a",
                "--author",
                "b",
                "--posted-at",
                "2026-11-20T10:00",
            ],
            "does not say in which time zone",
        ),
        (
            [
                "{url}",
                "--reason",
                "spam",
                "--action",
                "hide",
                "--text",
                "a",
                "--author",
                "b",
                "--posted-at",
                "2040-01-01T10:00Z",
            ],
            "lies in the future",
        ),
        (["{url}", "--reason", "spam", "--action", "hide", "--detection", "magic"], "one of: staff, rule"),
        (["{url}", "--reason", "spam", "--action", "hide", "--escalate", "press"], "one of: crime"),
        (["{url}", "--reason", "spam", "--action", "hide", "--note", ""], "--note is empty"),
        (["{url}", "--reason", "spam", "--action", "hide", "--by", " "], "--by is empty"),
        (["{url}", "--reason", "spam", "--action", "hide", "--account", "nobody"], "no account of X nobody"),
        (["{url}", "--reason", "spam", "--action", "hide", "--screenshot", "{fake}"], "is not a picture"),
    ],
)
def test_what_is_wrong_is_said_before_anybody_is_asked(
    run: Runner, scene: Scene, tmp_path: Path, arguments: list[str], said: str
) -> None:
    home = scene.home(tmp_path / "home")
    (tmp_path / "fake.png").write_text("no picture")
    words = [one.format(url=scene.url, fake=tmp_path / "fake.png") for one in arguments]
    message = run.fails(2, "--config", home.folder, "moderate", *words)
    assert said in message
    assert scene.x.requests == []
    assert entries_of(home) == []


def test_with_several_accounts_it_must_be_said_which(run: Runner, scene: Scene, tmp_path: Path) -> None:
    second = scene.x.world.add_user("SpringfieldFire", "Springfield Fire")
    home = make_x_home(
        tmp_path / "home", scene.x, Asked(scene.force, more='acts = ["hide", "remove"]'), Asked(second)
    )
    message = run.fails(
        2, "--config", home.folder, "moderate", scene.url, "--reason", "spam", "--action", "hide"
    )
    assert "--account" in message
    moderate(run, home, scene.url, "hide", "--account", "SpringfieldPD")
    # An own post's address says whose it is.
    moderate(run, home, f"https://x.com/SpringfieldPD/status/{scene.notice}", "remove", reason="own_error")
    assert {row.account for row in registered(home)} == {scene.force.id}


# Later entries


def test_a_correction_an_appeal_and_a_reversal_are_entries_of_their_own(
    run: Runner, scene: Scene, tmp_path: Path
) -> None:
    home = scene.home(tmp_path / "home")
    moderate(run, home, scene.url, "hide")
    record = registered(home)[0].record_id
    say(run, home, "moderation", "correct", record[:6], "--why", "wrong code", "--reason", "off_topic")
    home.seal(scene.x.world.now_ms())  # the rest follows though the first entries are sealed
    say(run, home, "moderation", "appeal", record, "--received", "2026-11-24T10:00Z", "--note", "by e-mail")
    answer = say(
        run, home, "moderation", "appeal", record, "--outcome", "overturned", "--decided-by", "inspector"
    )
    assert f"archiver moderation reverse {record[:8]}" in answer.output
    reversed_ = say(run, home, "moderation", "reverse", scene.url, "--note", "no rule was broken")
    assert "unhidden: X says: not hidden any more" in reversed_.output
    assert scene.effective_acts == [("hide", scene.reply), ("unhide", scene.reply)]
    home.seal(scene.x.world.now_ms() + HOUR_MS)
    rows = home.rows(
        "SELECT number, entry, action, state, reason_codes, appeal_outcome FROM moderation ORDER BY number"
    )
    assert [row[1] for row in rows] == [
        "decision", "outcome", "correction", "appeal", "appeal", "reversal", "outcome",
    ]  # fmt: skip
    assert (rows[0][4], rows[2][4]) == ('["abusive"]', '["off_topic"]')
    assert [row[2:4] for row in rows[5:]] == [("unhidden", "planned"), ("unhidden", "done")]
    for words in (
        "reason:abusive",
        "reason:off_topic",
        "action:hidden",
        "action:unhidden",
        "author:loud_resident",
    ):
        found = say(run, home, "search", "--json", "kind:moderation", words)
        assert [one["id"] for one in found.json_lines()[:-1]] == [record], words
    home.check_rebuilt()


def test_what_was_only_planned_is_called_off(run: Runner, scene: Scene, tmp_path: Path) -> None:
    home = scene.home(tmp_path / "home")
    moderate(run, home, scene.url, "block", code=3)
    assert "called off" in say(run, home, "moderation", "reverse", scene.url, "--note", "not needed").output
    assert say(run, home, "moderation", "pending").output == "Nothing is pending.\n"


def test_a_reply_that_was_shown_again_can_be_hidden_again(run: Runner, scene: Scene, tmp_path: Path) -> None:
    home = scene.home(tmp_path / "home")
    moderate(run, home, scene.url, "hide")
    say(run, home, "moderation", "reverse", scene.url, "--note", "tried")
    moderate(run, home, scene.url, "hide")
    assert [act for act, _ in scene.effective_acts] == ["hide", "unhide", "hide"]
    assert [row.action for row in registered(home)] == ["unhidden", "hidden"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["correct", "{record}", "--why", "x"], "nothing is put right"),
        (["correct", "{record}", "--why", "x", "--reason", "rude"], "there is no reason 'rude'"),
        (["correct", "ffffffff-0000", "--why", "x", "--reason", "spam"], "there is no moderation record"),
        (["correct", "{record}", "--why", " ", "--reason", "spam"], "--why is empty"),
        (["appeal", "{record}"], "neither --received nor --outcome"),
        (["appeal", "{record}", "--outcome", "lost"], "one of: upheld, overturned, partly"),
        (["appeal", "{record}", "--received", "2026-11-24"], "does not say in which time zone"),
        (["reverse", "{record}", "--note", ""], "--note is empty"),
        (["pending", "{record}"], "nothing is pending"),
        (["done", "abc"], "there is no moderation record"),
    ],
)
def test_wrong_later_entries_are_refused(
    run: Runner, scene: Scene, tmp_path: Path, arguments: list[str], said: str
) -> None:
    home = scene.home(tmp_path / "home")
    moderate(run, home, scene.url, "hide")
    record = registered(home)[0].record_id
    message = run.fails(
        2, "--config", home.folder, "moderation", *[one.format(record=record) for one in arguments]
    )
    assert said in message
    assert len(entries_of(home)) == 2


def test_json_says_how_it_stands(run: Runner, scene: Scene, tmp_path: Path) -> None:
    home = scene.home(tmp_path / "home")
    result = moderate(run, home, scene.url, "hide", "--json")
    (line,) = [json.loads(one) for one in result.output.splitlines()]
    assert (line["type"], line["action"], line["state"], line["known"]) == (
        "moderated",
        "hidden",
        "done",
        False,
    )
    pending = say(run, home, "--json", "moderation", "pending")
    assert [json.loads(one) for one in pending.output.splitlines()] == [{"type": "summary", "pending": 0}]


def test_no_secret_is_in_what_is_kept_or_said(run: Runner, scene: Scene, tmp_path: Path) -> None:
    secret = "a-very-secret-user-token"
    home = scene.home(tmp_path / "home", token=secret)
    results = [moderate(run, home, scene.url, "hide"), say(run, home, "moderation", "list")]
    assert all(secret not in one.output + one.errors for one in results)
    home.seal(scene.x.world.now_ms())
    for table in ("capture", "capture_part", "moderation"):
        assert secret not in str(home.rows(f"SELECT * FROM {table}"))  # noqa: S608  # names of this test
