"""A pipeline file: steps that hand a table on, each a command with its own options, all checked before any work.

```toml
input = "people.csv"

[[step]]
do = "clean"

[[step]]
do = "mask"
columns = ["name", "phone"]
how = "replace"
output = "masked.csv"

[[step]]
do = "evaluate"
output = "report.html"
```
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from masquerade import toml_text
from masquerade.cli.checks import MODELS, REPORTS, TABLES, check_column, check_outputs
from masquerade.cli.sealed import forget, secret_of
from masquerade.cli.step_options import arguments_of, options_of
from masquerade.errors import FileError, InputError, SettingError, nearest

__all__ = ["DOING", "Plan", "Step", "read_plan"]

DOING: dict[str, str] = {
    "clean": "Tidy the table",
    "mask": "Mask chosen cells of each record",
    "fuse": "Keep the records, draw their sensitive columns anew",
    "desensitize": "Change the records so that a secret cannot be told from them",
    "synthesize": "Make new rows like these",
    "encode": "Turn each record into numbers",
    "evaluate": "Judge the release",
}
"""What each step does, in plain words."""

CLEANING = ("trim_spaces", "drop_empty_rows", "drop_empty_columns", "drop_duplicates")
_SHARED = ("seed", "schema", "unit", "protect")
_TOP = ("input", "step", *_SHARED)
_OWN = ("do", "name", "input", "output", "real", "released")
_HIDDEN = frozenset({"data", "output", "quiet", "debug", "help", "real", "released"})
_WRITTEN = {"save": MODELS, "report": REPORTS}
_COLUMNS = ("columns", "sensitive", "hide", "keep", "target", "unit", "balance")


@dataclass(frozen=True)
class Step:
    """One step, ready to run.

    Args:
        number: from 1.
        do: the command, or `clean`.
        inputs: the files it reads, in the order of the command's arguments.
        outputs: the table it writes; of `evaluate` its reports.
        options: the other options, by their names on the command line, as they are in the file.
        arguments: the command line without the command's name; empty for `clean`.
    """

    number: int
    do: str
    inputs: tuple[Path, ...]
    outputs: tuple[Path, ...]
    options: Mapping[str, Any]
    arguments: tuple[str, ...]

    @property
    def title(self) -> str:
        """How messages call it."""
        return f"step {self.number} ({self.do})"

    def sentence(self) -> str:
        """What it would do, in plain words."""
        read = " and ".join(map(str, self.inputs))
        written = ", ".join(map(str, self.outputs)) or "the screen"
        shown = "; ".join(f"{name.replace('_', ' ')} {_spoken(value)}" for name, value in self.options.items())
        return f"{self.number}. {DOING[self.do]}: {read} -> {written}" + (f" ({shown})" if shown else "")


@dataclass(frozen=True)
class Plan:
    """All steps, checked."""

    steps: tuple[Step, ...]


def read_plan(path: Path, *, given: Mapping[str, Any]) -> Plan:
    """Read and check a pipeline file. Paths in it are relative to its folder.

    Args:
        path: the file.
        given: options of the command line (`seed`, `schema`, `unit`) that hold for every step that has them and does not say
            otherwise; None: not given.

    Raises:
        FileError: the file cannot be read, or a file that a step reads is not there, or one that is written cannot be.
        SettingError: not TOML, an unknown key, step or option, or a value that does not fit.
    """
    try:
        data = toml_text.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeError) as error:
        raise FileError(f"{path}: cannot be read ({getattr(error, 'strerror', None) or error}).") from error
    except tomllib.TOMLDecodeError as error:
        raise SettingError(f"{path}: not a TOML file ({error}).") from error
    for key in data:
        if key not in _TOP:
            raise SettingError(f"{path}: unknown key {key!r}, expected {', '.join(_TOP)}{nearest(key, _TOP)}.")
    steps = data.get("step")
    if not isinstance(steps, list) or not steps or not all(isinstance(step, dict) for step in steps):
        raise SettingError(f'{path}: no step given, expected one [[step]] with do = "..." for each.')
    shared = {name: data[name] for name in _SHARED if name in data} | {k: v for k, v in given.items() if v is not None}
    reader = _Reader(path, data.get("input"), shared)
    return Plan(tuple(reader.step(number, fields) for number, fields in enumerate(steps, 1)))


class _Reader:
    """Goes through the steps in order, and knows what files and columns there are before each."""

    def __init__(self, path: Path, start: Any, shared: Mapping[str, Any]) -> None:
        self.path, self.folder, self.shared = path, path.parent, shared
        self.before: Path | None = None if start is None else self._path("input", start, "pipeline")
        self.real = self.before
        self.made: dict[Path, str] = {}
        self.read: set[Path] = set()
        self.named: dict[str, Path] = {}
        self.columns: dict[Path, Sequence[str] | None] = {}

    def step(self, number: int, fields: Mapping[str, Any]) -> Step:
        do = fields.get("do")
        if not isinstance(do, str) or do not in DOING:
            hint = nearest(str(do), DOING)
            raise SettingError(f"step {number}: do is {do!r}, expected one of {', '.join(DOING)}{hint}.")
        title = f"step {number} ({do})"
        try:
            return self._checked(number, str(do), title, fields)
        except InputError as error:
            text = str(error)
            raise type(error)(text if text.startswith(title) else f"{title}: {text}") from error

    def _checked(self, number: int, do: str, title: str, fields: Mapping[str, Any]) -> Step:
        known = CLEANING if do == "clean" else tuple(name for name in options_of(do) if name not in _HIDDEN)
        own = _OWN if do == "evaluate" else _OWN[:4]
        options: dict[str, Any] = {name: self.shared[name] for name in _SHARED if name in self.shared and name in known}
        for key, value in fields.items():
            name = key.replace("-", "_")
            if name in own:
                continue
            if name not in known:
                choices = [*own, *known]
                raise SettingError(
                    f"unknown option {key!r}, expected one of {', '.join(choices)}{nearest(name, choices)}."
                )
            options[name] = value
        inputs = self._inputs(do, fields)
        outputs = self._outputs(number, do, fields)
        if do == "clean":
            forget()  # it has no secret, and earlier steps' is not its
            for name, value in options.items():
                if not isinstance(value, bool):
                    raise SettingError(f"{name} is {value!r}, expected true or false.")
            arguments: tuple[str, ...] = ()
        else:
            options = {name: self._resolved(do, name, value) for name, value in options.items()}
            arguments = arguments_of(do, inputs, outputs, options)
        self._check_files(title, inputs, outputs, options)
        self._check_columns(inputs[0], options)
        if outputs and do != "evaluate":
            kept = do not in ("encode",)
            self.columns[outputs[0]] = self._columns_of(inputs[0]) if kept else None
            self.before = outputs[0]
            if do == "clean":
                self.real = outputs[0]
            if isinstance(fields.get("name"), str):
                self.named[fields["name"]] = outputs[0]
        return Step(number, do, inputs, outputs, options, arguments)

    # ── files ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _path(self, key: str, value: Any, title: str = "") -> Path:
        if not isinstance(value, str) or not value:
            raise SettingError(f"{title + ': ' if title else ''}{key} is {value!r}, expected a file's name in quotes.")
        return self.folder / value

    def _inputs(self, do: str, fields: Mapping[str, Any]) -> tuple[Path, ...]:
        def one(key: str, usual: Path | None) -> Path:
            value = fields.get(key)
            if value is None and usual is None:
                raise SettingError(
                    f'there is nothing to read; write input = "people.csv" at the top, or {key} in the step.'
                )
            if value is None:
                return usual  # type: ignore[return-value]
            return self.named[value] if isinstance(value, str) and value in self.named else self._path(key, value)

        if do != "evaluate":
            return (one("input", self.before),)
        return one("real", self.real), one("released", one("input", self.before) if "input" in fields else self.before)

    def _outputs(self, number: int, do: str, fields: Mapping[str, Any]) -> tuple[Path, ...]:
        value = fields.get("output")
        if do == "evaluate":
            reports = [] if value is None else value if isinstance(value, list) else [value]
            return tuple(self._path("output", report) for report in reports)
        if value is None:
            return (self.folder / f"{self.path.stem}-{number}-{do}.csv",)
        return (self._path("output", value),)

    def _resolved(self, do: str, name: str, value: Any) -> Any:
        """Files among the options, relative to the pipeline's folder; of the command line as they are."""
        if not options_of(do)[name] or isinstance(value, Path):
            return value
        if isinstance(value, list):
            return [self._path(name, item) for item in value]
        return self._path(name, value)

    def _check_files(
        self, title: str, inputs: Sequence[Path], outputs: Sequence[Path], options: Mapping[str, Any]
    ) -> None:
        written = [("output", path, REPORTS if "(evaluate)" in title else TABLES) for path in outputs]
        read = list(inputs)
        for name, value in options.items():
            files = [item for item in (value if isinstance(value, list) else [value]) if isinstance(item, Path)]
            if name in _WRITTEN:
                written += [(name, path, _WRITTEN[name]) for path in files]
            else:
                read += files
        for path in read:
            if path.resolve() not in self.made and not path.is_file():
                near = nearest(path.name, [made.name for made in self.made])
                raise FileError(f"{path}: there is no such file, and no earlier step makes it{near}.")
        self.read |= {path.resolve() for path in read}
        check_outputs(written, [self.path, *read])
        for _, path, _ in written:
            if path.resolve() in self.made:
                raise FileError(f"{path} is also written by {self.made[path.resolve()]}, give another output.")
            if path.resolve() in self.read:
                raise FileError(
                    f"{path} is read by an earlier step, and a pipeline keeps what it reads; give another output."
                )
            self.made[path.resolve()] = title

    # ── columns ────────────────────────────────────────────────────────────────────────────────────────────────

    def _columns_of(self, path: Path) -> Sequence[str] | None:
        """The columns of a file that is there or will be; None where nobody can tell yet."""
        if path not in self.columns:
            from masquerade.table_stream import TableStream

            self.columns[path] = TableStream(path, secret=secret_of(path)).names
        return self.columns[path]

    def _check_columns(self, path: Path, options: Mapping[str, Any]) -> None:
        """Refuse columns that the table will not have; what a step may drop is left to the step itself."""
        names = self._columns_of(path)
        if names is None:
            return
        for option in _COLUMNS:
            value = options.get(option)
            for text in value if isinstance(value, list) else [value]:
                if isinstance(text, str):
                    for name in [text] if text in names else text.split(","):
                        check_column(option, name.strip(), names)


def _spoken(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
