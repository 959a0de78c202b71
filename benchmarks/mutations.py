"""Damage to files, drawn at random from a seed: what a broken disk does, and what somebody does who means harm.

A model file is damaged in two ways. *Broken*: bytes are flipped, cut, doubled or exchanged as they come, so that the seal must
find it. *Forged*: one entry of the manifest or one array is changed and every checksum made right again, so that the loader
must notice by itself, or whatever it made must still work. Text files (schema, policy, ledger, pipeline) are damaged by bytes,
by words and by lines.
"""

from __future__ import annotations

import copy
import hashlib
import io
import json
import random
import struct
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import safetensors.numpy

from masquerade.artifact import ARRAYS, MANIFEST

__all__ = ["Mutant", "broken_model", "broken_text", "forged_model", "mutant_of"]


@dataclass(frozen=True)
class Mutant:
    """A damaged file.

    Args:
        content: its bytes.
        how: what was done to it.
        may_load: whether its checksums are right, so that loading it may succeed.
    """

    content: bytes
    how: str
    may_load: bool


def mutant_of(content: bytes, *, model: bool, rng: random.Random) -> Mutant:
    """One damaged file: of a model one in four is broken and the rest are forged."""
    if not model:
        return broken_text(content, rng)
    return broken_model(content, rng) if rng.random() < 0.25 else forged_model(content, rng)


# ── broken ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def broken_model(content: bytes, rng: random.Random) -> Mutant:
    """Damage that leaves the seal or the archive wrong."""
    damage = rng.choice(_BROKEN)
    changed = damage(content, rng)
    return Mutant(changed, damage.__name__.strip("_"), may_load=changed == content)


def _truncated(content: bytes, rng: random.Random) -> bytes:
    return content[: rng.randrange(len(content))]


def _flipped_bits(content: bytes, rng: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(rng.choice((1, 1, 2, 8))):
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _cut_out(content: bytes, rng: random.Random) -> bytes:
    start = rng.randrange(len(content))
    return content[:start] + content[start + rng.randrange(1, 200) :]


def _put_in(content: bytes, rng: random.Random) -> bytes:
    start = rng.randrange(len(content))
    return content[:start] + rng.randbytes(rng.randrange(1, 200)) + content[start:]


def _twice(content: bytes, rng: random.Random) -> bytes:
    return content + content


def _exchanged(content: bytes, rng: random.Random) -> bytes:
    size = min(rng.randrange(1, 64), len(content) // 2)
    first, second = sorted(rng.randrange(len(content) - size) for _ in range(2))
    changed = bytearray(content)
    changed[first : first + size], changed[second : second + size] = (
        content[second : second + size],
        content[first : first + size],
    )
    return bytes(changed)


def _sizes_in_the_archive(content: bytes, rng: random.Random) -> bytes:
    """A size, an offset or a method of a member, where the archive keeps them."""
    place = rng.choice(_signatures(content))
    changed = bytearray(content)
    where = place + rng.randrange(4, 46)
    value = rng.choice((0, 1, 0xFFFF, 0xFFFFFFFF, 0x7FFFFFFF, 1 << 30, rng.getrandbits(32)))
    changed[where : where + 4] = struct.pack("<I", value)
    return bytes(changed[: len(content)])


def _signatures(content: bytes) -> list[int]:
    marks = (b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06")
    return [place for mark in marks for place in range(len(content)) if content.startswith(mark, place)]


def _compressed(content: bytes, rng: random.Random) -> bytes:
    """The same members, compressed; a bomb now and then."""
    members = _members(content)
    if rng.random() < 0.5:
        members[rng.choice((MANIFEST, ARRAYS))] = bytes(rng.choice((1 << 20, 1 << 26)))
    method = rng.choice((zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA))
    return _sealed(_zipped([(zipfile.ZipInfo(name), body) for name, body in members.items()], method))


def _strange_members(content: bytes, rng: random.Random) -> bytes:
    """Members that climb out of the folder, are links, stand there twice, or hold code."""
    members = [(zipfile.ZipInfo(name), body) for name, body in _members(content).items()]
    link = zipfile.ZipInfo(rng.choice((MANIFEST, ARRAYS, "link")))
    link.create_system, link.external_attr = 3, 0o120777 << 16
    name = rng.choice(
        ("../escaped", "/tmp/escaped", "..\\escaped", "a/../../escaped", "C:\\escaped", "\x00", "code.py")
    )
    odd = rng.choice(
        (
            (link, b"/etc/passwd"),
            (zipfile.ZipInfo(name), b"import os; os.mkdir('escaped')"),
            (zipfile.ZipInfo("model.pkl"), b"cos\nmkdir\n(S'escaped'\ntR."),
            members[0],
            members[1],
        )
    )
    members.insert(rng.randrange(len(members) + 1), odd)
    return _sealed(_zipped(members, zipfile.ZIP_STORED))


_BROKEN: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    _truncated, _flipped_bits, _flipped_bits, _cut_out, _put_in, _twice, _exchanged, _sizes_in_the_archive, _compressed,
    _strange_members,
)  # fmt: skip


# ── forged ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def forged_model(content: bytes, rng: random.Random) -> Mutant:
    """One change of what is inside, with every checksum made right again."""
    members = _members(content)
    packed = members[ARRAYS]
    kind = rng.random()
    if kind < 0.45:
        how, text = _changed_manifest(json.loads(members[MANIFEST]), rng)
    else:
        how, packed = _changed_arrays(packed, rng) if kind < 0.9 else _changed_header(packed, rng)
        manifest = json.loads(members[MANIFEST])
        manifest["parts"] = {ARRAYS: {"size": len(packed), "sha256": hashlib.sha256(packed).hexdigest()}}
        text = json.dumps(manifest)
    return Mutant(_sealed(_stored({MANIFEST: text.encode(), ARRAYS: packed})), how, may_load=True)


def _changed_manifest(manifest: Any, rng: random.Random) -> tuple[str, str]:
    manifest = copy.deepcopy(manifest)
    if rng.random() < 0.05:
        depth = rng.choice((100, 1_000, 100_000))
        mark = "@@here@@"
        path, parent, key = _entry(manifest, rng)
        parent[key] = mark
        nest = rng.choice(("[" * depth + "]" * depth, '{"a":' * depth + "1" + "}" * depth, "[" * depth, "1" * depth))
        return f"nested {depth} deep at {path}", json.dumps(manifest).replace(f'"{mark}"', nest)
    if rng.random() < 0.05:
        text = json.dumps(manifest)
        key = rng.choice(list(_keys(manifest)))
        return f"key {key} twice", text.replace(f'"{key}":', f'"{key}": {rng.choice(_WORDS)}, "{key}":', 1)
    path, parent, key = _entry(manifest, rng)
    action = rng.random()
    if action < 0.2:
        del parent[key]
        return f"without {path}", json.dumps(manifest)
    if action < 0.3 and isinstance(parent, dict):
        parent[rng.choice(("", "..", "x" * 1_000, key + " ", "__class__"))] = parent.pop(key)
        return f"renamed {path}", json.dumps(manifest)
    if action < 0.4 and isinstance(parent, list):
        parent.insert(rng.randrange(len(parent) + 1), copy.deepcopy(parent[key]))
        return f"doubled {path}", json.dumps(manifest)
    value = _hostile(parent[key], rng)
    parent[key] = value
    return f"{path} = {str(value)[:60]!r}", json.dumps(manifest)


def _entry(tree: Any, rng: random.Random) -> tuple[str, Any, Any]:
    """Some entry below the top: its path, what holds it, and its key there. Settings and learned parts come more often."""
    parent, path = tree, ""
    while True:
        keys = list(parent) if isinstance(parent, dict) else list(range(len(parent)))
        if path == "" and "config" in parent and rng.random() < 0.9:
            keys = ["config"]
        key = rng.choice(keys)
        path = f"{path}.{key}"[:120]
        below = parent[key]
        if not isinstance(below, dict | list) or not below or rng.random() < 0.12:
            return path, parent, key
        parent = below


def _keys(tree: Any) -> set[str]:
    if isinstance(tree, dict):
        return {key for key in tree if key.isidentifier()} | {k for value in tree.values() for k in _keys(value)}
    return {k for value in tree for k in _keys(value)} if isinstance(tree, list) else set()


_WORDS = ("null", "NaN", "-Infinity", "1e999", "[]", "{}", '""', "-1", "99999999999999999999")


def _hostile(old: Any, rng: random.Random) -> Any:
    """A value of a wrong kind, size or sign; numbers are changed more gently half of the time."""
    if isinstance(old, bool):
        near: tuple[Any, ...] = (not old, int(old), 2, "true")
    elif isinstance(old, int | float):
        near = (-old, old + 1, old - 1, old * 10, old * 10**6, float(old), old + 0.5, 0)
    elif isinstance(old, str):
        near = (
            old + "x",
            old.upper(),
            "",
            old * 1_000,
            old[::-1],
            "\ud800",
            "\x00",
            "%" * 40,
            "../../" + old,
            "{0.__class__}",
        )
    elif isinstance(old, list):
        near = (old[:-1], old + old, old[::-1], [old], [None] * len(old), [], dict.fromkeys(map(str, old)))
    elif isinstance(old, dict):
        near = ({}, list(old), dict.fromkeys(old), {"x": old}, {**old, "x": 1})
    else:
        near = (0, "", False, [])
    odd = (None, True, -1, 0, 1, 2**31, 2**63, -(2**63) - 1, 10**30, 10**400, 1e308, -1e308, 5e-324, 0.5, float("nan"),
           float("inf"), -float("inf"), "", "x", "1", [], {}, [[]], [1], {"a": 1}, 10**6, 10**9)  # fmt: skip
    return rng.choice(near if rng.random() < 0.5 else odd)


def _changed_arrays(packed: bytes, rng: random.Random) -> tuple[str, bytes]:
    arrays = {name: np.array(value) for name, value in safetensors.numpy.load(packed).items()}
    if not arrays:
        return "no arrays to change", packed
    name = rng.choice(sorted(arrays))
    array = arrays[name]
    way = rng.randrange(9)
    if way == 0:
        del arrays[name]
        how = "dropped"
    elif way == 1:
        arrays[rng.choice((name + "x", "x", "", "../x", "0.x", "learned/x"))] = arrays.pop(name)
        how = "renamed"
    elif way == 2:
        other = rng.choice(sorted(arrays))
        arrays[name] = arrays[other]
        how = f"exchanged for {other}"
    elif way == 3:
        to = rng.choice(("float64", "float32", "float16", "int64", "int32", "int8", "uint8", "uint64", "bool"))
        with np.errstate(all="ignore"):
            arrays[name] = array.astype(to)
        how = f"as {to}"
    elif way == 4:
        shapes = [
            (),
            (0,),
            (1,),
            (array.size,),
            (array.size, 1),
            (1, array.size),
            (array.size + 1,),
            (2, *array.shape),
            (0, 5),
        ]
        arrays[name] = np.resize(array if array.size else np.zeros(1, array.dtype), rng.choice(shapes))
        how = f"of shape {arrays[name].shape}"
    elif way == 5:
        arrays[name] = np.resize(array if array.size else np.zeros(1, array.dtype), 200_000)
        how = "200,000 long"
    else:
        how = _changed_numbers(array, rng)
    return f"array {name} {how}", bytes(safetensors.numpy.save({k: np.ascontiguousarray(v) for k, v in arrays.items()}))


def _changed_numbers(array: np.ndarray[Any, Any], rng: random.Random) -> str:
    flat = array.reshape(-1)
    if not flat.size:
        return "empty as before"
    if array.dtype.kind == "f":
        value = rng.choice((np.nan, np.inf, -np.inf, -1.0, 0.0, 1e30, -1e30, 5e-324))
    elif array.dtype.kind == "b":
        value = rng.random() < 0.5
    else:
        limits = np.iinfo(array.dtype)
        value = rng.choice((-1, 0, 1, limits.min, limits.max, 1_000))
        value = min(max(value, limits.min), limits.max)
    with np.errstate(all="ignore"):
        if rng.random() < 0.5:
            flat[rng.randrange(flat.size)] = value
            return f"with a {value}"
        flat[:] = value
    return f"all {value}"


def _changed_header(packed: bytes, rng: random.Random) -> tuple[str, bytes]:
    length = int.from_bytes(packed[:8], "little")
    header, data = json.loads(packed[8 : 8 + length]), packed[8 + length :]
    way = rng.randrange(8)
    if way == 0:
        size = rng.choice((0, 1, len(packed), 2**31, 2**63, 2**64 - 1, 100_000_000))
        return f"a header of {size} bytes", size.to_bytes(8, "little") + packed[8:]
    if way == 1:
        return "half of the data", packed[: 8 + length + len(data) // 2]
    if way == 2:
        text = rng.choice((b"[" * 100_000, b"{" * 100, b"null", b"[]", b"", b"\xff\xfe", b'{"a":1}', b'{"a":' * 50_000))
        return "another header", len(text).to_bytes(8, "little") + text + data
    name = rng.choice(sorted(header) or [""])
    if not name:
        return "no arrays", packed
    entry = header[name]
    if way == 3:
        entry["dtype"] = rng.choice(("F64", "BF16", "F8_E4M3", "I64", "O", "x", "", None, 1, "BOOL"))
    elif way == 4:
        entry["shape"] = rng.choice(([], [-1], [2**40], [2**32, 2**32], [0], ["x"], None, [0.5], [1] * 70, [[1]]))
    elif way == 5:
        start, stop = entry["data_offsets"]
        entry["data_offsets"] = rng.choice(
            (
                [stop, start],
                [start, stop + 1],
                [0, 0],
                [-1, 1],
                [start + 1, stop],
                [0, 2**63],
                [start],
                None,
                ["a", "b"],
            )
        )
    elif way == 6:
        entry[rng.choice(("x", "__metadata__"))] = 1
    else:
        header["__metadata__"] = rng.choice(({}, {"a": "b"}, {"a": 1}, [], "x", None))
    text = json.dumps(header).encode()
    return f"header {name}: {str(entry)[:80]}", len(text).to_bytes(8, "little") + text + data


# ── text ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def broken_text(content: bytes, rng: random.Random) -> Mutant:
    """Damage to a TOML or JSON file: by bytes, words, or lines."""
    damage = rng.choice(_TEXT)
    return Mutant(damage(content, rng), damage.__name__.strip("_"), may_load=True)


def _another_word(content: bytes, rng: random.Random) -> bytes:
    """A word, number or text in quotes is exchanged for another one, or for something hostile."""
    pieces = _pieces(content.decode())
    places = [i for i, piece in enumerate(pieces) if piece.strip(" \n[]{}=,:")]
    place = rng.choice(places)
    odd = ("-1", "0", "1e400", "1e-400", "nan", "inf", "-inf", "9" * 400, '""', "true", "[]", "{}", "x", '"../../escaped"',
           "NaN", "0x" + "f" * 99, "1979-05-27", '"' + "a" * 100_000 + '"', "[" * 20_000, "null", "-Infinity",
           '"\\u0000"')  # fmt: skip
    pieces[place] = rng.choice(odd) if rng.random() < 0.7 else pieces[rng.choice(places)]
    return "".join(pieces).encode()


def _pieces(text: str) -> list[str]:
    import re

    return re.findall(r'"(?:[^"\\\n]|\\.)*"|[\w.+-]+|\s+|.', text)


def _lines_moved(content: bytes, rng: random.Random) -> bytes:
    lines = content.splitlines(keepends=True)
    first, second = (rng.randrange(len(lines)) for _ in range(2))
    way = rng.randrange(3)
    if way == 0:
        del lines[first]
    elif way == 1:
        lines.insert(second, lines[first])
    else:
        lines[first], lines[second] = lines[second], lines[first]
    return b"".join(lines)


def _nested(content: bytes, rng: random.Random) -> bytes:
    deep = rng.choice((200, 5_000, 50_000))
    extra = rng.choice(
        (
            b"\nx = " + b"[" * deep + b"]" * deep + b"\n",
            b"\n" + b"a." * deep + b"b = 1\n",
            b"\nx = " + b"{a=" * deep + b"1" + b"}" * deep + b"\n",
            b"[" * deep,
            b'{"a":' * deep,
            b"\n[" + b"a." * deep + b"a]\n",
        )
    )
    return content + extra if rng.random() < 0.5 else extra + content


def _not_text(content: bytes, rng: random.Random) -> bytes:
    return rng.choice(
        (b"", b"\xff\xfe" + content, b"\x00" * 10, b"PK\x03\x04", rng.randbytes(200), b"\xef\xbb\xbf" + content)
    )


_TEXT: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    _truncated, _flipped_bits, _cut_out, _put_in, _another_word, _another_word, _another_word, _another_word, _lines_moved,
    _nested, _not_text,
)  # fmt: skip


# ── archives ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _members(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _stored(members: dict[str, bytes]) -> bytes:
    return _zipped([(zipfile.ZipInfo(name), body) for name, body in members.items()], zipfile.ZIP_STORED)


def _zipped(members: list[tuple[zipfile.ZipInfo, bytes]], method: int) -> bytes:
    import warnings

    buffer = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w", method) as archive:
        warnings.simplefilter("ignore")  # names that stand there twice are meant
        for info, body in members:
            info.compress_type = method
            archive.writestr(info, body)
        archive.comment = b"sha256:" + b"0" * 64
    return buffer.getvalue()


def _sealed(archive: bytes) -> bytes:
    body = archive[: -len(b"sha256:") - 64]
    return body + b"sha256:" + hashlib.sha256(body).hexdigest().encode()
