"""Sealed files: content that nobody reads, changes, cuts or reorders unnoticed without the secret.

AES-256-GCM in chunks, by the STREAM construction (Hoang, Reyhanitabar, Rogaway and Vizár, *Online Authenticated-Encryption and
its Nonce-Reuse Misuse-Resistance*, CRYPTO 2015), so that files of any size take little memory:

```
37 bytes   header: magic, version, kind of secret, log2 N, r, p of scrypt, log2 of the chunk, 16 bytes of salt, 7 of nonce
           chunks of 64 KiB, the last one shorter, each with a tag of 16 bytes
```

The nonce of a chunk is the header's 7 bytes, the chunk's number, and whether it is the last; the whole header is bound to each
as associated data. Every file has a key of its own, from a fresh salt: by scrypt (RFC 7914) from a password, or by HKDF-SHA256
(RFC 5869) from a key. The length of the content is not hidden, nor that the file is sealed.

>>> import tempfile
>>> folder = Path(tempfile.mkdtemp())
>>> _ = (folder / "secret.key").write_text("00112233445566778899aabbccddeeff" * 2)
>>> secret = Secret.from_key_file(folder / "secret.key")
>>> with (folder / "note").open("wb") as file:
...     seal(b"nobody reads this", file, secret)
>>> is_sealed(folder / "note"), read_sealed(folder / "note", secret)
(True, b'nobody reads this')
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING

from masquerade.age import AGE_MAGIC, ARMOR, decrypted
from masquerade.errors import FileError
from masquerade.secret import CHUNK_BYTES, HEADER_BYTES, MAGIC, Header, Secret, refuse

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

__all__ = ["SealedWriter", "is_sealed", "opened", "read_sealed", "seal", "unseal"]

TAG_BYTES = 16


class SealedWriter(io.RawIOBase):
    """A file to write to; what is written goes on sealed, chunk by chunk, and is whole once the block ends well.

    Args:
        target: where the sealed bytes go; it is not closed.
        secret: what seals.

    >>> secret, target = Secret(2, bytes(range(32))), io.BytesIO()
    >>> with SealedWriter(target, secret) as file:
    ...     _ = file.write(b"a canary")
    >>> b"canary" in target.getvalue()
    False
    """

    def __init__(self, target: IO[bytes], secret: Secret) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        head = secret.new_header()
        self._target, self._prefix, self._bound = target, head.prefix, head.pack()
        self._cipher = AESGCM(secret.file_key(head, "the file"))
        self._waiting, self._chunks = bytearray(), 0
        target.write(self._bound)

    def writable(self) -> bool:
        return True

    def write(self, data: ReadableBuffer, /) -> int:
        view = memoryview(data).cast("B")
        for start in range(0, len(view), CHUNK_BYTES):
            self._waiting += view[start : start + CHUNK_BYTES]
            if len(self._waiting) > CHUNK_BYTES:  # a full chunk waits: it may be the last
                self._emit(bytes(self._waiting[:CHUNK_BYTES]), last=False)
                del self._waiting[:CHUNK_BYTES]
        return len(view)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._emit(bytes(self._waiting), last=True)
        self.close()

    def _emit(self, content: bytes, *, last: bool) -> None:
        self._target.write(self._cipher.encrypt(_nonce(self._prefix, self._chunks, last), content, self._bound))
        self._chunks += 1


def seal(source: bytes | IO[bytes], target: IO[bytes], secret: Secret) -> None:
    """Write content to `target`, sealed; memory does not grow with it.

    Args:
        source: the content, or a file to read it from.
        target: a file that is open for writing bytes.
        secret: what seals.
    """
    file = io.BytesIO(source) if isinstance(source, bytes) else source
    with SealedWriter(target, secret) as sealed:
        while block := file.read(CHUNK_BYTES):
            sealed.write(block)


def unseal(source: bytes | IO[bytes], target: IO[bytes], secret: Secret, *, name: str | Path = "the file") -> None:
    """Write the content of a sealed file, or of one encrypted with `age`, to `target`; memory does not grow with it.

    Each chunk is checked before it is written, and that it is the last one only at the end: until this returns, `target` may
    hold the beginning of a file that was cut.

    Args:
        source: the sealed bytes, or a file to read them from.
        target: a file that is open for writing bytes.
        secret: what it was sealed with.
        name: how messages call it.

    Raises:
        FileError: the secret is wrong, or the file damaged, cut, altered or made by a newer version.
    """
    file = io.BytesIO(source) if isinstance(source, bytes) else source
    start = file.read(len(AGE_MAGIC))
    for chunk in (decrypted if start == AGE_MAGIC else _chunks)(file, secret, name, start):
        target.write(chunk)


def is_sealed(path: str | Path) -> bool:
    """Whether a file begins as a sealed one does, or as one of `age`; False where it cannot be read."""
    try:
        with Path(path).open("rb") as file:
            return file.read(len(AGE_MAGIC)).startswith((MAGIC, AGE_MAGIC))
    except OSError:
        return False


def read_sealed(path: str | Path, secret: Secret) -> bytes:
    """The content of a sealed file, in memory alone; raises `FileError` as `unseal`, or where the file cannot be read."""
    content = io.BytesIO()
    try:
        with Path(path).open("rb") as file:
            unseal(file, content, secret, name=path)
    except OSError as error:
        raise FileError(f"{path}: cannot be read ({error.strerror}).") from error
    return content.getvalue()


def opened(path: str | Path, secret: Secret | None) -> bytes | None:
    """The content of a sealed file, in memory alone; None of a plain one, which needs no secret.

    Raises:
        FileError: it is sealed and there is no secret, or plain and there is one: then it is not the file that was sealed.
    """
    if not is_sealed(path):
        _refuse_armor(path)
        if secret is not None and Path(path).is_file():
            raise FileError(f"{path}: it is not sealed, though a secret was given; leave the secret out to trust it.")
        return None
    if secret is None:
        raise FileError(
            f"{path}: it is sealed (encrypted); give the secret with --password-file F or --seal-key-file F, in Python secret=."
        )
    return read_sealed(path, secret)


def _refuse_armor(path: str | Path) -> None:
    with contextlib.suppress(OSError), Path(path).open("rb") as file:
        if file.read(len(ARMOR)) == ARMOR:
            raise FileError(f"{path}: an age file as text (armored), which is not read; encrypt it without --armor.")


def _chunks(file: IO[bytes], secret: Secret, name: str | Path, start: bytes) -> Iterator[bytes]:
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    bound = start + file.read(HEADER_BYTES - len(start))
    head = Header.parse(bound, name)
    cipher = AESGCM(secret.file_key(head, name))
    size = (1 << head.log_chunk) + TAG_BYTES
    block, number = file.read(size), 0
    while True:
        following = file.read(size)
        if len(block) < TAG_BYTES or number >> 32:
            refuse(name)
        try:
            content = cipher.decrypt(_nonce(head.prefix, number, not following), block, bound)
        except InvalidTag:
            refuse(name)
        yield content
        if not following:
            return
        block, number = following, number + 1


def _nonce(prefix: bytes, number: int, last: bool) -> bytes:
    return prefix + number.to_bytes(4, "big") + bytes([last])
