"""`archiver erase`, and what X sends and exports bring afterwards: nothing of what was erased comes back."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from archiver.collect.erased import ErasedFilter
from archiver.sources.base import Capture, Item
from tests.cli.runner import Runner
from tests.cli.test_erase import Eraser
from tests.collected import (
    HOUR_MS,
    MAIN,
    Asked,
    XHome,
    add_force,
    collect,
    fake_x,
    make_x_home,
    said,
    wait_quickly,
)
from tests.fakes.x_api import FakeX
from tests.fakes.x_world import Post, User
from tests.faults.folders import LATER, sample
from tests.unit.reseal.erased import make_mixed_home

SAID = "the neighbour of number nine is an awful person, I say"
KINDS = ("--kind", "posts", "--kind", "mentions", "--kind", "likes")


@pytest.fixture
def x() -> Iterator[FakeX]:
    with fake_x() as server:
        yield server


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    wait_quickly(monkeypatch)


class Scene:
    """A force that was mentioned, by a post with a picture that is sealed."""

    def __init__(self, run: Runner, x: FakeX, folder: Path) -> None:
        self.world = x.world
        self.force: User = add_force(x, posts=2)
        author = self.world.add_user("loud", "Loud")
        key = self.world.add_photo(alt_text="a rude sign at number nine")
        self.post: Post = self.world.add_post(
            author, f"@{MAIN} {SAID}", self.world.now_ms() - HOUR_MS, media_keys=[key]
        )
        self.home: XHome = make_x_home(folder, x, Asked(self.force, kinds=["posts", "mentions", "likes"]))
        collect(run, self.home)
        assert run("--config", self.home.folder, "seal").code == 0
        self.eraser = Eraser(run, self.home)

    def act(self, how: str) -> None:
        """What the force does with the post."""
        if how == "quote":
            self.world.add_post(self.force, "We do not agree with this.", quote=self.post)
        elif how == "reply":
            self.world.add_post(self.force, "Please be civil.", reply_to=self.post)
        elif how == "repost":
            self.world.add_repost(self.force, self.post)
        else:
            self.world.like(self.force, self.post)

    def spooled(self) -> bytes:
        """All that waits to be sealed: pages, and what is said of their captures and problems."""
        with self.home.open_spool() as spool:
            pages = [spool.read_page(one.id) for one in spool.pages()]
            found = b"".join(one.payload + repr(one.ids).encode() for one in pages)
            return found + repr(list(spool.captures().values())).encode() + repr(spool.problems()).encode()

    def require_gone_from(self, data: bytes) -> None:
        for one in (self.post.id, SAID, "rude sign"):
            assert one.encode() not in data


@pytest.mark.parametrize("how", ["quote", "reply", "repost", "like"])
def test_what_the_force_does_with_it_later_does_not_bring_it_back(
    run: Runner, x: FakeX, tmp_path: Path, how: str
) -> None:
    scene = Scene(run, x, tmp_path / "home")
    scene.eraser.erase(scene.post.id)
    scene.act(how)
    collect(run, scene.home, *KINDS)
    scene.require_gone_from(scene.spooled())
    assert scene.eraser("seal").code == 0
    scene.require_gone_from(scene.eraser.readable())
    scene.eraser.require_sound()
    assert scene.eraser("search", "awful neighbour", "--ids").output == ""
    own = {"quote": "do not agree", "reply": "Please be civil"}.get(how)
    if own is not None:
        assert scene.eraser("search", own, "--count").code == 0
    # X sends the same once more: nothing is new, and nothing changed.
    again = collect(run, scene.home, *KINDS, "--json")
    for kind in ("posts", "mentions", "likes"):
        assert not {"new", "changed", "back", "again", "gone"} & {
            change for change, number in said(again, kind)["counts"].items() if number
        }


def test_a_repost_that_went_with_it_does_not_come_back_with_an_export_that_does_not_say_of_what(
    run: Runner, x: FakeX, tmp_path: Path
) -> None:
    scene = Scene(run, x, tmp_path / "home")
    sealed = scene.world.add_repost(scene.force, scene.post)
    collect(run, scene.home, *KINDS)
    assert scene.eraser("seal").code == 0
    waiting = scene.world.add_repost(scene.force, scene.post)
    collect(run, scene.home, *KINDS)
    scene.eraser.erase(scene.post.id, "--everywhere")
    export = Capture(
        key=0, source="x_export", route="export", platform="x", account=scene.force.id, handle=None,
        name=None, request="e.zip!tweets.js", body_kind="tweets", layout="x-2022", fetched_ms=1,
    )  # fmt: skip

    def exported(own: str) -> Item:
        piece = {"tweet": {"id_str": own, "full_text": f"RT @loud: {SAID}"}}
        return Item("post", own, 1, b"", ((0, json.dumps(piece).encode()),))

    with scene.home.open_spool() as spool, scene.home.open_state() as state:
        left = ErasedFilter(spool, state, "x").left([exported(sealed.id), exported(waiting.id)], export)
    assert left == []


def test_the_next_export_does_not_bring_an_accounts_facts_back(run: Runner, tmp_path: Path) -> None:
    eraser = Eraser(run, make_mixed_home(tmp_path))

    def facts() -> set[str]:
        found: set[str] = set()
        for archive in eraser.home.archives:
            for file in archive.manifest.segments if archive.disposed is None else ():
                with eraser.home.vault.open_segment(archive, file, eraser.home.identities) as segment:
                    found |= {own for (own,) in segment.connection.execute("SELECT platform_id FROM account")}
        return found

    own = eraser.home.settings.accounts[0].id
    assert own in facts()
    eraser.erase(f"x:account:{own}")
    assert own not in facts()
    assert eraser("import", sample(tmp_path / "later.zip", until=LATER)).code == 0
    assert eraser("seal").code == 0
    assert own not in facts()
    eraser.require_sound()
