"""Damage to sealed files, archives, IDX files and pictures; beside `mutations`, which damages models and texts.

Here, too, a file is *broken* as a disk breaks it, or *forged*: one thing in it is changed and what checks it (a CRC, a size) is
made right again. Of a sealed file nothing can be made right again, so that each of its mutants must be refused.
"""

from __future__ import annotations

import gzip
import io
import random
import struct
import zipfile
import zlib
from collections.abc import Callable

import numpy as np

from mutations import (
    Mutant,
    _cut_out,
    _exchanged,
    _flipped_bits,
    _put_in,
    _sizes_in_the_archive,
    _truncated,
    _twice,
    _zipped,
    broken_text,
)  # fmt: skip

__all__ = ["broken", "damaged_idx", "damaged_idx_gz", "damaged_npz", "damaged_png", "damaged_sealed", "damaged_table"]

HEADER, CHUNK = 37, (1 << 16) + 16
"""Of a sealed file: bytes of its header, and of a chunk with its tag."""
_ANY: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    _truncated, _flipped_bits, _flipped_bits, _cut_out, _put_in, _twice, _exchanged,
)  # fmt: skip
_SIZES = (0, 1, 2, 7, 255, 256, 9_000, 40_000, 65_535, 1 << 16, 1 << 24, (1 << 31) - 1, 1 << 31, (1 << 32) - 1)


def broken(content: bytes, rng: random.Random) -> Mutant:
    """Bytes that are flipped, cut, doubled or exchanged."""
    damage = rng.choice(_ANY)
    return Mutant(damage(content, rng), damage.__name__.strip("_"), may_load=True)


def _empty(content: bytes, rng: random.Random) -> bytes:
    return rng.choice((b"", b"\x00" * 10, rng.randbytes(200), b"PK\x03\x04", content[: rng.randrange(1, 60)]))


# ── sealed ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def damaged_sealed(content: bytes, rng: random.Random) -> Mutant:
    """A sealed file with other bytes, another header, or chunks dropped, doubled or out of order; none may open."""
    damage = rng.choice((*_ANY, _empty, _sealed_header, _sealed_header, _sealed_chunks, _sealed_chunks))
    changed = damage(content, rng)
    return Mutant(changed, damage.__name__.strip("_"), may_load=changed == content)


def _sealed_header(content: bytes, rng: random.Random) -> bytes:
    """Version, kind of secret, costs of scrypt, size of a chunk, salt or nonce."""
    changed = bytearray(content)
    for _ in range(rng.choice((1, 1, 2, 4))):
        near = rng.random() < 0.7
        place = rng.randrange(8, 14) if near else rng.randrange(HEADER)
        changed[place] = rng.choice((0, 1, 2, 3, 8, 10, 14, 16, 17, 18, 19, 20, 21, 31, 32, 63, 64, 127, 255))
    return bytes(changed)


def _sealed_chunks(content: bytes, rng: random.Random) -> bytes:
    """Whole chunks dropped, doubled, exchanged, emptied or cut at their ends."""
    head, body = content[:HEADER], content[HEADER:]
    chunks = [body[i : i + CHUNK] for i in range(0, len(body), CHUNK)]
    first, second = rng.randrange(len(chunks)), rng.randrange(len(chunks))
    way = rng.randrange(6)
    if way == 0:
        del chunks[first]
    elif way == 1:
        chunks.insert(second, chunks[first])
    elif way == 2:
        chunks[first], chunks[second] = chunks[second], chunks[first]
    elif way == 3:
        chunks = chunks[: rng.randrange(len(chunks))]
    elif way == 4:
        chunks.append(bytes(rng.choice((1, 15, 16, 17, CHUNK))))
    else:
        chunks[first] = chunks[first][: rng.choice((0, 1, 15, 16, 17, max(len(chunks[first]) - 16, 0)))]
    return head + b"".join(chunks)


# ── archives of arrays ─────────────────────────────────────────────────────────────────────────────────────────────


def damaged_npz(content: bytes, rng: random.Random) -> Mutant:
    """An NPZ archive: broken; or a header, an array or a member forged, with the checksums made right again."""
    if rng.random() < 0.35:
        damage = rng.choice((*_ANY, _empty, _sizes_in_the_archive, _sizes_in_the_archive))
        return Mutant(damage(content, rng), damage.__name__.strip("_"), may_load=True)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = [(info.filename, archive.read(info)) for info in archive.infolist()]
    place = rng.randrange(len(members))
    name, body = members[place]
    kind = rng.random()
    if kind < 0.5:
        how, body = _other_array_header(body, rng)
        members[place] = (name, body)
    elif kind < 0.75:
        how, body = _other_array(rng)
        members[place] = (name if rng.random() < 0.7 else "further.npy", body)
    else:
        how = "members"
        odd = rng.choice(("../escaped.npy", "/tmp/escaped.npy", "images", "images.npy", "label\nx.npy", "x" * 3_000 + ".npy",
                          "labels.npy", "code.py", "\x1b[31m.npy", "file.npy", ".npy"))  # fmt: skip
        way = rng.randrange(4)
        if way == 0:
            del members[place]
        elif way == 1:
            members[place] = (odd, body)
        else:
            members.insert(rng.randrange(len(members) + 1), (odd, body if way == 2 else _other_array(rng)[1]))
    method = rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA))
    packed = _zipped([(zipfile.ZipInfo(name.replace("\x00", "")), body) for name, body in members], method)
    return Mutant(packed, f"{name[:20]}: {how}", may_load=True)


def _other_array_header(body: bytes, rng: random.Random) -> tuple[str, bytes]:
    """Another type, order, shape, length or version, the numbers being as they were."""
    version, length = body[6:8], int.from_bytes(body[8:10], "little")
    text, data = body[10 : 10 + length].decode("latin-1"), body[10 + length :]
    way = rng.randrange(6)
    if way == 0:
        number = rng.choice(_SIZES)
        return f"a header of {number} bytes", body[:8] + (number & 0xFFFF).to_bytes(2, "little") + body[10:]
    if way == 1:
        version = rng.choice((b"\x02\x00", b"\x03\x00", b"\x00\x00", b"\x09\x01", b"\x01\x01"))
    elif way == 2:
        old = text[text.index("'descr': ") + 9 : text.index(", 'fortran")]
        kinds = ("'|O'", "'O'", "'<u2'", "'|S0'", "'<U0'", "'<U999999999'", "'|V8'", "'<f8'", "'<c16'", "'<M8[ns]'", "'|b1'",
                 "[('a', '<i4')]", "[('a', '|O')]", "'<i8'", "'>u1'", "'x'", "None", "__import__('os')", "'|u1'", "''", "1",
                 "('<i4', (3,))", "'<U1'", "'|S1'", "[]")  # fmt: skip
        text = text.replace(old, rng.choice(kinds))
    elif way == 3:
        text = text.replace("False", rng.choice(("True", "1", "None", "'x'")))
    elif way == 4:
        old = text[text.index("'shape': ") + 9 : text.index(")", text.index("'shape'")) + 1]
        shapes = ("()", "(0,)", "(1,)", "(-1,)", "(6, -8, -8)", "(0, 8, 8)", "(6, 0, 8)", "(384,)", "(6, 64)", "(6, 64, 1)",
                  "(1, 384)", "(384, 1, 1)", "(6, 8, 8, 1)", "(1, 1, 384)", "(2, 3, 8, 8)", "(99999999999, 8, 8)",
                  "(6.5, 8, 8)",
                  "(True, 384)", "('6', 8, 8)", "(2**9,)", "(1099511627776, 1099511627776)", "[6, 8, 8]", "6", "None",
                  "(1, 6, 8, 8)", "(24, 4, 4)", "(6, 1)", "(1, 6)", "(6, 1, 1)")  # fmt: skip
        text = text.replace(old, rng.choice(shapes))
    else:
        text = rng.choice(("", "{}", "[" * 9_000, "(" * 9_000, "{'descr': 1}", "\x00", "1" * 9_000, "-" * 9_000 + "1",
                           text + "#", text * 30, text.replace("'shape'", "'shape '")))  # fmt: skip
    head = text.encode("latin-1")
    size = len(head).to_bytes(2 if version == b"\x01\x00" else 4, "little") if len(head) < 1 << 16 else b"\xff\xff"
    return f"header {text.strip()[:70]!r}", body[:6] + version + size + head + data


def _other_array(rng: random.Random) -> tuple[str, bytes]:
    arrays = (
        np.zeros((6, 8, 8), np.uint8), np.zeros(6, np.float64), np.array([np.nan] * 6), np.array([1e30] * 6), np.zeros((6, 1)),
        np.array([2**64 - 1] * 6, np.uint64), np.array(["a\nb"] * 6), np.array([b"\xff"] * 6), np.array([""] * 6),
        np.array(["x" * 5_000] * 6), np.zeros(6, np.bool_), np.zeros((6, 2), np.int64), np.zeros(0, np.int64), np.zeros(()),
        np.zeros((6, 8, 8, 4), np.uint8), np.zeros((6, 3000, 3000), np.uint8),
        np.asfortranarray(np.eye(8, dtype=np.uint8)[None]),
        np.array(["\ud800"] * 6), np.array([-(2**63)] * 6), np.zeros((1, 1, 1), np.uint8), np.array([np.inf] * 6),
        np.zeros(6, "M8[s]"), np.zeros(6, "c16"), np.zeros(6, np.float16), np.array(["1"] * 6), np.array(["\x00"] * 6),
    )  # fmt: skip
    array = rng.choice(arrays)
    stream = io.BytesIO()
    np.lib.format.write_array(stream, array, allow_pickle=False)
    return f"{array.dtype} {array.shape}", stream.getvalue()


# ── IDX ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def damaged_idx(content: bytes, rng: random.Random) -> Mutant:
    """An IDX file: broken, or another type, number of axes or length in its header."""
    if rng.random() < 0.4:
        return broken(content, rng) if rng.random() < 0.9 else Mutant(_empty(content, rng), "empty", may_load=True)
    changed = bytearray(content)
    axes = content[3]
    place = rng.randrange(2 + axes)
    if place == 0:
        changed[2] = rng.choice((0, 1, 8, 9, 0x0B, 0x0C, 0x0D, 0x0E, 255))
    elif place == 1:
        changed[3] = rng.choice((0, 1, 2, 3, 4, 5, 255))
    else:
        start = 4 * (place - 1)
        old = int.from_bytes(content[start : start + 4], "big")
        size = rng.choice((*_SIZES, old + 1, max(old - 1, 0), old * 2))
        changed[start : start + 4] = struct.pack(">I", size)
    if rng.random() < 0.3:  # as many bytes as it claims, where that is bearable
        shape = [int.from_bytes(changed[4 + 4 * i : 8 + 4 * i], "big") for i in range(axes)]
        wanted = 1
        for length in shape:
            wanted *= length
        if wanted < 1 << 24:
            changed = changed[: 4 + 4 * axes] + bytes(wanted)
    return Mutant(bytes(changed), "header", may_load=True)


def damaged_idx_gz(content: bytes, rng: random.Random) -> Mutant:
    """The same, packed: what is inside, or the packing."""
    if rng.random() < 0.3:
        return broken(content, rng)
    mutant = damaged_idx(gzip.decompress(content), rng)
    return Mutant(gzip.compress(mutant.content, mtime=0), f"inside: {mutant.how}", may_load=True)


# ── encoded pictures ───────────────────────────────────────────────────────────────────────────────────────────────


def damaged_png(content: bytes, rng: random.Random) -> Mutant:
    """A PNG: broken; or its chunks changed, dropped, doubled or moved, their checksums made right again; or a bomb."""
    if rng.random() < 0.3:
        return broken(content, rng) if rng.random() < 0.9 else Mutant(_empty(content, rng), "empty", may_load=True)
    chunks = _png_chunks(content)
    place = rng.randrange(len(chunks))
    kind, body = chunks[place]
    way = rng.randrange(8)
    if way == 0:
        del chunks[place]
    elif way == 1:
        chunks.insert(rng.randrange(len(chunks) + 1), (kind, body))
    elif way == 2:
        other = rng.randrange(len(chunks))
        chunks[place], chunks[other] = chunks[other], chunks[place]
    elif way == 3:
        extra = rng.choice(
            (b"tRNS", b"PLTE", b"iTXt", b"zTXt", b"iCCP", b"eXIf", b"acTL", b"fdAT", b"gAMA", b"pHYs", b"xxxx")
        )
        bombs = (
            zlib.compress(bytes(1 << 27)) if extra in (b"zTXt", b"iCCP", b"iTXt") else rng.randbytes(rng.randrange(40))
        )
        start = {b"zTXt": b"a\0\0", b"iCCP": b"a\0\0", b"iTXt": b"a\0\1\0\0\0", b"eXIf": b"II*\0\x08\0\0\0"}.get(
            extra, b""
        )
        chunks.insert(rng.randrange(1, len(chunks)), (extra, start + bombs))
    elif way == 4:
        side = rng.choice((3_000, 9_000, 9_400))
        colour = rng.choice((0, 2, 4, 6))
        each = {0: 1, 2: 3, 4: 2, 6: 4}[colour]
        packer = zlib.compressobj(9)
        line = bytes(side * each + 1)
        data = b"".join(packer.compress(line) for _ in range(side)) + packer.flush()
        head = struct.pack(">IIBBBBB", side, side, 8, colour, 0, 0, 0)
        return Mutant(
            _png([(b"IHDR", head), (b"IDAT", data), (b"IEND", b"")]), f"{side} x {side}, {each}", may_load=True
        )
    elif way in (5, 6):
        fields = list(struct.unpack(">IIBBBBB", chunks[0][1])) if len(chunks[0][1]) == 13 else [8, 8, 8, 0, 0, 0, 0]
        field = rng.randrange(7)
        fields[field] = rng.choice(_SIZES) if field < 2 else rng.choice((0, 1, 2, 3, 4, 6, 8, 16, 32, 255))
        chunks[0] = (b"IHDR", struct.pack(">IIBBBBB", *fields))
    elif body:
        changed = bytearray(body)
        changed[rng.randrange(len(changed))] = rng.randrange(256)
        chunks[place] = (kind, bytes(changed))
    return Mutant(_png(chunks), f"chunk {kind.decode('latin-1')}, way {way}", may_load=True)


def _png_chunks(content: bytes) -> list[tuple[bytes, bytes]]:
    chunks, start = [], 8
    while start < len(content):
        size = int.from_bytes(content[start : start + 4], "big")
        chunks.append((content[start + 4 : start + 8], content[start + 8 : start + 8 + size]))
        start += 12 + size
    return chunks


def _png(chunks: list[tuple[bytes, bytes]]) -> bytes:
    parts = [
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


# ── tables ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def damaged_table(content: bytes, rng: random.Random) -> Mutant:
    """A CSV of labels: broken as a text is; or a name of a file, a column or a value is exchanged for something hostile."""
    if rng.random() < 0.5:
        return broken_text(content, rng)
    lines = [line.split(",") for line in content.decode().splitlines()]
    row, cell = rng.randrange(len(lines)), rng.randrange(len(lines[0]))
    lines[row][cell] = rng.choice(
        ("../../../etc/passwd", "/etc/passwd", "", "..", ".", "a" * 100_000, '"x\ny"', "\x1b[31m", "99999999999999999999", "-0",
         "nan", "file", "label", "\ud7ff", "one.png", "sub/../one.png", "~", "C:\\x", "__proto__", '"', "\x00", "one.png\r")
    )  # fmt: skip
    how = repr(lines[row][cell])[:40]
    return Mutant(
        "\n".join(",".join(line) for line in lines).encode() + b"\n", f"{how} at {row}, {cell}", may_load=True
    )
