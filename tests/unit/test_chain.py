"""Hash-chained signed documents: what was done to them shows."""

import json
import subprocess
from pathlib import Path

import pytest

from archiver.chain import (
    Head,
    document_sha256,
    encode_document,
    follow_chain,
    next_fields,
    parse_document,
    sign_document,
    verify_chain,
)
from archiver.errors import IntegrityError
from archiver.formats.ssh_signature import AllowedSigners, SigningKey, allowed_signers_line
from tests.programs import require_program

NAMESPACE = "archiver-test"
KEY = SigningKey.generate("collector")
OTHER_KEY = SigningKey.generate("other")
ALLOWED = AllowedSigners.parse(allowed_signers_line("collector", KEY.public_line(), [NAMESPACE]))

Signed = tuple[str, bytes, bytes]


def make_chain(
    length: int, key: SigningKey = KEY, namespace: str = NAMESPACE, word: str = ""
) -> list[Signed]:
    head: Head | None = None
    chain: list[Signed] = []
    for number in range(1, length + 1):
        data, signature = sign_document({**next_fields(head), "word": word}, key, namespace)
        chain.append((f"document {number}", data, signature))
        head = Head(number, document_sha256(data))
    return chain


def problem(chain: list[Signed], known_head: Head | None = None) -> str:
    with pytest.raises(IntegrityError) as caught:
        verify_chain(chain, ALLOWED, NAMESPACE, known_head)
    assert caught.value.exit_code == 20
    return caught.value.message


def head_of(chain: list[Signed], number: int) -> Head:
    return Head(number, document_sha256(chain[number - 1][1]))


def test_an_unbroken_chain_is_followed_to_its_head() -> None:
    chain = make_chain(5)
    links = list(follow_chain(chain, ALLOWED, NAMESPACE))
    assert [link.name for link in links] == [name for name, _, _ in chain]
    assert [link.head for link in links] == [head_of(chain, number) for number in range(1, 6)]
    assert [link.document["sequence"] for link in links] == [1, 2, 3, 4, 5]
    assert {link.principal for link in links} == {"collector"}
    verify_chain([], ALLOWED, NAMESPACE)


@pytest.mark.parametrize("removed", [0, 1, 3])
def test_a_removed_document_shows_by_its_number(removed: int) -> None:
    chain = make_chain(5)
    del chain[removed]
    after = f"document {removed}" if removed else "the beginning"
    assert (
        problem(chain)
        == f"document {removed + 2} has number {removed + 2} where {removed + 1} is due, after {after}"
    )


def test_documents_in_another_order_show() -> None:
    chain = make_chain(4)
    chain[1], chain[2] = chain[2], chain[1]
    assert problem(chain) == "document 3 has number 3 where 2 is due, after document 1"


def test_a_document_told_twice_shows() -> None:
    chain = make_chain(2)
    assert problem([*chain, chain[1]]) == "document 2 has number 2 where 3 is due, after document 2"


def test_every_altered_byte_shows() -> None:
    chain = make_chain(2)
    name, data, signature = chain[1]
    for place in range(len(data)):
        altered = bytearray(data)
        altered[place] ^= 1
        assert problem([chain[0], (name, bytes(altered), signature)]).startswith("document 2: the signature")


def test_a_cut_or_foreign_signature_shows() -> None:
    chain = make_chain(1)
    name, data, signature = chain[0]
    assert problem([(name, data, b"")]).startswith("document 1: ")
    assert problem([(name, data, signature[:-40])]).startswith("document 1: ")
    assert problem(make_chain(1, OTHER_KEY)).startswith("document 1 is signed by somebody else: ")
    assert "namespace" in problem(make_chain(1, KEY, "archiver-other"))


def test_a_rightly_signed_document_in_the_place_of_another_shows() -> None:
    """As the collector's key would sign it: only the hash in the next one tells."""
    chain, other = make_chain(3), make_chain(3, word="other")
    assert problem([chain[0], other[1], chain[2]]) == (
        "document 2 does not name the document before it (document 1) by its hash"
    )


def test_a_chain_that_was_cut_off_shows_against_the_head_known_from_elsewhere() -> None:
    chain = make_chain(4)
    verify_chain(chain[:2], ALLOWED, NAMESPACE)
    verify_chain(chain, ALLOWED, NAMESPACE, head_of(chain, 4))
    verify_chain(chain, ALLOWED, NAMESPACE, head_of(chain, 2))
    assert problem(chain[:2], head_of(chain, 4)) == (
        "number 4 was noted as written, but the chain ends at 2, document 2"
    )
    assert (
        problem([], head_of(chain, 1))
        == "number 1 was noted as written, but the chain ends at 0, the beginning"
    )


def test_a_chain_written_anew_shows_against_the_known_head() -> None:
    chain, other = make_chain(3), make_chain(3, word="other")
    assert problem(other, head_of(chain, 2)) == "document 2 is not the number 2 that was noted"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "a has number none where 1 is due, after the beginning"),
        ({"sequence": True, "previous": None}, "a has number True where 1 is due, after the beginning"),
        ({"sequence": "1", "previous": None}, "a has number none where 1 is due, after the beginning"),
        ({"sequence": -5, "previous": None}, "a has number none where 1 is due, after the beginning"),
        ({"sequence": 1}, "a does not name the document before it (the beginning) by its hash"),
        (
            {"sequence": 1, "previous": "0" * 64},
            "a does not name the document before it (the beginning) by its hash",
        ),
    ],
)
def test_a_signed_document_without_a_right_place_is_refused(fields: dict[str, object], message: str) -> None:
    data, signature = sign_document(fields, KEY, NAMESPACE)
    assert problem([("a", data, signature)]) == message


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[1]",
        b"1",
        b"{",
        b"\xff",
        b'{"a":1,"a":2}',
        b'{"b":{"a":1,"a":2}}',
        b"[" * 100_000,
        b"1" * 10_000,
    ],
)
def test_bytes_that_are_no_document_are_refused(data: bytes) -> None:
    with pytest.raises(IntegrityError, match=r"^here is not a JSON"):
        parse_document(data, "here")
    assert problem([("here", data, KEY.sign(data, NAMESPACE))]).startswith("here is not a JSON")


def test_equal_documents_have_equal_bytes_however_they_were_made() -> None:
    one = encode_document({"b": [1, {"z": None, "y": "ä🙂"}], "a": "\u2028"})
    assert one == encode_document(json.loads('{"a": "\\u2028", "b": [1, {"y": "ä🙂", "z": null}]}'))
    assert (
        one == '{\n "a": "\u2028",\n "b": [\n  1,\n  {\n   "y": "ä🙂",\n   "z": null\n  }\n ]\n}\n'.encode()
    )
    assert parse_document(one, "one")["a"] == "\u2028"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "\ud800"])
def test_what_json_cannot_hold_exactly_is_never_signed(value: object) -> None:
    with pytest.raises(ValueError):
        encode_document({"a": value})


def test_anybody_can_verify_a_document_with_ssh_keygen(tmp_path: Path) -> None:
    program = require_program("ssh-keygen")
    _, data, signature = make_chain(1)[0]
    (tmp_path / "sig").write_bytes(signature)
    (tmp_path / "allowed").write_text(
        allowed_signers_line("collector", KEY.public_line(), [NAMESPACE]) + "\n"
    )
    arguments = ["-Y", "verify", "-f", "allowed", "-I", "collector", "-n", NAMESPACE, "-s", "sig"]
    subprocess.run([program, *arguments], cwd=tmp_path, input=data, check=True, capture_output=True)
    altered = subprocess.run(
        [program, *arguments], cwd=tmp_path, input=data + b" ", check=False, capture_output=True
    )
    assert altered.returncode != 0
