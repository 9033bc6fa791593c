"""That the archives in a pack's chain follow each other without a gap, from the first."""

from collections.abc import Iterator

from archiver.archive.manifest import NAMESPACE
from archiver.chain import follow_chain
from archiver.evidence.checking.files import Files
from archiver.evidence.checking.signed import read_signers
from archiver.evidence.tag_files import CHAIN


def chain_hashes(files: Files) -> list[str]:
    """The SHA-256 of every manifest, in order. Raise IntegrityError where the chain is not whole."""
    allowed = read_signers(files, f"{CHAIN}/allowed_signers")
    return [link.head.sha256 for link in follow_chain(_documents(files), allowed, NAMESPACE)]


def _documents(files: Files) -> Iterator[tuple[str, bytes, bytes]]:
    for path in files.below(CHAIN, ".json"):
        yield path, files.read(path), files.read(f"{path}.sig")


def check_chain(files: Files) -> list[str] | None:
    """How many archives, and the chain's head; None where the pack has no chain."""
    if not files.below(CHAIN):
        return None
    hashes = chain_hashes(files)
    return [f"{len(hashes):,} archives", f"head {hashes[-1]}" if hashes else "no archive"]
