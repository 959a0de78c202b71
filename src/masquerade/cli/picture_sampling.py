"""Drawing pictures from a model, freshly trained or saved, and writing them part by part."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from masquerade import seeds
from masquerade.cli import checks
from masquerade.cli.boundary import tell
from masquerade.cli.refusing import refuse
from masquerade.cli.release import all_or_nothing, write_ledger
from masquerade.errors import SettingError
from masquerade.picture_files import check_picture_output, write_pictures
from masquerade.pictures import LABEL, Pictures
from masquerade.privacy.ledger import ledger_path
from masquerade.progress import Callback, ConsoleProgress, Progress

__all__ = ["given_class", "sample_pictures", "write_drawn"]


def sample_pictures(
    model: Path,
    fitted: Any,
    count: int,
    output: Path,
    given: list[str] | None,
    *,
    seed: int | None,
    quiet: bool,
    refused: Mapping[str, Any],
) -> None:
    """Draw pictures from a saved model; either the set and its ledger are written, or nothing.

    Args:
        model: the file it came from, for messages.
        fitted: the model.
        count: how many pictures.
        output: where they go.
        given: as the option.
        seed: as the option.
        quiet: whether to show no progress.
        refused: what was given of the options that only tables have, by option.
    """
    refuse(refused, f"is for tables, and {model} holds a model of pictures; leave it out.")
    check_picture_output(output)
    ledger_file = ledger_path(output)
    checks.check_outputs([("--output", ledger_file, checks.REPORTS)], [model])
    wanted = given_class(given, fitted.classes_.tolist())
    with ConsoleProgress() as bar, all_or_nothing([ledger_file]):
        write_drawn(output, fitted, count, wanted, seeds.check_seed(seed), None if quiet else bar, None)
        write_ledger(output, fitted.ledger_)
    tell(f"Wrote {output} and {ledger_file.name}")
    tell(fitted.ledger_.sentence())


def given_class(asked: list[str] | None, classes: Sequence[Any]) -> dict[str, Any] | None:
    """The class that all new pictures have; None where `--given` does not say one."""
    given = checks.split_given(asked)
    if not given:
        return None
    known = {str(level): level for level in classes}
    for name, value in given.items():
        if name != LABEL or value not in known:
            raise SettingError(
                f"--given {name}={value}: expected {LABEL}=CLASS with one of the classes {', '.join(list(known)[:20])}."
            )
    return {LABEL: known[given[LABEL]]}


def write_drawn(
    output: Path,
    model: Any,
    count: int,
    given: Mapping[str, Any] | None,
    seed: int,
    callback: Callback | None,
    kept: list[Pictures] | None,
) -> None:
    """Draw pictures and write them part by part, so that only one part is in memory; `kept` remembers them."""

    def parts() -> Iterator[Pictures]:
        done = 0
        for part in model.sample_chunks(count, given=given, random_state=seed):
            done += len(part)
            if kept is not None:
                kept.append(part)
            yield part
            if callback is not None:
                callback(Progress("sample", done, count, 0.0, finished=done >= count))

    write_pictures(output, parts())
