"""The ledger: what was guaranteed about a release, and which protections were applied.

A guarantee is a mathematical promise (ε, δ); a protection is a measure without one. Without a guarantee the word is `"none"`,
and nothing is ever called anonymous.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from masquerade.errors import FileError

__all__ = ["Ledger", "ledger_path"]


@dataclass(frozen=True)
class Ledger:
    """What was guaranteed about a fitted model and everything drawn from it.

    Args:
        guarantee: `"none"`, or the name of the guarantee, such as `"differential privacy"`.
        epsilon: ε of the guarantee; None without one.
        delta: δ of the guarantee; None without one.
        unit: whose data the guarantee or protection covers: `"row"`, or the name of the unit column.
        relation: the neighbouring relation of the guarantee; None without one.
        mechanism: how rows were made, such as `"CTGAN"`.
        events: what the budget was spent on, in order, as plain data.
        protections: measures without a guarantee, such as `{"protect": 10}`.
        aligned: whether row i of the release was made from row i of the table, so that the records are still there.
        dropped: columns of the table that are not in the release.
        split: of a guarantee: the ε that each stage alone would give at the same δ.
        epsilon_rdp: of a guarantee: ε by Rényi divergences, which is looser; a cross-check by other sums.
    """

    guarantee: str = "none"
    epsilon: float | None = None
    delta: float | None = None
    unit: str = "row"
    relation: str | None = None
    mechanism: str = ""
    events: tuple[Mapping[str, Any], ...] = ()
    protections: Mapping[str, Any] = field(default_factory=dict)
    aligned: bool = False
    dropped: tuple[str, ...] = ()
    split: Mapping[str, float] = field(default_factory=dict)
    epsilon_rdp: float | None = None

    def sentence(self) -> str:
        """The guarantee in plain words, and without one the protection that was on.

        >>> Ledger(protections={"protect": 10}).sentence().split(": ", 2)[-1]
        'a level or exact value is shown only if at least 10 rows share it.'
        """
        if self.guarantee != "none":
            return (
                f"Guaranteed: {self.guarantee} with ε = {self.epsilon:g}, δ = {self.delta:g} per {self.unit} "
                f"({self.relation})."
            )
        whom = f"a {self.unit}" if self.unit in ("row", "picture") else f"the rows of one {self.unit}"
        least = self.protections.get("protect")
        if least is None or least < 2:
            protected = ""
        else:
            sharers = f"{least} rows" if self.unit == "row" else f"{least} different {self.unit}"
            protected = f" Value protection: a level or exact value is shown only if at least {sharers} share it."
        kept = " Each record of the release is a real one, changed." if self.aligned else ""
        return (
            f"Guaranteed: none. No mathematical bound limits what this release reveals about {whom}.{kept}{protected}"
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return dataclasses.asdict(self) | {
            "events": [dict(event) for event in self.events],
            "dropped": list(self.dropped),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Ledger:
        """The reverse of `to_dict`; unknown keys are ignored so that newer ledgers stay readable."""
        known = {f.name for f in dataclasses.fields(cls)}
        values = {k: v for k, v in data.items() if k in known}
        for name, (kind, expected) in _KINDS.items():
            if name in values and not kind(values[name]):
                raise FileError(f"ledger: {name} is {str(values[name])[:80]!r}, expected {expected}.")
        if values.get("guarantee", "none") != "none" and None in (values.get("epsilon"), values.get("delta")):
            raise FileError("ledger: a guarantee without epsilon and delta, expected both.")
        return cls(**(values | {key: tuple(values.get(key, ())) for key in ("events", "dropped")}))

    @classmethod
    def read(cls, path: str | Path) -> Ledger:
        """Read a ledger file; raises `FileError` when it is not one."""
        try:
            data = json.loads(Path(path).read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            raise FileError(f"{path}: cannot be read as a ledger ({error}).") from error
        if not isinstance(data, dict) or "guarantee" not in data:
            raise FileError(f"{path}: not a ledger, expected a JSON object with the key 'guarantee'.")
        try:
            return cls.from_dict(data)
        except FileError as error:
            raise FileError(f"{path}: {error}") from error


def _positive(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < math.inf


def _plain(value: Any) -> bool:
    return isinstance(value, Mapping) and all(isinstance(name, str) for name in value)


def _event(value: Any) -> bool:
    numbers = [item for item in value.values() if isinstance(item, int | float)] if _plain(value) else []
    return _plain(value) and all(abs(number) < 2**63 for number in numbers)


_KINDS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "guarantee": (lambda value: isinstance(value, str), "text"),
    "epsilon": (lambda value: value is None or _positive(value), "a finite number of at least 0, or null"),
    "delta": (lambda value: value is None or (_positive(value) and value <= 1), "a number from 0 to 1, or null"),
    "unit": (lambda value: isinstance(value, str), "text"),
    "relation": (lambda value: value is None or isinstance(value, str), "text, or null"),
    "mechanism": (lambda value: isinstance(value, str), "text"),
    "events": (lambda value: isinstance(value, list | tuple) and all(map(_event, value)), "a list of objects"),
    "protections": (_plain, "an object"),
    "aligned": (lambda value: isinstance(value, bool), "true or false"),
    "dropped": (
        lambda value: isinstance(value, list | tuple) and all(isinstance(name, str) for name in value),
        "a list of texts",
    ),
    "epsilon_rdp": (lambda value: value is None or _positive(value), "a finite number of at least 0, or null"),
    "split": (lambda value: _plain(value) and all(map(_positive, value.values())), "an object of numbers"),
}
"""What each field of a ledger file must be, and the words for it."""


def ledger_path(released: str | Path) -> Path:
    """Where the ledger of a released file lies: `OUT.ledger.json` beside it.

    >>> ledger_path("out/synthetic.csv").name
    'synthetic.csv.ledger.json'
    """
    released = Path(released)
    return released.with_name(released.name + ".ledger.json")
