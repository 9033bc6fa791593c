"""A vault with everything that an evidence pack can hold, exports from it, and packs as somebody else reads
them: files, also within an age file, and what they say in whatever way it is written.

`make_rich` takes an export and a later one, collects from the fake of X twice, and records a moderated reply
with a screenshot: four archives. All people in it are made up."""

import base64
import binascii
import contextlib
import html
import io
import json
import re
import subprocess
import time
import unicodedata
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256, sha512
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

from pypdf import PdfReader
from pypdf.generic import StreamObject

from archiver.cli import main
from archiver.formats.ssh_signature import SigningKey
from archiver.sample.pictures import png_picture
from tests.cli.runner import Result
from tests.collected import DAY_MS, HOUR_MS, MINUTE_MS, Asked, Clock, XHome, fake_x
from tests.exhibit_parts import ARABIC, EMOJI, HEBREW, MARKUP, OVERRIDDEN, ZALGO
from tests.faults.folders import copy_folder, made_later, make_folder, read_posts, sample
from tests.homes import Home
from tests.moderated import ACTS, Scene, make_scene
from tests.programs import require_program

EDITED_TEXT = "Main Street is open again. Please drive carefully."
SECRET_TEXT = "Ann Example lives at 12 Sample Lane"
WITNESS = "Zoë Müller-Example"
WITNESS_HANDLE = "zoe_example77"
PHOTO = png_picture("a witness at a window")
OTHER_PHOTO = png_picture("an empty road")
SCREENSHOT = png_picture("a screen with the reply", 320, 200)
NAMED = ("--case", "CO/17/26", "--exhibit", "ABC", "--produced-by", "A. B. Example")
"""What every export needs."""


@dataclass(frozen=True)
class Rich:
    """Where it lies, and the ids of records in it. The scene's reply is moderated; `edited` has two versions
    on X, `changed` two in exports; `deleted` is gone on X, `dropped` from the later export. `witnessed`: a
    mention by the witness, with `PHOTO`; `told`: a message that has SECRET_TEXT; `own`: a post of the force
    with the other photo; `later`: one from after the moderation."""

    home: XHome
    scene: Scene
    edited: str
    changed: str
    deleted: str
    dropped: str
    witnessed: str
    told: str
    own: str
    hostile: tuple[str, ...]
    witness_id: str
    moderated: str
    later: str

    @property
    def ids(self) -> tuple[str, ...]:
        """Of records of every kind: posts, a reply, messages, people in relation, a moderation record."""
        scene = self.scene
        return (
            scene.notice, scene.question, scene.reply, self.edited, self.changed, self.deleted, self.dropped,
            self.witnessed, self.told, self.own, *self.hostile, scene.author.id, self.moderated, self.later,
        )  # fmt: skip


def quietly(*arguments: str | Path) -> Result:
    """Run `archiver` in this process, where no capsys is to be had."""
    output, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
        code = main([str(one) for one in arguments])
    return Result(code, output.getvalue(), errors.getvalue())


def say(home: Home, *arguments: str | Path, code: int = 0) -> Result:
    result = quietly("--config", home.folder, *arguments)
    assert result.code == code, result
    assert "Traceback" not in result.errors
    return result


def export(home: Home, output: Path, *arguments: str | Path, code: int = 0) -> Result:
    """Export as exhibit ABC of case CO/17/26."""
    return say(home, "evidence", "export", *arguments, *NAMED, "-o", output, code=code)


def write_ids(path: Path, ids: Iterable[str]) -> Path:
    path.write_text("".join(f"{one}\n" for one in ids))
    return path


def copied(home: Home, folder: Path) -> Home:
    """The same vault again, for what takes numbers, does harm, or has other settings."""
    return Home(copy_folder(home.folder, folder))


def make_rich(folder: Path) -> Rich:
    """The vault; the fake of X is gone when this returns."""
    clock = Clock(int(time.time() * 1000) - 3 * DAY_MS)
    home = XHome(make_folder(folder / "home"))
    first = sample(folder / "first.zip", months=1)
    posts = [one for one in read_posts(first) if not one["full_text"].startswith("RT @")]
    changed, dropped = posts[0]["id_str"], posts[1]["id_str"]
    second = made_later(first, folder / "second.zip", dropped, changed, f"{EDITED_TEXT} {ZALGO}")
    home.take(first)
    home.take(second, now_ms=1_793_000_000_000 + DAY_MS)
    with fake_x(clock) as x:
        scene = make_scene(x, pictures=1)
        world, force = x.world, scene.force
        home.configure(x, Asked(force, more=ACTS, every_days={}))
        then = clock.now_ms - 2 * HOUR_MS
        witness = world.add_user(WITNESS_HANDLE, WITNESS, bio="Reads by the window.")
        edited = world.add_post(force, "Main Street is closed until six.", clock.now_ms - 5 * MINUTE_MS)
        deleted = world.add_post(force, "A notice that was taken down.", then)
        own = world.add_post(
            force, "A picture from Main Street.", then + MINUTE_MS,
            media_keys=[world.add_photo(OTHER_PHOTO, alt_text="An empty road")],
        )  # fmt: skip
        witnessed = world.add_post(
            witness, f"@{force.handle} I saw it from https://example.org/window?from={WITNESS_HANDLE}",
            then + 2 * MINUTE_MS,
            media_keys=[world.add_photo(PHOTO, alt_text=f"{WITNESS} at a window")],
        )  # fmt: skip
        hostile = [
            world.add_post(scene.bystander, f"@{force.handle} {text}", then + (3 + number) * MINUTE_MS)
            for number, text in enumerate((ARABIC, HEBREW, ZALGO, EMOJI, OVERRIDDEN, MARKUP))
        ]
        told = world.add_message(witness, f"{SECRET_TEXT}, & come <b>soon</b>.", [force], then)
        world.add_message(scene.bystander, "Is the road open?", [force], then + MINUTE_MS)
        for person in (witness, scene.bystander):
            world.follow(person, force)
        world.block(force, scene.author)
        world.like(force, witnessed)
        home.collect(clock)
        screenshot = folder / "screen.png"
        screenshot.write_bytes(SCREENSHOT)
        say(
            home, "moderate", scene.url, "--reason", "abusive", "--action", "hide", "--note",
            f"reported by {WITNESS}", "--by", "duty officer", "--screenshot", screenshot,
            "--account", force.id,
        )  # fmt: skip
        home.seal(clock.now_ms)
        world.edit_post(edited, EDITED_TEXT, clock.forward(2 * MINUTE_MS))
        world.delete_post(deleted)
        later_ms = clock.forward(4 * DAY_MS) - HOUR_MS  # later than the moderation, which is now
        later = world.add_post(force, "A notice of the week after.", later_ms)
        home.collect(Clock(clock.now_ms))
        home.seal(clock.now_ms)
    ((moderated,),) = home.rows("SELECT DISTINCT record_id FROM moderation")
    return Rich(
        home, scene, str(edited.id), changed, str(deleted.id), dropped, str(witnessed.id), str(told.id),
        str(own.id), tuple(str(one.id) for one in hostile), str(witness.id), moderated, str(later.id),
    )  # fmt: skip


# Packs as files

Files = Mapping[str, bytes]
WITHOUT_PDF = "html,csv,jsonl,load,originals,captures,media,case"


def read_pack(path: Path) -> dict[str, bytes]:
    """Every file of a folder or a ZIP file, by its path."""
    if path.is_dir():
        return {
            one.relative_to(path).as_posix(): one.read_bytes() for one in path.rglob("*") if one.is_file()
        }
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def write_folder(path: Path, files: Files) -> Path:
    for name, data in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(data)
    return path


def write_zip(path: Path, files: Files) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def records_of(files: Files) -> list[dict[str, Any]]:
    """What records.jsonl says, in its order."""
    return [json.loads(line) for line in files["data/records.jsonl"].splitlines()]


def remade(files: Files, key: SigningKey | None = None) -> dict[str, bytes]:
    """What somebody makes of altered files who knows how a bag is made: every list is made anew. Without a
    key the old signature stays; a `key` signs, and its owner names it as the signer."""
    made = {name: data for name, data in files.items() if "manifest-sha" not in name}
    if key is not None:
        line = key.public_line()
        principal = files["allowed_signers"].split(b" ")[0].decode()
        made["allowed_signers"] = f'{principal} namespaces="archiver-evidence,archiver-log" {line}\n'.encode()
    payload = {name: data for name, data in made.items() if name.startswith("data/")}
    oxum = f"{sum(map(len, payload.values()))}.{len(payload)}".encode()
    made["bag-info.txt"] = re.sub(rb"(?m)^Payload-Oxum: .*$", b"Payload-Oxum: " + oxum, made["bag-info.txt"])
    for kind, digest in (("sha256", sha256), ("sha512", sha512)):
        made[f"manifest-{kind}.txt"] = _listed(payload, digest)
    tags = {name: data for name, data in made.items() if not name.startswith("data/")}
    for kind, digest in (("sha256", sha256), ("sha512", sha512)):
        made[f"tagmanifest-{kind}.txt"] = _listed(tags, digest)
    for end in (".sig", ".tsr"):
        if (name := f"tagmanifest-sha512.txt{end}") in files:
            made[name] = files[name]
    if key is not None:
        signed = key.sign(made["tagmanifest-sha512.txt"], "archiver-evidence")
        made["tagmanifest-sha512.txt.sig"] = signed
    return made


def _listed(files: Files, digest: Any) -> bytes:
    return b"".join(f"{digest(data).hexdigest()}  {name}\n".encode() for name, data in sorted(files.items()))


# What a pack says, in whatever way it is written

_DEEPEST = 4
_BASE64 = re.compile(r"[A-Za-z0-9+/]{16,}={0,2}")


def texts_in(name: str, data: bytes, depth: int = 0) -> Iterator[str]:
    """Everything that can be read in a file: as text, members of archives, texts and streams of a PDF,
    strings of JSON, what is in base64, and escapes of HTML and addresses undone."""
    if data.startswith(b"PK\x03\x04"):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for member in archive.namelist():
                yield member
                yield from texts_in(member, archive.read(member), depth + 1)
    if data.startswith(b"%PDF"):
        yield from _pdf_texts(data, depth)
    if data.startswith(b"\x89PNG"):
        yield from (zlib.decompress(one).decode("latin-1") for one in _png_texts(data))
    for encoding in ("utf-8", "utf-16-le", "utf-16-be"):
        text = data.decode(encoding, "replace")
        if encoding == "utf-8":
            yield from _undone(name, text, depth)
        elif text.count("\ufffd") * 10 < len(text):
            yield text


def _undone(name: str, text: str, depth: int) -> Iterator[str]:
    yield text
    if depth >= _DEEPEST:
        return
    yield html.unescape(text)
    yield unquote_to_bytes(text).decode("utf-8", "replace")
    yield html.unescape(unquote_to_bytes(html.unescape(text)).decode("utf-8", "replace"))
    for line in text.splitlines() if name.endswith(("l", "s")) else [text]:
        with contextlib.suppress(ValueError):
            for string in _strings(json.loads(line)):
                yield string
                yield html.unescape(string)
                yield unquote_to_bytes(string).decode("utf-8", "replace")
    for match in _BASE64.finditer(text):
        with contextlib.suppress(binascii.Error):
            found = base64.b64decode(match[0] + "=" * (-len(match[0]) % 4))
            if found.isascii() or found.startswith(b"{"):
                yield from texts_in(name, found, depth + 1)


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, one in value.items():
            yield key
            yield from _strings(one)
    elif isinstance(value, list):
        for one in value:
            yield from _strings(one)
    elif value is not None:
        yield str(value)


def _png_texts(data: bytes) -> Iterator[bytes]:
    place = 8
    while place + 8 <= len(data):
        length = int.from_bytes(data[place : place + 4], "big")
        if data[place + 4 : place + 8] in (b"zTXt", b"iTXt"):
            yield data[place + 8 : place + 8 + length].partition(b"\0")[2][1:]
        place += 12 + length


def _pdf_texts(data: bytes, depth: int) -> Iterator[str]:
    reader = PdfReader(io.BytesIO(data))
    yield str(reader.metadata)
    for page in reader.pages:
        yield page.extract_text()
    for stream in pdf_streams(data):
        yield from _undone("stream", stream.decode("latin-1"), depth + 1)
        yield stream.decode("utf-8", "replace")
    for number in range(1, int(reader.trailer["/Size"])):
        yield str(reader.get_object(number))
    run = subprocess.run(
        [require_program("pdftotext"), "-layout", "-", "-"], input=data, capture_output=True, check=True
    )
    yield run.stdout.decode("utf-8", "replace")
    yield " ".join(run.stdout.decode("utf-8", "replace").split())


def pdf_streams(data: bytes) -> list[bytes]:
    """Every stream of a PDF, decompressed."""
    reader = PdfReader(io.BytesIO(data))
    found = []
    for number in range(1, int(reader.trailer["/Size"])):
        one = reader.get_object(number)
        if isinstance(one, StreamObject):
            found.append(one.get_data())
    return found


def spellings(text: str) -> set[str]:
    """A text in the forms in which it is looked for: composed and decomposed, any case."""
    forms = {unicodedata.normalize(form, text) for form in ("NFC", "NFD", "NFKC", "NFKD")}
    return {one.casefold() for one in forms}


@dataclass(frozen=True)
class Texts:
    """All that can be read in each file of a pack, composed and decomposed, without regard to case."""

    by_file: Mapping[str, tuple[str, ...]]

    def that_say(self, *texts: str) -> set[str]:
        """The files in which any of these can be read, their names included."""
        wanted = {one for text in texts for one in spellings(text)}
        return {
            name for name, said in self.by_file.items() if any(one in each for each in said for one in wanted)
        }

    def of(self, name: str) -> tuple[str, ...]:
        return self.by_file[name]


def texts_of(files: Files) -> Texts:
    return Texts({name: _forms(name, data) for name, data in files.items()})


def _forms(name: str, data: bytes) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for text in (name, *texts_in(name, data)):
        found |= dict.fromkeys({text.casefold()} if text.isascii() else spellings(text))
    return tuple(found)


def files_with_bytes(files: Files, picture: bytes) -> set[str]:
    """The files that hold a picture: its bytes, plain or in base64, its pixels in a PDF, or its hash."""
    digest = sha256(picture)
    wanted = (
        picture, digest.digest(), digest.hexdigest().encode(), base64.b64encode(picture)[:-4],
        base64.b64encode(digest.digest())[:40],
    )  # fmt: skip
    return {
        name
        for name, data in files.items()
        if any(one in data or one in name.encode() for one in wanted)
        or (data.startswith(b"%PDF") and pixels(picture) in pdf_streams(data))
    }


def pixels(picture: bytes) -> bytes:
    """Of a picture as `archiver.sample` draws it: no filters, three bytes each."""
    width = int.from_bytes(picture[16:20], "big")
    place = picture.index(b"IDAT")
    length = int.from_bytes(picture[place - 4 : place], "big")
    rows = zlib.decompress(picture[place + 4 : place + 4 + length])
    line = 1 + 3 * width
    assert not any(rows[start] for start in range(0, len(rows), line))
    return b"".join(rows[start + 1 : start + line] for start in range(0, len(rows), line))
