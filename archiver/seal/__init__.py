"""Spool to archive: one sealing.

The order is what makes a kill harmless. A mark is noted in the state; packs and segments are written,
read back and verified; then the key, the signature, a time stamp where authorities are set, and last the
manifest, which makes the archive exist. Where no authority answers, sealing goes on, and a later run brings
the time stamp. Then it goes to every other store, and only when each required one has it is the spool
emptied. A rerun finds the mark: where the first store has a manifest with it, it finishes copying and
emptying; where not, it drops the unfinished files and seals anew.

The mark names the last ids that are taken. What the moderation register adds meanwhile, which waits for no
sealing, has higher ones and stays for the next archive.
"""

import secrets
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import msgspec

from archiver import __version__
from archiver.archive.manifest import (
    FORMAT,
    NAMESPACE,
    File,
    KnownGap,
    Manifest,
    manifest_fields,
    token_name,
)
from archiver.audit.ends import find_all_last
from archiver.chain import Head, next_fields, sign_document
from archiver.claims.holder import Claimant
from archiver.disposal import commitment_of
from archiver.formats.ssh_signature import SigningKey
from archiver.keyholders import Recipient
from archiver.keys import Identity, archive_key_name, new_identity, seal_archive_key
from archiver.progress import Gap
from archiver.seal.copies import Copies, Others, require_copies
from archiver.seal.counting import count_media, count_moderation, count_records, list_origins
from archiver.seal.earlier import (
    empty_spool,
    finish_earlier,
    note_written,
    require_files,
    require_still_last,
    was_written,
)
from archiver.seal.keeping import Keeper
from archiver.seal.media import Places, seal_media
from archiver.seal.plan import plan_segments
from archiver.seal.segment import SealedSegment
from archiver.seal.segment_build import SegmentContext
from archiver.seal.workers import WorkerSetup, seal_segments
from archiver.settings.timestamps import AuthoritySettings
from archiver.spool import Spool, SpooledMedia
from archiver.state import Sealing, State
from archiver.sync.filling import Filled
from archiver.sync.stamping import Stamper, Stamping
from archiver.times import Clock, format_date, format_time
from archiver.vault import Archive, Vault

Progress = Callable[[str, int, int], None]
"""Told a phase, how much of it is done, and of how much."""
_NO_OTHERS = Others()


@dataclass(frozen=True)
class SealOptions:
    """Who can open the archive, who signs it, how it is cut, who is asked for time stamps, and as whom the
    vault is kept (None: nobody keeps it)."""

    recipients: Sequence[Recipient]
    signing_key: SigningKey
    classic: bool
    segment_bytes: int
    language: str
    configuration: str
    workers: int
    authorities: Sequence[AuthoritySettings] = ()
    claimant: Claimant | None = None


@dataclass(frozen=True)
class SealResult:
    """The archive made, or None where the spool was empty; what was kept but not understood; whether an
    earlier sealing that had been cut off was finished first; what became of the stores beside the first, and
    of time stamps."""

    archive: Archive | None
    problems: tuple[str, ...] = ()
    finished_earlier: bool = False
    copies: tuple[Filled, ...] = ()
    stamping: Stamping = field(default_factory=Stamping)


def seal(
    spool: Spool,
    state: State,
    vault: Vault,
    options: SealOptions,
    clock: Clock,
    progress: Progress = lambda phase, done, total: None,
    others: Others = _NO_OTHERS,
) -> SealResult:
    """Make one archive of all that is in the spool, in the vault's store and then in the others; and give
    these what they lack of older ones, and older ones the time stamps that they lack.

    Raise LockedError where another host keeps the vault; IntegrityError where the vault's chain is not whole
    or what was written does not read back; and what failed where a required store has not got the archive:
    then the spool is kept. Of the others the answer says what became of them."""
    stamper = Stamper(options.authorities)
    keeper = Keeper(vault, state, options.claimant)
    keeper.require()
    copies = Copies(vault, others, progress, stamper)
    copies.delete_partial()
    known = state.head()
    archives = vault.list_archives(known).require_sound()
    copies.survey()
    copies.bring_tokens(archives)
    sealing = state.sealing()
    lost = {sealing.archive} if sealing is not None and was_written(state, sealing) else set()
    earlier, filled = finish_earlier(spool, state, copies, archives)
    if spool.is_empty():
        return SealResult(
            earlier,
            finished_earlier=earlier is not None,
            copies=copies.fill() if filled is None else filled,
            stamping=stamper.result,
        )
    keeper.claim(copies.usable, clock)
    sealing = begin_sealing(state, copies, clock, lost, spool.last_ids())
    run = _Run(spool, state, vault, options, clock, progress, sealing, copies, keeper)
    result = run.seal(archives)
    return replace(result, finished_earlier=earlier is not None, stamping=stamper.result)


def begin_sealing(
    state: State, copies: Copies, clock: Clock, lost: set[str], last_ids: tuple[int, int, int, int]
) -> Sealing:
    """Choose the archive's name, which none of those `lost` had, and note durably what is about to be
    sealed: of the spool all up to these ids."""
    date = format_date(clock())
    taken = copies.begun_archives() | lost
    name, number = date, 1
    while name in taken:
        number += 1
        name = f"{date}.{number}"
    sealing = Sealing(name, secrets.token_hex(16), *last_ids)
    with state.transaction():
        state.set_sealing(sealing)
    return sealing


class _Run:
    """One sealing from its mark to the emptied spool."""

    def __init__(
        self,
        spool: Spool,
        state: State,
        vault: Vault,
        options: SealOptions,
        clock: Clock,
        progress: Progress,
        sealing: Sealing,
        copies: Copies,
        keeper: Keeper,
    ) -> None:
        self.keeper = keeper
        self.spool = spool
        self.state = state
        self.vault = vault
        self.options = options
        self.clock = clock
        self.progress = progress
        self.sealing = sealing
        self.copies = copies
        self.identity: Identity = new_identity(classic=options.classic)
        self.captures = spool.captures(sealing.last_page)
        self.problems = spool.problems(sealing.last_problem)
        self.missing = spool.count_missing_media(sealing.last_media)

    def seal(self, archives: Sequence[Archive]) -> SealResult:
        """Write everything, the manifest last; copy it to the other stores; then empty the spool. `archives`:
        those that there are."""
        media = self.spool.media(self.sealing.last_media)
        packs, places = seal_media(self.sealing.archive, media, self.spool, self.vault.store, self.identity)
        segments = self._seal_segments(places)
        folder = f"archives/{self.sealing.archive}"
        self.vault.store.put_new(
            archive_key_name(self.sealing.archive), seal_archive_key(self.identity, self.options.recipients)
        )
        previous = archives[-1].head if archives else None
        manifest = self._manifest(previous, packs, segments, media)
        data, signature = sign_document(manifest_fields(manifest), self.options.signing_key, NAMESPACE)
        self.vault.store.put_new(f"{folder}/manifest.json.sig", signature)
        token = self.copies.stamper.fetch(self.sealing.archive, data)
        if token is not None:
            self.vault.store.put_new(token_name(self.sealing.archive), token)
        self._note_media(places)
        self.keeper.require()
        require_still_last(archives, self.vault.archive_names()[0])
        self.vault.store.put_new(f"{folder}/manifest.json", data)
        archive = self._read_back()
        note_written(self.state, self.sealing)
        self.copies.add(manifest, data, signature, token)
        copies = self.copies.fill({archive.name: self.identity})
        require_copies(archive.name, copies)
        empty_spool(self.spool, self.state, self.sealing, archive)
        problems = tuple(problem for one in segments for problem in one.problems)
        return SealResult(archive, problems, copies=copies)

    def _read_back(self) -> Archive:
        """The archive, as the store has it now."""
        archives = self.vault.list_archives().require_sound()
        archive = next(one for one in reversed(archives) if one.manifest.mark == self.sealing.mark)
        require_files(self.vault.store, archive)
        return archive

    def _seal_segments(self, places: Places) -> list[SealedSegment]:
        plans = plan_segments(self.spool.pages(last=self.sealing.last_page), self.options.segment_bytes)
        problems = [msgspec.structs.astuple(one)[1:] for one in self.problems]
        context = SegmentContext(
            self.sealing.archive,
            self.vault.id,
            self.identity.encode(),
            self.captures,
            places,
            self.options.language,
            self.options.configuration,
            plans[-1].number,
            problems,
        )
        setup = WorkerSetup(
            self.spool.folder, self.spool.identity.encode(), self.state.path, self.vault.store, context
        )
        self.progress("segments", 0, len(plans))
        return seal_segments(
            plans,
            setup,
            self.spool,
            self.state,
            self.options.workers,
            lambda done: self.progress("segments", done, len(plans)),
        )

    def _note_media(self, places: Places) -> None:
        """Remember what the packs hold. Harmless before the manifest: a sealing that is cut off here has
        the same files still in its spool, and notes them again."""
        with self.state.transaction():
            self.state.add_media(
                (
                    account,
                    file_name,
                    str(place.sha256),
                    place.size or 0,
                    str(place.archive),
                    str(place.pack),
                    place.offset or 0,
                )
                for (account, file_name), place in places.items()
            )

    def _manifest(
        self,
        previous: Head | None,
        packs: Sequence[File],
        segments: Sequence[SealedSegment],
        media: Sequence[SpooledMedia],
    ) -> Manifest:
        covered = [one.file for one in segments if one.file.posted_from is not None]
        place = next_fields(previous)
        return Manifest(
            format=FORMAT,
            vault=self.vault.id,
            archive=self.sealing.archive,
            sequence=int(str(place["sequence"])),
            previous=None if previous is None else previous.sha256,
            sealed_at=format_time(self.clock()),
            covers_from=min((str(file.posted_from) for file in covered), default=None),
            covers_to=max((str(file.posted_to) for file in covered), default=None),
            recipient=self.identity.recipient().encode(),
            mark=self.sealing.mark,
            files=[*(one.file for one in segments), *packs],
            counts=count_records(segments, self.captures) + count_media(media, self.missing, self.captures),
            problems=dict(Counter(one.reason for one in self.problems)),
            origins=list_origins(self.captures.values()),
            tool=f"archiver {__version__}",
            configuration=self.options.configuration,
            gaps=[
                _known_gap(gap)
                for number, gap in self.spool.progress.gaps(unsealed=True)
                if number <= self.sealing.last_gap
            ],
            moderation=count_moderation(segments),
            logs=find_all_last(self.vault.store),
            disposal_sha256=commitment_of(self.identity),
            claim=self.keeper.head,
        )


def _known_gap(gap: Gap) -> KnownGap:
    return KnownGap(
        platform=gap.platform,
        account=gap.account,
        kind=gap.kind,
        after_id=gap.after_id,
        after=None if gap.after_ms is None else format_time(gap.after_ms),
        before_id=gap.before_id,
        before=None if gap.before_ms is None else format_time(gap.before_ms),
        noticed_at=format_time(gap.noticed_ms),
        reason=gap.reason,
    )
