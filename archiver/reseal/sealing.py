"""An archive in, an archive without some records out: sealed, searched, chained and copied as any other.

The order is that of sealing, with one step more before the manifest: every file that was written is read back
and searched for what must be gone. The archive that is replaced stays as it is; disposing of it is another
act, and comes after this one has ended in every required store. A run that is cut off leaves what a cut off
sealing leaves, and the next sealing or the same command clears it or goes on from it."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from msgspec import structs

from archiver import __version__
from archiver.archive.manifest import NAMESPACE, Count, File, KnownGap, Manifest, manifest_fields, token_name
from archiver.audit.ends import find_all_last
from archiver.chain import next_fields, sign_document
from archiver.copying import verify_sealed
from archiver.cutting.needles import Needles
from archiver.disposal import commitment_of
from archiver.errors import ArchiverError
from archiver.keys import Identity, archive_key_name, new_identity, seal_archive_key
from archiver.reseal.media import MediaSpot
from archiver.reseal.names import RecordName
from archiver.reseal.packs import reseal_pack
from archiver.reseal.searching import require_gone, require_gone_from
from archiver.reseal.segment import SegmentResealing
from archiver.reseal.survey import Wanted, reduce_segment, removed_counts
from archiver.reseal.tombstones import SALT_BYTES, make_tombstone
from archiver.seal import Progress, SealOptions, begin_sealing
from archiver.seal.copies import Copies, Others, require_copies
from archiver.seal.earlier import (
    empty_spool,
    finish_earlier,
    note_written,
    require_files,
    require_still_last,
)
from archiver.seal.keeping import Keeper
from archiver.seal.segment import store_segment
from archiver.spool import Spool
from archiver.state import Sealing, State
from archiver.sync.stamping import Stamper
from archiver.times import Clock, format_time
from archiver.vault import Archive, Vault, current_names


@dataclass(frozen=True)
class Erasure:
    """What is to go and on whose word: `decision` is the id of the entry in the custody register. `spots`:
    files of packs that nothing else shows. `salt`: random bytes, as many as asked for."""

    wanted: Wanted
    needles: Needles
    spots: frozenset[MediaSpot]
    decision: str
    salt: Callable[[int], bytes]


@dataclass(frozen=True, repr=False)
class Resealer:
    """What sealing an archive anew works with: the collector's spool and state, under its lock; the vault in
    the first store, the others; a keyholder's identities."""

    spool: Spool
    state: State
    vault: Vault
    identities: list[Identity]
    options: SealOptions
    others: Others
    clock: Clock
    progress: Progress = lambda phase, done, total: None

    def finish(self) -> None:
        """Finish, or clear away, a sealing that was cut off, an ordinary one too."""
        copies = self._copies()
        copies.delete_partial()
        archives = self.vault.list_archives().require_sound()
        copies.survey()
        finish_earlier(self.spool, self.state, copies, archives)

    def require_everywhere(self, archive: Archive) -> None:
        """Raise where a required store has not got an archive whole, once it was given what it lacks."""
        copies = self._copies()
        self.vault.list_archives().require_sound()
        copies.survey()
        require_files(self.vault.store, archive)
        require_copies(archive.name, copies.fill())

    def _copies(self) -> Copies:
        return Copies(self.vault, self.others, self.progress, Stamper(self.options.authorities))

    def reseal(self, name: str, erasure: Erasure) -> Archive:
        """Seal an archive anew without what is to go; the new archive, which every required store has.

        Raise LockedError where another host keeps the vault, LeftoverError where something is left,
        IntegrityError where the chain is not whole or what was written does not read back, and what failed
        where a required store has not got it. Until the manifest is written nothing has happened."""
        keeper = Keeper(self.vault, self.state, self.options.claimant)
        keeper.require()
        copies = self._copies()
        copies.delete_partial()
        archives = self.vault.list_archives(self.state.head()).require_sound()
        copies.survey()
        old = next((one for one in archives if one.name == name), None)
        if old is None:
            raise ArchiverError(f"there is no archive {name}", "see which there are: archiver status")
        sealing = begin_sealing(self.state, copies, self.clock, set(), (0, 0, 0, 0))
        run = _Run(self, copies, sealing, old, archives, erasure, keeper)
        try:
            return run.run()
        except ArchiverError:
            run.drop_unless_written()
            raise


class _Run:
    """One archive from its mark to the copies of what replaces it."""

    def __init__(
        self,
        resealer: Resealer,
        copies: Copies,
        sealing: Sealing,
        old: Archive,
        archives: Sequence[Archive],
        erasure: Erasure,
        keeper: Keeper,
    ) -> None:
        self.it = resealer
        self.keeper = keeper
        self.store = resealer.vault.store
        self.copies = copies
        self.sealing = sealing
        self.old = old
        self.archives = archives
        self.erasure = erasure
        self.old_identity = resealer.vault.open_key(old, resealer.identities)
        self.identity = new_identity(classic=resealer.options.classic)
        self.removed: Counter[tuple[str, str, str, str]] = Counter()
        self.erased: set[RecordName] = set()
        self.is_written = False
        before = [one for one, now in current_names(archives).items() if now == old.name]
        self.renamed = dict.fromkeys([old.name, *before], sealing.archive)

    def run(self) -> Archive:
        files = self._seal_files()
        name = self.sealing.archive
        key = seal_archive_key(self.identity, self.it.options.recipients)
        self.store.put_new(archive_key_name(name), key)
        manifest = self._manifest(files)
        data, signature = sign_document(manifest_fields(manifest), self.it.options.signing_key, NAMESPACE)
        require_gone_from(f"archives/{name}/manifest.json", data, self.erasure.needles)
        self.store.put_new(f"archives/{name}/manifest.json.sig", signature)
        token = self.copies.stamper.fetch(name, data)
        if token is not None:
            self.store.put_new(token_name(name), token)
        require_still_last(self.archives, self.it.vault.archive_names()[0])
        self.is_written = True
        self.store.put_new(f"archives/{name}/manifest.json", data)
        archive = self._read_back()
        note_written(self.it.state, self.sealing)
        self.copies.add(manifest, data, signature, token)
        require_copies(name, self.copies.fill({name: self.identity}))
        empty_spool(self.it.spool, self.it.state, self.sealing, archive)
        return archive

    def drop_unless_written(self) -> None:
        """After an error: what is there of an archive that does not exist yet is of no use to anybody."""
        if self.is_written:
            return
        self.copies.discard_unfinished(self.sealing.archive)
        with self.it.state.transaction():
            self.it.state.set_sealing(None)

    def _read_back(self) -> Archive:
        archives = self.it.vault.list_archives().require_sound()
        archive = next(one for one in reversed(archives) if one.manifest.mark == self.sealing.mark)
        require_files(self.store, archive)
        return archive

    def _seal_files(self) -> list[File]:
        """Every file of the old archive anew, each read back and searched."""
        files: list[File] = []
        todo = self.old.manifest.files
        for number, file in enumerate(todo):
            self.it.progress(f"sealing {self.old.name} anew", number, len(todo))
            sealed = self._segment(file) if file.kind == "records" else self._pack(file)
            require_gone(self.store, self.sealing.archive, sealed, self.identity, self.erasure.needles)
            files.append(sealed)
        return files

    def _segment(self, file: File) -> File:
        erasure, name = self.erasure, self.sealing.archive
        with self.it.vault.open_segment(self.old, file, self.it.identities) as segment:
            old = segment.connection
            reduction = reduce_segment(old, erasure.wanted, erasure.needles)
            self.removed += removed_counts(old, reduction.found.keys)
            tombstones = [
                make_tombstone(
                    one, salt=erasure.salt(SALT_BYTES), versions=versions, erased_ms=self.it.clock(),
                    decision=erasure.decision, replaces=self.old.name,
                )
                for one, versions in sorted(reduction.found.versions.items())
            ]  # fmt: skip
            self.erased |= set(reduction.found.versions)
            resealing = SegmentResealing(
                old, reduction, erasure.needles, language=self.it.options.language, renamed=self.renamed
            )
            try:
                builder = resealing.run(tombstones)
                sealed = store_segment(self.store, f"archives/{name}/{file.name}", builder, self.identity)
            finally:
                resealing.builder.close()
        verify_sealed(self.store, name, sealed, self.identity)
        return sealed

    def _pack(self, file: File) -> File:
        doomed = {
            spot.offset
            for spot in self.erasure.spots
            if spot.pack == file.name and spot.archive in (self.old.name, *self.renamed)
        }
        return reseal_pack(
            self.store,
            (self.old.name, file, self.old_identity),
            (self.sealing.archive, self.identity),
            doomed,
        )

    def _manifest(self, files: Sequence[File]) -> Manifest:
        covered = [file for file in files if file.posted_from is not None]
        place = next_fields(self.archives[-1].head)
        needles, old = self.erasure.needles, self.old.manifest
        return structs.replace(
            old,
            archive=self.sealing.archive,
            sequence=int(str(place["sequence"])),
            previous=self.archives[-1].head.sha256,
            sealed_at=format_time(self.it.clock()),
            covers_from=min((str(file.posted_from) for file in covered), default=None),
            covers_to=max((str(file.posted_to) for file in covered), default=None),
            recipient=self.identity.recipient().encode(),
            mark=self.sealing.mark,
            files=list(files),
            counts=[one for one in map(self._count, old.counts) if one is not None],
            origins=[structs.replace(one, request=needles.taken_out(one.request)) for one in old.origins],
            tool=f"archiver {__version__}",
            configuration=self.it.options.configuration,
            gaps=[_without_ids(gap, needles) for gap in old.gaps],
            logs=find_all_last(self.store),
            claim=self.keeper.head,
            disposal_sha256=commitment_of(self.identity),
            replaces=old.archive,
            first_sealed_at=old.first_sealed_at or old.sealed_at,
            erased=old.erased + len(self.erased),
        )

    def _count(self, count: Count) -> Count | None:
        """What the archive brought of one kind, less what went; None where nothing is left to say."""
        left = {
            change: max(
                0, getattr(count, change) - self.removed[count.platform, count.account, count.kind, change]
            )
            for change in ("new", "changed", "other", "again")
        }
        reduced = structs.replace(count, **left)
        says = any((*left.values(), reduced.back, reduced.missing, reduced.unparsed))
        return reduced if says else None


def _without_ids(gap: KnownGap, needles: Needles) -> KnownGap:
    return structs.replace(
        gap,
        after_id=None if needles.is_id(gap.after_id) else gap.after_id,
        before_id=None if needles.is_id(gap.before_id) else gap.before_id,
    )
