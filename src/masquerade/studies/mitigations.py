"""The curve of privacy against utility of an encoder's mitigations: noise, means of groups of records, fewer codes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from masquerade import frames, seeds
from masquerade.interrupts import whole
from masquerade.judge.codes_attacks import CodesAttack, attack_codes
from masquerade.judge.coding import Coding, judge_codings
from masquerade.judge.panels import Curve, Line, Panel, Rows
from masquerade.release.encode import Encoder

__all__ = ["POINTS", "curve_panel", "refitted"]

NOISES = (0.3, 1.0, 3.0)
MEANS = (2, 5, 20)
WIDTHS = (0.25, 0.1)
"""Points along the curve: standard deviations of noise, rows of a group mean, shares of the inputs."""

POINTS = 1 + len(NOISES) + len(MEANS) + len(WIDTHS)
"""How many there are at most."""

PAIRS = 1_000
ROWS = 12_000
TREES = 100
FOLDS = 5
"""The curve is drawn by a smaller forest, fewer rows and one attacker: its points are to be compared with each other."""

_PLAIN: dict[str, Any] = {"noise": 0.0, "group_means": None, "group_by": None}


@dataclass(frozen=True)
class _Point:
    label: str
    rebuilt: float
    linked: float
    auc: float


def curve_panel(
    table: Any,
    encoder: Encoder,
    inputs: NDArray[np.float32],
    classes: NDArray[np.int64] | None,
    *,
    seed: int,
    told: Callable[[], None],
) -> Panel:
    """Each mitigation's points: how much an attacker rebuilds, and what the forest still reaches.

    Args:
        table: the real records.
        encoder: fitted on them.
        inputs: what the encoder sees of them, shape (rows, inputs).
        classes: what the forest predicts, shape (rows,); None: nothing.
        seed: of every draw.
        told: called after each point.
    """
    rows = seeds.stream(seed, "curve").permutation(len(inputs))[:ROWS]
    pairs = PAIRS if len(rows) >= 2 * PAIRS else max(len(rows) // 4, 20)

    def point(label: str, model: Encoder) -> _Point:
        codes = frames.to_polars(model.transform(table))[0].select(model.codes_).to_numpy()[rows].astype(np.float64)
        attack = attack_codes(
            inputs[rows].astype(np.float64), codes, known=(pairs,), seed=seeds.integer(seed, "attack")
        )
        auc = float("nan") if classes is None else _auc(Coding(codes, model.codes_), classes[rows], seed)
        told()
        return _Point(label, *_figures(attack, pairs), auc)

    plain = point("as it is", _changed(encoder, _PLAIN))
    lines = {
        "noise": [point(f"noise {value:g}", _changed(encoder, {**_PLAIN, "noise": value})) for value in NOISES],
        "group_means": [
            point(f"group_means {value}", _changed(encoder, {**_PLAIN, "group_means": value}))
            for value in MEANS
            if value <= len(inputs)
        ],
        "width": [point(f"width {value:g}", refitted(encoder, table, seed, **_PLAIN, width=value)) for value in WIDTHS],
    }
    return _panel(plain, lines, pairs, judged=classes is not None)


def refitted(encoder: Encoder, table: Any, seed: int, **changes: Any) -> Encoder:
    """The encoder with other settings, fitted on the same rows; silent."""
    settings = {**encoder.get_params(), **changes, "verbose": False, "callbacks": ()}
    if settings["random_state"] is None:
        settings["random_state"] = seeds.integer(seed, "refit")
    return whole(Encoder(**settings).fit(table, schema=encoder.schema_))


def _changed(encoder: Encoder, settings: Mapping[str, Any]) -> Encoder:
    """The same fitted encoder, releasing with other settings; silent."""
    changed = Encoder(**{**encoder.get_params(), **settings, "verbose": False, "callbacks": ()})
    vars(changed).update({name: value for name, value in vars(encoder).items() if name not in changed.get_params()})
    return changed


def _auc(coding: Coding, classes: NDArray[np.int64], seed: int) -> float:
    found = judge_codings({"codes": coding}, classes, trees=TREES, folds=FOLDS, repeats=0, seed=seed)
    return found["codes"].test["roc_auc"].value


def _figures(attack: CodesAttack, pairs: int) -> tuple[float, float]:
    return attack.reconstruction_r2[str(pairs)][0], attack.linkage_top1[str(pairs)][0]


def _panel(plain: _Point, lines: Mapping[str, list[_Point]], pairs: int, *, judged: bool) -> Panel:
    drawn = []
    for name, points in lines.items():
        way = [plain, *points]
        worth = tuple(point.auc if judged else point.linked for point in way)
        drawn.append(Line(name, tuple(point.rebuilt for point in way), worth, tuple(point.label for point in way)))
    every = [plain, *(point for points in lines.values() for point in points)]
    table = tuple(
        (point.label, f"{point.rebuilt:.3f}", f"{point.linked:.3f}", *([f"{point.auc:.3f}"] if judged else []))
        for point in every
    )
    note = f"What an attacker with {pairs:,} known pairs of record and code rebuilds, and whom he finds again"
    if judged:
        note += (
            f"; what a forest of {TREES} trees still reaches on {FOLDS} folds. Good settings lie to the upper left: little is "
            "rebuilt, much is predicted"
        )
    header = ("setting", "reconstruction_r2", "linkage_top1", *(["roc_auc"] if judged else []))
    chart = Curve("reconstruction_r2", "roc_auc" if judged else "linkage_top1", tuple(drawn))
    return Panel("What makes the codes safer, and what it costs", note + ".", chart=chart, table=Rows(header, table))
