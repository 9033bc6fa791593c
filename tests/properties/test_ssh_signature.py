"""OpenSSH signatures under any bytes and any texts."""

import base64
import contextlib
import string
import time

from hypothesis import given
from hypothesis import strategies as st

from archiver.formats.ssh_signature import (
    AllowedSigners,
    AllowedSignersError,
    MalformedKeyError,
    SignatureError,
    SigningKey,
    allowed_signers_line,
    public_key_fingerprint,
    verify,
)

KEY = SigningKey.generate("key")
ALLOWED = AllowedSigners.parse(allowed_signers_line("key", KEY.public_line()))
SIGNATURE = KEY.sign(b"message", "name")


def armored(kind: str, blob: bytes) -> bytes:
    return b"-----BEGIN %b-----\n%b\n-----END %b-----\n" % (
        kind.encode(),
        base64.b64encode(blob),
        kind.encode(),
    )


def raises_signature_error(data: bytes) -> bool:
    try:
        verify(data, b"message", "name", ALLOWED)
    except SignatureError:
        return True
    return False


@given(
    message=st.binary(max_size=500), namespace=st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
)
def test_any_message_in_any_namespace_is_signed_and_verified(message: bytes, namespace: str) -> None:
    signature = KEY.sign(message, namespace)
    assert verify(signature, message, namespace, ALLOWED).principal == "key"
    assert not raises_signature_error(SIGNATURE)


@given(
    st.one_of(
        st.binary(max_size=400), st.binary(max_size=400).map(lambda blob: armored("SSH SIGNATURE", blob))
    )
)
def test_any_bytes_as_a_signature_raise_only_our_error(data: bytes) -> None:
    assert raises_signature_error(data)


@given(start=st.integers(0, 220), length=st.integers(0, 20), new=st.binary(max_size=20))
def test_a_signature_with_any_part_replaced_raises_only_our_error(
    start: int, length: int, new: bytes
) -> None:
    blob = base64.b64decode(b"".join(SIGNATURE.splitlines()[1:-1]))
    changed = blob[:start] + new + blob[start + length :]
    if not raises_signature_error(armored("SSH SIGNATURE", changed)):
        # Only the reserved field, empty here, may hold anything: PROTOCOL.sshsig, section 2.
        reserved = 6 + 4 + 55 + 8
        assert blob[reserved : reserved + 4] == bytes(4)
        assert changed[:reserved] == blob[:reserved]
        assert changed.endswith(blob[reserved + 4 :])


@given(
    st.one_of(st.binary(max_size=400), st.binary(max_size=400).map(lambda blob: b"openssh-key-v1\0" + blob))
)
def test_any_bytes_as_a_private_key_raise_only_our_error(blob: bytes) -> None:
    for data in (blob, armored("OPENSSH PRIVATE KEY", blob)):
        with contextlib.suppress(MalformedKeyError):
            SigningKey.parse(data)
        with contextlib.suppress(MalformedKeyError):
            SigningKey.parse(data, passphrase=b"passphrase")


@given(start=st.integers(0, 300), length=st.integers(0, 20), new=st.binary(max_size=20))
def test_a_private_key_with_any_part_replaced_is_the_same_key_or_none(
    start: int, length: int, new: bytes
) -> None:
    blob = base64.b64decode(b"".join(KEY.to_openssh().splitlines()[1:-1]))
    changed = armored("OPENSSH PRIVATE KEY", blob[:start] + new + blob[start + length :])
    with contextlib.suppress(MalformedKeyError):
        assert SigningKey.parse(changed, b"passphrase").fingerprint() == KEY.fingerprint()


@given(st.text(string.printable + "é\0\ud800", max_size=300))
def test_any_text_as_a_list_or_key_line_raises_only_our_error(text: str) -> None:
    for line in (text, f"name {text} {KEY.public_line()}", f'name namespaces="{text}" {KEY.public_line()}'):
        with contextlib.suppress(AllowedSignersError):
            AllowedSigners.parse(line)
        with contextlib.suppress(MalformedKeyError):
            public_key_fingerprint(line)


@given(name=st.text(), namespaces=st.one_of(st.none(), st.lists(st.text(), max_size=3)))
def test_a_made_line_is_one_entry_with_the_same_names_or_refused(
    name: str, namespaces: list[str] | None
) -> None:
    try:
        line = allowed_signers_line(name, KEY.public_line(), namespaces)
    except AllowedSignersError:
        return
    (entry,) = AllowedSigners.parse(line).entries
    assert entry.principal == name
    assert entry.namespaces == (None if namespaces is None else ",".join(namespaces))


def test_lines_built_to_be_read_in_many_ways_take_no_time() -> None:
    start = time.perf_counter()
    for piece in ('\\"', '"', "\\", '\\""', '","', 'namespaces="', "*a"):
        for line in (f"name {piece * 20_000}", f'name namespaces="{piece * 20_000} {KEY.public_line()}'):
            with contextlib.suppress(AllowedSignersError):
                verify(SIGNATURE, b"message", "name", AllowedSigners.parse(line))
    assert time.perf_counter() - start < 5
