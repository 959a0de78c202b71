"""What kept quasi-identifiers leave open: how many records are alike, and what is learned of somebody once found among them.

Records that agree in all quasi-identifiers form a class. Three published measures look at the weakest class:

- *k-anonymity* (Samarati 2001; Sweeney 2002, doi 10.1142/S0218488502001648): how many records it has.
- *l-diversity* (Machanavajjhala et al. 2007, doi 10.1145/1217299.1217302), the distinct form: how many values of a secret.
- *t-closeness* (Li, Li and Venkatasubramanian 2007, doi 10.1109/ICDE.2007.367856): how far its distribution of a secret lies
  from the whole table's, as an earth mover's distance (equal for categories, ordered for numbers).

They are facts about a table, not a guarantee: somebody who knows more than the quasi-identifiers finds more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from masquerade.judge.panels import Bars, Panel, Rows
from masquerade.judge.scores import Score

__all__ = ["Kept", "kept"]

STEPS = 20
"""Numbers with more different values are put into so many bins of equal count before t-closeness is measured."""
_SIZES = ((1, 1), (2, 4), (5, 9), (10, 19), (20, 49), (50, 199), (200, None))
_BATCH = 200_000


@dataclass(frozen=True)
class Kept:
    """What was found.

    Args:
        scores: `k_anonymity`, `l_diversity` and `t_closeness` by name; the last two only with a secret.
        unique: share of records that nobody shares the quasi-identifiers with.
        panel: the same in words, a chart and a table.
    """

    scores: dict[str, Score]
    unique: float
    panel: Panel


def kept(typed: pl.DataFrame, quasi: Sequence[str], secrets: Sequence[str] = ()) -> Kept:
    """Measure the classes of records that are alike in quasi-identifiers.

    Args:
        typed: the released table, shape (rows, columns), at least one row; a missing cell is a value like another.
        quasi: columns that somebody may know of a person, at least one.
        secrets: columns that they want to learn; ids and free text tell nothing here and should be left out.

    >>> table = pl.DataFrame({"age": [30, 30, 40, 40], "ill": ["a", "b", "a", "a"]})
    >>> found = kept(table, ["age"], ["ill"])
    >>> [(score.name, score.value) for score in found.scores.values()]
    [('k_anonymity', 2.0), ('l_diversity', 1.0), ('t_closeness', 0.25)]
    """
    sizes = typed.group_by(list(quasi)).len("rows")["rows"].to_numpy()
    classes = typed.select(pl.struct(list(quasi)).rank("dense").alias("class"))["class"].to_numpy().astype(np.int64) - 1
    known = _listed(quasi)
    least = int(sizes.min())
    scores = {
        "k_anonymity": Score(
            "k_anonymity", float(least), "higher", meaning=f"Records in the smallest group that agrees in {known}."
        )
    }
    rows = []
    diversities, distances = [], []
    for secret in secrets:
        codes = _codes(typed.get_column(secret))
        diversity = _diversity(classes, codes)
        distance = _distance(classes, codes, ordered=typed.get_column(secret).dtype.is_numeric())
        diversities.append(diversity)
        distances.append(distance)
        rows.append((secret, f"{diversity:,}", f"{distance:.3f}"))
    if secrets:
        scores["l_diversity"] = Score(
            "l_diversity",
            float(min(diversities)),
            "higher",
            meaning=f"Different values of a secret in the poorest group that agrees in {known}; 1 gives the value away.",
        )
        scores["t_closeness"] = Score(
            "t_closeness",
            float(max(distances)),
            "lower",
            meaning="How far a secret's distribution in one group lies from the whole table's: 0 alike, 1 as far as can be.",
        )
    unique = float((sizes == 1).sum() / typed.height)
    return Kept(scores, unique, _panel(typed.height, sizes, quasi, unique, rows))


def _panel(
    rows: int, sizes: NDArray[np.integer], quasi: Sequence[str], unique: float, secrets: list[tuple[str, str, str]]
) -> Panel:
    names, shares = [], []
    for low, high in _SIZES:
        inside = sizes[(sizes >= low) & (sizes <= (high or np.inf))]
        names.append("alone" if high == 1 else f"{low}+" if high is None else f"{low} to {high}")
        shares.append(float(10 * round(inside.sum() / 10) / rows))
    note = (
        f"Of the records, {_share(unique)} stand alone in {_listed(quasi)}: whoever knows these of a person finds the "
        "record, and what is kept of it is an open book. Hiding other columns does not change this. Generalise (age in "
        "bands, postcode shortened) or mask what is kept to make groups larger. The smallest group, the poorest and the "
        "farthest are facts about this table, not a guarantee. Bars count records in tens."
    )
    table = Rows(("secret", "fewest different values", "farthest distribution"), tuple(secrets)) if secrets else None
    return Panel("What the kept columns leave open", note, Bars("share of records", tuple(names), tuple(shares)), table)


def _share(share: float) -> str:
    return "none" if share == 0 else "fewer than 0.1 %" if share < 0.001 else f"{share:.1%}".replace("%", " %")


def _listed(names: Sequence[str]) -> str:
    shown = [str(name) for name in names[:5]]
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return ", ".join(shown) + more


def _codes(values: pl.Series) -> NDArray[np.int64]:
    """A code from 0 for each value, in order; missing is the last."""
    codes = values.rank("dense").cast(pl.Int64) - 1
    most = codes.max()
    return codes.fill_null(0 if most is None else int(most) + 1).to_numpy()  # type: ignore[arg-type]


def _diversity(classes: NDArray[np.int64], codes: NDArray[np.int64]) -> int:
    """The fewest different codes in any class."""
    pairs = pl.DataFrame({"class": classes, "code": codes}).unique()
    return int(pairs.group_by("class").len("codes")["codes"].min())  # type: ignore[arg-type]


def _distance(classes: NDArray[np.int64], codes: NDArray[np.int64], *, ordered: bool) -> float:
    """The greatest earth mover's distance between a class's distribution of codes and the whole table's.

    For categories it is the total variation distance, for ordered codes the mean gap of the cumulative distributions (Li 2007,
    section 5).
    """
    if ordered and codes.max() >= STEPS:
        edges = np.unique(np.quantile(codes, np.linspace(0, 1, STEPS + 1)[1:-1], method="inverted_cdf"))
        codes = np.searchsorted(edges, codes, side="left")
    size = int(codes.max()) + 1
    if size == 1:
        return 0.0
    whole = np.bincount(codes, minlength=size) / codes.size
    if not ordered:
        return _variation(classes, codes, whole)
    worst, order = 0.0, np.argsort(classes, kind="stable")
    classes, codes = classes[order], codes[order]
    count = int(classes[-1]) + 1
    for start in range(0, count, _BATCH // size + 1):
        stop = min(start + _BATCH // size + 1, count)
        low, high = np.searchsorted(classes, (start, stop))
        flat = (classes[low:high] - start) * size + codes[low:high]
        table = np.bincount(flat, minlength=(stop - start) * size).reshape(stop - start, size).astype(np.float64)
        table /= table.sum(axis=1, keepdims=True)
        gaps = np.abs(np.cumsum(table - whole, axis=1)[:, :-1]).sum(axis=1) / (size - 1)
        worst = max(worst, float(gaps.max()))
    return worst


def _variation(classes: NDArray[np.int64], codes: NDArray[np.int64], whole: NDArray[np.float64]) -> float:
    """½ Σ|p − q| for each class, from its own codes alone: those that it lacks add their whole share."""
    own = pl.DataFrame({"class": classes, "code": codes}).group_by("class", "code").len("rows")
    shares = own.with_columns(
        (pl.col("rows") / pl.col("rows").sum().over("class")).alias("own"),
        pl.Series("whole", whole[own["code"].to_numpy()]),
    )
    gaps = shares.group_by("class").agg(
        ((pl.col("own") - pl.col("whole")).abs().sum() + 1 - pl.col("whole").sum()).alias("gap") / 2
    )
    return float(gaps["gap"].max())  # type: ignore[arg-type]
