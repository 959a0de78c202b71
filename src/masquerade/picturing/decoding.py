"""One encoded picture (PNG, JPEG, BMP, GIF, TIFF, WebP) as an array."""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from masquerade.atomic import one_line
from masquerade.errors import FileError

__all__ = ["ENDINGS", "BadPicture", "Decoded", "Wanted", "decode", "encode", "on_white", "resample"]

ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp")
"""The endings of files that are taken for pictures."""
_FORMATS = ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP")  # nothing that would start another program (EPS) is opened
_KINDS = {
    "1": "grey",
    "L": "grey",
    "LA": "grey with alpha",
    "RGB": "RGB",
    "RGBA": "RGBA",
    "P": "palette",
    "PA": "palette",
}
_GREY = ("grey", "grey with alpha", "16-bit grey")
_DAMAGE = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    struct.error,
    zlib.error,
    LookupError,
    TypeError,
    ArithmeticError,
)
_BAND = 256
_ORIENTATION, _TURNED = 0x0112, (5, 6, 7, 8)


class BadPicture(FileError):
    """A picture that cannot be read; the message is the reason alone, without the name of the file."""


@dataclass(frozen=True)
class Wanted:
    """What pictures shall be turned into.

    Args:
        size: height and width in pixels; None: as they are.
        channels: 1 (grey) or 3 (red, green, blue); None: as they are.
    """

    size: tuple[int, int] | None = None
    channels: int | None = None


@dataclass(frozen=True)
class Decoded:
    """A picture and what it was before it was turned into what was wanted.

    Args:
        pixels: uint8, shape (height, width, channels) with 1 or 3 channels.
        size: the height and width that it had, upright.
        kind: grey, grey with alpha, RGB, RGBA, palette, 16-bit grey or another mode of Pillow.
    """

    pixels: NDArray[np.uint8]
    size: tuple[int, int]
    kind: str


def decode(source: Path | bytes, wanted: Wanted) -> Decoded:
    """The first frame of an encoded picture, upright, transparency on white.

    Args:
        source: a file or its content.
        wanted: size and channels; a size is reached by antialiased bicubic resampling, each side by itself.

    Raises:
        BadPicture: no picture of a known format, damaged, cut off, of unknown depth, or so large that decoding it is refused
            (a decompression bomb: more than `PIL.Image.MAX_IMAGE_PIXELS` pixels).

    >>> decode(encode(np.full((2, 3, 1), 7, np.uint8)), Wanted(channels=3)).pixels.shape
    (2, 3, 3)
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # remarks of Pillow on odd files
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            file = io.BytesIO(source) if isinstance(source, bytes) else source
            with Image.open(file, formats=_FORMATS) as image:
                return _upright(image, wanted)
    except BadPicture:
        raise
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        limit = Image.MAX_IMAGE_PIXELS or 0
        raise BadPicture(f"more than {limit:,} pixels, refused as a decompression bomb") from error
    except UnidentifiedImageError as error:
        raise BadPicture("not a PNG, JPEG, BMP, GIF, TIFF or WebP picture, or damaged") from error
    except _DAMAGE as error:
        reason = getattr(error, "strerror", None) or one_line(error)
        raise BadPicture(f"damaged or cut off: {reason}") from error


def encode(pixels: NDArray[np.uint8]) -> bytes:
    """A picture of shape (height, width, 1 or 3) as the bytes of a PNG."""
    stream = io.BytesIO()
    Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels).save(stream, "PNG")
    return stream.getvalue()


def on_white(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Pictures (..., 4) with transparency as (..., 3) on white."""
    alpha = pixels[..., 3:].astype(np.uint16)
    mixed = (pixels[..., :3] * alpha + 255 * (255 - alpha) + 127) // 255
    return mixed.astype(np.uint8)


def resample(pixels: NDArray[np.uint8], wanted: Wanted) -> NDArray[np.uint8]:
    """A picture of shape (height, width, 1 or 3) in the wanted size and channels."""
    if wanted.size in (None, pixels.shape[:2]) and wanted.channels in (None, pixels.shape[2]):
        return pixels
    image = Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
    return _turned(image, pixels.shape[2], wanted)


def _upright(image: Image.Image, wanted: Wanted) -> Decoded:
    orientation = image.getexif().get(_ORIENTATION, 1)
    width, height = image.size[::-1] if orientation in _TURNED else image.size
    if wanted.size is not None and image.format == "JPEG":
        image.draft(None, (max(wanted.size), max(wanted.size)))  # decodes at a half, a quarter ... where that is enough
    image.load()
    kind = _kind(image)
    if orientation != 1:
        image = ImageOps.exif_transpose(image)
    channels = 1 if kind in _GREY else 3
    if kind == "16-bit grey":
        deep = np.asarray(image).astype(np.uint32)
        image = Image.fromarray(((np.minimum(deep, 65535) + 128) // 257).astype(np.uint8))
    elif "transparency" in image.info or image.mode in ("LA", "La", "PA", "RGBA", "RGBa"):
        image = _whitened(image)
    return Decoded(_turned(image, channels, wanted), (height, width), kind)


def _kind(image: Image.Image) -> str:
    if image.mode.startswith("I;16") or (image.mode == "I" and image.format == "PNG"):
        return "16-bit grey"
    if image.mode in ("I", "F"):
        raise BadPicture("its pixels are numbers of 32 bits, of which white is not known; save it with 8 or 16 bits")
    return _KINDS.get(image.mode, image.mode)


def _whitened(image: Image.Image) -> Image.Image:
    """The same on white, as `on_white` has it; band by band, which spares a large picture another copy of its own."""
    made = Image.new("RGB", image.size, "white")
    for top in range(0, image.height, _BAND):
        band = image.crop((0, top, image.width, min(top + _BAND, image.height))).convert("RGBA")
        made.paste(band, (0, top), mask=band)
    return made


def _turned(image: Image.Image, channels: int, wanted: Wanted) -> NDArray[np.uint8]:
    channels = channels if wanted.channels is None else wanted.channels
    mode = "L" if channels == 1 else "RGB"
    image = image if image.mode == mode else image.convert(mode)
    if wanted.size is not None and image.size != wanted.size[::-1]:
        image = image.resize(wanted.size[::-1], Image.Resampling.BICUBIC)
    return np.array(image, dtype=np.uint8).reshape(image.height, image.width, channels)
