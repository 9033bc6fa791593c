"""Bech32's refusals, and the valid strings of BIP 173."""

import pytest

from archiver.formats.age import KeyFormatError
from archiver.formats.age.bech32 import decode_bech32, encode_bech32


def encode_values(prefix: str, values: list[int]) -> str:
    """A string with a right checksum over any five-bit values, which need not be whole bytes."""
    alphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
    checksum = 1
    codes = [ord(character) for character in prefix]
    for value in [code >> 5 for code in codes] + [0] + [code & 31 for code in codes] + values + [0] * 6:
        top = checksum >> 25
        checksum = (checksum & 0x1FFFFFF) << 5 ^ value
        for place, generator in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            checksum ^= generator if top >> place & 1 else 0
    tail = [(checksum ^ 1) >> 5 * (5 - place) & 31 for place in range(6)]
    return prefix + "1" + "".join(alphabet[value] for value in values + tail)


@pytest.mark.parametrize(
    ("text", "prefix"),
    [
        ("A12UEL5L", "A"),
        ("a12uel5l", "a"),
        ("an83characterlonghumanreadablepartthatcontainsthenumber1andtheexcludedcharactersbio1tt5tgs", None),
        ("?1ezyfcl", "?"),
    ],
)
def test_the_valid_strings_of_bip_173_are_taken(text: str, prefix: str | None) -> None:
    assert decode_bech32(text) == (prefix or text[:-7], b"")


@pytest.mark.parametrize(
    "text",
    [
        "\x201nwldj5",
        "\x7f1axkwrx",
        "\x801eym55h",
        "pzry9x0s0muk",
        "1pzry9x0s0muk",
        "x1b4n0q5v",
        "li1dgmt3",
        "de1lg7wt\xff",
        "A1G7SGD8",
        "10a06t8",
        "1qzzfhee",
        "a12uEL5L",
    ],
)
def test_the_invalid_strings_of_bip_173_are_refused(text: str) -> None:
    with pytest.raises(KeyFormatError):
        decode_bech32(text)


def test_padding_that_is_not_zero_or_too_long_is_refused() -> None:
    assert encode_values("age", [0, 0]) == encode_bech32("age", b"\0")
    for values in ([0, 1], [0, 0, 0], [0]):
        with pytest.raises(KeyFormatError, match="padding"):
            decode_bech32(encode_values("age", values))
