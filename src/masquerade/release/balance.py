"""More rows or pictures where there are few: real ones plus synthetic ones, so that every class is as frequent as the first."""

from __future__ import annotations

from typing import Any, cast, overload

import polars as pl

from masquerade import frames, spelling
from masquerade.errors import SettingError, TableError, nearest
from masquerade.pictures import LABEL, Pictures
from masquerade.release.picture_augment import PictureModel, altered_copies, as_pictures, levelled
from masquerade.synthesize.base import Synthesizer

__all__ = ["FLAG", "augment"]

FLAG = "synthetic"
"""Name of the flag column."""


@overload
def augment(
    table: Pictures,
    model: PictureModel | None = None,
    balance: str | bool | None = None,
    *,
    flag: bool = False,
    random_state: int | None = None,
    copies: int | None = None,
    preset: str | None = None,
    shift: float | None = None,
    rotate: float | None = None,
    scale: float | None = None,
    crop: float | None = None,
    noise: float | None = None,
    cutout: float | None = None,
    flip: bool | None = None,
) -> Pictures: ...
@overload
def augment(
    table: Any,
    model: Any = None,
    balance: str | bool | None = None,
    *,
    flag: bool = False,
    random_state: int | None = None,
    copies: int | None = None,
    preset: str | None = None,
    shift: float | None = None,
    rotate: float | None = None,
    scale: float | None = None,
    crop: float | None = None,
    noise: float | None = None,
    cutout: float | None = None,
    flip: bool | None = None,
) -> Any: ...
def augment(
    table: Any,
    model: Any = None,
    balance: str | bool | None = None,
    *,
    flag: bool = False,
    random_state: int | None = None,
    copies: int | None = None,
    preset: str | None = None,
    shift: float | None = None,
    rotate: float | None = None,
    scale: float | None = None,
    crop: float | None = None,
    noise: float | None = None,
    cutout: float | None = None,
    flip: bool | None = None,
) -> Any:
    """More training data: classes levelled by a model, or pictures altered a little.

    - `augment(table, model, "y")`: the real rows plus as many synthetic ones as level the classes of a column.
    - `augment(pictures, model)`: the real pictures plus as many drawn ones as level the classes.
    - `augment(pictures)`: the real pictures plus altered copies of them, which keep their labels.

    The result holds real data: it is for training models inside the house, not for release. An altered copy is a real picture,
    whatever was done to it: whoever is on it can be recognised, and no ledger vouches for it. A class of a table that the model
    does not know (fewer rows than its protection threshold) is left as it is.

    Args:
        table: the real table, of the kind and columns that the model was fitted on; or `Pictures`, an array of pictures (n,
            height, width[, 3]), or a pair `(images, labels)`. It is not changed.
        model: a fitted model that can condition on `balance`; None: alter pictures.
        balance: the discrete column, or the label of pictures, whose classes are levelled; of pictures True and None are
            `"label"`.
        flag: whether to add a column `synthetic`, true for new rows; to pictures a label `synthetic` or `altered`, 0 or 1.
        random_state: seed; None: the model's next draw, or a fresh one.
        copies: altered versions of each picture; None: 1.
        preset: what is on the pictures, and so how far they may be altered without becoming something else: `"signs"` (digits,
            letters), `"photos"` (things; mirrored and partly covered too), `"scans"` (medical; gently, never mirrored) or
            `"none"`. None: `"signs"`.
        shift: moved by up to this share of the sides; this and what follows replace a number of the preset, 0 switches it off.
        rotate: turned by up to so many degrees.
        scale: larger or smaller by up to this share.
        crop: up to this share of each side is cut off.
        noise: standard deviation of the noise, as a share of the range from black to white.
        cutout: a square of this share of the shorter side is covered.
        flip: whether half of the copies are mirrored, left to right.

    Returns:
        A frame of the same kind, or `Pictures` (which unpack into images and classes): the real ones first, unchanged, then the
        others; altered copies in the order of their originals, one version after another.

    Raises:
        ConditionError: the model cannot condition on `balance`.
        SettingError: there is no such column, a column named `synthetic` is in the way of the flag, a number is out of its
            range, or settings do not go together.
        TableError: the table's columns are not the model's; pictures without the label, or unlike those of the model.

    >>> table = pl.DataFrame({"x": [1, 2, 3] * 20, "y": ["a"] * 45 + ["b"] * 15})
    >>> from masquerade.synthesize.ctgan import CTGAN
    >>> model = CTGAN(epochs=1, random_state=0).fit(table)
    >>> augment(table, model, "y")["y"].value_counts()["count"].to_list()
    [45, 45]
    >>> import numpy as np
    >>> digits = Pictures(np.zeros((5, 8, 8), np.uint8), {"label": np.arange(5)})
    >>> images, labels = augment(digits, copies=2, rotate=5)
    >>> images.shape, labels.tolist()
    ((15, 8, 8), [0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 0, 1, 2, 3, 4])
    """
    changes = {
        "shift": shift, "rotate": rotate, "scale": scale, "crop": crop, "noise": noise, "cutout": cutout, "flip": flip
    }  # fmt: skip
    stated = [name for name, value in {"copies": copies, "preset": preset, **changes}.items() if value is not None]
    pictures = as_pictures(table)
    if stated and (pictures is None or model is not None):
        why = (
            "it alters pictures, and this is a table" if pictures is None else "a model draws pictures, it alters none"
        )
        raise SettingError(f"{stated[0]}: {why}; leave it out, or call augment once for each.")
    if pictures is None:
        if model is None or not isinstance(balance, str):
            raise SettingError("balance: of a table, give a fitted model and the column whose classes are levelled.")
        return _augment_table(table, model, balance, flag, random_state)
    if model is None:
        if balance:
            raise SettingError("balance: give the model that draws pictures of each class, or leave balance out.")
        return altered_copies(
            pictures,
            preset="signs" if preset is None else preset,
            changes=changes,
            copies=1 if copies is None else copies,
            flag=flag,
            random_state=random_state,
        )
    if balance is False:
        raise SettingError(
            "balance: got False with a model, whose only use here is to level classes; leave the model out."
        )
    label = balance if isinstance(balance, str) else LABEL
    return levelled(pictures, cast(PictureModel, model), balance=label, flag=flag, random_state=random_state)


def _augment_table(table: Any, model: Synthesizer, balance: str, flag: bool, random_state: int | None) -> Any:
    raw, kind = frames.to_polars(table)
    if balance not in raw.columns:
        raise SettingError(f"balance: there is no column {balance!r}{nearest(balance, raw.columns)}.")
    if flag and FLAG in raw.columns:
        raise SettingError(f"flag: the table already has a column {FLAG!r}; rename it, or do without the flag.")
    if set(raw.columns) != set(model.schema_.names):
        raise TableError("table: its columns are not those that the model was fitted on; augment the table of the fit.")
    known = model.codec_.levels(balance)
    counts = _counts(raw, balance, model)
    most = int(counts["len"].max() or 0)  # type: ignore[arg-type]
    wanted = [value for value, count in counts.iter_rows() if value in known for _ in range(most - count)]
    if not wanted:
        made = raw.clear()
    else:
        drawn = model.sample(given=pl.DataFrame({balance: wanted}), random_state=random_state)
        made = frames.to_polars(drawn)[0].select(raw.columns)
    both = pl.concat([raw, made], how="vertical_relaxed")
    if flag:
        both = both.with_columns(pl.Series(FLAG, [False] * raw.height + [True] * made.height))
    return frames.from_polars(both, kind)


def _counts(raw: pl.DataFrame, balance: str, model: Synthesizer) -> pl.DataFrame:
    """Typed values of the column and how many rows have each; missing ones are no class."""
    typed = spelling.parse(raw, model.schema_, strict=False).get_column(balance)
    return typed.drop_nulls().to_frame().group_by(balance, maintain_order=True).len()
