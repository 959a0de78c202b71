"""`masquerade synthesize` on a picture set: read it, hold some out, train, draw, judge."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from masquerade import seeds
from masquerade.cli import checks
from masquerade.cli.boundary import tell
from masquerade.cli.picture_sampling import given_class, write_drawn
from masquerade.cli.private import tell_guarantee
from masquerade.cli.reading import HOLDOUT_SHARE
from masquerade.cli.refusing import refuse_for_pictures, refuse_without_report
from masquerade.cli.release import all_or_nothing, keep_trained, tell_written, write_ledger
from masquerade.errors import SettingError, nearest
from masquerade.logs import TensorBoard, WeightsAndBiases
from masquerade.picture_files import check_picture_output
from masquerade.pictures import LABEL, Pictures
from masquerade.privacy.accounting import need_dp
from masquerade.privacy.budget import Privacy
from masquerade.privacy.ledger import ledger_path
from masquerade.progress import Callback, ConsoleProgress

__all__ = ["PictureRequest", "run_pictures"]

DEFAULT, PRIVATE_DEFAULT = "imagegan", "merf"
"""The model that is taken where none is named, without and with a guarantee."""

LEAST_HELD = 10

PUBLIC = "the pictures' size and the classes, which you declared public"
"""What a guarantee for pictures does not cover."""


@dataclass(frozen=True, kw_only=True)
class PictureRequest:
    """What the user asked `synthesize` for; None or empty where not given.

    Args:
        data, output, model, rows, given, epochs, max_minutes, save, reports, holdout_share, seed, quiet: as the options.
        reading: arguments of `read_pictures`.
        watch: a folder for a grid per epoch.
        tensorboard, wandb: folders for logs of the training.
        keep_epochs: a folder for the model after each epoch.
        start_from: a saved model to go on from.
        freeze: layers of its generator that stay, parted by commas.
        privacy: the guarantee to keep.
        classes: those that there may be, parted by commas; with a guarantee.
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
    tensorboard: Path | None
    wandb: Path | None
    keep_epochs: Path | None
    start_from: Path | None
    freeze: str | None
    privacy: Privacy | None
    classes: str | None
    refused: Mapping[str, Any]


def run_pictures(request: PictureRequest) -> None:
    """Do all of it; either everything that was asked for is written, or nothing but a model worth keeping."""
    chosen = _check(request)
    seed = seeds.check_seed(request.seed)
    from masquerade.synthesize.image_source import open_pictures

    pictures = open_pictures(request.data, **request.reading)
    train, held = _split(request, pictures, seed)
    declared = _declared(request, pictures)
    given = given_class(request.given, pictures.classes.tolist() if declared is None else declared)
    freeze = [name.strip() for name in (request.freeze or "").split(",") if name.strip()]
    with ConsoleProgress() as bar, ExitStack() as open_logs:
        callback = None if request.quiet else bar
        callbacks = [*([] if callback is None else [callback]), *_logs(request, open_logs)]
        settings: dict[str, Any] = {"callbacks": tuple(callbacks)}
        for name in ("epochs", "max_minutes", "watch", "keep_epochs"):
            if getattr(request, name) is not None:
                settings[name] = getattr(request, name)
        if request.privacy is None:
            model = chosen(**settings, random_state=seed).fit(train, start_from=request.start_from, freeze=freeze)
        else:
            beginning = {} if request.start_from is None else {"start_from": request.start_from}
            model = chosen(**settings, privacy=request.privacy, classes=declared).fit(train, **beginning)
        keep_trained(model, request.save, "model", "pictures")
        trained = len(train) if request.privacy is None else model.noised_rows_
        count = trained if request.rows is None else request.rows
        drawn: list[Pictures] = []
        with all_or_nothing([ledger_path(request.output), *request.reports]):
            write_drawn(request.output, model, count, given, seed, callback, drawn if request.reports else None)
            write_ledger(request.output, model.ledger_)
            if request.reports:
                _report(request, train, drawn, held, model, seed, callback)
    tell_written(request.output, request.save, request.reports)
    if request.privacy is None:
        tell(model.ledger_.sentence())
    else:
        tell_guarantee(model.ledger_, reports=bool(request.reports), public=PUBLIC, rows="pictures")


def _check(request: PictureRequest) -> Any:
    """Refuse what cannot be written or done, before the pictures are read; returns the class of the model."""
    refuse_for_pictures(request.data, request.refused)
    check_picture_output(request.output)
    checks.check_outputs(
        [
            ("--output", ledger_path(request.output), checks.REPORTS),
            ("--save", request.save, checks.MODELS),
            *(("--report", path, checks.REPORTS) for path in request.reports),
        ],
        [request.start_from],
    )
    if request.freeze is not None and request.start_from is None:
        raise SettingError("--freeze: there are no layers to keep, add --start-from MODEL.mq, a model to go on from.")
    refuse_without_report(request.reports, {"--holdout-share": request.holdout_share})
    from masquerade.synthesize import image_synthesizers  # loads JAX, which a refusal above need not wait for

    known = image_synthesizers()
    name = (request.model or (DEFAULT if request.privacy is None else PRIVATE_DEFAULT)).lower()
    if name not in known:
        raise SettingError(
            f"--model: got {request.model!r}, expected {' or '.join(known)} for pictures{nearest(name, known)}."
        )
    _check_guarantee(request, name, known)
    return known[name]


def _logs(request: PictureRequest, stack: ExitStack) -> list[Callback]:
    """The logs of the training that were asked for; the stack closes them."""
    logs: list[TensorBoard | WeightsAndBiases] = []
    if request.tensorboard is not None:
        logs.append(TensorBoard(request.tensorboard))
    if request.wandb is not None:
        logs.append(WeightsAndBiases(request.wandb))
    for log in logs:
        stack.callback(log.close)
    return list(logs)


def _check_guarantee(request: PictureRequest, name: str, known: Mapping[str, Any]) -> None:
    """Refuse what a guarantee does not go with, and a model that cannot keep it."""
    private = [other for other, model in known.items() if "privacy" in model._defaults()]
    if request.privacy is None:
        if name in private and known[name]._defaults()["privacy"] is not None:  # it has no default
            raise SettingError(f"--model {name}: learns under a guarantee only, add --epsilon E and --classes A,B,...")
        if request.classes is not None:
            raise SettingError("--classes: is part of a guarantee, add --epsilon E.")
        return
    if name not in private:
        raise SettingError(f"--model {name}: cannot keep a guarantee; with --epsilon take {' or '.join(private)}.")
    refused = {
        "--seed": (
            request.seed,
            "a published seed would undo the noise, leave it out; masquerade sample draws pictures of a saved model (--save) "
            "with one",
        ),
        "--keep-epochs": (request.keep_epochs, "under a guarantee the last model alone is kept; leave it out"),
        "--freeze": (request.freeze, "all layers learn under a guarantee; leave it out"),
    }
    if "epochs" not in known[name]._defaults():
        refused |= {
            "--epochs": (request.epochs, f"{name} looks at the pictures once only; leave it out"),
            "--start-from": (request.start_from, f"{name} learns from scratch; leave it out"),
        }
    for option, (value, why) in refused.items():
        if value is not None:
            raise SettingError(f"{option}: {why}.")
    need_dp()


def _declared(request: PictureRequest, pictures: Pictures) -> list[Any] | None:
    """The classes that were declared, of the type that the pictures have; None without a guarantee or without classes."""
    if request.privacy is None:
        return None
    labels = pictures.labels.get(LABEL)
    if request.classes is None:
        if labels is not None:
            raise SettingError(
                "--classes: the pictures have classes, and which there are must be public under a guarantee; name all that "
                "there may be, parted by commas: --classes 0,1,2"
            )
        return None
    listed = [name.strip() for name in request.classes.split(",")]
    if labels is None:
        raise SettingError("--classes: the pictures have no classes; leave it out.")
    if labels.dtype.kind not in "iu":
        return listed
    try:
        return [int(name) for name in listed]
    except ValueError as error:
        raise SettingError(
            f"--classes: got {request.classes!r}, expected integers, as the pictures' classes are."
        ) from error


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
    if request.privacy is None:
        tell(f"Held out {held:,} pictures for the report; {len(pictures) - held:,} train.")
    else:
        tell(f"Held out {share:.0%} of the pictures for the report.")
    return pictures[np.sort(order[held:])], pictures[np.sort(order[:held])]


def _report(
    request: PictureRequest,
    train: Pictures,
    drawn: list[Pictures],
    held: Pictures | None,
    model: Any,
    seed: int,
    callback: Callback | None,
) -> None:
    from masquerade.evaluation import evaluate
    from masquerade.judge.picture_panels import training_panel
    from masquerade.pictures import join

    released = drawn[0]
    for part in drawn[1:]:
        released = join(released, part)
    judged = evaluate(train, released, holdout=held, kind="images", ledger=model.ledger_, seed=seed, callback=callback)
    trained = training_panel(model.history_)
    judged = judged if trained is None else judged.with_panels([trained])
    for path in request.reports:
        judged.save(path)
    tell(judged.summary())
