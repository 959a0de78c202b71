"""Models of pictures and picture sets to damage, and what is done with them."""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import polars as pl
from PIL import Image
from rich.console import Console

import masquerade as mq
from masquerade.picture_files import is_picture_set, open_source, read_pictures
from masquerade.picturing import idx
from masquerade.picturing.facts import survey
from masquerade.picturing.overview import overview
from mutations_of_files import broken, damaged_idx, damaged_idx_gz, damaged_npz, damaged_png, damaged_table
from subjects import Damage, Subject, damaged_model

__all__ = ["change", "picture_models", "picture_sets"]


LARGEST = 1_200
"""Megabytes that a picture may take: Pillow reads up to 89 million pixels, and takes up to thirteen bytes for each."""

BOMB_BYTES = 20_000
"""A picture larger than that is a bomb, and is decoded but once: 81 million pixels take a second or two each time."""


def bars(count: int, **labels: Any) -> mq.Pictures:
    """Grey noise of 8 x 8 with a white bar on top, or below."""
    images = np.random.default_rng(0).integers(0, 60, (count, 8, 8, 1), dtype=np.uint8)
    below = np.arange(count) % 2 == 1
    images[~below, :3] = 250
    images[below, 5:] = 250
    return mq.Pictures(images, labels or {"label": np.where(below, "under", "top")})


def parts(count: int) -> mq.Pictures:
    """The same with a secret and a label that is kept."""
    return bars(count, where=np.arange(count) % 2, big=np.arange(count) // 2 % 2)


def picture_models(folder: Path, only: Collection[str] | None = None) -> list[Subject]:
    """One tiny fitted model of each kind, or of those that are named."""
    from masquerade.synthesize import image_private

    tiny: dict[str, Any] = {"width": 4, "latent_width": 4, "batch_size": 16}
    loose = mq.Privacy(epsilon=20.0, delta=1e-5)
    made: dict[str, Callable[[], Any]] = {
        "imagegan": lambda: mq.ImageGAN(epochs=1, random_state=0, **tiny).fit(bars(60)),
        "dcgan": lambda: mq.DCGAN(epochs=1, random_state=0, **tiny).fit(bars(60).images),
        "dpmerf": lambda: mq.DPMERF(privacy=loose, classes=["top", "under"], features=60, steps=20, **tiny).fit(bars(600)),
        "imagegan-private": lambda: mq.ImageGAN(epochs=1, privacy=loose, classes=["top", "under"], **tiny).fit(bars(600)),
        "imagemasker": lambda: mq.ImageMasker(box=(2, 2, 4, 4), epochs=1, width=4, random_state=0).fit(bars(60)),
        "imagemasker-blur": lambda: mq.ImageMasker(mask=np.eye(8, dtype=bool), how="blur", random_state=0).fit(bars(60)),
        "imagedesensitizer": lambda: mq.ImageDesensitizer(
            hide="where", keep="big", epochs=1, width=4, latent_width=4, audit=False, random_state=0
        ).fit(parts(200)),
        "imagedesensitizer-vae": lambda: mq.ImageDesensitizer(
            hide="where", generator="vae", epochs=1, width=4, latent_width=4, audit=False, random_state=0
        ).fit(parts(200)),
    }  # fmt: skip
    out = []
    for name, make in made.items():
        if only is not None and name not in only:
            continue
        with patch.object(image_private, "MATCHING_STEPS", 20), patch.object(image_private, "FEATURES", 60):
            model = make()
        path = folder / f"{name}.mq"
        model.save(path)
        out.append(Subject(path.name, path.read_bytes(), change, damaged_model))
    return out


def change(path: Path) -> object:
    """Load a model, and draw five pictures of it or transform five, with their labels and without."""
    model = mq.load(path)
    if hasattr(model, "transform"):
        five = bars(5) if "masker" in path.name else parts(5)
        made = model.transform(five)
        model.transform(five.images, random_state=1)
        assert made.images.shape == five.images.shape, f"pictures of {made.images.shape} came"
    else:
        made = model.sample(5, random_state=1)
        assert len(made) == 5, f"5 pictures were asked for, and {len(made)} came"
    if hasattr(model, "_repr_html_"):
        assert model._repr_html_()
    return made


# ── sets ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def read_set(path: Path) -> object:
    """What `inspect` says of a set; then its pictures, as they are asked for and as they are."""
    is_picture_set(path)
    seen_by_inspect(path)
    read_pictures(path, size=(8, 8), channels=3, skip_bad=True)
    return read_pictures(path)


def seen_by_inspect(path: Path) -> None:
    """What is printed of a set, every picture of which is looked at once."""
    Console(file=io.StringIO()).print(overview(survey(open_source(path)), protect=2))


def picture_sets() -> list[Subject]:
    """Archives, IDX files, a Parquet file, and a folder of which one picture or the table of labels is damaged."""
    six = bars(6).images
    classes = np.array([3, 7] * 3)
    stored, packed, keras = io.BytesIO(), io.BytesIO(), io.BytesIO()
    np.savez(stored, images=six[..., 0], labels=classes, colour=np.array(["red", "blue"] * 3))
    np.savez_compressed(packed, images=np.repeat(six, 3, axis=3), labels=np.array(["top", "under"] * 3))
    np.savez(keras, x_train=six[..., 0], y_train=classes[:, None], x_test=six[:2, ..., 0], y_test=classes[:2, None])
    for archive in (stored, packed, keras):
        assert zipfile.is_zipfile(archive)
    frame = pl.DataFrame(
        {"image": [_encoded(image, "PNG") for image in six], "label": classes, "age": ["1", "2", "x"] * 2}
    )
    rows = io.BytesIO()
    frame.write_parquet(rows)
    pictures = idx.header(0x08, (6, 8, 8)) + six.tobytes()
    labels = idx.header(0x08, (6,)) + classes.astype(np.uint8).tobytes()

    def with_labels(path: Path) -> object:
        idx.labels_beside(path).write_bytes(labels)
        return read_set(path)

    def with_pictures(path: Path) -> object:
        beside = path.with_name("t10k-images-idx3-ubyte")
        beside.write_bytes(pictures)
        return read_set(beside)

    subjects = [
        Subject("stored.npz", stored.getvalue(), read_set, damaged_npz),
        Subject("packed.npz", packed.getvalue(), read_set, damaged_npz),
        Subject("keras.npz", keras.getvalue(), read_set, damaged_npz),
        Subject("train-images-idx3-ubyte", pictures, with_labels, damaged_idx),
        Subject("t10k-labels-idx1-ubyte", labels, with_pictures, damaged_idx),
        Subject("alone.idx.gz", gzip.compress(pictures, mtime=0), read_set, damaged_idx_gz),
        Subject("pictures.parquet", rows.getvalue(), read_set, broken),
        Subject(
            "three.csv",
            b"file,label,age\none.png,cat,3\ntwo.png,dog,4\nsub/three.png,cat,5\n",
            _as_labels,
            damaged_table,
        ),
    ]
    ways: dict[str, tuple[str, Damage]] = {
        "png": ("PNG", damaged_png), "jpg": ("JPEG", broken), "gif": ("GIF", broken), "tif": ("TIFF", broken),
        "bmp": ("BMP", broken), "webp": ("WEBP", broken),
    }  # fmt: skip
    subjects += [
        Subject(f"one.{ending}", _encoded(six[0], kind), _as_picture, damage, megabytes=LARGEST)
        for ending, (kind, damage) in ways.items()
    ]
    return subjects


def _encoded(image: np.ndarray[Any, Any], kind: str) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(image[..., 0]).save(stream, kind)
    return stream.getvalue()


def _as_picture(path: Path) -> object:
    """In a folder of its own, beside a whole one."""
    folder = path.with_name(f"folder-{path.suffix[1:]}")
    folder.mkdir(exist_ok=True)
    kind = "JPEG" if path.suffix == ".jpg" else "TIFF" if path.suffix == ".tif" else path.suffix[1:].upper()
    (folder / f"good{path.suffix}").write_bytes(_encoded(bars(1).images[0], kind))
    (folder / path.name).write_bytes(path.read_bytes())
    if path.stat().st_size > BOMB_BYTES:
        return seen_by_inspect(folder)
    return read_set(folder)


def _as_labels(path: Path) -> object:
    """In a folder, as the labels of three pictures."""
    folder = path.with_name("labelled")
    (folder / "sub").mkdir(parents=True, exist_ok=True)
    for name in ("one.png", "two.png", "sub/three.png"):
        (folder / name).write_bytes(_encoded(bars(1).images[0], "PNG"))
    (folder / "labels.csv").write_bytes(path.read_bytes())
    return read_set(folder)
