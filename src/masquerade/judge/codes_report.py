"""A report on codes: what they still teach, and what attackers rebuild and find from them."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from masquerade import seeds
from masquerade.errors import SettingError, TableError
from masquerade.judge.attribute import attribute_attacks
from masquerade.judge.codes_attacks import CodesAttack, attack_codes
from masquerade.judge.coding import MEASURES, Coding, forest_panel, judge_codings
from masquerade.judge.figures import Outcome
from masquerade.judge.intake import warn
from masquerade.judge.models import Features
from masquerade.judge.panels import Bars, Panel, Rows
from masquerade.judge.parts import Parts
from masquerade.judge.report import Report
from masquerade.judge.scores import Score
from masquerade.judge.tables import ROW_LIMIT, Side, Tables, as_numbers, tabulate
from masquerade.judge.workers import one_thread
from masquerade.progress import Callback
from masquerade.schema import Schema

__all__ = ["code_features", "codes_outcome", "judge_codes", "refuse_for_codes"]

FOLDS = 10
"""Of the forest's cross-validation."""

MOST_CLASSES = 50
"""A target with more is not judged."""


def refuse_for_codes(*, holdout: Any, dependencies: Any, keep: Sequence[str], aligned: bool | None) -> None:
    """Refuse settings that would have no effect on a report about codes."""
    if holdout is not None:
        raise SettingError("holdout: codes are judged by cross-validation on the rows they stand for; leave it out.")
    if dependencies is not None:
        raise SettingError("dependencies: codes are not drawn from one another; leave it out.")
    if keep:
        raise SettingError("keep: attackers are judged on the codes alone; leave it out.")
    if aligned is False:
        raise SettingError("aligned: a code stands for the record of its row; expected True, or leave it out.")


def judge_codes(
    real: pl.DataFrame,
    released: pl.DataFrame,
    schema: Schema,
    target: str | None,
    secrets: Sequence[str],
    ledger: Mapping[str, Any],
    seed: int,
    callback: Callback | None,
) -> Report:
    """Judge codes beside the records they stand for.

    Args:
        real: the records, typed.
        released: numeric code columns, row by row, beside columns of the real table that were kept.
        schema: of the real table.
        target: what analysts predict from codes; no code's input.
        secrets: columns that attackers try to guess.
        ledger: what was guaranteed.
        seed: of every draw.
        callback: told how far it is.

    Raises:
        TableError: no code columns, a code that is no number, or different numbers of rows.
    """
    start = time.monotonic()
    codes = _codes(released, schema, real.height)
    parts = Parts(callback, start, total=2 + len(secrets) + (2 * FOLDS if target is not None else 0))
    chosen = np.sort(seeds.stream(seed, "codes").permutation(real.height)[:ROW_LIMIT])
    real, codes = real[chosen], codes[chosen]
    tables = tabulate(schema, real, real, None)
    parts.done("coding")
    names = tuple(name for name in released.columns if name not in schema)
    with one_thread():
        features = code_features(tables, target)
        outcomes = [codes_outcome(attack_codes(features, codes, seed=seed))]
        parts.done("codes")
        if target is not None:
            codings = {"raw": Coding(features, _numbered(features)), "codes": Coding(codes, names)}
            outcomes.append(_worth(codings, real.get_column(target), seed, parts))
        if secrets:
            empty = np.empty((len(codes), 0), np.int64)
            side = Side(codes, empty)
            given = Tables(names, (), (), (False,) * len(names), (), (), side, side, None)
            outcomes.append(attribute_attacks(tables, given, secrets, (), aligned=True, seed=seed, tick=parts.done))
    parts.finish()
    return Report(
        scores={name: score for outcome in outcomes for name, score in outcome.scores.items()},
        attacks={name: found for outcome in outcomes for name, found in outcome.attacks.items()},
        ledger=ledger,
        rows={"real": real.height, "released": released.height, "holdout": 0},
        seconds=time.monotonic() - start,
        facts={
            "target": target,
            "panels": [panel for outcome in outcomes for panel in outcome.facts.get("panels", [])],
        },
    )


def _worth(codings: Mapping[str, Coding], target: pl.Series, seed: int, parts: Parts) -> Outcome:
    """The forest on the raw features and on the codes, on rows that have a target with few classes."""
    there = target.is_not_null().to_numpy()
    words = target.drop_nulls().cast(pl.String).rank("dense").cast(pl.Int64).to_numpy()
    kept = {name: Coding(coding.values[there], coding.names) for name, coding in codings.items()}
    counts = np.unique(words, return_counts=True)[1]
    if not 2 <= len(counts) <= MOST_CLASSES or counts.min() < 2:
        warn(
            f"target: column {target.name!r} has no classes, or too many or too rare ones, for a forest; utility is left out."
        )
        return Outcome()
    found = judge_codings(kept, words, folds=FOLDS, repeats=0, seed=seed, told=lambda done, total: parts.done("forest"))
    scores = {}
    for measure in MEASURES:
        raw, own = (found[name].test[measure] for name in ("raw", "codes"))
        scores[measure] = Score(
            measure,
            own.value,
            "higher",
            interval=own.interval,
            ceiling=raw.value,
            meaning=f"Of a forest of shallow trees on the codes, in {FOLDS} folds; the ceiling: on the raw features.",
        )
    return Outcome(scores=scores, facts={"panels": [forest_panel(found).to_dict()]})


def _numbered(features: NDArray[np.float64]) -> tuple[str, ...]:
    return tuple(f"input_{place}" for place in range(features.shape[1]))


def code_features(tables: Tables, target: str | None) -> NDArray[np.float64]:
    """The records as a code's inputs: standardised numbers, missing at the mean with a flag, one column for each level.

    Args:
        tables: the coded records.
        target: a column to leave out, or None.
    """
    numeric = [j for j, name in enumerate(tables.numeric) if name != target]
    discrete = [j for j, name in enumerate(tables.discrete) if name != target]
    return Features.of(tables.real, numeric, discrete, tables.sizes).linear(tables.real)


def codes_outcome(attack: CodesAttack) -> Outcome:
    """The scores, the attacks and the panel of an attack on codes.

    The scores are those of the attacker with the most known pairs; the encoder's own figures stand beside them in the panel.
    """
    most = max((int(name) for name in attack.linkage_top1 if name != "encoder"), default=None)
    name = "encoder" if most is None else str(most)
    known = "the encoder" if most is None else f"{most:,} known pairs of record and code"
    rebuilt, linked = attack.reconstruction_r2[name], attack.linkage_top1[name]
    scores = [
        Score(
            "reconstruction_r2",
            rebuilt[0],
            "lower",
            interval=rebuilt[1],
            ceiling=0.0,
            meaning=f"Share of the variance of unseen records that an attacker with {known} rebuilds from their codes.",
        ),
        Score(
            "linkage_top1",
            linked[0],
            "lower",
            interval=linked[1],
            ceiling=1.0 / attack.candidates,
            meaning=f"How often an attacker with {known} finds whose code it is among {attack.candidates:,} people whose "
            "records they hold; the ceiling is guessing at random.",
        ),
    ]
    return Outcome(
        scores={score.name: score for score in scores},
        attacks={"codes": attack.to_dict()},
        facts={"panels": [codes_panel(attack).to_dict()]},
    )


def codes_panel(attack: CodesAttack) -> Panel:
    """What attackers with more and more knowledge find, as a picture and a table."""
    pairs = [name for name in attack.linkage_top1 if name != "encoder"]
    every = list(attack.linkage_top1)
    bars = [
        (_knowledge(key), words, found[key])
        for words, found in (
            ("variance rebuilt", attack.reconstruction_r2),
            (f"re-linked among {attack.candidates:,}", attack.linkage_top1),
        )
        for key in every
    ]
    chart = Bars(
        "share",
        tuple(name for name, _, _ in bars),
        tuple(value for _, _, (value, _) in bars),
        tuple(words for _, words, _ in bars),
        tuple(0.0 if ends is None else (ends[1] - ends[0]) / 2 for _, _, (_, ends) in bars),
    )
    rows = tuple(
        (_knowledge(key), _share(attack.reconstruction_r2[key]), _share(attack.linkage_top1[key])) for key in every
    )
    best = max((attack.linkage_top1[key][0] for key in pairs), default=attack.linkage_top1[every[0]][0])
    note = (
        "Codes are pseudonyms, not anonymous: whoever learns whose code some of them are can learn what the others mean. "
        "Turning or scaling the codes by a secret key changes nothing of this. "
        f"With known pairs the best attacker here re-links {best:.1%} of {attack.candidates:,} people; guessing links "
        f"{1 / attack.candidates:.2%}."
    )
    return Panel(
        "What codes give away",
        note,
        chart,
        Rows(("the attacker knows", "rebuilt (R²)", f"re-linked among {attack.candidates:,}"), rows),
    )


def _knowledge(key: str) -> str:
    if key == "encoder":
        return "the encoder"
    return "no pair" if key == "0" else f"{int(key):,} pairs"


def _share(found: tuple[float, tuple[float, float] | None]) -> str:
    value, interval = found
    return f"{value:.1%}" if interval is None else f"{value:.1%} ({interval[0]:.1%} to {interval[1]:.1%})"


def _codes(released: pl.DataFrame, schema: Schema, rows: int) -> NDArray[np.float64]:
    """The code columns as numbers, shape (rows, codes)."""
    names = [name for name in released.columns if name not in schema]
    if not names:
        raise TableError("released: no code column, expected columns that are not the real table's, such as 'code_0'.")
    if released.height != rows:
        raise TableError(
            f"released: {released.height} rows of codes, expected {rows}, one for each real row, in its order."
        )
    columns = []
    for name in names:
        values = released.get_column(name)
        if values.dtype == pl.String:  # as a CSV holds them
            values = values.cast(pl.Float64, strict=False)
        if not values.dtype.is_numeric():
            raise TableError(f"released: column {name!r} is {values.dtype}, expected codes, which are numbers.")
        numbers = as_numbers(values)
        gaps = int(np.isnan(numbers).sum())
        if gaps:
            raise TableError(
                f"released: column {name!r} has {gaps} cells without a number, expected a code in every row."
            )
        columns.append(numbers)
    return np.stack(columns, axis=1)
