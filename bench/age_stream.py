"""age: 1 GB encrypted and decrypted as a stream, against the age program in the same run.

Both read the same file from the page cache, write to the null device, use the same X25519 key, and take
turns; the best of several rounds counts. Run: python -m bench.age_stream [MEGABYTES]
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypedDict

from archiver.formats.age import DecryptReader, X25519Identity, encrypt_stream

MEGABYTE = 1_000_000
READ_BYTES = 256 * 1024
ROUNDS = 5


class Row(TypedDict):
    """One comparison: megabytes of plaintext a second, and ours divided by the peer's."""

    what: str
    ours: float
    peer: float
    ratio: float


def run(megabytes: int = 1000, rounds: int = ROUNDS) -> list[Row]:
    """Measure both directions; raise RuntimeError where there is no age program."""
    program = shutil.which("age")
    if program is None:
        raise RuntimeError("the age program is needed as the peer")
    with tempfile.TemporaryDirectory() as folder:
        return _measure(program, Path(folder), megabytes, rounds)


def _measure(program: str, folder: Path, megabytes: int, rounds: int) -> list[Row]:
    identity = X25519Identity.generate()
    identity_file, plain, sealed = folder / "identity", folder / "plain", folder / "sealed.age"
    identity_file.write_text(identity.encode() + "\n", encoding="ascii")
    _write_noise(plain, megabytes)
    _encrypt(identity, plain, sealed)
    null = Path(os.devnull)
    recipient = identity.recipient().encode()
    encrypting = [program, "--encrypt", "-r", recipient, str(plain)]
    decrypting = [program, "--decrypt", "-i", str(identity_file), str(sealed)]
    pairs: list[tuple[str, Callable[[], None], Callable[[], None]]] = [
        ("encrypt", lambda: _encrypt(identity, plain, null), lambda: _run_program(encrypting)),
        ("decrypt", lambda: _decrypt(identity, sealed, null), lambda: _run_program(decrypting)),
    ]
    rows: list[Row] = []
    for what, ours, peer in pairs:
        ours_seconds, peer_seconds = _best_of(rounds, ours, peer)
        rows.append(
            Row(
                what=f"age {what}, {megabytes} MB, X25519",
                ours=megabytes / ours_seconds,
                peer=megabytes / peer_seconds,
                ratio=peer_seconds / ours_seconds,
            )
        )
    return rows


def _best_of(rounds: int, ours: Callable[[], None], peer: Callable[[], None]) -> tuple[float, float]:
    timings = [(_seconds(ours), _seconds(peer)) for _ in range(rounds)]
    return min(first for first, _ in timings), min(second for _, second in timings)


def _seconds(action: Callable[[], None]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def _write_noise(path: Path, megabytes: int) -> None:
    noise = os.urandom(MEGABYTE)
    with path.open("wb") as file:
        for _ in range(megabytes):
            file.write(noise)


def _encrypt(identity: X25519Identity, plain: Path, sealed: Path) -> None:
    with (
        plain.open("rb", buffering=0) as source,
        sealed.open("wb", buffering=0) as destination,
        encrypt_stream([identity.recipient()], destination) as writer,
    ):
        shutil.copyfileobj(source, writer, READ_BYTES)


def _decrypt(identity: X25519Identity, sealed: Path, plain: Path) -> None:
    with sealed.open("rb", buffering=0) as source, plain.open("wb", buffering=0) as destination:
        shutil.copyfileobj(DecryptReader(source, [identity]), destination, READ_BYTES)


def _run_program(command: list[str]) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - the command is made here


def main() -> None:
    megabytes = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    for row in run(megabytes):
        speeds = f"ours {row['ours']:.0f} MB/s, age {row['peer']:.0f} MB/s"
        print(f"{row['what']}: {speeds}, ratio {row['ratio']:.2f}")


if __name__ == "__main__":
    main()
