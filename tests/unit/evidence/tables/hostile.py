"""Exhibits with texts that no table may stumble over, for properties."""

from typing import Any

from hypothesis import strategies as st

from archiver.evidence.model import Exhibit, Medium, PackFile, Person, ShownLink
from tests.exhibit_parts import make_capture, make_exhibit, make_version

SIGNS = "\x14þ®\r\n\0\x85\u2028\u2029\x0b\x0c\x1c\x1e\"',;=+-@\t \ud83d\udc6eab\u202e"
texts = st.text(alphabet=st.one_of(st.sampled_from(SIGNS), st.characters()), max_size=40)
"""Every character, halves of them included; signs with a meaning in some table more often."""
some = st.one_of(st.none(), texts)
people = st.builds(Person, some, some, some, texts)
times = st.integers(min_value=-(2**62), max_value=2**62)


@st.composite
def hostile_exhibits(draw: st.DrawFn) -> Exhibit:
    """One record whose every text may hold anything."""
    medium = Medium(
        media_type=draw(texts), url=draw(some), file_name=draw(some), alt_text=draw(some), missing=draw(some)
    )
    capture = make_capture(
        1, request=draw(texts), headers=draw(some), fetched_ms=draw(times), taken_ms=draw(times), path=None
    )
    fields: dict[str, Any] = {
        "author": draw(people), "people": tuple(draw(st.lists(people, max_size=2))), "client": draw(some),
        "language": draw(some), "in_reply_to_id": draw(some), "in_reply_to_handle": draw(some),
        "conversation_id": draw(some), "links": (ShownLink(draw(texts), draw(some)),), "media": (medium,),
        "facts": ((draw(texts), draw(texts)),), "alt_text": draw(some), "posted_ms": draw(times),
    }  # fmt: skip
    version = make_version(1, draw(texts), capture=capture, originals=(), **fields)
    return make_exhibit(
        1, kind=draw(st.sampled_from(["post", "reply", "message", "follower", "like", "account", "other"])),
        id=draw(texts), url=draw(some), versions=(version,), captured=(draw(times),),
    )  # fmt: skip


def pack_files(bodies: dict[str, bytes]) -> dict[str, PackFile]:
    """Size and hashes of the pack's files."""
    from hashlib import sha256, sha512

    return {
        path: PackFile(len(body), sha256(body).hexdigest(), sha512(body).hexdigest())
        for path, body in bodies.items()
    }
