"""What `mask` and `desensitize` do alike with picture sets: check, write the release and its ledger, judge."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from masquerade.cli import checks
from masquerade.cli.boundary import tell
from masquerade.cli.refusing import refuse_for_pictures
from masquerade.cli.release import all_or_nothing, tell_written, write_ledger
from masquerade.errors import SettingError
from masquerade.judge.panels import Panel
from masquerade.picture_files import check_picture_output, write_pictures
from masquerade.pictures import Pictures
from masquerade.privacy.ledger import Ledger, ledger_path
from masquerade.progress import Callback

__all__ = ["check_asked", "write_release"]


def check_asked(
    data: Path,
    output: Path,
    save: Path | None,
    reports: Sequence[Path],
    inputs: Sequence[Path | None],
    refused: Mapping[str, Any],
) -> None:
    """Refuse, before pictures are read, options that only tables have and outputs that cannot be written.

    Args:
        data: the picture set.
        output, save, reports: where to.
        inputs: further files that are read; None: not given.
        refused: what was given of the options that only tables have, by option; None, False and empty: was not.
    """
    refuse_for_pictures(data, refused)
    check_picture_output(output)
    if output.resolve() == data.resolve():
        raise SettingError(f"--output: {output} is also the input, give another name.")
    checks.check_outputs(
        [
            ("--output", ledger_path(output), checks.REPORTS),
            ("--save", save, checks.MODELS),
            *(("--report", path, checks.REPORTS) for path in reports),
        ],
        inputs,
    )


def write_release(
    output: Path,
    released: Pictures,
    ledger: Ledger,
    *,
    save: Path | None,
    reports: Sequence[Path],
    real: Pictures,
    held: Pictures | None,
    seed: int,
    callback: Callback | None,
    panels: Sequence[Panel] = (),
    tried: Sequence[str] = (),
) -> None:
    """Write the released set, its ledger and the reports; all of them or none.

    Args:
        output: where the pictures go.
        released: picture i of it was made from picture i of `real`.
        ledger: what was guaranteed.
        save: a model that was saved before; named only.
        reports: where reports go.
        real: what was released.
        held: pictures that no net has seen; None: there are none.
        seed: of the judge.
        callback: told how far the judge is.
        panels: further parts of the report's page.
        tried: what attackers found who were tried when fitting, for the page.
    """
    judged = None
    if reports:
        from masquerade.evaluation import evaluate

        judged = evaluate(real, released, holdout=held, kind="images", ledger=ledger, seed=seed, callback=callback)
        judged = judged.with_panels(panels)
        judged = dataclasses.replace(judged, facts={**judged.facts, "tried": list(tried)})
    with all_or_nothing([ledger_path(output), *reports]):
        if judged is not None:
            for path in reports:
                judged.save(path)
        write_ledger(output, ledger)
        write_pictures(output, released)
    if judged is not None:
        tell(judged.summary())
    tell_written(output, save, reports)
