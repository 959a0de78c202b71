"""Rules as people write them: names, numbers and moments out of a text, sums, and the way back. Nothing is evaluated."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Literal

from masquerade.errors import RuleError

__all__ = ["RELATIONS", "Linear", "Token", "as_moment", "linear", "spell_name", "spell_number", "tokens"]

RELATIONS = ("<=", ">=", "=", "<", ">")
"""The signs that stand between two operands; `==`, `≤` and `≥` are read as well."""

_SAME = {"==": "=", "≤": "<=", "≥": ">=", "−": "-", "·": "*", "×": "*"}
_SIGN = re.compile(r"<=|>=|==|[=<>≤≥+\-−*×·/]")
_MOMENT = re.compile(
    r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?|\d\d:\d\d(?::\d\d(?:\.\d+)?)?"
)
_NUMBER = re.compile(r"(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?")
_BARE = re.compile(r"[^\W\d][\w.]*")
_QUOTED = re.compile(r"`((?:[^`]|``)*)`|\"((?:[^\"]|\"\")*)\"|'((?:[^']|'')*)'")


@dataclass(frozen=True)
class Token:
    """One piece of a rule's text: a column's name, a number, a moment (ISO 8601), or a sign."""

    kind: Literal["name", "number", "moment", "sign"]
    value: str


@dataclass(frozen=True)
class Linear:
    """A sum of multiples of columns and a constant, or one moment.

    Args:
        terms: (coefficient, column) in the order written; no column twice, no coefficient 0.
        constant: what is added.
        moment: ISO 8601 text; then there is nothing else.
    """

    terms: tuple[tuple[float, str], ...] = ()
    constant: float = 0.0
    moment: str | None = None

    @property
    def column(self) -> str | None:
        """The column that this is, when it is one and nothing else."""
        plain = len(self.terms) == 1 and self.terms[0][0] == 1 and self.constant == 0 and self.moment is None
        return self.terms[0][1] if plain else None

    @property
    def text(self) -> str:
        """The sum as people write it.

        >>> Linear(((1.0, "a"), (-2.0, "b c")), 3.0).text
        'a - 2 * `b c` + 3'
        """
        parts = [(c, name) for c, name in self.terms]
        words = []
        for coefficient, name in parts:
            size = "" if abs(coefficient) == 1 else f"{spell_number(abs(coefficient))} * "
            words.append(("-" if coefficient < 0 else "+", size + spell_name(name)))
        if self.constant != 0 or not words:
            words.append(("-" if self.constant < 0 else "+", spell_number(abs(self.constant))))
        (sign, first), *rest = words
        return ("-" if sign == "-" else "") + first + "".join(f" {sign} {word}" for sign, word in rest)


def as_moment(text: str) -> datetime | None:
    """ISO 8601 text as a moment without a zone (UTC where it has one); a time of day lies on 1 January 1970.

    >>> as_moment("2020-02-29"), as_moment("2020-02-29T08:00+02:00"), as_moment("soon")
    (datetime.datetime(2020, 2, 29, 0, 0), datetime.datetime(2020, 2, 29, 6, 0), None)
    """
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        try:
            moment = datetime.combine(datetime(1970, 1, 1), time.fromisoformat(text.strip()))
        except ValueError:
            return None
    return moment if moment.tzinfo is None else moment.astimezone(UTC).replace(tzinfo=None)


def spell_name(name: str) -> str:
    """A column's name as it can stand in a rule: in backticks unless it is a plain word.

    >>> spell_name("age"), spell_name("hours per week")
    ('age', '`hours per week`')
    """
    return name if re.fullmatch(r"[^\W\d]\w*", name) else "`" + name.replace("`", "``") + "`"


def spell_number(value: float) -> str:
    """A number without needless digits.

    >>> spell_number(2.0), spell_number(0.19)
    ('2', '0.19')
    """
    return str(int(value)) if float(value).is_integer() and abs(value) < 1e15 else repr(float(value))


def tokens(text: str, names: Collection[str] = ()) -> list[Token]:
    """The pieces of a rule's text.

    A known column's name may stand bare whatever it holds (`hours per week`, `education-num`), if it begins with a
    letter; of several the longest is taken. Any name may stand in backticks or quotes (doubled inside to mean
    themselves).

    Raises:
        RuleError: a letter that has no meaning here.
    """
    known = sorted((name for name in names if re.match(r"[^\W\d]", name)), key=len, reverse=True)
    found, place = [], 0
    while place < len(text):
        if text[place].isspace():
            place += 1
            continue
        token, place = _next(text, place, known, names)
        found.append(token)
    return found


def _next(text: str, place: int, known: Sequence[str], names: Collection[str]) -> tuple[Token, int]:
    quoted = _QUOTED.match(text, place)
    if quoted:
        quote = quoted.group()[0]
        inside = quoted.group()[1:-1].replace(quote * 2, quote)
        is_moment = inside not in names and as_moment(inside) is not None
        return Token("moment" if is_moment else "name", inside), quoted.end()
    for pattern, kind in ((_MOMENT, "moment"), (_NUMBER, "number")):
        match = pattern.match(text, place)
        if match:
            return Token("moment" if kind == "moment" else "number", match.group()), match.end()
    for name in known:
        end = place + len(name)
        if text.startswith(name, place) and not (text[end : end + 1].isalnum() or text[end : end + 1] == "_"):
            return Token("name", name), end
    for pattern, kind in ((_BARE, "name"), (_SIGN, "sign")):
        match = pattern.match(text, place)
        if match:
            word = match.group()
            return Token("name" if kind == "name" else "sign", _SAME.get(word, word)), match.end()
    raise RuleError(
        f"rule {text!r}: {text[place]!r} at place {place + 1} has no meaning here, expected columns, numbers, moments "
        "and <= < >= > = + - * /; put a column's name in backticks."
    )


def linear(pieces: Sequence[Token], rule: str) -> Linear:
    """A sum out of pieces.

    Args:
        pieces: as from `tokens`, without relations.
        rule: the whole rule, for messages.

    Raises:
        RuleError: this is no sum of multiples of columns and numbers.

    >>> linear(tokens("gross - tax / 2 + 3"), "").terms
    ((1.0, 'gross'), (-0.5, 'tax'))
    """
    if len(pieces) == 1 and pieces[0].kind == "moment":
        return Linear(moment=pieces[0].value)
    terms: dict[str, float] = {}
    constant, place = 0.0, 0
    while place < len(pieces) or place == 0:
        sign = 1.0
        if place < len(pieces) and pieces[place].value in ("+", "-") and pieces[place].kind == "sign":
            sign = -1.0 if pieces[place].value == "-" else 1.0
            place += 1
        elif place > 0:
            raise RuleError(
                f"rule {rule!r}: {pieces[place].value!r} follows without a sign, expected + - * or / before it."
            )
        coefficient, name, place = _product(pieces, place, rule)
        if name is None:
            constant += sign * coefficient
        else:
            terms[name] = terms.get(name, 0.0) + sign * coefficient
    return Linear(tuple((c, name) for name, c in terms.items() if c != 0), constant)


def _product(pieces: Sequence[Token], place: int, rule: str) -> tuple[float, str | None, int]:
    """Factors up to the next sum sign: the coefficient, the column if there is one, and where it ends."""
    coefficient, name, sign = 1.0, None, "*"
    while True:
        if place >= len(pieces) or pieces[place].kind in ("sign", "moment"):
            got = "the end" if place >= len(pieces) else repr(pieces[place].value)
            raise RuleError(f"rule {rule!r}: got {got}, expected a column or a number there.")
        piece = pieces[place]
        if piece.kind == "name":
            if name is not None or sign == "/":
                raise RuleError(
                    f"rule {rule!r}: columns are multiplied or divided by one another at {piece.value!r}, expected sums of "
                    "columns times numbers."
                )
            name = piece.value
        else:
            value = float(piece.value)
            if not math.isfinite(value) or (sign == "/" and value == 0):
                raise RuleError(
                    f"rule {rule!r}: got {sign} {piece.value}, expected a finite number other than division by 0."
                )
            coefficient = coefficient * value if sign == "*" else coefficient / value
        place += 1
        if place >= len(pieces) or pieces[place].kind != "sign" or pieces[place].value not in ("*", "/"):
            return coefficient, name, place
        sign, place = pieces[place].value, place + 1
