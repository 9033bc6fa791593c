"""What the settings say of time stamp authorities (RFC 3161)."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class AuthoritySettings:
    """One `[[timestamp]]`: who is asked for time stamps, and by which certificates its answers are judged.

    `certificates` are its own, which it signs with: today's, and those of earlier years whose tokens are
    kept. `roots` are what these are signed by. Both are DER. `policy`: what a token must name, as
    `1.3.6.1.4.1.…`. `timeout_seconds`: for the whole answer. `ca_file`: for TLS, instead of the system's."""

    name: str
    url: str
    certificates: tuple[bytes, ...]
    roots: tuple[bytes, ...]
    policy: str | None = None
    timeout_seconds: int = 15
    ca_file: Path | None = None
