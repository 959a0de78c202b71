"""Pictures altered a little, so that what is on them stays what it was: moved, turned, zoomed, cropped, noisy, covered."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from masquerade.errors import SettingError

__all__ = ["PRESETS", "Changes", "alter", "background", "with_given"]

_CHUNK_BYTES = 1 << 23
_BORDER_PICTURES = 1000
_LIMITS = {"shift": 0.5, "rotate": 180.0, "scale": 0.9, "crop": 0.9, "noise": 1.0, "cutout": 0.9}


@dataclass(frozen=True)
class Changes:
    """How far pictures may be altered; each picture draws its own strengths, uniformly up to these.

    Args:
        shift: by up to this share of the width and of the height, 0 to 0.5.
        rotate: by up to so many degrees to either side, 0 to 180.
        scale: larger or smaller by up to this share, 0 to 0.9.
        crop: cut off up to this share of each side, somewhere, and enlarge the rest, 0 to 0.9.
        noise: normal noise of this standard deviation on every pixel, as a share of the range from black to white, 0 to 1.
        cutout: cover a square with sides of this share of the shorter side, somewhere (arXiv 1708.04552), 0 to 0.9.
        flip: mirror every second picture, left to right. Only for what means the same in a mirror: no digits, letters or signs,
            no organs.

    Raises:
        SettingError: a number out of its range.
    """

    shift: float = 0.0
    rotate: float = 0.0
    scale: float = 0.0
    crop: float = 0.0
    noise: float = 0.0
    cutout: float = 0.0
    flip: bool = False

    def __post_init__(self) -> None:
        for name, most in _LIMITS.items():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not 0 <= value <= most:
                raise SettingError(f"{name}: got {value!r}, expected a number from 0 to {most:g}.")
        if not isinstance(self.flip, bool | np.bool):
            raise SettingError(f"flip: got {self.flip!r}, expected True or False.")

    @property
    def moves(self) -> bool:
        """Whether pixels change their places."""
        return any((self.shift, self.rotate, self.scale, self.crop, self.flip))


PRESETS = {
    "signs": Changes(shift=0.08, rotate=10, scale=0.1, noise=0.02),
    "photos": Changes(shift=0.05, rotate=10, scale=0.1, crop=0.2, noise=0.01, cutout=0.25, flip=True),
    "scans": Changes(shift=0.05, rotate=5, scale=0.05, noise=0.02),
    "none": Changes(),
}
"""Choices that keep what is on a picture: digits, letters and signs; photographs of things; medical scans; nothing at all."""


def background(images: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
    """The colour that at least half of the pixels at the borders of pictures have, shape (channels,); None: there is none.

    >>> background(np.zeros((2, 8, 8, 1), np.uint8)).tolist()
    [0]
    """
    some = images[:_BORDER_PICTURES]
    channels = some.shape[3]
    edges = (some[:, 0], some[:, -1], some[:, 1:-1, 0], some[:, 1:-1, -1])
    border = np.concatenate([edge.reshape(-1, channels) for edge in edges])
    colour = np.array([np.bincount(border[:, c], minlength=256).argmax() for c in range(channels)], dtype=np.uint8)
    return colour if (border == colour).all(axis=1).mean() >= 0.5 else None


def alter(images: NDArray[np.uint8], changes: Changes, random: np.random.Generator) -> NDArray[np.uint8]:
    """One altered version of each picture.

    What comes in from beyond the border has the background colour of the set; in a set without one the picture is mirrored at
    its borders.

    Args:
        images: shape (n, height, width, channels); not changed.
        changes: how far.
        random: where the strengths are drawn.

    Returns:
        uint8 of the same shape.

    >>> stripes = np.tile(np.array([0, 255], np.uint8), (1, 6, 3))[..., None]
    >>> (alter(stripes, Changes(), np.random.default_rng(0)) == stripes).all()
    np.True_
    """
    out = np.empty_like(images)
    colour = background(images) if len(images) else None
    step = max(1, _CHUNK_BYTES // max(1, math.prod(images.shape[1:])))
    for begin in range(0, len(images), step):
        chunk = images[begin : begin + step]
        if changes.moves:
            chunk = _moved(chunk, changes, colour, random)
        if changes.cutout:
            chunk = _covered(chunk, changes.cutout, colour, random)
        if changes.noise:
            grain = random.standard_normal(chunk.shape, dtype=np.float32) * np.float32(255 * changes.noise)
            chunk = np.clip(np.rint(chunk + grain), 0, 255).astype(np.uint8)
        out[begin : begin + step] = chunk
    return out


def _moved(
    images: NDArray[np.uint8], changes: Changes, colour: NDArray[np.uint8] | None, random: np.random.Generator
) -> NDArray[np.uint8]:
    """All moves of a picture in one affine map with bicubic interpolation, so that it is blurred once."""
    count, height, width, channels = images.shape
    matrices, places = _maps(count, (height, width), changes, random)
    corners = np.array([[0, 0], [width, 0], [0, height], [width, height]], dtype=float) - (width / 2, height / 2)
    seen = np.einsum("nij,kj->nki", matrices, corners) + places[:, None]
    margin = max(0, math.ceil(max(-seen.min(), (seen - (width, height)).max()))) + 1
    edges = ((0, 0), (margin, margin), (margin, margin), (0, 0))
    if colour is None:
        padded = np.pad(images, edges, mode="symmetric")
    else:
        padded = np.empty((count, height + 2 * margin, width + 2 * margin, channels), dtype=np.uint8)
        padded[:] = colour
        padded[:, margin:-margin, margin:-margin] = images
    starts = places + margin - np.einsum("nij,j->ni", matrices, np.array([width / 2, height / 2]))
    data = np.concatenate([matrices, starts[..., None]], axis=2).reshape(count, 6).tolist()
    flat = padded[..., 0] if channels == 1 else padded
    out = np.empty_like(images if channels == 3 else images[..., 0])
    for i in range(count):
        image = Image.fromarray(flat[i])
        out[i] = np.asarray(image.transform((width, height), Image.Transform.AFFINE, data[i], Image.Resampling.BICUBIC))
    low, high = (reduce(padded, axis=(1, 2), keepdims=True) for reduce in (np.min, np.max))
    return np.clip(out.reshape(images.shape), low, high)  # the cubic swings beyond what there was at sharp edges


def _maps(
    count: int, size: tuple[int, int], changes: Changes, random: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """From the new picture back to the old one: matrices (count, 2, 2) on (x, y) from the centre, and where the centre goes."""
    sides = np.array([size[1], size[0]], dtype=float)
    angle = np.deg2rad(random.uniform(-changes.rotate, changes.rotate, count))
    zoom = 1 + random.uniform(-changes.scale, changes.scale, count)
    kept = 1 - random.uniform(0, changes.crop, count)
    shift = random.uniform(-changes.shift, changes.shift, (count, 2)) * sides
    spare = random.uniform(-0.5, 0.5, (count, 2)) * sides * (1 - kept)[:, None]
    mirror = np.where(random.random(count) < 0.5 * changes.flip, -1.0, 1.0)
    cosine, sine = np.cos(angle), np.sin(angle)
    turn = np.stack([np.stack([mirror * cosine, mirror * sine], -1), np.stack([-sine, cosine], -1)], 1)
    matrices = turn * (kept / zoom)[:, None, None]
    places = sides / 2 + spare - np.einsum("nij,nj->ni", matrices, shift)
    return matrices, places


def _covered(
    images: NDArray[np.uint8], share: float, colour: NDArray[np.uint8] | None, random: np.random.Generator
) -> NDArray[np.uint8]:
    """A square of the background colour, or of the picture's mean, around a random pixel."""
    count, height, width, _ = images.shape
    side = max(1, round(share * min(height, width)))
    top = random.integers(0, height, count) - side // 2
    left = random.integers(0, width, count) - side // 2
    down, across = np.arange(height)[None] - top[:, None], np.arange(width)[None] - left[:, None]
    hidden = ((down >= 0) & (down < side))[:, :, None] & ((across >= 0) & (across < side))[:, None]
    fill = images.mean(axis=(1, 2), keepdims=True).round().astype(np.uint8) if colour is None else colour
    return np.where(hidden[..., None], fill, images).astype(np.uint8)


def with_given(preset: str, given: dict[str, float | bool | None]) -> Changes:
    """A preset with some of its numbers replaced; None: not replaced.

    >>> with_given("scans", {"rotate": 2, "noise": None}).rotate
    2
    """
    if preset not in PRESETS:
        raise SettingError(f"preset: got {preset!r}, expected one of {', '.join(PRESETS)}.")
    return Changes(**{**asdict(PRESETS[preset]), **{name: value for name, value in given.items() if value is not None}})
