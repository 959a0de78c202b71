"""Reading files that were encrypted with `age` (the format age-encryption.org/v1), in memory alone.

Banks and hospitals hand data over as `people.csv.age`: encrypted to a recipient's public key (X25519), or with a passphrase
(scrypt). Such a file is read where a sealed one is, with the identity (`AGE-SECRET-KEY-1...`) as the key or the passphrase as
the password. Masquerade's own files are sealed in its own format (see `masquerade.sealing`); nothing is written as age.

```
age-encryption.org/v1                      for each recipient a stanza that wraps the file's key
-> X25519 <ephemeral share>
<wrapped key>
--- <HMAC-SHA-256 of the header>
16 bytes of nonce, then chunks of 64 KiB by ChaCha20-Poly1305, each with a tag of 16 bytes (STREAM)
```

Specified at https://c2sp.org/age; X25519 is RFC 7748, scrypt RFC 7914, HKDF RFC 5869, ChaCha20-Poly1305 RFC 8439.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from masquerade.errors import FileError
from masquerade.secret import Secret, refuse

__all__ = ["AGE_MAGIC", "ARMOR", "decrypted"]

AGE_MAGIC = b"age-encryption.org/"
"""How every age file of any version begins, unless it is armored as text."""

ARMOR = b"-----BEGIN AGE ENCRYPTED FILE-----"
"""How one that is armored begins; it is not read."""

_VERSION = b"age-encryption.org/v1\n"
_CHUNK = 1 << 16
_TAG = 16
_MOST_HEADER = 1 << 16
_COLUMNS = 64
_ZERO_NONCE = bytes(12)
_SCRYPT_R = 8
_MOST_LOG_N = 20  # a GiB for some seconds: age itself asks for a quarter, rage for as much as takes a second


@dataclass(frozen=True)
class _Stanza:
    """One way to the file's key: its arguments, of which the first is its type, and the wrapped key."""

    arguments: tuple[str, ...]
    body: bytes


def decrypted(file: IO[bytes], secret: Secret, name: str | Path, start: bytes = b"") -> Iterator[bytes]:
    """The content of an age file, chunk by chunk; each is checked before it is given out, and that it is the last at the end.

    Args:
        file: open for reading bytes.
        secret: an identity, or the passphrase.
        name: how messages call it.
        start: what was read of it already.

    Raises:
        FileError: the secret does not open it, it is damaged, cut or altered, or of another version.
    """
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

    stanzas, header, mac = _header(file, start, name)
    key = _file_key(stanzas, secret, name)
    if not hmac.compare_digest(hmac.digest(_hkdf(key, b"", b"header"), header, "sha256"), mac):
        refuse(name)
    nonce = file.read(16)
    if len(nonce) < 16:
        refuse(name)
    cipher = ChaCha20Poly1305(_hkdf(key, nonce, b"payload"))
    block, number = file.read(_CHUNK + _TAG), 0
    while True:
        following = file.read(_CHUNK + _TAG)
        if len(block) < _TAG or (len(block) == _TAG and number > 0):  # only the first chunk may be empty
            refuse(name)
        try:
            content = cipher.decrypt(number.to_bytes(11, "big") + bytes([not following]), block, None)
        except InvalidTag:
            refuse(name)
        yield content
        if not following:
            return
        block, number = following, number + 1


def _header(file: IO[bytes], start: bytes, name: str | Path) -> tuple[list[_Stanza], bytes, bytes]:
    """The stanzas, what the header's code is made of, and that code."""
    first = start + file.readline(len(_VERSION) - len(start))
    if first != _VERSION:
        raise FileError(f"{name}: an age file of another version than v1; decrypt it with age, and seal it again.")
    seen, stanzas = first, list[_Stanza]()
    line = _line(file, name)
    while line.startswith(b"-> "):
        try:
            arguments = tuple(line[3:-1].decode("ascii").split(" "))
        except UnicodeDecodeError:
            refuse(name)
        seen, body, part = seen + line, b"", b"-" * (_COLUMNS + 1)
        while len(part) > _COLUMNS:  # a shorter line ends the body
            part = _line(file, name, _COLUMNS + 1)
            seen, body = seen + part, body + part[:-1]
            if len(seen) > _MOST_HEADER:
                refuse(name)
        stanzas.append(_Stanza(arguments, _base64(body, name)))
        line = _line(file, name)
    if not line.startswith(b"--- ") or not stanzas:
        refuse(name)
    return stanzas, seen + b"---", _base64(line[4:-1], name, 32)


def _line(file: IO[bytes], name: str | Path, most: int = 4096) -> bytes:
    line = file.readline(most)
    if not line.endswith(b"\n"):
        refuse(name)
    return line


def _file_key(stanzas: list[_Stanza], secret: Secret, name: str | Path) -> bytes:
    by_password = [stanza for stanza in stanzas if stanza.arguments[0] == "scrypt"]
    if by_password and len(stanzas) > 1:
        refuse(name)
    if by_password:
        password = secret.password
        if password is None:
            raise FileError(f"{name}: it was encrypted with a passphrase, got a key; give --password-file F.")
        return _unwrapped(by_password[0], _of_password(by_password[0], password, name), name) or refuse(name)
    identity = secret.identity
    if identity is None:
        raise FileError(
            f"{name}: it was encrypted to an age recipient; give the file of the identity (AGE-SECRET-KEY-1...) with "
            "--seal-key-file F."
        )
    for stanza in stanzas:
        if stanza.arguments[0] == "X25519":
            key = _unwrapped(stanza, _of_identity(stanza, identity, name), name)
            if key is not None:
                return key
    raise FileError(
        f"{name}: it was encrypted to other recipients than this identity, or is damaged; it cannot be opened."
    )


def _of_identity(stanza: _Stanza, identity: bytes, name: str | Path) -> bytes:
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

    if len(stanza.arguments) != 2:
        refuse(name)
    share, private = _base64(stanza.arguments[1].encode(), name, 32), X25519PrivateKey.from_private_bytes(identity)
    try:
        shared = private.exchange(X25519PublicKey.from_public_bytes(share))
    except ValueError:  # a point of low order
        refuse(name)
    return _hkdf(shared, share + private.public_key().public_bytes_raw(), b"age-encryption.org/v1/X25519")


def _of_password(stanza: _Stanza, password: bytes, name: str | Path) -> bytes:
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

    if len(stanza.arguments) != 3:
        refuse(name)
    salt, cost = _base64(stanza.arguments[1].encode(), name, 16), stanza.arguments[2]
    if not (cost.isascii() and cost.isdigit() and len(cost) <= 2 and cost[0] != "0"):
        refuse(name)
    if int(cost) > _MOST_LOG_N:
        raise FileError(
            f"{name}: its passphrase asks for 2^{cost} rounds of scrypt, more than is spent on a file; decrypt it with age."
        )
    return Scrypt(b"age-encryption.org/v1/scrypt" + salt, 32, n=1 << int(cost), r=_SCRYPT_R, p=1).derive(password)


def _unwrapped(stanza: _Stanza, key: bytes, name: str | Path) -> bytes | None:
    """The file's key; None where this is not the key that wrapped it."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

    if len(stanza.body) != 32:
        refuse(name)
    try:
        return ChaCha20Poly1305(key).decrypt(_ZERO_NONCE, stanza.body, None)
    except InvalidTag:
        return None


def _hkdf(key: bytes, salt: bytes, purpose: bytes) -> bytes:
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return HKDF(SHA256(), 32, salt, purpose).derive(key)


def _base64(text: bytes, name: str | Path, size: int | None = None) -> bytes:
    """Unpadded base64, of which each content has but one spelling."""
    try:
        data = base64.b64decode(text + b"=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        refuse(name)
    if base64.b64encode(data).rstrip(b"=") != text or (size is not None and len(data) != size):
        refuse(name)
    return data
