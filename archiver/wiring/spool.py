"""Settings to what this host has captured and not sealed yet, and remembers of what it has sealed: all of it
without any keyholder."""

import os
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

from archiver.chain import Head
from archiver.disk import make_directories
from archiver.errors import ConfigurationError
from archiver.keys import load_identity
from archiver.records import Moderation
from archiver.register import Registered
from archiver.seal.unsealed import UnsealedSegment
from archiver.seal.unsealed_build import Progress, UnsealedOptions, build_unsealed
from archiver.search.moderation import spooled_entries
from archiver.settings import Settings
from archiver.spool import Spool, SpooledMedia
from archiver.spool.counting import SPOOL_FILE, count_registered
from archiver.state import State


@contextmanager
def open_spool(settings: Settings) -> Iterator[Spool]:
    """The spool without the collector's lock: for moderation, which only adds to it, whatever else is at
    work. Raise ConfigurationError where this host does not collect."""
    require_spool(settings)
    make_directories(settings.state.parent)
    with closing(Spool(settings.spool, load_identity(settings.spool_identity))) as spool:
        yield spool


def require_spool(settings: Settings) -> None:
    """Raise ConfigurationError where this host does not collect."""
    if not settings.spool_identity.exists():
        raise ConfigurationError(
            f"{settings.path} names no spool on this host, so nothing can be recorded here",
            "run this on the host that collects; a spool is made by: archiver init",
        )


def remembered_head(settings: Settings) -> tuple[Head | None, str | None]:
    """The chain's end as the collector left it, and an archive it has not finished; on another host, where
    there is no state, neither."""
    if not settings.state.exists():
        return None, None
    with closing(State(settings.state)) as state:
        sealing = state.sealing()
        return state.head(), None if sealing is None else sealing.archive


# The moderation register, without any keyholder


@dataclass(frozen=True)
class RegisterHere:
    """What a host that collects knows of the moderation register without a keyholder: the entries that are
    not sealed yet, and of every record what its spool remembers. `is_here`: whether this host has a spool."""

    entries: tuple[Moderation, ...] = ()
    records: tuple[Registered, ...] = ()
    is_here: bool = False


def read_register(settings: Settings) -> RegisterHere:
    """Read it without the collector's lock, while another run may write. To be called before the archives
    are listed: a seal takes entries from the one to the other. Nothing is here where this host has no
    spool, or not its identity."""
    if not has_spool(settings):
        return RegisterHere()
    with closing(Spool(settings.spool, load_identity(settings.spool_identity))) as spool:
        # The register first: with an entry made meanwhile it would know of one that is not among these.
        records = tuple(spool.register.all())
        return RegisterHere(tuple(spooled_entries(spool)), records, is_here=True)


def open_entries(settings: Settings) -> list[Moderation]:
    """The entries of `read_register` alone."""
    if not has_spool(settings):
        return []
    with closing(Spool(settings.spool, load_identity(settings.spool_identity))) as spool:
        return list(spooled_entries(spool))


def count_moderation(settings: Settings) -> int:
    """How many moderation records this host's spool remembers, sealed ones included; 0 where it has none.
    Costs a fraction of a millisecond, needs no key, and writes nothing."""
    return count_registered(settings.spool)


def open_spool_segments(
    settings: Settings,
    progress: Progress = lambda phase, done, total: None,
    *,
    up_to_page: int | None = None,
) -> list[UnsealedSegment]:
    """What is captured and not yet sealed here, as segments to be searched, oldest first, without the
    moderation register's entries; none where this host has no spool, or not its identity, or nothing is in
    it. `up_to_page`: as of when the spool's last page had this id. Needs no lock, writes nothing, and is to
    be called before the archives are listed. Raise as `archiver.seal.unsealed_build.build_unsealed` does."""
    database = settings.spool / SPOOL_FILE
    if not os.access(database, os.R_OK) or not os.access(settings.spool_identity, os.R_OK):
        return []
    return build_unsealed(
        settings.spool,
        load_identity(settings.spool_identity),
        settings.state if os.access(settings.state, os.R_OK) else None,
        UnsealedOptions(settings.segment_bytes, settings.language, settings.digest, up_to_page),
        progress,
    )


def find_spooled_media(
    settings: Settings, names: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], SpooledMedia]:
    """What the spool knows of files, each named by account and file name; those it knows nothing of are
    left out."""
    if not has_spool(settings):
        return {}
    with closing(Spool(settings.spool, load_identity(settings.spool_identity))) as spool:
        found = {name: spool.find_media(*name) for name in names}
    return {name: media for name, media in found.items() if media is not None}


def has_spool(settings: Settings) -> bool:
    """Whether this host, and whoever runs this, has a spool and its identity."""
    database = settings.spool / SPOOL_FILE
    return os.access(database, os.R_OK | os.W_OK) and os.access(settings.spool_identity, os.R_OK)


def has_unsealed(settings: Settings) -> bool:
    """Whether anything waits here to be sealed; not where this host has no spool, or not its identity."""
    if not has_spool(settings):
        return False
    with closing(Spool(settings.spool, load_identity(settings.spool_identity))) as spool:
        return not spool.is_empty()
