"""Bech32 (BIP 173) without its length limit, as age's keys are written."""

from functools import reduce
from operator import xor

from archiver.formats.age.errors import KeyFormatError

_ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_VALUES = {character: value for value, character in enumerate(_ALPHABET)}
_GENERATORS = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_CHECKSUM_LENGTH = 6
# What the five bits shifted out of the checksum put back in, for each of their 32 values.
_FEEDBACK = [
    reduce(xor, (generator for place, generator in enumerate(_GENERATORS) if top >> place & 1), 0)
    for top in range(32)
]


def encode_bech32(prefix: str, data: bytes) -> str:
    """Encode in lower case; an upper-case key is `encode_bech32(prefix, data).upper()`."""
    values = _regroup(data, 8, 5, pad=True)
    checksum = _polymod(_expand(prefix) + values + [0] * _CHECKSUM_LENGTH) ^ 1
    values += [checksum >> 5 * (5 - place) & 31 for place in range(_CHECKSUM_LENGTH)]
    return prefix + "1" + "".join(_ALPHABET[value] for value in values)


def decode_bech32(text: str) -> tuple[str, bytes]:
    """Return the prefix, in the case it was written in, and the data.

    Raise KeyFormatError, without quoting the text, on mixed case, a foreign character, a wrong checksum or
    padding that is not zero."""
    if text not in (text.lower(), text.upper()) or not text.isascii():
        raise KeyFormatError("the key mixes upper and lower case, or holds characters no key has")
    prefix, separator, body = text.rpartition("1")
    if not separator or not prefix or len(body) < _CHECKSUM_LENGTH:
        raise KeyFormatError("the key is cut short")
    if not all(33 <= ord(character) <= 126 for character in prefix):
        raise KeyFormatError("the key holds characters no key has")
    try:
        values = [_VALUES[character] for character in body.lower()]
    except KeyError:
        raise KeyFormatError("the key holds characters no key has") from None
    if _polymod(_expand(prefix.lower()) + values) != 1:
        raise KeyFormatError("the key's checksum does not fit: it was mistyped or cut")
    return prefix, bytes(_regroup(values[:-_CHECKSUM_LENGTH], 5, 8, pad=False))


def _expand(prefix: str) -> list[int]:
    codes = prefix.encode("ascii")
    return [code >> 5 for code in codes] + [0] + [code & 31 for code in codes]


def _polymod(values: list[int]) -> int:
    checksum = 1
    for value in values:
        checksum = (checksum & 0x1FFFFFF) << 5 ^ value ^ _FEEDBACK[checksum >> 25]
    return checksum


def _regroup(values: bytes | list[int], from_bits: int, to_bits: int, *, pad: bool) -> list[int]:
    """Cut a sequence of `from_bits` wide numbers anew into `to_bits` wide ones."""
    accumulator = bits = 0
    groups: list[int] = []
    for value in values:
        accumulator = (accumulator << from_bits | value) & 0xFFFF
        bits += from_bits
        while bits >= to_bits:
            bits -= to_bits
            groups.append(accumulator >> bits & (1 << to_bits) - 1)
    if pad and bits:
        groups.append(accumulator << to_bits - bits & (1 << to_bits) - 1)
    elif not pad and (bits >= from_bits or accumulator & (1 << bits) - 1):
        raise KeyFormatError("the key's padding is not zero")
    return groups
