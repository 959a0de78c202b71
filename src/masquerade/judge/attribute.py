"""The attribute attack on every declared secret of a table, beside what it would find without the release."""

from __future__ import annotations

import dataclasses
import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from masquerade import seeds
from masquerade.errors import MasqueradeWarning
from masquerade.judge.attackers import Known
from masquerade.judge.attacks import LEAST_ROWS, AttributeFinding, attack_attribute, attack_unseen
from masquerade.judge.figures import Outcome
from masquerade.judge.scores import Score
from masquerade.judge.tables import Side, Tables

__all__ = ["Secret", "attribute_attacks"]

_ROWS = 10_000  # known to the attacker, and as many guessed
_CLASSES = 20  # of a secret with more, the less frequent ones count as one
_COLUMNS = 100  # of a wider table, so many are looked at, evenly spread


@dataclass(frozen=True)
class Secret:
    """One secret column of the whole table.

    Args:
        name: of the column.
        classes: how many it has; 0: it is a number.
        numeric: whether its values are among the numeric columns.
        place: where, among the numeric or the discrete columns.
        cuts: the two values of a number that is a class.
        levels: how many levels real rows have.
    """

    name: str
    classes: int
    numeric: bool
    place: int
    cuts: tuple[float, ...] = ()
    levels: int = 0

    @classmethod
    def of(cls, tables: Tables, name: str) -> Secret:
        """Classes by falling frequency among the real rows; a number with two values is a class."""
        if name in tables.numeric:
            place = tables.numeric.index(name)
            distinct = np.unique(tables.real.numbers[:, place])
            distinct = distinct[~np.isnan(distinct)]
            cuts = tuple(distinct.tolist()) if len(distinct) == 2 else ()
            return cls(name, len(cuts), True, place, cuts)
        place = tables.discrete.index(name)
        levels = int(tables.real.codes[:, place].max(initial=0))
        return cls(name, min(max(levels, 2), _CLASSES), False, place, levels=levels)

    def values(self, side: Side) -> NDArray[np.float64]:
        """Class numbers (−1: missing, or no real class), or numbers (NaN: missing), shape (rows,)."""
        if not self.numeric:
            codes = side.codes[:, self.place]
            real = (codes > 0) & (codes <= self.levels)
            return np.where(real, np.minimum(codes, self.classes) - 1, -1).astype(np.float64)
        numbers = side.numbers[:, self.place]
        if not self.cuts:
            return numbers
        known = np.isin(numbers, self.cuts)
        return np.where(known, np.searchsorted(self.cuts, np.nan_to_num(numbers)), -1).astype(np.float64)


def attribute_attacks(
    whole: Tables,
    tables: Tables,
    secrets: Sequence[str],
    keep: Sequence[str],
    *,
    aligned: bool,
    seed: int,
    tick: Callable[[str], None],
) -> Outcome:
    """How well fresh attackers tell each secret from the release, with and without what was kept on purpose.

    Aligned: the attacker knows the real secret of half of the people, and guesses that of the other half from their released
    records. Else: the attacker learns from the released rows, secret included, and guesses that of the real rows that trained;
    the holdout is the control. In both, the best of three attackers is chosen on rows that are not counted.

    Args:
        whole: the real rows and the holdout with all columns.
        tables: with the released columns.
        secrets: names of columns.
        keep: released columns that were kept on purpose; the main figures are without them.
        aligned: whether released row i was made from real row i.
        seed: of every draw.
        tick: told the name of each part when it is done.

    Returns:
        The scores `attribute_auc` (classes), `attribute_correlation` and `attribute_r2` (numbers), each of the secret that is
        worst off; and the attack `attribute`, by secret.
    """
    found: dict[str, dict[str, Any]] = {}
    for name in secrets:
        if name not in whole.names:
            _warn(f"sensitive: column {name!r} is an id, free text or the unit, which cannot be guessed; not attacked.")
        else:
            attack = _Attack(whole, tables, Secret.of(whole, name), tuple(keep), tuple(secrets), seed)
            result = attack.aligned() if aligned else attack.unaligned()
            if result is not None:
                found[name] = result
        tick("attribute attack")
    if not found:
        return Outcome()
    return Outcome(scores=_scores(found), attacks={"attribute": found})


@dataclass(frozen=True)
class _Attack:
    """One secret under attack."""

    whole: Tables
    tables: Tables
    secret: Secret
    keep: tuple[str, ...]
    secrets: tuple[str, ...]
    seed: int

    def aligned(self) -> dict[str, Any] | None:
        truth = self.secret.values(self.whole.real)
        if not self._enough(truth, "real", 2 * LEAST_ROWS):
            return None
        names, released = self.tables.names, self.tables.released
        rest = [name for name in names if name not in self.keep]
        main = self._guess(_view(self.tables, released, rest), truth, 3)
        kept = self._guess(_view(self.tables, released, names), truth, 3) if self.keep else None
        if main is None and kept is None:
            _warn(f"sensitive: no released column is left to tell {self.secret.name!r} from; not attacked.")
            return None
        return self._told(main or kept, kept, truth) | {"aligned": True}

    def unaligned(self) -> dict[str, Any] | None:
        name = self.secret.name
        if name not in self.tables.names:
            _warn(f"sensitive: {name!r} is not among the released columns, so no attacker can learn it; not attacked.")
            return None
        among = self.tables.numeric if self.secret.numeric else self.tables.discrete
        other = dataclasses.replace(self.secret, place=among.index(name))
        truth, said = self.secret.values(self.whole.real), other.values(self.tables.released)
        if not self._enough(truth, "real", LEAST_ROWS) or not self._enough(said, "released", LEAST_ROWS):
            return None
        names = [column for column in self.tables.names if column != name]
        rest = [column for column in names if column not in self.keep]
        sides = [self.tables.real, *([] if self.tables.holdout is None else [self.tables.holdout])]
        groups = [(side, other.values(side)) for side in sides]

        def against(columns: Sequence[str]) -> list[AttributeFinding] | None:
            if not columns:
                return None
            known = self._known(_view(self.tables, self.tables.released, columns), said, "known")
            unseen = [self._known(_view(self.tables, side, columns), values, "unseen") for side, values in groups]
            if len(unseen) > 1 and (len(unseen[1]) < LEAST_ROWS or np.ptp(unseen[1].secret) == 0):
                unseen.pop()
            return attack_unseen(known, unseen, classes=self.secret.classes, seed=self.seed)

        main, kept = against(rest), against(names) if self.keep else None
        if main is None and kept is None:
            _warn(f"sensitive: no released column is left to tell {name!r} from; not attacked.")
            return None
        first = main or kept or []
        told = self._told(first[0], None if kept is None else kept[0], truth)
        if len(first) > 1:
            told["control"] = first[1].to_dict()
        return told | {"aligned": False}

    def _told(
        self, main: AttributeFinding | None, kept: AttributeFinding | None, truth: NDArray[np.float64]
    ) -> dict[str, Any]:
        """The findings beside what attackers would find elsewhere: in the real table, and in what was kept alone."""
        gone = {name for name in self.secrets if name not in self.tables.names} | {self.secret.name}
        real = self.whole.real
        others = [name for name in self.whole.names if name not in gone]
        rest = [name for name in others if name not in self.keep]
        dropped = self._guess(_view(self.whole, real, others), truth, 1)
        untouched = self._guess(_view(self.whole, real, rest), truth, 1) if self.keep else dropped
        floor = self._guess(_view(self.whole, real, [n for n in self.keep if n != self.secret.name]), truth, 1)
        told = {} if main is None else main.to_dict()
        for key, finding in (
            ("with_kept", kept),
            ("untouched", untouched),
            ("drop_the_column", dropped),
            ("floor", floor),
        ):
            if finding is not None:
                told[key] = finding.to_dict()
        return told | {"kept": list(self.keep)}

    def _guess(self, side: Side, truth: NDArray[np.float64], count: int) -> AttributeFinding | None:
        """Half of the rows known, half guessed; None where there is nothing to guess from."""
        if not side.numbers.shape[1] and not side.codes.shape[1]:
            return None
        return attack_attribute(
            side.numbers,
            side.codes,
            truth,
            classes=self.secret.classes,
            seeds=count,
            seed=seeds.integer(self.seed, "attribute", self.secret.name),
            limit=_ROWS,
        )

    def _known(self, side: Side, secret: NDArray[np.float64], name: str) -> Known:
        """At most so many random rows whose secret is there."""
        there = np.flatnonzero(secret >= 0 if self.secret.classes else ~np.isnan(secret))
        chosen = seeds.stream(self.seed, "attribute rows", name).permutation(there)[:_ROWS]
        return Known(side, secret).rows(chosen)

    def _enough(self, secret: NDArray[np.float64], words: str, least: int) -> bool:
        there = secret[secret >= 0 if self.secret.classes else ~np.isnan(secret)]
        if len(there) >= least and np.ptp(there) > 0:
            return True
        said = (
            f"{len(there)} {words} rows have a value" if len(there) < least else f"all {words} rows have the same value"
        )
        _warn(f"sensitive: column {self.secret.name!r}: {said}, too little to attack.")
        return False


def _view(tables: Tables, side: Side, names: Sequence[str]) -> Side:
    """These columns of a table, at most a hundred."""
    if len(names) > _COLUMNS:
        names = [names[int(place)] for place in np.linspace(0, len(names) - 1, _COLUMNS)]
    numbers = [tables.numeric.index(name) for name in names if name in tables.numeric]
    codes = [tables.discrete.index(name) for name in names if name in tables.discrete]
    return Side(side.numbers[:, numbers], side.codes[:, codes])


def _scores(found: dict[str, dict[str, Any]]) -> dict[str, Score]:
    """The secret that is worst off, with an interval that allows for having chosen it among several."""
    scores = {}
    for key, chance in (("auc", 0.5), ("correlation", 0.0), ("r2", 0.0)):
        known = {name: told for name, told in found.items() if key in told}
        if not known:
            continue

        def beyond(name: str, key: str = key, chance: float = chance) -> float:
            return float(found[name][key] - _ceiling(found[name], key, chance))

        worst = max(known, key=beyond)
        told = known[worst]
        ends = told["r2_interval" if key == "r2" else "interval"]
        ceiling = _ceiling(told, key, chance)
        control = (told.get("control") or {}).get("r2_interval" if key == "r2" else "interval")
        scores[f"attribute_{key}"] = Score(
            f"attribute_{key}",
            told[key],
            "lower",
            interval=_widened(told[key], ends, ceiling, control, len(known)),
            ceiling=ceiling,
            meaning=_meaning(worst, told, key, len(known)),
        )
    return scores


def _ceiling(told: dict[str, Any], key: str, chance: float) -> float:
    return float(told.get("control", {}).get(key, chance))


def _widened(
    value: float, ends: Sequence[float], ceiling: float, control: Sequence[float] | None, count: int
) -> tuple[float, float]:
    """The interval with the control group's own chance, at a level that allows for taking the worst of several (Šidák)."""
    low, high = value - ends[0], ends[1] - value
    if control is not None:
        low, high = math.hypot(low, control[1] - ceiling), math.hypot(high, ceiling - control[0])
    stretch = float(norm.isf((1 - 0.95 ** (1 / count)) / 2) / norm.isf(0.025))
    return value - stretch * low, min(1.0, value + stretch * high)


_MEASURES = {"auc": "AUC", "correlation": "Correlation of guess and truth", "r2": "R²"}


def _meaning(name: str, told: dict[str, Any], key: str, count: int) -> str:
    aside = f", {', '.join(told['kept'])} aside" if told["kept"] else ""
    if told["aligned"]:
        text = (
            f"{_MEASURES[key]} of the best fresh attacker that guesses {name!r} from released records{aside}, knowing the "
            "secret of other people in the release; the ceiling is guessing at random."
        )
    else:
        text = (
            f"{_MEASURES[key]} of the best fresh attacker that learns {name!r} from released rows{aside} and guesses it for "
            "real people whose rows trained; the ceiling: for people whose rows did not."
        )
    return text + (f" The worst of {count} secrets." if count > 1 else "")


def _warn(message: str) -> None:
    warnings.warn(message, MasqueradeWarning, stacklevel=3)
