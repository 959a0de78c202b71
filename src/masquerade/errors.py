"""One exception tree. Everything that Masquerade raises on purpose is below `MasqueradeError`.

```
Exception
└── MasqueradeError              caught by the command line
    ├── InputError               the user's input or settings are off: exit code 2
    │   ├── FileError            a file cannot be read or written
    │   ├── TableError           a table cannot be modelled or judged as it is
    │   ├── SchemaError          a schema is malformed, or does not match its table
    │   ├── RuleError            a business rule that is malformed, or that cannot hold
    │   ├── ConditionError       a `given` that the model cannot meet
    │   ├── SettingError         a parameter out of range
    │   └── ArtifactError        a `.mq` file that is damaged, too new, or not ours
    ├── GateError                a policy gate or audit was not met: exit code 3
    └── InterruptedTraining      Ctrl-C before there was a model to keep: exit code 130
Warning
└── UserWarning
    └── MasqueradeWarning        something was changed or left out; names the column
```

A message says which column or field, what was got, what was expected and what to do, in one line.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = [
    "ArtifactError",
    "ConditionError",
    "FileError",
    "GateError",
    "InputError",
    "InterruptedTraining",
    "MasqueradeError",
    "MasqueradeWarning",
    "RuleError",
    "SchemaError",
    "SettingError",
    "TableError",
    "nearest",
]


MOST_LETTERS = 2_000
"""A longer message is shortened in the middle."""

_CONTROLS = {code: repr(chr(code))[1:-1] for code in (*range(32), *range(127, 160), 0x2028, 0x2029)}


def _visible(text: str) -> str:
    r"""Control characters as Python spells them: a name in somebody's file neither breaks a line nor commands a terminal.

    >>> print(_visible("a\nb \x1b[31m"))
    a\nb \x1b[31m
    """
    return text.translate(_CONTROLS)


class MasqueradeError(Exception):
    """The root of the tree."""

    exit_code = 2

    def __str__(self) -> str:
        """The message in one line; of one that repeats a monstrous word of somebody's file, the beginning and the end."""
        text = _visible(super().__str__())
        return text if len(text) <= MOST_LETTERS else f"{text[: MOST_LETTERS - 250]} … {text[-200:]}"


class InputError(MasqueradeError, ValueError):
    """The user's input or settings are off."""


class FileError(InputError):
    """A file cannot be read or written."""


class TableError(InputError):
    """A table cannot be modelled or judged as it is."""


class SchemaError(InputError):
    """A schema is malformed, or does not match its table."""


class RuleError(InputError):
    """A business rule that is malformed, or that cannot hold."""


class ConditionError(InputError):
    """A `given` that the model cannot meet."""


class SettingError(InputError):
    """A parameter out of its range."""


class ArtifactError(InputError):
    """A model file that is damaged, too new, or not Masquerade's."""


class GateError(MasqueradeError):
    """A policy gate or an audit was not met."""

    exit_code = 3


class InterruptedTraining(MasqueradeError):
    """Training was interrupted before there was a model to keep."""

    exit_code = 130


class MasqueradeWarning(UserWarning):
    """Something was changed or left out; the message names the column."""

    def __str__(self) -> str:
        """The message in one line."""
        return _visible(super().__str__())


def nearest(word: str, choices: Iterable[str]) -> str:
    """A hint ` (did you mean 'x'?)`, or nothing when no choice is near.

    >>> nearest("joob", ["job", "age"])
    " (did you mean 'job'?)"
    >>> nearest("zzz", ["job", "age"])
    ''
    """
    found = difflib.get_close_matches(word, list(choices), n=1, cutoff=0.5)
    return f" (did you mean {found[0]!r}?)" if found else ""
