"""What writes a pack: which files come of which forms, that each is shown to whoever watches, and that
nothing is left of a pack that could not be finished."""

from collections.abc import Iterable, Iterator
from hashlib import sha256, sha512
from pathlib import Path
from typing import Any

import pytest

from archiver.errors import IntegrityError
from archiver.evidence.bag import FolderSource, verify_bag
from archiver.evidence.checking import check_pack
from archiver.evidence.contents import Contents, Stamp
from archiver.evidence.gathering import Gathered
from archiver.evidence.gathering.captures import Answer
from archiver.evidence.gathering.media import MediaPlace
from archiver.evidence.model import Exhibit
from archiver.evidence.packing import Packed, Packer
from archiver.evidence.sink import new_pack
from archiver.evidence.trimming import Trimmer, paths_in
from archiver.formats.ssh_signature import SigningKey, allowed_signers_line
from tests.exhibits import exhibits, files, production

UNLISTED = ("tagmanifest-sha512.txt.sig", "tagmanifest-sha512.txt.tsr")
KEY = SigningKey.generate("disclosure")
LINE = allowed_signers_line("disclosure", KEY.public_line(), ["archiver-evidence", "archiver-log"])


class Held:
    """Reads what the made-up exhibits name; `broken` ends within a picture."""

    def __init__(self, broken: bool = False) -> None:
        self._broken = broken

    def answer(self, place: Answer, /) -> bytes:
        return files()[place.segment]

    def media(self, place: MediaPlace, /) -> Iterator[bytes]:
        data = files()[place.pack]
        yield data[:10]
        if self._broken:
            raise IntegrityError("a picture is not what was captured")
        yield data[10:]


def contents(*forms: str, shown: Iterable[Exhibit] | None = None, **more: Any) -> Contents:
    said = production(is_redacted=False, unsearched=(), **more.pop("production", {}))
    kept = [Trimmer(forms).trim(one) for one in (exhibits() if shown is None else shown)]
    bodies = files()
    named = set(paths_in(kept))

    def of(beginning: str) -> dict[str, bytes]:
        return {path: bodies[path] for path in named if path.startswith(beginning)}

    records = [
        Gathered(one, {path: bodies[path] for path in paths_in([one]) if path.startswith("data/records/")})
        for one in kept
    ]
    fields: dict[str, Any] = {
        "production": said, "forms": forms, "records": records, "captures": [],
        "answers": {path: Answer(path, 1) for path in of("data/captures/")}, "slices": {},
        "media": {
            path: MediaPlace("", path, 0, len(data), sha256(data).hexdigest())
            for path, data in of("data/media/").items()
        },
        "vaulted": Held(), "chain": [], "vault_signers": f"{LINE}\n".encode(), "search_record": b"{}\n",
        "log": [], "pack_signers": f"{LINE}\n".encode(),
        "sign": lambda data: KEY.sign(data, "archiver-evidence"),
    }  # fmt: skip
    return Contents(**fields | more)


def write(path: Path, made: Contents, **more: Any) -> Packed:
    with new_pack(path, made.production.made_ms) as sink:
        return Packer(sink, made, **more).write()


def names(path: Path) -> set[str]:
    return {one.relative_to(path).as_posix() for one in path.rglob("*") if one.is_file()}


TAGS = {
    "README.txt", "VERIFY.md", "allowed_signers", "bag-info.txt", "bagit.txt", "custody.csv",
    "log-extract.jsonl", "manifest-chain/allowed_signers", "manifest-sha256.txt", "manifest-sha512.txt",
    "search-record.json", "statement-DRAFT.txt", "tagmanifest-sha256.txt", "tagmanifest-sha512.txt",
    "tagmanifest-sha512.txt.sig",
}  # fmt: skip


@pytest.mark.parametrize(
    ("form", "made"),
    [
        ("csv", {"data/records.csv"}),
        ("jsonl", {"data/records.jsonl"}),
        ("case", {"case.jsonld"}),
    ],
)
def test_each_form_is_its_own_files(tmp_path: Path, form: str, made: set[str]) -> None:
    write(tmp_path / "p", contents(form, "originals") if form == "csv" else contents(form))
    kept = {one for one in names(tmp_path / "p") if not one.startswith("data/records/")}
    assert kept == TAGS | made
    assert verify_bag(FolderSource(tmp_path / "p"), UNLISTED) == []


def test_all_that_is_named_is_written_as_it_is_held_and_its_size_and_hash_are_told(tmp_path: Path) -> None:
    made = contents("html", "csv", "jsonl", "load", "originals", "captures", "media", "case")
    packed = write(tmp_path / "p", made)
    named, bodies = set(paths_in(exhibits())), files()
    assert len(named) > 20
    for path in named:
        assert (tmp_path / "p" / path).read_bytes() == bodies[path]
    assert packed.files == len(names(tmp_path / "p"))
    assert packed.bytes == sum(one.stat().st_size for one in (tmp_path / "p").rglob("*") if one.is_file())
    signed = (tmp_path / "p" / "tagmanifest-sha512.txt").read_bytes()
    assert packed.signed_sha256 == sha256(signed).hexdigest()
    assert packed.signed_sha512 == sha512(signed).hexdigest()
    assert packed.stamp is None


def test_the_same_contents_make_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one.zip", "two.zip"):
        write(tmp_path / name, contents("html", "csv", "jsonl", "originals", "media"))
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()


def test_whoever_watches_is_shown_every_file_as_it_is_written(tmp_path: Path) -> None:
    seen: dict[str, bytes] = {}

    def watch(path: str, pieces: Iterable[bytes]) -> None:
        seen[path] = b"".join(pieces)

    write(tmp_path / "p", contents("html", "csv", "jsonl", "originals", "captures", "media"), watch=watch)
    assert set(seen) == names(tmp_path / "p")
    assert all((tmp_path / "p" / path).read_bytes() == data for path, data in seen.items())


def test_the_list_of_lists_is_what_is_signed_and_stamped(tmp_path: Path) -> None:
    asked: list[bytes] = []

    def stamp(data: bytes) -> Stamp:
        asked.append(data)
        return Stamp(b"a token", "somebody")

    made = contents("csv", stamp=stamp, authorities=(b"a certificate\n",))
    packed = write(tmp_path / "p", made)
    assert asked == [(tmp_path / "p" / "tagmanifest-sha512.txt").read_bytes()]
    assert packed.stamp == Stamp(b"a token", "somebody")
    assert (tmp_path / "p" / "tagmanifest-sha512.txt.tsr").read_bytes() == b"a token"
    assert (tmp_path / "p" / "timestamp-authorities.pem").read_bytes() == b"a certificate\n"
    assert "openssl ts -verify" in (tmp_path / "p" / "VERIFY.md").read_text()


def test_a_pack_for_the_public_has_no_files_beside_its_own(tmp_path: Path) -> None:
    from archiver.evidence.public import for_public

    shown = [for_public(one) for one in exhibits()]
    write(tmp_path / "p", contents("html", "csv", shown=shown, production={"public": True}))
    private = {"custody.csv", "log-extract.jsonl", "manifest-chain/allowed_signers", "search-record.json",
               "statement-DRAFT.txt", "VERIFY.md"}  # fmt: skip
    assert {one for one in names(tmp_path / "p") if not one.startswith("data/")} == TAGS - private


def test_of_a_pack_that_cannot_be_finished_nothing_is_left(tmp_path: Path) -> None:
    made = contents("jsonl", "media", vaulted=Held(broken=True))
    for name in ("p", "p.zip"):
        with pytest.raises(IntegrityError, match="not what was captured"):
            write(tmp_path / name, made)
    assert list(tmp_path.iterdir()) == []


def test_every_check_finds_it_good(tmp_path: Path) -> None:
    write(tmp_path / "p", contents("csv", "jsonl", "originals", "captures", "media"))
    checks = {one.title: one for one in check_pack(FolderSource(tmp_path / "p"), signer=KEY.fingerprint())}
    results = {title: one.result for title, one in checks.items()}
    assert results["signature"] == results["custody"] == results["log"] == "good"
    assert results["time stamp"] == "not there"
