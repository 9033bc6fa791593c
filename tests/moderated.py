"""A conversation on the fake of X with a reply that breaks the rules, and what a folder then holds of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from archiver.moderation.connecting import Connections
from archiver.records import Moderation
from archiver.register import Registered
from archiver.sources.moderation import KIND, decode_entry
from archiver.spool import Spool
from tests.cli.runner import Result, Runner
from tests.collected import HOUR_MS, MAIN, MINUTE_MS, Asked, XHome, make_x_home
from tests.fakes.x_api import FakeX
from tests.fakes.x_world import User

TEXT = "@SpringfieldPD =you are all \u0131dle 😀 <b>\u202e"
"""What the reply says: a formula, a letter that folds oddly, an emoji, markup, a mark that turns the line."""
ACTS = 'acts = ["hide", "mute", "remove"]'


@dataclass(frozen=True)
class Scene:
    """`reply` breaks the rules: it answers `question`, which answers the account's `notice`."""

    x: FakeX
    force: User
    author: User
    bystander: User
    notice: str
    question: str
    reply: str

    @property
    def url(self) -> str:
        return f"https://x.com/{self.author.handle}/status/{self.reply}"

    def home(self, path: Path, *, more: str = ACTS, x_api: str = "", token: str = "") -> XHome:
        return make_x_home(path, self.x, Asked(self.force, more=more, token=token), x_api=x_api)

    @property
    def effective_acts(self) -> list[tuple[str, str]]:
        """What was changed on X, in order."""
        return [(one.act, one.target_id) for one in self.x.acts if one.changed]


def make_scene(x: FakeX, *, pictures: int = 0) -> Scene:
    """The conversation, an hour old."""
    world = x.world
    force = world.add_user(MAIN, "Springfield Police")
    author = world.add_user("loud_resident", "Loud Resident", bio="Says what comes to mind.")
    bystander = world.add_user("quiet_resident", "Quiet Resident")
    then = world.now_ms() - HOUR_MS
    notice = world.add_post(force, "Main Street is closed.", then)
    question = world.add_post(bystander, f"@{MAIN} Until when?", then + MINUTE_MS, reply_to=notice)
    reply = world.add_post(
        author,
        TEXT,
        then + 2 * MINUTE_MS,
        reply_to=question,
        media_keys=[world.add_photo(alt_text="A drawing") for _ in range(pictures)],
    )
    world.add_post(bystander, f"@{MAIN} Thank you.", then + 3 * MINUTE_MS, reply_to=notice)
    return Scene(x, force, author, bystander, _id(notice), _id(question), _id(reply))


def _id(post: object) -> str:
    return str(getattr(post, "id", post))


def entries_in(spool: Spool) -> list[Moderation]:
    """Every entry that is not sealed yet, decrypted, in the order kept."""
    found = []
    for info in spool.pages():
        if info.kind == KIND:
            found += [decode_entry(line) for line in spool.read_page(info.id).payload.split(b"\n")]
    return found


def entries_of(home: XHome) -> list[Moderation]:
    with home.open_spool() as spool:
        return entries_in(spool)


def registered(home: XHome) -> list[Registered]:
    with home.open_spool() as spool:
        return spool.register.all()


def the_decision(entries: Sequence[Moderation]) -> Moderation:
    """The only one."""
    (found,) = [one for one in entries if one.entry == "decision"]
    return found


# What a run says


def moderate(
    run: Runner, home: XHome, item: str, action: str, *more: str, reason: str = "abusive", code: int = 0
) -> Result:
    result = run("--config", home.folder, "moderate", item, "--reason", reason, "--action", action, *more)
    assert result.code == code, result
    assert "Traceback" not in result.errors
    return result


def say(run: Runner, home: XHome, *arguments: str, code: int = 0) -> Result:
    result = run("--config", home.folder, *arguments)
    assert result.code == code, result
    return result


def wait_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """What moderation waits for faults passes at once, in this process."""
    defaults = Connections.__init__.__kwdefaults__
    assert defaults is not None
    monkeypatch.setitem(defaults, "sleep", lambda seconds: None)
