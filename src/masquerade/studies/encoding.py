"""What codes are worth and what they give away: the forest on raw features and on codes, and the attacks."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from masquerade import frames, seeds
from masquerade.errors import SettingError, TableError
from masquerade.judge.attacks import LEAST_ROWS, AttributeFinding
from masquerade.judge.codes_attacks import CodesAttack, attack_codes
from masquerade.judge.coding import Coding, Forest, forest_panel, importance_panel, judge_codings
from masquerade.judge.panels import Panel
from masquerade.judge.report import Report
from masquerade.judge.scores import Score
from masquerade.privacy.ledger import Ledger
from masquerade.progress import Callback, Progress
from masquerade.release.encode import Encoder
from masquerade.schema import Schema
from masquerade.studies.encoding_panels import (
    GROUPS,
    RAW,
    WHOLE,
    attack_panel,
    drivers_panel,
    honest,
    scores_of,
    secrets_panel,
)
from masquerade.studies.mitigations import POINTS, curve_panel, refitted
from masquerade.studies.secrets_in_codes import guessed, secrets_of, typed_column

__all__ = ["Study", "check_judgeable", "encoding"]

MOST_CLASSES = 50

_ATTACKS, _SECRET = 8, 4
"""How long the attacks take, in forests."""


@dataclass(frozen=True)
class Study:
    """What was found.

    Args:
        scores: of the release: the four measures (their ceiling is the raw features'), the same for each kind of features under
            `NAME_raw`, `NAME_whole`, `NAME_groups`; `reconstruction_r2` and `linkage_top1` by the attacker with most pairs;
            `attribute_auc` of the secret that is guessed best, where there are any.
        forests: by kind of features; empty without a target.
        attack: on the released codes.
        secrets: by secret column, what fresh attackers find in the codes, and in the other columns as they are.
        panels: for the report.
        ledger: the encoder's, with the honest sentence in this run's figures.
        rows: how many were judged.
        seconds: how long it took.
    """

    scores: Mapping[str, Score]
    forests: Mapping[str, Forest]
    attack: CodesAttack
    secrets: Mapping[str, tuple[AttributeFinding, AttributeFinding]]
    panels: tuple[Panel, ...]
    ledger: Ledger
    rows: int
    seconds: float

    @property
    def sentence(self) -> str:
        """The honest one."""
        return str(self.ledger.protections["pseudonymous"])

    def report(self) -> Report:
        """The report of the encoding."""
        found: dict[str, Any] = {"codes": self.attack.to_dict()}
        if self.forests:
            found["forest"] = {name: forest.to_dict() for name, forest in self.forests.items()}
        if self.secrets:
            found["attribute"] = {
                name: {"codes": coded.to_dict(), "other columns": left_out.to_dict()}
                for name, (coded, left_out) in self.secrets.items()
            }
        return Report(
            scores=self.scores,
            attacks=found,
            ledger=self.ledger.to_dict(),
            rows={"real": self.rows, "released": self.rows, "holdout": 0},
            seconds=self.seconds,
            facts={"panels": [panel.to_dict() for panel in self.panels]},
        )


def encoding(
    table: Any,
    encoder: Encoder,
    codes: Any,
    *,
    target: str | None = None,
    sensitive: Sequence[str] = (),
    trees: int = 500,
    folds: int = 10,
    curve: bool = True,
    seed: int = 0,
    callback: Callback | None = None,
) -> Study:
    """Judge a release of codes.

    Args:
        table: the real records.
        encoder: fitted on them (or on others).
        codes: what `encoder.transform(table)` gave: the release.
        target: the column that the forest predicts, of few classes, not encoded; None: only the attacks are run.
        sensitive: columns that attackers guess from the codes, besides those that the encoder hides or the schema marks.
        trees: of each forest.
        folds: of the cross-validation.
        curve: whether to measure the mitigations' curve of privacy against utility.
        seed: of every draw.
        callback: told how far it is.

    Raises:
        SettingError: the target is a number, or is itself encoded.
        TableError: fewer than 100 rows, or a target with one class.

    >>> import polars as pl
    >>> random = np.random.default_rng(0)
    >>> table = pl.DataFrame({"a": random.normal(size=300), "b": random.normal(size=300)})
    >>> table = table.with_columns(c=pl.col("a") + pl.col("b"), y=(pl.col("a") > 0).cast(pl.Int8))
    >>> encoder = Encoder(width=2, epochs=5, target="y", random_state=0)
    >>> study = encoding(table, encoder, encoder.fit_transform(table), target="y", trees=10, folds=2, curve=False)
    >>> sorted(study.forests)
    ['raw', 'whole']
    """
    inputs = encoder.inputs(table)
    released = _codes_of(encoder, codes)
    if target is not None and target in encoder.features_.places:
        raise SettingError(
            f"target: {target!r} was encoded itself, so the codes would tell it; use Encoder(target={target!r})."
        )
    check_judgeable(table, encoder.schema_, target)
    classes = None if target is None else _classes(table, encoder.schema_, target)
    wanted = secrets_of(encoder.schema_, [*encoder.hide, *sensitive], target)
    kinds = 0 if target is None else 2 + (encoder.groups is not None)
    bar = _Bar(callback, kinds * folds + _ATTACKS + _SECRET * len(wanted) + (POINTS if curve else 0))
    forests: dict[str, Forest] = {}
    last: list[Panel] = []
    panels: list[Panel] = []
    if classes is not None:
        codings = _codings(table, encoder, inputs, released, seed)
        forests = judge_codings(
            codings, classes, trees=trees, folds=folds, seed=seed, told=lambda done, _: bar.reach(done)
        )
        bar.reach(kinds * folds)
        panels.append(forest_panel(forests))
        last = [importance_panel(name, coding, forests[name]) for name, coding in codings.items()]
    attack = attack_codes(
        inputs.astype(np.float64),
        released.astype(np.float64),
        encoder=lambda rows: encoder.encode(rows.astype(np.float32)),
        seed=seeds.integer(seed, "attack"),
    )
    bar.add(_ATTACKS)
    ledger = dataclasses.replace(
        encoder.ledger_,
        protections={**encoder.ledger_.protections, "pseudonymous": honest(attack, released.shape[1])},
    )
    panels.insert(0, attack_panel(attack, ledger.protections["pseudonymous"]))
    secrets = {}
    for name in wanted:
        secrets[name] = guessed(table, encoder, inputs, released, name, seed)
        bar.add(_SECRET)
    if secrets:
        panels.insert(1, secrets_panel(secrets))
    if curve:
        panels.append(curve_panel(table, encoder, inputs, classes, seed=seed, told=lambda: bar.add(1)))
    panels += [*last, drivers_panel(encoder, table)]
    scores = scores_of(forests, attack, secrets, GROUPS if encoder.groups is not None else WHOLE)
    return Study(scores, forests, attack, secrets, tuple(panels), ledger, len(released), bar.finish())


class _Bar:
    """How far the study is, in forests."""

    def __init__(self, callback: Callback | None, total: int) -> None:
        self._began, self._callback, self._done, self._total = time.monotonic(), callback, 0, total

    def add(self, count: int) -> None:
        self.reach(self._done + count)

    def reach(self, done: int, *, finished: bool = False) -> None:
        self._done = min(done, self._total)
        if self._callback is not None:
            seconds = time.monotonic() - self._began
            self._callback(Progress("evaluate", self._done, self._total, seconds, finished=finished))

    def finish(self) -> float:
        self.reach(self._total, finished=True)
        return time.monotonic() - self._began


def check_judgeable(table: Any, schema: Schema, target: str | None) -> None:
    """Refuse a table, or a target, that no report can be made of: quick, and before any training.

    Args:
        table: the real records.
        schema: their columns.
        target: what the forest is to predict; None: nothing.

    Raises:
        TableError: fewer than 100 rows, or a target with one class, or with one row of a class.
        SettingError: the target has too many values to be classes.
    """
    rows = frames.to_polars(table)[0].height
    if rows < LEAST_ROWS:
        raise TableError(f"table: {rows} rows are too few for a report on codes, expected at least {LEAST_ROWS}.")
    if target is not None:
        _classes(table, schema, target)


def _classes(table: Any, schema: Schema, target: str) -> NDArray[np.int64]:
    """The class of each row, from 0; a missing one is a class of its own."""
    if schema[target].kind not in ("categorical", "boolean", "integer"):
        raise SettingError(f"target: column {target!r} is {schema[target].kind}, expected one with few classes.")
    words = typed_column(table, schema, target).cast(pl.String).fill_null("")
    found = words.rank("dense").cast(pl.Int64).to_numpy() - 1
    sizes = np.bincount(found)
    if len(sizes) > MOST_CLASSES:
        raise SettingError(
            f"target: column {target!r} has {len(sizes)} values, expected at most {MOST_CLASSES} classes."
        )
    if len(sizes) < 2 or sizes.min() < 2:
        raise TableError(
            f"target: column {target!r} needs at least two classes of two rows or more, to be told apart by a model."
        )
    return np.asarray(found, np.int64)


def _codes_of(encoder: Encoder, codes: Any) -> NDArray[np.float32]:
    found: NDArray[np.float32] = frames.to_polars(codes)[0].select(encoder.codes_).to_numpy().astype(np.float32)
    return found


def _codings(
    table: Any, encoder: Encoder, inputs: NDArray[np.float32], released: NDArray[np.float32], seed: int
) -> dict[str, Coding]:
    """The raw features, codes of the whole table, and codes by groups where there are any."""
    names = encoder.features_.names
    if encoder.groups is None:
        return {RAW: Coding(inputs, names), WHOLE: Coding(released, encoder.codes_)}
    group_of = {column: group for group, columns in encoder.groups.items() for column in columns}
    colours = tuple(group_of[column.name] for column in encoder.features_.columns for _ in column.names)
    whole = refitted(encoder, table, seed, groups=None)
    return {
        RAW: Coding(inputs, names, colours),
        WHOLE: Coding(_codes_of(whole, whole.transform(table)), whole.codes_),
        GROUPS: Coding(released, encoder.codes_, encoder.group_of_code_),
    }
