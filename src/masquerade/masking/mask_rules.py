"""Which column is masked how: from settings, from a mapping, or from a `mask.toml`.

```toml
[columns.customer]
how = "replace"
kind = "name"
locale = "zh_CN"

[columns.phone]
how = "redact"
keep_first = 3
keep_last = 4

[columns.balance]
how = "noise"
scale = 100.0
rate = 0.5          # only half of its cells, chosen at random
```
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from masquerade import toml_text
from masquerade.atomic import one_line
from masquerade.errors import FileError, SettingError, nearest
from masquerade.masking import WAYS
from masquerade.masking.replace import Replace
from masquerade.masking.shuffle import Shuffle
from masquerade.masking.way import Way

__all__ = ["HOWS", "Rule", "check_rate", "check_rules", "planned", "read_rules", "rule_of"]

HOWS = ("generate", *WAYS)
"""Every way, by its name in `how=`."""


@dataclass(frozen=True)
class Rule:
    """How one column is masked.

    Args:
        column: its name.
        way: what is done to its cells; None: a model draws them anew from the rest of their row.
        rate: the share of its cells, chosen at random.
    """

    column: str
    way: Way | None
    rate: float = 1.0

    @property
    def how(self) -> str:
        """The way's name."""
        return "generate" if self.way is None else self.way.how

    @property
    def draw(self) -> str:
        """The name of its random draws: columns that move together share one."""
        together = self.way.together if isinstance(self.way, Shuffle) else None
        return f"column {self.column}" if together is None else f"together {together}"

    def to_dict(self) -> dict[str, Any]:
        """The options as in a `mask.toml`, without files."""
        options = {} if self.way is None else self.way.options()
        return {"how": self.how} | options | ({} if self.rate == 1 else {"rate": self.rate})

    def facts(self) -> dict[str, Any]:
        """What the ledger says."""
        own = {"reversible": "no, but a likely value is likely right"} if self.way is None else self.way.facts()
        return {"how": self.how, "rate": self.rate} | own


def check_rate(rate: object, column: str | None = None) -> float:
    """The share, above 0 and at most 1.

    Raises:
        SettingError: it is none.
    """
    if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 < rate <= 1:
        where = "" if column is None else f"column {column!r}: "
        raise SettingError(f"{where}rate: got {rate!r}, expected a number above 0 and at most 1.")
    return float(rate)


def rule_of(column: str, options: Mapping[str, Any], locale: str | None = None) -> Rule:
    """One column's rule from its options, which are strict.

    Args:
        column: its name.
        options: `how`, `rate`, and those of the way.
        locale: of surrogates, where the options name none.

    Raises:
        SettingError: an option that there is not, or out of its range.
    """
    if not isinstance(options, Mapping):
        raise SettingError(f"column {column!r}: got {options!r}, expected options such as {{'how': 'redact'}}.")
    given = dict(options)
    if "key" in given:
        raise SettingError(f"column {column!r}: a key does not belong among rules; keep it in a file of its own.")
    how = given.pop("how", None)
    if how not in HOWS:
        got = "there is none" if how is None else f"got {how!r}"
        raise SettingError(
            f"column {column!r}: how: {got}, expected one of {', '.join(HOWS)}{nearest(str(how), HOWS)}."
        )
    rate = check_rate(given.pop("rate", 1.0), column)
    if how == "generate":
        if given:
            raise SettingError(f"column {column!r}: how = 'generate' has no option {next(iter(given))!r}; it has rate.")
        return Rule(column, None, rate)
    if WAYS[how] is Replace and locale is not None:
        given.setdefault("locale", locale)
    return Rule(column, WAYS[how].of(column, given), rate)


def read_rules(rules: Mapping[str, Any] | str | Path | None, locale: str | None = None) -> dict[str, Rule]:
    """Rules by column.

    Args:
        rules: a mapping from columns to options, or the path of a `mask.toml`; None: no rules.
        locale: of surrogates, where a rule names none.

    Raises:
        FileError: the file cannot be read.
        SettingError: it is not TOML, a key that there is not (the nearest is named), an option out of range.

    >>> read_rules({"phone": {"how": "redact", "keep_last": 4}})["phone"].way.keep_last
    4
    """
    if rules is None:
        return {}
    if isinstance(rules, Mapping):
        return {str(column): rule_of(str(column), options, locale) for column, options in rules.items()}
    if not isinstance(rules, str | Path):
        raise SettingError(f"rules: got {type(rules).__name__}, expected a mapping or the path of a mask.toml.")
    path = Path(rules)
    try:
        data = toml_text.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeError) as error:
        raise FileError(f"{path}: cannot be read ({one_line(error)}).") from error
    except tomllib.TOMLDecodeError as error:
        raise SettingError(f"{path}: not a TOML file ({one_line(error)}).") from error
    for key in data:
        if key not in ("columns", "locale"):
            what = (
                "a key does not belong here; keep it in a file of its own (--key-file)"
                if key == "key"
                else (f"unknown key {key!r}{nearest(key, ('columns', 'locale'))}, expected [columns.NAME] tables")
            )
            raise SettingError(f"{path}: {what}.")
    columns, own = data.get("columns"), data.get("locale")
    if not isinstance(columns, Mapping) or not columns:
        raise SettingError(f"{path}: no column is named, expected one [columns.NAME] table for each.")
    if own is not None and not isinstance(own, str):
        raise SettingError(f"{path}: locale: got {own!r}, expected text in quotes.")
    found = {}
    for column, options in columns.items():
        if isinstance(options, Mapping) and isinstance(options.get("hierarchy"), str):
            options = {**options, "hierarchy": str(path.parent / options["hierarchy"])}
        try:
            found[column] = rule_of(column, options, own if locale is None else locale)
        except SettingError as error:
            raise SettingError(f"{path}: {error}") from None
    return found


def check_rules(rules: Mapping[str, Rule], names: Sequence[str]) -> None:
    """Refuse rules that name columns which are not there, or that contradict one another.

    Raises:
        SettingError: the message names the column.
    """
    for column in rules:
        if column not in names:
            raise SettingError(f"columns: there is no column {column!r}{nearest(column, names)}.")
    shuffled = {column: rule for column, rule in rules.items() if isinstance(rule.way, Shuffle)}
    groups: dict[str, str] = {}
    for column, rule in shuffled.items():
        way = rule.way
        assert isinstance(way, Shuffle)
        if way.within is not None and way.within not in names:
            raise SettingError(
                f"column {column!r}: within: there is no column {way.within!r}{nearest(way.within, names)}."
            )
        if way.within == column:
            raise SettingError(f"column {column!r}: within: names the column itself; nothing would move.")
        if way.together is None:
            continue
        first = groups.setdefault(way.together, column)
        other = rules[first]
        if other.way != way or other.rate != rule.rate:
            raise SettingError(
                f"column {column!r}: moves together with {first!r}, but their rules differ; give both the same within and rate."
            )


def planned(
    names: Sequence[str],
    columns: Sequence[str] | None,
    rules: Mapping[str, Rule],
    common: Mapping[str, Any],
    locale: str | None = None,
    *,
    every: bool,
    spare: str | None = None,
) -> dict[str, Rule]:
    """The rule of each column that may be masked, in the table's order.

    Args:
        names: the table's columns.
        columns: those that `common` is for; None: all if `every`, else none.
        rules: of columns with options of their own.
        common: options for the others.
        locale: of surrogates, where the options name none.
        every: whether columns that nobody names are masked.
        spare: a column that is not masked unless it is named.

    Raises:
        SettingError: an unknown column, or rules that contradict one another.

    >>> list(planned(["a", "b"], ["b"], {}, {"how": "suppress"}, every=False))
    ['b']
    """
    check_rules(rules, names)
    plan = dict(rules)
    for name in columns or ():
        if name not in names:
            raise SettingError(f"columns: there is no column {name!r}{nearest(str(name), names)}.")
        if name in rules:
            raise SettingError(f"columns: column {name!r} has a rule of its own, too; name it in one place.")
    others = columns if columns is not None else [name for name in names if every and name != spare]
    for name in others:
        if name not in plan:
            plan[name] = rule_of(name, common, locale)
    return {name: plan[name] for name in names if name in plan}
