"""What the log is called in a store: `audit/CHAIN/00000001.tar`, and beside them who may sign the chain."""

import re

from archiver.disposal import CUSTODY as CUSTODY
from archiver.disposal import NAMESPACE as DISPOSAL_NAMESPACE
from archiver.errors import IntegrityError
from archiver.formats.ssh_signature import allowed_signers_line

FOLDER = "audit/"
NAMESPACE = "archiver-log"
"""Of the SSH signature over a link (PROTOCOL.sshsig)."""
EVIDENCE_NAMESPACE = "archiver-evidence"
"""Of a keyholder's signature over an evidence pack."""
COLLECTOR = "_collector"
"""The chain of the host that collects. No keyholder's name begins so."""
CUSTODY_KEY = f"{FOLDER}{CUSTODY}/key.age"
"""The register's own identity, encrypted to every keyholder."""
_CHAIN = re.compile(r"_?[A-Za-z0-9][A-Za-z0-9._@-]{0,89}")
_ENTRY = re.compile(r"([0-9]{8,12})\.tar")


def is_chain(name: str) -> bool:
    """Whether this can be the name of a chain: a keyholder's, or `_collector` with what may follow it."""
    return _CHAIN.fullmatch(name) is not None


def entry_name(chain: str, sequence: int) -> str:
    """Where an entry lies in a store."""
    return f"{FOLDER}{chain}/{stem_of(sequence)}.tar"


def stem_of(sequence: int) -> str:
    """What the files of an entry are called, without what tells them apart."""
    return f"{sequence:08d}"


def signers_name(chain: str) -> str:
    """Where the list of who may sign a chain lies in a store."""
    return f"{FOLDER}{chain}/allowed_signers"


def parse_entry_name(name: str) -> tuple[str, int] | None:
    """The chain and number of an entry by its name in a store; None for any other name."""
    folder, _, rest = name.removeprefix(FOLDER).partition("/")
    match = _ENTRY.fullmatch(rest)
    if not name.startswith(FOLDER) or match is None or not is_chain(folder):
        return None
    sequence = int(match[1])
    return (folder, sequence) if entry_name(folder, sequence) == name and sequence else None


def signers_line(chain: str, public_line: str) -> bytes:
    """The list of who may sign a new chain: one key, for links and for evidence packs; of the custody
    register for links and for certificates of disposal."""
    other = DISPOSAL_NAMESPACE if is_custody(chain) else EVIDENCE_NAMESPACE
    line = allowed_signers_line(chain, public_line, [NAMESPACE, other])
    return f"{line}\n".encode()


def custody_chain(keyholder: str) -> str:
    """The chain in which a keyholder's decisions on what is sealed are."""
    return f"{CUSTODY}.{keyholder}"


def custody_keyholder(chain: str) -> str | None:
    """Whose decisions are in a chain; None for one of another kind."""
    begin, _, keyholder = chain.partition(".")
    return keyholder if begin == CUSTODY and is_chain(keyholder) else None


def is_custody(chain: str) -> bool:
    """Whether a chain is of the register, not of the log: its entries are sealed to the register's key."""
    return chain == CUSTODY or chain.startswith(f"{CUSTODY}.")


def damaged_custody_key() -> IntegrityError:
    """What is said of a file in its place that is no age file."""
    return IntegrityError(
        f"{CUSTODY_KEY} is not an age file",
        "another store may have it whole: archiver keys rewrap, as a keyholder, puts it back",
    )
