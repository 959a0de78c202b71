"""The classic ways to hide a region of a picture: blacked out, in coarse blocks, or blurred. Nothing is learned.

Only blacking out takes everything away. Blocks and blur keep what is coarse, and nets read faces and digits through both
(McPherson, Shokri and Shmatikov 2016, arXiv 1609.00408): the coarser, the safer.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

__all__ = ["WAYS", "blackened", "blurred", "default_grain", "pixelated"]

WAYS = ("blur", "pixelate", "blackout")


def default_grain(height: int, width: int) -> int:
    """Pixels of a block's side where none are named: a quarter of the shorter side, at least 2."""
    return max(min(height, width) // 4, 2)


def blackened(images: NDArray[np.uint8], hidden: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Hidden pixels black.

    Args:
        images: (n, height, width, channels).
        hidden: (n, height, width).
    """
    return np.where(hidden[..., None], np.uint8(0), images)


def pixelated(images: NDArray[np.uint8], hidden: NDArray[np.bool_], grain: int) -> NDArray[np.uint8]:
    """Hidden pixels as the mean of their block, of `grain` by `grain` pixels from the top left corner of the picture.

    >>> checked = np.array([[0, 200], [200, 0]], np.uint8)[None, :, :, None]
    >>> pixelated(checked, np.ones((1, 2, 2), bool), 2)[0, :, :, 0].tolist()
    [[100, 100], [100, 100]]
    """
    height, width = images.shape[1:3]
    rows, columns = np.arange(0, height, grain), np.arange(0, width, grain)
    sums = np.add.reduceat(np.add.reduceat(images.astype(np.float32), rows, axis=1), columns, axis=2)
    areas = np.outer(np.diff(np.append(rows, height)), np.diff(np.append(columns, width)))
    means = np.round(sums / areas[None, :, :, None]).astype(np.uint8)
    coarse = means[:, np.arange(height) // grain][:, :, np.arange(width) // grain]
    return np.where(hidden[..., None], coarse, images)


def blurred(images: NDArray[np.uint8], hidden: NDArray[np.bool_], grain: int) -> NDArray[np.uint8]:
    """Hidden pixels under a Gaussian blur of the whole picture whose standard deviation is half of `grain` pixels."""
    soft = ndimage.gaussian_filter(images.astype(np.float32), (0, grain / 2, grain / 2, 0), mode="nearest")
    return np.where(hidden[..., None], np.clip(np.round(soft), 0, 255).astype(np.uint8), images)
