"""Bech32 (BIP 173): text for a few bytes, with a checksum that finds every slip of the pen. `age` writes its keys in it."""

from __future__ import annotations

__all__ = ["decode"]

_LETTERS = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)


def decode(text: str, prefix: str) -> bytes | None:
    """The bytes of a text with this prefix; None where it has another one, a wrong letter, or a wrong checksum.

    Args:
        text: all in capitals, or all in small letters.
        prefix: what stands before the last `1`, in small letters.

    >>> decode("A12UEL5L", "a"), decode("A12UEL5M", "a"), decode("A12uEL5L", "a")
    (b'', None, None)
    """
    found, one, letters = text.lower().rpartition("1")
    if not one or found != prefix or (text not in (text.lower(), text.upper())):
        return None
    if len(letters) < 6 or any(letter not in _LETTERS for letter in letters):
        return None
    values = [_LETTERS.index(letter) for letter in letters]
    if _checksum([*(ord(c) >> 5 for c in prefix), 0, *(ord(c) & 31 for c in prefix), *values]) != 1:
        return None
    number, bits = 0, 5 * (len(values) - 6)
    for value in values[:-6]:
        number = number << 5 | value
    left = bits % 8
    if left >= 5 or number & ((1 << left) - 1):  # what fills the last letter is zero, and less than a letter
        return None
    return (number >> left).to_bytes(bits // 8, "big")


def _checksum(values: list[int]) -> int:
    state = 1
    for value in values:
        top = state >> 25
        state = (state & 0x1FFFFFF) << 5 ^ value
        for bit, factor in enumerate(_GENERATOR):
            state ^= factor if top >> bit & 1 else 0
    return state
