"""What seals files: a password or a key from a file of its own, and the key of each sealed file that is made of it."""

from __future__ import annotations

import secrets
import struct
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from masquerade import bech32
from masquerade.errors import FileError

__all__ = ["CHUNK_BYTES", "HEADER_BYTES", "MAGIC", "Header", "Secret", "refuse"]

MAGIC = b"\x89MQSEAL\0"
VERSION = 1
CHUNK_BYTES = 1 << 16
"""So many bytes of content are sealed at a time."""
LEAST_KEY_BYTES = 16
LEAST_PASSWORD = 8
MOST_SECRET_BYTES = 4096
"""A file longer than this is no password and no key, but was given by mistake."""
MOST_SCRYPT_BYTES = 1 << 29
"""Memory times rounds that a file may ask for: four times what new files take, so that a hostile one stops nobody."""

_IDENTITY = "AGE-SECRET-KEY-1"
_LAYOUT = struct.Struct(">8sBBBBBB16s7s")
HEADER_BYTES = _LAYOUT.size
_PASSWORD, _KEY = 1, 2
_NAMES = {_PASSWORD: ("a password", "--password-file"), _KEY: ("a key", "--seal-key-file")}
_LOG_N, _R, _P = 17, 8, 1


def refuse(name: str | Path) -> NoReturn:
    """The one refusal of whatever does not open, which tells nothing about why."""
    raise FileError(f"{name}: wrong key or damaged file, it cannot be opened.") from None


@dataclass(frozen=True)
class Header:
    """The first bytes of a sealed file: the kind of its secret, the costs of scrypt, the chunk, the salt and the nonce."""

    kind: int
    log_n: int
    r: int
    p: int
    log_chunk: int
    salt: bytes
    prefix: bytes

    def pack(self) -> bytes:
        costs = (self.log_n, self.r, self.p, self.log_chunk)
        return _LAYOUT.pack(MAGIC, VERSION, self.kind, *costs, self.salt, self.prefix)

    @classmethod
    def parse(cls, data: bytes, name: str | Path) -> Header:
        """Check everything that costs time or memory before any of it is spent."""
        if not data.startswith(MAGIC):
            raise FileError(f"{name}: not a sealed file.")
        if len(data) < HEADER_BYTES:
            refuse(name)
        _, version, *fields = _LAYOUT.unpack(data[:HEADER_BYTES])
        if version > VERSION:
            raise FileError(
                f"{name}: sealed by a newer Masquerade (format {version}, this one reads up to {VERSION}), "
                "upgrade with: pip install --upgrade masquerade"
            )
        head = cls(*fields)
        if version < 1 or head.kind not in _NAMES or not 10 <= head.log_chunk <= 20:
            refuse(name)
        costs = (head.log_n, head.r, head.p)
        if head.kind == _KEY and costs != (0, 0, 0):
            refuse(name)
        if head.kind == _PASSWORD:
            if not (1 <= head.log_n <= 20 and 1 <= head.r <= 32 and 1 <= head.p <= 4):
                refuse(name)
            if (128 * head.r * head.p) << head.log_n > MOST_SCRYPT_BYTES:
                refuse(name)
        return head


class Secret:
    """What seals and opens files: a password, or a key. It shows nothing of itself: not in `repr`, a pickle or a message.

    A key may also be an `age` identity: it then opens age files that were encrypted to it, and seals as any other key.

    Made by `Secret.from_password_file` or `Secret.from_key_file`: a secret in an argument would be seen by everybody on the
    machine, and one in a program by everybody who reads it.
    """

    __slots__ = ("_is_identity", "_kind", "_material")

    def __init__(self, kind: int, material: bytes, *, is_identity: bool = False):
        self._kind, self._material, self._is_identity = kind, material, is_identity

    @classmethod
    def from_password_file(cls, path: str | Path) -> Secret:
        """The password in a text file, without the line end after it.

        Raises:
            FileError: the file cannot be read, is not UTF-8, or holds fewer than 8 characters or several lines.
        """
        try:
            text = unicodedata.normalize("NFC", _read_secret(path).decode("utf-8-sig")).rstrip("\r\n")
        except UnicodeDecodeError as error:
            raise FileError(
                f"{path}: a password is text in UTF-8; a key of random bytes is for --seal-key-file."
            ) from error
        if "\n" in text or "\r" in text:
            raise FileError(f"{path}: it has several lines, expected a password alone.")
        if len(text) < LEAST_PASSWORD:
            raise FileError(
                f"{path}: the password has {len(text)} characters, expected at least {LEAST_PASSWORD}, better four words."
            )
        return cls(_PASSWORD, text.encode())

    @classmethod
    def from_key_file(cls, path: str | Path) -> Secret:
        """The key in a file: random bytes, raw or in hexadecimal, 32 of them for full strength; or an identity of `age`, as
        `age-keygen` writes it.

        Raises:
            FileError: the file cannot be read, holds fewer than 16 bytes, or text that is neither.
        """
        data = _read_secret(path)
        try:
            text = data.decode("ascii").strip()
        except UnicodeDecodeError:
            return cls(_KEY, _long_enough(path, data))
        if _IDENTITY in text.upper():
            return cls(_KEY, _identity(path, text), is_identity=True)
        try:
            return cls(_KEY, _long_enough(path, bytes.fromhex(text)))
        except ValueError as error:
            if isinstance(error, FileError):
                raise
        if text.isprintable():
            raise FileError(
                f"{path}: it holds text, expected random bytes, raw or in hexadecimal (`openssl rand -hex 32` makes them); "
                "a password is for --password-file."
            )
        return cls(_KEY, _long_enough(path, data))

    @property
    def password(self) -> bytes | None:
        """The password, for what derives a key from it; None: it is a key."""
        return self._material if self._kind == _PASSWORD else None

    @property
    def identity(self) -> bytes | None:
        """The private key of X25519, 32 bytes; None: it is no identity of `age`."""
        return self._material if self._is_identity else None

    def __repr__(self) -> str:
        return "Secret(...)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret is not written anywhere; read it from its file again")

    def new_header(self) -> Header:
        """The header of a new file, with a fresh salt and nonce."""
        costs = (_LOG_N, _R, _P) if self._kind == _PASSWORD else (0, 0, 0)
        log_chunk = CHUNK_BYTES.bit_length() - 1
        return Header(self._kind, *costs, log_chunk, secrets.token_bytes(16), secrets.token_bytes(7))

    def file_key(self, head: Header, name: str | Path) -> bytes:
        """The key of one file: 32 bytes; raises `FileError` where that is sealed with the other kind of secret."""
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF
        from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

        if head.kind != self._kind:
            what, option = _NAMES[head.kind]
            raise FileError(f"{name}: it is sealed with {what}, got {_NAMES[self._kind][0]}; give {option} F.")
        if head.kind == _PASSWORD:
            return Scrypt(head.salt, 32, n=1 << head.log_n, r=head.r, p=head.p).derive(self._material)
        return HKDF(SHA256(), 32, head.salt, b"masquerade sealing 1").derive(self._material)


def _read_secret(path: str | Path) -> bytes:
    try:
        with Path(path).open("rb") as file:
            data = file.read(MOST_SECRET_BYTES + 1)
    except OSError as error:
        raise FileError(f"{path}: cannot be read ({error.strerror}).") from error
    if len(data) > MOST_SECRET_BYTES:
        raise FileError(f"{path}: it is longer than {MOST_SECRET_BYTES} bytes, expected a password or a key alone.")
    return data


def _identity(path: str | Path, text: str) -> bytes:
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    found = bech32.decode(lines[0], _IDENTITY[:-1].lower()) if len(lines) == 1 else None
    if found is None or len(found) != 32:
        raise FileError(
            f"{path}: expected one identity of age, AGE-SECRET-KEY-1 and 58 letters, as age-keygen writes it."
        )
    return found


def _long_enough(path: str | Path, key: bytes) -> bytes:
    if len(key) < LEAST_KEY_BYTES:
        raise FileError(
            f"{path}: the key has {len(key)} bytes, expected at least {LEAST_KEY_BYTES}; "
            "`openssl rand -hex 32` makes a good one."
        )
    return key
