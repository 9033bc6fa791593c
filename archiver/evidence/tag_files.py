"""The files of a pack beside its data: who made it and how, and what it is checked by."""

import base64
import json
from collections.abc import Iterable, Iterator, Sequence

from archiver.evidence.contents import ChainLink, Contents, LogLine

SIGNED: str = "tagmanifest-sha512.txt"
"""What is signed and stamped: the list of the lists, and of everything else beside the data."""
SIGNATURE = f"{SIGNED}.sig"
TOKEN = f"{SIGNED}.tsr"
SIGNATURE_NAMESPACE = "archiver-evidence"
CHAIN = "manifest-chain"
AUTHORITIES = "timestamp-authorities.pem"


def chain_files(chain: Sequence[ChainLink], signers: bytes) -> Iterator[tuple[str, bytes]]:
    """Manifests with their signatures and tokens, named so that they sort in the order of the chain."""
    width = max(6, len(str(chain[-1].sequence))) if chain else 6
    for link in chain:
        name = f"{CHAIN}/{link.sequence:0{width}}-{link.archive}.json"
        yield name, link.manifest
        yield f"{name}.sig", link.signature
        if link.token is not None:
            yield f"{name}.tsr", link.token
    yield f"{CHAIN}/allowed_signers", signers


def log_lines(log: Iterable[LogLine]) -> Iterator[bytes]:
    """Each entry on a line: to be read, and in base64 as it was signed and hashed. The order of the fields is
    part of the form: VERIFY.md cuts them out with sed."""
    for one in log:
        line: dict[str, object] = {
            "link_base64": base64.b64encode(one.link).decode(),
            "signature_base64": base64.b64encode(one.signature).decode(),
            "entry_base64": "" if one.entry is None else base64.b64encode(one.entry).decode(),
            "link": json.loads(one.link),
            "entry": None if one.entry is None else json.loads(one.entry),
        }
        yield json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def described(paths: Iterable[str], contents: Contents) -> list[tuple[str, str]]:
    """What README.txt lists: paths as they are, folders once, and what each is."""
    listed: dict[str, str] = {}
    for path in paths:
        for beginning, what in _WHAT:
            if path.startswith(beginning):
                listed.setdefault(beginning if beginning.endswith("/") else path, what)
                break
    if not contents.production.public:
        listed[SIGNATURE] = "the signature over the list of lists"
    return list(listed.items())


_WHAT = (
    ("data/report.html", "the report, to be read with any browser"),
    ("data/report", "the same, to be printed"),
    ("data/records.csv", "a table, a row for each record"),
    ("data/records.jsonl", "all about each record, for programs"),
    ("data/records.dat", "load file (Concordance: 0x14, þ, UTF-8 with BOM)"),
    ("data/text/", "the load file's texts"),
    ("data/originals/", "each record's bytes as the platform sent them"),
    (
        "data/captures/",
        "what records stand on: answers of the platform, whole or the records' slices, and slices of exports",
    ),
    ("data/media/", "pictures and videos, named by their SHA-256"),
    ("case.jsonld", "the same as a graph (CASE/UCO)"),
    ("custody.csv", "the chain of custody of each record"),
    ("search-record.json", "what was searched for, where, when, and found"),
    ("log-extract.jsonl", "the log's entries about this case"),
    (f"{CHAIN}/", "the archives' manifests and signatures"),
    (AUTHORITIES, "certificates of time stamp authorities"),
    ("statement-DRAFT.txt", "draft of a production statement, unsigned"),
    ("allowed_signers", "whose key signed this"),
    ("VERIFY.md", "how to check it"),
)
