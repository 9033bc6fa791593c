"""A vault with records to erase, and the way through surveying and sealing anew."""

import secrets
from collections.abc import Sequence
from pathlib import Path

from archiver.inbox.exports import import_exports
from archiver.moderation.keeping import keep_entries
from archiver.reseal.names import RecordName
from archiver.reseal.sealing import Erasure, Resealer
from archiver.reseal.survey import Surveyed, Surveyor, Wanted
from archiver.seal import seal
from archiver.seal.copies import Others
from archiver.vault import Archive
from archiver.wiring.collector import open_collector
from archiver.wiring.seal import seal_options
from tests.faults.folders import make_folder, sample
from tests.homes import NOW_MS, Home
from tests.unit.seal.spooled import answer_of, with_screenshot, x_post

DAY_MS = 86_400_000
DECISION = "00000000-0000-4000-8000-000000000001"
ID, OTHER_ID, THIRD_ID = "1588091220244369409", "1588091220244369501", "1588091220244369777"
"""Of posts that X's answers in a made home hold."""
RUDE = "a rude reply that somebody wrote about the bridge"
POLITE = "a polite reply that somebody else wrote"


def make_mixed_home(folder: Path) -> Home:
    """The short sample; two decisions, one about a post of X; two answers of X, in one of which is a post
    that answers the first."""
    home = Home(make_folder(folder / "home"))
    with open_collector(home.settings) as collector:
        (result,) = import_exports(
            collector, [sample(folder / "sample.zip")], may_add_account=True, clock=lambda: NOW_MS
        )
        assert result.error is None
        spool = collector.spool
        with_reply = x_post(
            THIRD_ID, "@rude_example what do you mean", referenced_tweets=[{"type": "replied_to", "id": ID}]
        )
        kept = [
            answer_of(
                spool,
                x_post(ID, RUDE),
                x_post(OTHER_ID, POLITE),
                body_kind="mentions",
                series="post",
                change="new",
            ),
        ]
        entries = [
            with_screenshot(spool, "m1", b"a picture", text=RUDE, item_id=ID, reason_codes=("abusive",)),
            with_screenshot(spool, "m2", b"another", text="else", reason_codes=("spam",)),
        ]
        keep_entries(spool, entries, [*kept, answer_of(spool, with_reply)])
        seal(spool, collector.state, home.vault, seal_options(home.settings), lambda: NOW_MS)
    return home


def survey(home: Home, wanted: Wanted) -> Surveyed:
    return Surveyor(home.vault, home.archives, home.identities).survey(wanted)


def reseal(home: Home, wanted: Wanted, *, now_ms: int = NOW_MS + DAY_MS) -> list[Archive]:
    """Seal anew what holds them; the new archives."""
    return reseal_in(home, home.archives, wanted, now_ms=now_ms)


def reseal_in(
    home: Home, archives: Sequence[Archive], wanted: Wanted, *, now_ms: int = NOW_MS + DAY_MS
) -> list[Archive]:
    """As `reseal`, of these archives alone."""
    found = Surveyor(home.vault, archives, home.identities).survey(wanted)
    erasure = Erasure(found.wanted, found.needles, frozenset(found.spots), DECISION, secrets.token_bytes)
    with open_collector(home.settings) as collector:
        options = seal_options(home.settings)
        resealer = Resealer(
            collector.spool, collector.state, home.vault, home.identities, options, Others(), lambda: now_ms
        )
        return [resealer.reseal(name, erasure) for name in found.archives]


def post_name(platform_id: str) -> RecordName:
    return RecordName("x", "post", platform_id)
