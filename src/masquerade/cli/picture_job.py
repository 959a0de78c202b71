"""`masquerade synthesize` on a picture set: read it, hold some out, train, draw, judge."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from masquerade import seeds
from masquerade.cli import checks
from masquerade.cli.boundary import tell
from masquerade.cli.keeping import refuse_without_report
from masquerade.cli.reading import HOLDOUT_SHARE
from masquerade.cli.release import all_or_nothing, keep_trained, tell_written, write_ledger
from masquerade.errors import SettingError, nearest
from masquerade.picture_files import check_picture_output, read_pictures, write_pictures
from masquerade.pictures import LABEL, Pictures
from masquerade.privacy.ledger import Ledger, ledger_path
from masquerade.progress import Callback, ConsoleProgress, Progress

__all__ = ["PictureRequest", "run_pictures", "write_drawn"]

DEFAULT = "imagegan"
LEAST_HELD = 10


@dataclass(frozen=True, kw_only=True)
class PictureRequest:
    """What the user asked `synthesize` for; None or empty where not given.

    Args:
        data, output, model, rows, given, epochs, max_minutes, save, reports, holdout_share, seed, quiet: as the options.
        reading: arguments of `read_pictures`.
        watch: a folder for a grid per epoch.
        keep_epochs: a folder for the model after each epoch.
        start_from: a saved model to go on from.
        refused: what was given of the options that only tables have, by option.
    """

    data: Path
    output: Path
    model: str | None
    rows: int | None
    given: list[str] | None
    epochs: int | None
    max_minutes: float | None
    save: Path | None
    reports: tuple[Path, ...]
    holdout_share: float | None
    seed: int | None
    quiet: bool
    reading: Mapping[str, Any]
    watch: Path | None
    keep_epochs: Path | None
    start_from: Path | None
    refused: Mapping[str, Any]


def run_pictures(request: PictureRequest) -> None:
    """Do all of it; either everything that was asked for is written, or nothing but a model worth keeping."""
    chosen = _check(request)
    seed = seeds.check_seed(request.seed)
    pictures = read_pictures(request.data, **request.reading)
    train, held = _split(request, pictures, seed)
    given = _given(request, pictures)
    with ConsoleProgress() as bar:
        callback = None if request.quiet else bar
        settings: dict[str, Any] = {"random_state": seed, "callbacks": () if callback is None else (callback,)}
        asked = {"epochs": request.epochs, "max_minutes": request.max_minutes, "watch": request.watch}
        settings |= {name: value for name, value in asked.items() if value is not None}
        if request.keep_epochs is not None:
            settings["keep_epochs"] = request.keep_epochs
        model = chosen(**settings).fit(train, start_from=request.start_from)
        keep_trained(model, request.save, "model", "pictures")
        count = len(train) if request.rows is None else request.rows
        drawn: list[Pictures] = []
        with all_or_nothing([ledger_path(request.output), *request.reports]):
            write_drawn(request.output, model, count, given, seed, callback, drawn if request.reports else None)
            write_ledger(request.output, model.ledger_)
            if request.reports:
                _report(request, train, drawn, held, model.ledger_, seed, callback)
    tell_written(request.output, request.save, request.reports)
    tell(model.ledger_.sentence())


def _check(request: PictureRequest) -> Any:
    """Refuse what cannot be written or done, before the pictures are read; returns the class of the model."""
    for option, value in request.refused.items():
        if value not in (None, False, ()) and value != []:
            raise SettingError(f"{option}: is for tables, and {request.data} is a picture set; leave it out.")
    check_picture_output(request.output)
    checks.check_outputs(
        [
            ("--output", ledger_path(request.output), checks.REPORTS),
            ("--save", request.save, checks.MODELS),
            *(("--report", path, checks.REPORTS) for path in request.reports),
        ],
        [request.start_from],
    )
    refuse_without_report(request.reports, {"--holdout-share": request.holdout_share})
    from masquerade.synthesize import image_synthesizers  # loads JAX, which a refusal above need not wait for

    known = image_synthesizers()
    name = (request.model or DEFAULT).lower()
    if name not in known:
        raise SettingError(
            f"--model: got {request.model!r}, expected {' or '.join(known)} for pictures{nearest(name, known)}."
        )
    return known[name]


def _split(request: PictureRequest, pictures: Pictures, seed: int) -> tuple[Pictures, Pictures | None]:
    """What trains, and what is held out for the report."""
    if not request.reports:
        return pictures, None
    share = HOLDOUT_SHARE if request.holdout_share is None else request.holdout_share
    if not 0 < share < 1:
        raise SettingError(f"--holdout-share: got {share:g}, expected a number between 0 and 1.")
    held = round(share * len(pictures))
    if held < LEAST_HELD:
        tell(f"Too few pictures to hold {LEAST_HELD} out: the report does without unseen ones.")
        return pictures, None
    order = seeds.stream(seed, "holdout").permutation(len(pictures))
    tell(f"Held out {held:,} pictures for the report; {len(pictures) - held:,} train.")
    return pictures[np.sort(order[held:])], pictures[np.sort(order[:held])]


def _given(request: PictureRequest, pictures: Pictures) -> dict[str, Any] | None:
    """The class that all new pictures have."""
    given = checks.split_given(request.given)
    if not given:
        return None
    known = {str(level): level for level in pictures.classes.tolist()}
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


def _report(
    request: PictureRequest,
    train: Pictures,
    drawn: list[Pictures],
    held: Pictures | None,
    ledger: Ledger,
    seed: int,
    callback: Callback | None,
) -> None:
    from masquerade.evaluation import evaluate
    from masquerade.pictures import join

    released = drawn[0]
    for part in drawn[1:]:
        released = join(released, part)
    judged = evaluate(train, released, holdout=held, kind="images", ledger=ledger, seed=seed, callback=callback)
    for path in request.reports:
        judged.save(path)
    tell(judged.summary())
