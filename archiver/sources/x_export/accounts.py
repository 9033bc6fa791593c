"""The account itself: profile, changes of handle, suspensions. The e-mail address in account.js is never
decoded."""

from collections.abc import Iterable
from typing import Final

import msgspec
from msgspec import Struct

from archiver.errors import SourceError
from archiver.records import Account, MediaReference
from archiver.sources.base import Capture, Item, Problem
from archiver.sources.x.lenient import clean_text, decode_leniently
from archiver.sources.x.media_names import media_file_name
from archiver.sources.x.times import parse_time, to_iso
from archiver.sources.x_export.layouts import KIND_OF_BODY

GRAILBIRD_BODY: Final = "userDetails"


class Description(Struct, frozen=True):
    bio: str | None = None
    website: str | None = None
    location: str | None = None


class HandleChange(Struct, frozen=True):
    changed_at: str | None = msgspec.field(name="changedAt", default=None)
    changed_from: str | None = msgspec.field(name="changedFrom", default=None)
    changed_to: str | None = msgspec.field(name="changedTo", default=None)


class AccountBody(Struct, frozen=True):
    """Every field that is taken from the account's files, less the e-mail address."""

    account_id: str | None = msgspec.field(name="accountId", default=None)
    username: str | None = None
    display_name: str | None = msgspec.field(name="accountDisplayName", default=None)
    created_at: str | None = msgspec.field(name="createdAt", default=None)
    created_via: str | None = msgspec.field(name="createdVia", default=None)
    description: Description | None = None
    avatar_url: str | None = msgspec.field(name="avatarMediaUrl", default=None)
    header_url: str | None = msgspec.field(name="headerMediaUrl", default=None)
    handle_change: HandleChange | None = msgspec.field(name="screenNameChange", default=None)
    changed_at: str | None = msgspec.field(name="changedAt", default=None)
    changed_from: str | None = msgspec.field(name="changedFrom", default=None)
    changed_to: str | None = msgspec.field(name="changedTo", default=None)
    verified: bool | str | None = None
    time_stamp: str | None = msgspec.field(name="timeStamp", default=None)
    protected_at: str | None = msgspec.field(name="protectedAt", default=None)
    action: str | None = None
    label: str | None = None
    managed_by: str | None = msgspec.field(name="managedByScreenName", default=None)


class AccountElement(Struct, frozen=True):
    account: AccountBody | None = None
    profile: AccountBody | None = None
    handle_change: AccountBody | None = msgspec.field(name="screenNameChange", default=None)
    verified: AccountBody | None = None
    suspension: AccountBody | None = msgspec.field(name="accountSuspension", default=None)
    protection: AccountBody | None = msgspec.field(name="protectedHistory", default=None)
    label: AccountBody | None = msgspec.field(name="accountLabel", default=None)


class UserDetails(Struct, frozen=True):
    """Grailbird's user_details.js."""

    id: str | int | None = None
    screen_name: str | None = None
    full_name: str | None = None
    bio: str | None = None
    url: str | None = None
    expanded_url: str | None = None
    location: str | None = None
    created_at: str | None = None


decode_account = msgspec.json.Decoder(AccountElement).decode
_decode_details = msgspec.json.Decoder(UserDetails).decode
_encode = msgspec.json.Encoder().encode
_EMPTY: Final = AccountBody()


def account_items(
    pairs: Iterable[tuple[bytes, AccountElement | None]], capture: Capture, problems: list[Problem]
) -> list[Item]:
    """Elements of one of the account's files as items. X writes `{"accountLabel": {}}` for no label: no
    item."""
    items = []
    for piece, _ in pairs:
        try:
            body = _body_of(piece)
        except SourceError as error:
            problems.append(Problem(capture.request, "broken", error.message))
            continue
        if body == _EMPTY:
            continue
        record = _record(capture, body)
        items.append(_item(capture, record, _suffix(body), piece))
    return items


def user_details_item(capture: Capture, piece: bytes) -> Item:
    """The account's profile in a Grailbird export. Raise SourceError where it is none."""
    return _item(capture, parse_account(capture, piece), "", piece)


def parse_account(capture: Capture, piece: bytes) -> Account:
    """Raise SourceError for bytes that are no object."""
    if capture.body_kind == GRAILBIRD_BODY:
        return _details_record(capture, parse_user_details(piece))
    return _record(capture, _body_of(piece))


def parse_user_details(piece: bytes) -> UserDetails:
    try:
        return _decode_details(piece)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return decode_leniently(piece, UserDetails)[0]


def parse_account_body(piece: bytes) -> AccountBody:
    """The inner object of an element of account.js."""
    return _body_of(piece)


def _body_of(piece: bytes) -> AccountBody:
    try:
        element = decode_account(piece)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        element, _ = decode_leniently(piece, AccountElement)
    for name in element.__struct_fields__:
        body: AccountBody | None = getattr(element, name)
        if body is not None:
            return body
    return _EMPTY


def _item(capture: Capture, record: Account, suffix: str, piece: bytes) -> Item:
    names_itself = record.aspect == "account" or capture.body_kind == GRAILBIRD_BODY
    content = _encode(
        (
            record.handle if names_itself else None,
            record.name if names_itself else None,
            record.created_ms,
            record.bio,
            record.website,
            record.location,
            record.facts,
            [each.file_name for each in record.media],
        )
    )
    record_id = f"{capture.account}:{record.aspect}{suffix}"
    return Item("account", record_id, None, content, ((capture.key, piece),), None, record.media)


def _suffix(body: AccountBody) -> str:
    """Told apart by their time: an account has many changes of handle, suspensions and protections."""
    change = body.handle_change or HandleChange()
    moment = change.changed_at or body.changed_at or body.time_stamp or body.protected_at
    found = parse_time(moment)
    if moment is None:
        return ""
    return f":{to_iso(found)}" if found is not None else f":{moment[:40]}"


def _record(capture: Capture, body: AccountBody) -> Account:
    description = body.description or Description()
    kind = KIND_OF_BODY.get(capture.body_kind)
    change = body.handle_change or HandleChange(body.changed_at, body.changed_from, body.changed_to)
    own = capture.body_kind == "account"
    return Account(
        platform="x",
        platform_id=capture.account,
        aspect=kind.record if kind else capture.body_kind,
        captured_ms=capture.fetched_ms,
        handle=body.username if own else change.changed_to or capture.handle,
        name=body.display_name if own else capture.name,
        created_ms=parse_time(body.created_at),
        bio=_clean(description.bio),
        website=description.website,
        location=_clean(description.location),
        facts=_facts(body, change),
        media=tuple([_media(capture.account, name, url) for name, url in _pictures(body)]),
    )


def _facts(body: AccountBody, change: HandleChange) -> tuple[tuple[str, str], ...]:
    named = (
        ("created_via", body.created_via),
        ("changed_at", change.changed_at),
        ("changed_from", change.changed_from),
        ("changed_to", change.changed_to),
        ("verified", None if body.verified is None else str(body.verified).lower()),
        ("time", body.time_stamp or body.protected_at),
        ("action", body.action),
        ("label", body.label),
        ("managed_by", body.managed_by),
    )
    return tuple([(name, value) for name, value in named if value])


def _pictures(body: AccountBody) -> list[tuple[str, str]]:
    named = (("avatar", body.avatar_url), ("header", body.header_url))
    return [(name, url) for name, url in named if url]


def _media(account: str, name: str, url: str) -> MediaReference:
    """In `profile_media/` a file is called after the account and the last part of its address, which some
    exports already write with the account in front."""
    last = url.partition("?")[0].rstrip("/").rpartition("/")[2].removeprefix(f"{account}-")
    return MediaReference(None, name, url, media_file_name(account, last))


def _details_record(capture: Capture, details: UserDetails) -> Account:
    return Account(
        platform="x",
        platform_id=capture.account,
        aspect="profile",
        captured_ms=capture.fetched_ms,
        handle=details.screen_name,
        name=details.full_name,
        created_ms=parse_time(details.created_at),
        bio=_clean(details.bio),
        website=details.expanded_url or details.url,
        location=_clean(details.location),
    )


def _clean(text: str | None) -> str | None:
    return clean_text(text) if text else None
