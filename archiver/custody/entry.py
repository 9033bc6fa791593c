"""A decision: one entry of the register before it is sealed.

It travels inside an entry of the log (`archiver.audit.entry`), with a proof that whoever wrote it could open
the register's key: a signature alone proves no more than that a chain's own list of signers names the key,
and somebody who can write to a store can put a new chain there, list and all.
"""

import hashlib
import hmac
from collections.abc import Sequence
from typing import Any, Final, Literal, NamedTuple, get_args

import msgspec
from msgspec import Struct

from archiver.audit.entry import Actor, Entry, Verb
from archiver.chain import encode_document
from archiver.errors import IntegrityError, UsageError
from archiver.keys import Identity

FORMAT: Final = "archiver-custody-1"
Kind = Literal["hold", "release", "review", "dispose", "restrict", "unrestrict", "erase"]
KINDS: tuple[str, ...] = get_args(Kind)
MOST_TEXT: Final = 4_000
"""Characters of one text."""
MOST_RECORDS: Final = 20_000
"""Named by one entry, which fits into the 4 MiB that an entry may have."""
_VERBS: dict[str, Verb] = {
    "hold": "hold",
    "release": "release",
    "review": "alter",
    "dispose": "erase",
    "restrict": "restrict",
    "unrestrict": "restrict",
    "erase": "erase",
}


class RecordId(NamedTuple):
    """One record as `archiver show` names it: the platform, the kind, the platform's id."""

    platform: str
    kind: str
    id: str


class Scope(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is decided on. `archives`: by name, of a hold by query those that it found when it was added;
    `query`: as typed; `everything`: all that is sealed, and will be."""

    archives: tuple[str, ...] = ()
    query: str | None = None
    records: tuple[RecordId, ...] = ()
    everything: bool = False


class Draft(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a keyholder decides. `of`: the ids of the entries that it takes back or carries out. `reviewer`: a
    named person; `decision` and `until`, a date, of a review. `detail`: what else a kind needs, in values
    that JSON has."""

    kind: Kind
    reason: str
    scope: Scope = Scope()
    case: str | None = None
    reviewer: str | None = None
    decision: Literal["keep", "dispose"] | None = None
    until: str | None = None
    of: tuple[str, ...] = ()
    detail: dict[str, Any] = {}


class CustodyEntry(Draft, frozen=True, kw_only=True, omit_defaults=True):
    """A decision on record: its id, when, and by which keyholder."""

    id: str
    at: str
    by: str
    format: str = ""

    @property
    def records(self) -> frozenset[RecordId]:
        return frozenset(self.scope.records)


def make_custody(draft: Draft, *, entry_id: str, at: str, by: str) -> CustodyEntry:
    """The entry. Raise UsageError for one that says too much to be kept whole: nothing of a decision is
    cut."""
    texts = [draft.reason, draft.case, draft.reviewer, draft.scope.query, draft.until]
    if any(len(text) > MOST_TEXT for text in texts if text is not None):
        raise UsageError(f"one of the texts has over {MOST_TEXT:,} characters", "say it in fewer words")
    if len(draft.scope.records) > MOST_RECORDS:
        raise UsageError(
            f"{len(draft.scope.records):,} records are more than one decision takes",
            f"do it in several, of {MOST_RECORDS:,} each at the most",
        )
    if not draft.reason.strip():
        raise UsageError("a decision needs a reason", '--reason "…"')
    fields = {name: getattr(draft, name) for name in Draft.__struct_fields__}
    entry = CustodyEntry(**fields, id=entry_id, at=at, by=by, format=FORMAT)
    try:
        encode_document(msgspec.to_builtins(entry))
    except (UnicodeEncodeError, ValueError, TypeError) as error:
        raise UsageError(f"a decision cannot hold this: {error}", "type it anew") from error
    return entry


def log_entry(custody: CustodyEntry, chain: str, key: Identity, actor: Actor, *, nonce: str) -> Entry:
    """The entry of the log that carries it. Its number is given when it is written."""
    fields: dict[str, Any] = msgspec.to_builtins(custody)
    return Entry(
        nonce=nonce,
        sequence=0,
        at=custody.at,
        phase="end",
        verb=_VERBS[custody.kind],
        command=custody.kind,
        keyholder=actor.keyholder,
        system_account=actor.system_account,
        host=actor.host,
        tool=actor.tool,
        configuration=actor.configuration,
        detail={"custody": fields, "proof": proof_of(fields, chain, key)},
    )


def proof_of(fields: dict[str, Any], chain: str, key: Identity) -> str:
    """HMAC-SHA256, hexadecimal, by the register's identity over a decision and its chain: whoever made it
    could open the key. Not that they may sign: that the signature says. Raise ValueError for what JSON cannot
    hold."""
    message = b"\0".join((FORMAT.encode(), chain.encode(), encode_document(fields)))
    return hmac.new(key.encode().encode(), message, hashlib.sha256).hexdigest()


def parse_custody(entry: Entry, chain: str, keyholder: str, key: Identity, name: str) -> CustodyEntry:
    """The decision that an entry of the log carries. Raise IntegrityError, naming it, for anything else than
    one that the keyholder of this chain made and that somebody wrote who could open the register's key."""
    fields = entry.detail.get("custody")
    proof = entry.detail.get("proof")
    if not isinstance(fields, dict) or not isinstance(proof, str):
        raise IntegrityError(f"{name} is no decision of the custody register")
    try:
        is_proven = hmac.compare_digest(proof.encode(), proof_of(fields, chain, key).encode())
    except (ValueError, RecursionError) as error:  # what JSON has and we never write: NaN, half a surrogate
        raise IntegrityError(f"{name} is no decision of the custody register: {error}") from error
    if not is_proven:
        raise IntegrityError(
            f"{name} was made by somebody who could not open the register's key",
            "somebody who can write to the store put it there: see archiver log verify",
        )
    if fields.get("format") != FORMAT:
        raise IntegrityError(
            f"{name} has the format {str(fields.get('format'))[:40]!r}",
            f"this version reads {FORMAT}: update the program; nothing was changed",
        )
    try:
        custody = msgspec.convert(fields, CustodyEntry)
    except msgspec.ValidationError as error:
        raise IntegrityError(f"{name} is no decision of the custody register: {error}") from error
    if custody.by != keyholder:
        raise IntegrityError(f"{name} is in the chain of {keyholder} and says that {custody.by!r} made it")
    return custody


def record_ids(names: Sequence[tuple[str, str, str]]) -> tuple[RecordId, ...]:
    """These records, each once, in order."""
    return tuple(RecordId(*one) for one in sorted(set(names)))
