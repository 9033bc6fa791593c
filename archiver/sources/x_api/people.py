"""Profiles, followers, blocks and the like, and lists, as X's interface writes them."""

from typing import Final, cast

from archiver.errors import SourceError
from archiver.records import Account, MediaReference, Person, Relation, RelationKind
from archiver.sources.base import Capture
from archiver.sources.x.lenient import clean_text
from archiver.sources.x.media_names import media_file_name
from archiver.sources.x.times import parse_time
from archiver.sources.x_api.related import Context
from archiver.sources.x_api.shapes import RawList, RawUser

LIST_OF: Final = "list"
"""The name in a capture's context under which the list stands whose members were asked for."""
PROFILE: Final = "profile"
AUTHOR: Final = "author"
"""The aspect of an account that is somebody else's."""


def build_profile(capture: Capture, raw: RawUser) -> Account:
    """The account as it shows itself. Raise SourceError where X answered with another's."""
    if raw.id != capture.account:
        raise SourceError(f"the profile is of the account {raw.id}, and {capture.account} was asked for")
    return _account(capture, raw, capture.account, PROFILE)


def build_author(capture: Capture, raw: RawUser, user_id: str) -> Account:
    """Whoever wrote something that is to be moderated, or stands around it, as they showed themselves then.
    Pictures are named by their id."""
    return _account(capture, raw, user_id, AUTHOR)


def _account(capture: Capture, raw: RawUser, user_id: str, aspect: str) -> Account:
    return Account(
        platform="x",
        platform_id=user_id,
        aspect=aspect,
        captured_ms=capture.fetched_ms,
        handle=raw.username,
        name=raw.name,
        created_ms=parse_time(raw.created_at),
        bio=_clean(raw.description),
        website=_website(raw),
        location=_clean(raw.location),
        facts=_facts(raw),
        media=tuple(_pictures(raw, user_id)),
    )


def _clean(text: str | None) -> str | None:
    return clean_text(text) if text else None


def _website(raw: RawUser) -> str | None:
    """Where the profile's short link leads."""
    urls = raw.entities.url.urls if raw.entities is not None and raw.entities.url is not None else None
    return next((one.expanded_url for one in urls or () if one.expanded_url), None) or raw.url or None


def _facts(raw: RawUser) -> tuple[tuple[str, str], ...]:
    flags = (("verified", raw.verified), ("protected", raw.protected), ("parody", raw.parody))
    facts = [(name, str(value).lower()) for name, value in flags if value is not None]
    return tuple([*facts, ("verified_type", raw.verified_type)] if raw.verified_type else facts)


def _pictures(raw: RawUser, account: str) -> list[MediaReference]:
    """X gives the small form of the portrait; without `_normal` the address is the picture as uploaded."""
    portrait = (raw.profile_image_url or "").replace("_normal.", ".")
    named = (("avatar", portrait), ("header", raw.profile_banner_url or ""))
    return [
        MediaReference(None, name, url, media_file_name(account, _last_part(url, account)))
        for name, url in named
        if url
    ]


def _last_part(url: str, account: str) -> str:
    """A banner's address ends in the account and a time; in an export the file is called by the time."""
    return url.partition("?")[0].rstrip("/").rpartition("/")[2].removeprefix(f"{account}-")


def build_relation(capture: Capture, kind: str, raw: RawUser, user_id: str) -> Relation:
    """Somebody the account stood in relation to. `text` makes them findable by handle, name and bio."""
    listed = capture.context.get(LIST_OF)
    shown = " ".join(
        part for part in (raw.name and clean_text(raw.name), raw.username and f"@{raw.username}") if part
    )
    return Relation(
        platform="x",
        platform_id=f"{listed}/{user_id}" if listed else user_id,
        account=capture.account,
        kind=cast(RelationKind, kind),
        captured_ms=capture.fetched_ms,
        text="\n".join(part for part in (shown, _clean(raw.description)) if part) or None,
        people=(Person("other", user_id, raw.username, raw.name),) if raw.username or raw.name else (),
    )


def build_list(capture: Capture, kind: str, raw: RawList, list_id: str, context: Context) -> Relation:
    """A list that the account made, follows or is on."""
    owner = context.person("owner", raw.owner_id)
    return Relation(
        platform="x",
        platform_id=list_id,
        account=capture.account,
        kind=cast(RelationKind, kind),
        captured_ms=capture.fetched_ms,
        created_ms=parse_time(raw.created_at),
        url=f"https://x.com/i/lists/{list_id}",
        text="\n".join(clean_text(part) for part in (raw.name, raw.description) if part) or None,
        people=(owner,) if owner else (),
    )
