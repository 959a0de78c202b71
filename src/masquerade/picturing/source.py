"""What a set of pictures on disk is to those who read it: how many, which labels, and the pictures one after another."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from masquerade.errors import FileError, MasqueradeWarning
from masquerade.picturing.decoding import BadPicture, Decoded, Wanted, decode, on_white, resample

__all__ = ["BLOCK_BYTES", "Chunk", "Source", "chunks", "naturals", "tell_left_out"]

BLOCK_BYTES = 1 << 23
"""So many bytes of an array file are read at a time."""

Chunk = tuple[NDArray[np.int64], NDArray[np.uint8]]
"""Positions in the set, shape (k,), and pictures, shape (k, height, width, channels)."""


@dataclass(frozen=True)
class Source:
    """A set of pictures that can be read from the start as often as is needed.

    Args:
        path: the file or folder, as messages name it.
        count: pictures, readable or not.
        labels: by name, shape (count,).
        files: the file of each picture; empty where they lie in one file.
        encoded: opens the stream of encoded pictures, each with its name; None for arrays.
        blocks: opens the stream of arrays of shape (k, height, width, 1, 3 or 4); None for encoded pictures.
    """

    path: Path
    count: int
    labels: dict[str, NDArray[Any]] = field(default_factory=dict)
    files: tuple[str, ...] = ()
    encoded: Callable[[], Iterator[tuple[str, Path | bytes]]] | None = None
    blocks: Callable[[], Iterator[NDArray[np.uint8]]] | None = None


def naturals(source: Source) -> Iterator[tuple[int, Decoded | BadPicture]]:
    """Every picture as it is, in its own size and mode, with its position; unreadable ones as the reason why."""
    if source.encoded is not None:
        for position, (_, content) in enumerate(source.encoded()):
            yield position, _tried(content, Wanted())
    position = 0
    for block in () if source.blocks is None else source.blocks():
        kind = {1: "grey", 3: "RGB", 4: "RGBA"}[block.shape[3]]
        for pixels in _opaque(block):
            yield position, Decoded(pixels, (pixels.shape[0], pixels.shape[1]), kind)
            position += 1


def chunks(source: Source, wanted: Wanted, *, skip_bad: bool) -> Iterator[Chunk]:
    """The pictures in one size and mode, a few at a time.

    Raises:
        FileError: pictures that cannot be read (unless `skip_bad`; all of them are counted first), none that can, or
            pictures of different sizes or modes where none was wanted.
    """
    if source.blocks is not None:
        position = 0
        for block in source.blocks():
            yield np.arange(position, position + len(block)), _conformed(_opaque(block), wanted)
            position += len(block)
        return
    bad: list[tuple[str, str]] = []
    first: tuple[str, Decoded] | None = None
    for position, (name, content) in enumerate(source.encoded() if source.encoded is not None else ()):
        found = _tried(content, wanted)
        if isinstance(found, BadPicture):
            bad.append((name, str(found)))
            continue
        first = first or (name, found)
        _check_alike(source.path, wanted, first, (name, found))
        if skip_bad or not bad:
            yield np.array([position]), found.pixels[None]
    if bad and (first is None or not skip_bad):
        advice = "" if first is None else "; repair or remove them, or leave them out with skip_bad (--skip-bad)"
        raise FileError(f"{_told(source, bad)} cannot be read, first {bad[0][0]} ({bad[0][1]}){advice}.")
    if bad:
        tell_left_out(source, bad)


def tell_left_out(source: Source, bad: list[tuple[str, str]]) -> None:
    """Warn that pictures are left out; `bad` holds their names and reasons, at least one."""
    message = f"{_told(source, bad)} cannot be read and are left out, first {bad[0][0]} ({bad[0][1]})."
    warnings.warn(message, MasqueradeWarning, stacklevel=2)


def _told(source: Source, bad: list[tuple[str, str]]) -> str:
    return f"{source.path}: {len(bad):,} of {source.count:,} pictures"


def _tried(content: Path | bytes, wanted: Wanted) -> Decoded | BadPicture:
    try:
        return decode(content, wanted)
    except BadPicture as error:
        return error


def _check_alike(path: Path, wanted: Wanted, first: tuple[str, Decoded], other: tuple[str, Decoded]) -> None:
    (name, a), (another, b) = first, other
    if wanted.size is None and a.size != b.size:
        (height, width), (h, w) = a.size, b.size
        raise FileError(
            f"{path}: pictures of different sizes (height x width), {name} is {height}x{width} and {another} is {h}x{w}; "
            f"give one size to resample them to, such as {min(height, h)}x{min(width, w)}."
        )
    if wanted.channels is None and a.kind != b.kind:
        raise FileError(
            f"{path}: pictures of different modes, {name} is {a.kind} and {another} is {b.kind}; "
            "give the number of channels to turn them into, 1 (grey) or 3 (colour)."
        )


def _opaque(block: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return on_white(block) if block.shape[3] == 4 else block


def _conformed(block: NDArray[np.uint8], wanted: Wanted) -> NDArray[np.uint8]:
    if wanted.size in (None, block.shape[1:3]) and wanted.channels in (None, block.shape[3]):
        return block
    return np.stack([resample(pixels, wanted) for pixels in block])
