"""What a pack is made of beside the records: who makes it, the register, the chain, the log, time stamps."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from archiver import __version__
from archiver.archive.manifest import MAX_BYTES, token_name
from archiver.audit.acts import Act
from archiver.audit.names import NAMESPACE as LOG_NAMESPACE
from archiver.audit.reading import Reading, case_entries
from archiver.cli._search_opening import Opened
from archiver.cli._session import Session, one_line
from archiver.cli.evidence._options import Options
from archiver.cli.evidence._selecting import Selected, missing_in_words
from archiver.evidence.contents import ChainLink, LogLine, Stamp
from archiver.evidence.gathering.shown import Books
from archiver.evidence.gathering.withheld import Withheld
from archiver.evidence.model import Exhibit, Medium, Production
from archiver.evidence.references import Reference
from archiver.evidence.register import Register
from archiver.evidence.tag_files import SIGNATURE_NAMESPACE
from archiver.formats.ssh_signature import SigningKey, allowed_signers_line
from archiver.stores.base import NotInStoreError
from archiver.stores.named import open_all
from archiver.times import system_clock
from archiver.timestamps import MAXIMUM_TOKEN_BYTES, NoStampError, certificates_pem, fetch_token
from archiver.vault import Vault
from archiver.wiring.log import actor_of
from archiver.wiring.spool import has_unsealed
from archiver.wiring.stores import named_stores

PUBLISHER = "publisher"
"""Who signs a pack for publication: no keyholder is named in it."""
MOST_LOG_ENTRIES = 5_000
"""Of the log, newest first, that are looked through for what is of the case: each takes 0.5 ms."""
_MOST_NAMED = 20
_MAXIMUM_SMALL_FILE = 1 << 20


def draft_production(
    session: Session,
    opened: Opened,
    options: Options,
    selected: Selected,
    reference: Reference,
    signer: str,
    records: int,
    books: Books,
) -> Production:
    """What the pack is, before anything is redacted."""
    settings = session.settings
    actor = actor_of(
        settings, session.environ, None if settings.keyholder is None else settings.keyholder.name
    )
    head = opened.archives[-1].head if opened.archives else None
    return Production(
        case=options.case,
        initials=reference.initials,
        number=reference.number,
        produced_by=options.produced_by,
        made_ms=system_clock(),
        question=selected.question,
        records=records,
        vault=opened.vault.id,
        head_sequence=head.sequence if head else 0,
        head_sha256=head.sha256 if head else "",
        keyholder=actor.keyholder or "",
        signer=signer,
        system_account=actor.system_account,
        host=actor.host,
        tool=f"archiver {__version__}",
        configuration=settings.digest,
        organisation=settings.evidence.organisation,
        contact=settings.evidence.contact,
        purpose=options.purpose,
        recipient=options.recipient,
        reason=options.reason,
        is_redacted=options.rules is not None,
        public=options.is_public,
        unsearched=tuple(f"{one.archive}: {one.error.message}" for one in opened.searcher.unsearched),
        notes=tuple(_notes(session, selected, opened, books, is_public=options.is_public)),
    )


def _notes(
    session: Session, selected: Selected, opened: Opened, books: Books, *, is_public: bool
) -> list[str]:
    notes, act = [], opened.act
    if isinstance(act, Act) and act.begin.head.sequence > MOST_LOG_ENTRIES:
        notes.append(
            f"of the log only the last {MOST_LOG_ENTRIES:,} entries were looked through for this case"
        )
    if selected.missing:
        notes.append(f"named, and in no archive: {missing_in_words(selected.missing)}")
    if has_unsealed(session.settings):
        notes.append("what was captured and not sealed yet when the pack was made was not searched")
    if number := len(opened.searcher.restricted.names):
        are = "1 record is" if number == 1 else f"{number:,} records are"
        notes.append(f"of the whole vault {are} kept and not shown: not searched, and not in this pack")
    if (number := books.captures.not_whole) and not is_public:
        are = "1 answer of the platform is" if number == 1 else f"{number:,} answers of the platform are"
        notes.append(f"{are} not whole in this pack, for what is not shown; the captures say which")
    return notes


def open_register(session: Session, vault: Vault) -> Register:
    """The register in the first required store and in those others that can be reached. Raise StoreError
    where the first cannot: numbers must not be given apart from each other."""
    opened = open_all(named_stores(session.settings))
    required = [one for one in opened if one.required]
    first = required[0]
    if first.error is not None:
        raise first.error
    others = [one.store for one in opened if one is not first and one.error is None]
    return Register(vault.id, first.store, others)


def read_chain(opened: Opened) -> list[ChainLink]:
    """Every archive's manifest, signature and time stamp, as they lie in the store."""
    links = []
    for archive in opened.archives:
        name = f"archives/{archive.name}/manifest.json"
        links.append(
            ChainLink(
                archive.name,
                archive.head.sequence,
                opened.vault.read(name, MAX_BYTES),
                opened.vault.read(f"{name}.sig", _MAXIMUM_SMALL_FILE),
                _read_token(opened.vault, archive.name),
            )
        )
    return links


def _read_token(vault: Vault, archive: str) -> bytes | None:
    try:
        return vault.read(token_name(archive), MAXIMUM_TOKEN_BYTES)
    except NotInStoreError:
        return None


def signers_of(signer: str, key: SigningKey) -> bytes:
    """Who signed the pack, for ssh-keygen; and the log's entries in it."""
    line = allowed_signers_line(signer, key.public_line(), [SIGNATURE_NAMESPACE, LOG_NAMESPACE])
    return f"{line}\n".encode()


def read_log(session: Session, act: Act, case: str, withheld: Withheld | None = None) -> list[LogLine]:
    """What this keyholder's log says of the case, oldest first, as far as it can be opened here; last, that
    this pack is being made, which is known here in any case. Of what names a record that is not shown the
    entry is left out."""
    begin = act.begin

    def names(entry: bytes) -> bool:
        return withheld is not None and withheld.is_named_in(entry)

    own = LogLine(begin.link_data, begin.signature, begin.entry_data)
    assert session.opened is not None  # noqa: S101 - the act has begun in its store
    store, chain, identities = session.opened.vault.store, begin.link.chain, session.identities()
    earlier = case_entries(store, chain, case, identities, Reading(), most=MOST_LOG_ENTRIES)
    lines = [
        LogLine(one.sealed.link_data, one.sealed.signature, None if names(one.data) else one.data)
        for one in earlier
        if one.sealed.head.sequence < begin.head.sequence
    ]
    return [*lines, own]


@dataclass(frozen=True)
class Stamper:
    """Asks the authorities in the settings; says why where none answers."""

    session: Session

    @property
    def certificates(self) -> list[bytes]:
        return [certificates_pem(one) for one in self.session.settings.timestamps]

    def stamp(self, data: bytes) -> Stamp | None:
        authorities = self.session.settings.timestamps
        if not authorities:
            return None
        try:
            stamped = fetch_token(authorities, data)
        except NoStampError as error:
            self.session.note(one_line(f"the pack has no time stamp: {error.message}"))
            return None
        return Stamp(stamped.token, stamped.authority)


class Paper:
    """Makes the report to be printed, with the fonts that the settings name or that are installed.
    `is_short`: something could not be printed as it is, which was said then."""

    def __init__(self, session: Session, production: Production) -> None:
        self._session = session
        self._production = production
        self._unprinted: list[str] = []
        self.is_short = False

    def render(
        self, exhibits: Sequence[Exhibit], read_medium: Callable[[Medium], bytes]
    ) -> Iterator[tuple[str, bytes]]:
        from archiver.evidence.paper import Fonts, render_paper

        fonts = Fonts(self._session.settings.evidence.fonts)
        for file in render_paper(self._production, exhibits, read_medium, fonts):
            self._unprinted += [one for one in file.unprintable if one not in self._unprinted]
            self._name("pictures that cannot be printed", [f"{path} ({why})" for path, why in file.broken])
            self._name("records of which only the letters' numbers are printed", file.plain)
            yield file.name, file.data
        self._name("characters that no font has, printed as their numbers", self._unprinted)

    def _name(self, what: str, some: Sequence[str]) -> None:
        if some:
            self.is_short = True
            more = f" and {len(some) - _MOST_NAMED:,} more" if len(some) > _MOST_NAMED else ""
            self._session.note(one_line(f"warning: {what}: {', '.join(some[:_MOST_NAMED])}{more}"))
