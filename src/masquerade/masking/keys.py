"""The secret key of surrogates: what is known only to its owner, and never written anywhere.

Subkeys are HMAC-SHA256 (RFC 2104, FIPS 198-1) of the key and a purpose, so that one secret serves many purposes without one
telling anything of another.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Iterable
from pathlib import Path

from masquerade.errors import FileError, SettingError

__all__ = ["LEAST_BYTES", "Key"]

LEAST_BYTES = 16
"""A shorter key could be guessed."""


class Key:
    """A secret of at least 16 bytes.

    It shows nothing of itself: not in `repr`, not in a pickle, not in a message.

    Args:
        secret: text (taken as UTF-8) or bytes.

    Raises:
        SettingError: it is too short, or something else.

    >>> Key("correct horse battery")
    Key(...)
    """

    __slots__ = ("_secret",)

    def __init__(self, secret: str | bytes):
        if not isinstance(secret, str | bytes):
            raise SettingError(f"key: got {type(secret).__name__}, expected text or bytes.")
        material = secret.encode() if isinstance(secret, str) else bytes(secret)
        if len(material) < LEAST_BYTES:
            raise SettingError(
                f"key: it has {len(material)} bytes, expected at least {LEAST_BYTES}; "
                "`openssl rand -hex 32` makes a good one."
            )
        self._secret = material

    @classmethod
    def random(cls) -> Key:
        """A fresh key from the operating system, which nobody knows and nobody can repeat."""
        return cls(secrets.token_bytes(32))

    @classmethod
    def read(cls, path: str | Path) -> Key:
        """The key in a file; white space around it does not count.

        Raises:
            FileError: the file cannot be read.
            SettingError: the key is too short.
        """
        try:
            material = Path(path).read_bytes().strip()
        except OSError as error:
            raise FileError(f"{path}: the key cannot be read ({error.strerror}).") from error
        return cls(material)

    def subkey(self, purpose: str) -> bytes:
        """32 bytes for one purpose."""
        return hmac.digest(self._secret, purpose.encode(), "sha256")

    def digests(self, purpose: str, values: Iterable[str]) -> list[int]:
        """For each value an integer of 256 bits: HMAC-SHA256 under the purpose's own subkey.

        >>> key = Key(b"0123456789abcdef")
        >>> first, second = key.digests("name", ["Ann", "Ann"])
        >>> first == second, first == key.digests("city", ["Ann"])[0]
        (True, False)
        """
        own = self.subkey(purpose)
        return [int.from_bytes(hmac.digest(own, value.encode(), "sha256"), "little") for value in values]

    def __repr__(self) -> str:
        return "Key(...)"

    def __deepcopy__(self, memo: object) -> Key:
        return self

    def __reduce__(self) -> tuple[object, ...]:
        raise SettingError("key: it cannot be pickled, so that it is written nowhere; hand it over by a file.")
