"""Save and load a fitted thing as one `.mq` file, and trust nothing that is read.

A `.mq` file is a plain zip archive with two stored (never compressed) members and a seal:

```
manifest.json        format name and version, Masquerade's version, kind, config, and size and SHA-256 of each part
arrays.safetensors   the weights and tables
comment              "sha256:" and the digest of every byte before it: any changed bit is noticed
```

No code is ever stored or run: no pickle. The same content gives the same bytes, on any machine and day.
The seal finds damage and careless edits; it is no signature, so it does not prove who made the file. With a secret the whole
file is encrypted besides (see `sealing`), and is another one each time.

>>> import numpy as np, tempfile, pathlib
>>> path = pathlib.Path(tempfile.mkdtemp()) / "model.mq"
>>> write(path, "example", {"width": 2}, {"weights": np.ones((2, 3), np.float32)})
>>> artifact = read(path)
>>> artifact.kind, artifact.config["width"], artifact.arrays["weights"].shape
('example', 2, (2, 3))
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import io
import json
import struct
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import safetensors
import safetensors.numpy
from numpy.typing import NDArray

from masquerade.errors import ArtifactError, FileError, MasqueradeError
from masquerade.files import atomic_path
from masquerade.sealing import opened, seal
from masquerade.secret import Secret

__all__ = ["FORMAT_VERSION", "Artifact", "doubted", "read", "write"]

FORMAT = "masquerade"
FORMAT_VERSION = 1
MANIFEST = "manifest.json"
ARRAYS = "arrays.safetensors"

MAX_FILE_BYTES = 4 * 2**30
MAX_MANIFEST_BYTES = 64 * 2**20
MAX_HEADER_BYTES = 16 * 2**20

_SEAL = b"sha256:"
_SEAL_BYTES = len(_SEAL) + 64
_DTYPES = {
    "BOOL": "bool",
    "U8": "uint8",
    "U16": "uint16",
    "U32": "uint32",
    "U64": "uint64",
    "I8": "int8",
    "I16": "int16",
    "I32": "int32",
    "I64": "int64",
    "F16": "float16",
    "F32": "float32",
    "F64": "float64",
}


@dataclass(frozen=True)
class Artifact:
    """What a `.mq` file holds.

    Args:
        kind: what was saved, such as `"CTGAN"`.
        version: the version of Masquerade that wrote it.
        config: plain data as JSON knows it (a tuple that was written comes back as a list).
        arrays: arrays by name, read-only.
    """

    kind: str
    version: str
    config: dict[str, Any]
    arrays: dict[str, NDArray[Any]]


def write(
    path: str | Path,
    kind: str,
    config: Mapping[str, Any],
    arrays: Mapping[str, NDArray[Any]],
    *,
    secret: Secret | None = None,
) -> None:
    """Write a `.mq` file atomically: either the whole file appears, or nothing changes.

    Args:
        path: where to; an existing file is replaced.
        kind: what is saved, such as `"CTGAN"`.
        config: plain data for JSON: finite numbers, text, lists, mappings with text keys.
        arrays: arrays of booleans, integers or floats, any shape.
        secret: what encrypts the file; None: it is not encrypted.

    Raises:
        ArtifactError: `config` is not plain data, or an array has a dtype that cannot be stored.
        FileError: the file cannot be written.
    """
    packed = _pack_arrays(arrays)
    manifest = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "masquerade": importlib.metadata.version("masquerade"),
        "kind": kind,
        "parts": {ARRAYS: {"size": len(packed), "sha256": hashlib.sha256(packed).hexdigest()}},
        "config": dict(config),
    }
    try:
        text = json.dumps(manifest, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        head = text.encode("utf-8")
    except (TypeError, ValueError, RecursionError) as error:
        raise ArtifactError(f"{path}: the settings of this {kind} cannot be saved as JSON ({error}).") from error
    if len(head) > MAX_MANIFEST_BYTES:
        raise ArtifactError(
            f"{path}: the settings of this {kind} take {len(head)} bytes, at most {MAX_MANIFEST_BYTES}."
        )
    content = _seal(_archive({MANIFEST: head, ARRAYS: packed}))
    with atomic_path(path) as temporary:
        if secret is None:
            temporary.write_bytes(content)
        else:
            with temporary.open("wb") as file:
                seal(content, file, secret)


def read(path: str | Path, *, secret: Secret | None = None) -> Artifact:
    """Read a `.mq` file, checking everything before any of it is used.

    Args:
        path: the file.
        secret: what it was encrypted with; None: it is not.

    Raises:
        ArtifactError: there is no such file; or it is not Masquerade's, truncated, altered, or made by a newer version; or it
            is encrypted and the secret is wrong or missing, or not encrypted and there is one.
    """
    content = _read_bytes(path, secret)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            manifest = _manifest(path, _member(path, archive, MANIFEST, MAX_MANIFEST_BYTES))
            _check_seal(path, content)
            if sorted(archive.namelist()) != sorted([MANIFEST, ARRAYS]):
                _damaged(path, "unexpected members in the archive")
            packed = _member(path, archive, ARRAYS, MAX_FILE_BYTES)
    except zipfile.BadZipFile as error:
        if content.startswith(b"PK\x03\x04"):
            _damaged(path, "the archive is cut off or broken", error)
        raise ArtifactError(f"{path}: not a Masquerade model, expected a .mq file.") from error
    except (OSError, EOFError, ValueError, RuntimeError, NotImplementedError, struct.error, OverflowError) as error:
        if isinstance(error, ArtifactError):
            raise
        _damaged(path, "the archive is broken", error)
    _check_part(path, manifest, packed)
    return Artifact(
        kind=manifest["kind"],
        version=manifest["masquerade"],
        config=manifest["config"],
        arrays=_unpack_arrays(path, packed),
    )


@contextlib.contextmanager
def doubted(source: str | Path | None, *, loading: bool = False) -> Iterator[None]:
    """Where a thing from a file is put together or used: whatever fails in there becomes an `ArtifactError`.

    A file with valid checksums can hold anything. What its numbers and names lead to cannot all be foreseen, so one place sees
    to it that it never ends in a traceback.

    Args:
        source: the file; None: the thing was fitted here, and errors stay what they are.
        loading: whether an error that is Masquerade's own is the file's too; else it is the caller's, and stays.
    """
    try:
        yield
    except MasqueradeError as error:
        if source is None or not loading or isinstance(error, ArtifactError):
            raise
        raise ArtifactError(f"{source}: damaged or altered; {_short(error)}") from error
    except BaseException as error:
        if source is None or not (isinstance(error, Exception) or type(error).__name__ == "PanicException"):
            raise
        raise ArtifactError(
            f"{source}: does not {'load' if loading else 'work'} ({type(error).__name__}: {_short(error)}); the file is "
            "damaged or altered, take a fresh copy or save the model again."
        ) from error


def _short(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return text if len(text) <= 300 else f"{text[:300]}…"


def _damaged(path: str | Path, what: str, cause: Exception | None = None) -> NoReturn:
    raise ArtifactError(f"{path}: damaged or altered, {what}; take a fresh copy or save the model again.") from cause


def _pack_arrays(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    ready = {}
    for name, array in arrays.items():
        array = np.asarray(array)
        if array.dtype.name not in _DTYPES.values():
            raise ArtifactError(f"array {name!r}: dtype {array.dtype} cannot be saved, expected numbers or booleans.")
        ready[name] = np.asarray(array, dtype=array.dtype.newbyteorder("="), order="C")
    return bytes(safetensors.numpy.save(ready))


def _archive(members: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, content in members.items():
            info = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            info.create_system, info.external_attr = 3, 0o644 << 16
            archive.writestr(info, content)
        archive.comment = _SEAL + b"0" * 64
    return buffer.getvalue()


def _seal(archive: bytes) -> bytes:
    body = archive[:-_SEAL_BYTES]
    return body + _SEAL + hashlib.sha256(body).hexdigest().encode()


def _check_seal(path: str | Path, content: bytes) -> None:
    if _seal(content) != content:
        _damaged(path, "its checksum does not match")


def _read_bytes(path: str | Path, secret: Secret | None) -> bytes:
    try:
        size = Path(path).stat().st_size
        if size > MAX_FILE_BYTES:
            raise ArtifactError(f"{path}: {size} bytes, a model file has at most {MAX_FILE_BYTES}.")
        content = opened(path, secret)
        return Path(path).read_bytes() if content is None else content
    except FileError as error:
        raise ArtifactError(str(error)) from error
    except FileNotFoundError as error:
        raise ArtifactError(f"{path}: there is no such file.") from error
    except OSError as error:
        raise ArtifactError(f"{path}: cannot be read ({error.strerror}).") from error


def _member(path: str | Path, archive: zipfile.ZipFile, name: str, limit: int) -> bytes:
    """One stored member; what is compressed or larger than it may be is refused before it is read."""
    try:
        info = archive.getinfo(name)
    except KeyError as error:
        raise ArtifactError(f"{path}: not a Masquerade model, there is no {name} inside.") from error
    if info.compress_type != zipfile.ZIP_STORED or info.file_size != info.compress_size or info.flag_bits & 1:
        _damaged(path, f"{name} is compressed or encrypted")
    if info.file_size > limit:
        _damaged(path, f"{name} claims {info.file_size} bytes, at most {limit}")
    return archive.read(info)


def _manifest(path: str | Path, text: bytes) -> dict[str, Any]:
    try:
        manifest = json.loads(text.decode("utf-8"), parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        _damaged(path, f"{MANIFEST} is not JSON", error)
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise ArtifactError(f"{path}: not a Masquerade model, its manifest does not say so.")
    version = manifest.get("format_version")
    if isinstance(version, int) and version > FORMAT_VERSION:
        raise ArtifactError(
            f"{path}: made by a newer Masquerade (format {version}, this one reads up to {FORMAT_VERSION}), "
            "upgrade with: pip install --upgrade masquerade"
        )
    expected = {"format_version": int, "masquerade": str, "kind": str, "parts": dict, "config": dict}
    for key, kind in expected.items():
        if not isinstance(manifest.get(key), kind):
            _damaged(path, f"{MANIFEST} has no valid {key!r}")
    if manifest["format_version"] != FORMAT_VERSION:
        _damaged(path, f"{MANIFEST} names an unknown format version")
    return manifest


def _no_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is not a JSON number")


def _check_part(path: str | Path, manifest: Mapping[str, Any], packed: bytes) -> None:
    expected = {ARRAYS: {"size": len(packed), "sha256": hashlib.sha256(packed).hexdigest()}}
    if manifest["parts"] != expected:
        _damaged(path, f"{ARRAYS} does not match its checksum")


def _unpack_arrays(path: str | Path, packed: bytes) -> dict[str, NDArray[Any]]:
    length = int.from_bytes(packed[:8], "little")
    if len(packed) < 8 or length > min(MAX_HEADER_BYTES, len(packed) - 8):
        _damaged(path, f"the header of {ARRAYS} is larger than it may be")
    try:
        header = json.loads(packed[8 : 8 + length].decode("utf-8"))
        for name, entry in header.items():
            if not isinstance(entry["dtype"], str) or entry["dtype"] not in _DTYPES:
                _damaged(path, f"array {name!r} has the unknown dtype {entry['dtype']!r}")
        return dict(safetensors.numpy.load(packed))
    except ArtifactError:
        raise
    except (safetensors.SafetensorError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        _damaged(path, f"{ARRAYS} is malformed", error)
