"""The pictures of a report about pictures: released ones by class, the balance of classes, nearness, training.

Real pictures are private: none is shown, but for the neighbours that the owner asks for.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from masquerade.judge.panels import Bars, Curve, Line, Panel, Rows, Strip
from masquerade.judge.picture_intake import PictureSets
from masquerade.judge.picture_privacy import Neighbours
from masquerade.picturing.decoding import encode
from masquerade.picturing.sheet import contact_sheet

__all__ = ["balance_panel", "nearness_panel", "neighbours_panel", "released_panel", "training_panel"]

_ACROSS = 12  # pictures in a strip
_STRIPS = 20
_BINS = 40


def released_panel(sets: PictureSets, seed: int) -> Panel:
    """Random released pictures, a strip for each class."""
    released = sets.released
    chosen = released.sample(4 * _ACROSS * max(len(sets.names), 4), seed, "shown")
    if released.classes is None or chosen.classes is None:
        images = chosen.images[: 4 * _ACROSS]
        strips = [
            Strip("" if start else "released", _png(images[start : start + _ACROSS]))
            for start in range(0, len(images), _ACROSS)
        ]
        return Panel(
            "Released pictures", f"{len(images)} of {released.count:,}, chosen at random.", strips=tuple(strips)
        )
    strips = []
    there = np.unique(released.classes)
    for number in there[:_STRIPS]:
        images = released.images[np.flatnonzero(released.classes == number)]
        random = np.random.default_rng([seed, int(number)])
        strips.append(Strip(str(sets.names[number]), _png(images[np.sort(random.permutation(len(images))[:_ACROSS])])))
    more = f" The first {_STRIPS} of {len(there)} classes are shown." if len(there) > _STRIPS else ""
    note = (
        f"Up to {_ACROSS} of each class, chosen at random from {released.count:,}. Real pictures are not shown.{more}"
    )
    return Panel("Released pictures", note, strips=tuple(strips))


def balance_panel(sets: PictureSets, protect: int) -> Panel | None:
    """The share of each class, real and released; classes with fewer than `protect` real pictures are shown as one."""
    real, released = sets.real, sets.released
    if real.shares is None or released.shares is None:
        return None
    counts = np.rint(real.shares * real.count)
    shown = np.flatnonzero(counts >= max(protect, 1))
    shown = shown[np.argsort(-real.shares[shown], kind="stable")[:_STRIPS]]
    if len(shown) == len(counts):
        shown = np.sort(shown)
    rest = np.setdiff1d(np.arange(len(counts)), shown)
    names = [str(sets.names[number]) for number in shown] + (["all others"] if len(rest) else [])
    sides: list[list[float]] = []
    for shares in (real.shares, released.shares):
        sides.append([float(shares[number]) for number in shown] + ([float(shares[rest].sum())] if len(rest) else []))
    if len(rest) and counts[rest].sum() < protect:  # too few to say how many
        names.pop()
        for side in sides:
            side.pop()
    if not names:
        return None
    pairs = [
        (name, group, share)
        for name, mine, other in zip(names, *sides, strict=True)
        for group, share in (("real", mine), ("released", other))
    ]
    chart = Bars(
        "share of pictures",
        tuple(name if group == "real" else "" for name, group, _ in pairs),
        tuple(share for _, _, share in pairs),
        tuple(group for _, group, _ in pairs),
    )
    header = ("class", "real", "released")
    rows = tuple((name, f"{mine:.2%}", f"{other:.2%}") for name, mine, other in zip(names, *sides, strict=True))
    note = f"How frequent each class is. No class here stands for fewer than {max(protect, 1)} real pictures."
    return Panel("Balance of classes", note, chart=chart, table=Rows(header, rows))


def nearness_panel(near: Neighbours, protect: int) -> Panel | None:
    """How far released pictures are from the nearest real ones, as cumulative shares; None where there are too few."""
    sides = {"to pictures that trained": near.to_train, "to pictures held back": near.to_holdout}
    least = max(protect, 10)
    count = len(near.to_train)
    bins = min(_BINS, count // least)
    if bins < 2:
        return None
    edges = np.quantile(np.concatenate(list(sides.values())), np.linspace(0, 1, bins + 1))[1:-1]
    lines = []
    for name, apart in sides.items():
        below = np.searchsorted(np.sort(apart), edges, side="right")
        kept = (below >= least) & (below <= count - least)
        lines.append(Line(name, tuple(edges[kept].tolist()), tuple((below[kept] / count).tolist())))
    if any(len(line.x) < 2 for line in lines):
        return None
    note = (
        "How far each released picture is from its nearest real one, as the root of the mean squared difference of pixels (0 "
        "to 255). Where the release has learnt what such pictures look like and not these very ones, the curves lie on each "
        "other; where that of the pictures that trained is higher, they are nearer than chance explains. A smoke test, no "
        "guarantee."
    )
    return Panel("Nearest real pictures", note, chart=Curve("distance", "share of released pictures", tuple(lines)))


def neighbours_panel(near: Neighbours) -> Panel:
    """The released pictures that are nearest to one that trained, above that one: real pictures, for their owner alone."""
    images, train = near.released.images, near.train.images
    closer = np.divide(near.to_train, near.to_holdout, out=np.ones_like(near.to_train), where=near.to_holdout > 0)
    order = np.argsort(closer, kind="stable")[:_ACROSS]
    apart = ", ".join(f"{near.to_train[place]:.1f}" for place in order)
    strips = Strip("released", _png(images[order])), Strip("REAL, trained", _png(train[near.index[order]]))
    note = (
        "The lower strip shows real pictures of the private set. Above each is a released picture that comes suspiciously "
        "near to it: those for which a picture that trained is nearest in proportion to one that did not. Are any two the "
        f"same? Distances by pixels: {apart}."
    )
    return Panel("Nearest training pictures", note, strips=strips, owner_only=True)


def training_panel(history: Sequence[Mapping[str, float]]) -> Panel | None:
    """Losses and scores epoch by epoch, as `history_` of a model has them; None of fewer than two epochs, and of a private
    model, which tells steps and ε alone.

    >>> training_panel([{"epoch": 1, "seconds": 1.0, "loss": 0.7}, {"epoch": 2, "seconds": 2.0, "loss": 0.5}]).chart.lines[0].y
    (0.7, 0.5)
    """
    history = [epoch for epoch in history if "epoch" in epoch]
    names = list(dict.fromkeys(name for epoch in history for name in epoch if name not in ("epoch", "seconds")))
    lines = []
    for name in names:
        points = [(float(at["epoch"]), float(at[name])) for at in history if name in at and np.isfinite(at[name])]
        if len(points) > 1:
            lines.append(Line(name, tuple(x for x, _ in points), tuple(y for _, y in points)))
    if not lines:
        return None
    return Panel("Training", "What the model logged after each epoch.", chart=Curve("epoch", "value", tuple(lines)))


def _png(images: NDArray[np.uint8]) -> str:
    """Pictures side by side as the address of a PNG."""
    sheet: NDArray[Any] = contact_sheet(images, columns=_ACROSS if len(images) >= _ACROSS else len(images))
    return "data:image/png;base64," + base64.b64encode(encode(sheet)).decode("ascii")
