"""`masquerade mask` on a picture set: read it, learn to fill or not, hide the region, judge."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from masquerade.cli.boundary import tell
from masquerade.cli.keeping import load_release
from masquerade.cli.picture_panels import fills_panel
from masquerade.cli.picture_releasing import check_asked, write_release
from masquerade.cli.refusing import refuse, refuse_with_using, refuse_without_report
from masquerade.cli.release import keep_trained
from masquerade.errors import SettingError
from masquerade.picture_files import read_pictures
from masquerade.progress import ConsoleProgress
from masquerade.seeds import check_seed

__all__ = ["PictureMaskRequest", "box_of", "run_picture_mask"]


@dataclass(frozen=True, kw_only=True)
class PictureMaskRequest:
    """What the user asked `mask` for: the options by their names, None or empty where not given.

    Args:
        data, output, box, how, epochs, max_minutes, save, using, reports, holdout, seed, quiet: as the options.
        reading: arguments of `read_pictures`.
        refused: what was given of the options that only tables have, by option.
    """

    data: Path
    output: Path
    box: str | None
    how: str | None
    epochs: int | None
    max_minutes: float | None
    save: Path | None
    using: Path | None
    reports: tuple[Path, ...]
    holdout: Path | None
    seed: int | None
    quiet: bool
    reading: Mapping[str, Any]
    refused: Mapping[str, Any]


def box_of(text: str) -> tuple[int, int, int, int]:
    """`--box` as four numbers.

    Raises:
        SettingError: it is not four whole numbers.

    >>> box_of("7,7,14,14")
    (7, 7, 14, 14)
    """
    parts = [part.strip() for part in text.split(",")]
    if len(parts) != 4 or not all(part.isascii() and part.isdigit() for part in parts):
        raise SettingError(f"--box: got {text!r}, expected TOP,LEFT,HEIGHT,WIDTH in pixels, such as 7,7,14,14.")
    top, left, height, width = (int(part) for part in parts)
    return top, left, height, width


def run_picture_mask(request: PictureMaskRequest) -> None:
    """Do all of it; either everything that was asked for is written, or nothing but a model worth keeping."""
    check_asked(
        request.data,
        request.output,
        request.save,
        request.reports,
        [request.data, request.using, request.holdout],
        request.refused,
    )
    refuse_without_report(request.reports, {"--holdout": request.holdout})
    holding = {name: value for name, value in request.reading.items() if name != "labels"}  # which are of DATA
    asked: dict[str, Any] = {
        "box": None if request.box is None else box_of(request.box),
        "how": request.how,
        "epochs": request.epochs,
        "max_minutes": request.max_minutes,
    }
    refuse_with_using(request.using, {f"--{name.replace('_', '-')}": value for name, value in asked.items()})
    refuse_with_using(request.using, {"--save": request.save})
    if request.using is None and request.box is None:
        raise SettingError("--box: what is to be hidden? expected TOP,LEFT,HEIGHT,WIDTH in pixels, such as 7,7,14,14.")
    if request.how not in (None, "generate"):
        learning = {"--epochs": request.epochs, "--max-minutes": request.max_minutes}
        refuse(learning, f"{request.how} learns nothing; leave it out.")
    seed = check_seed(request.seed)
    from masquerade.release.image_mask import ImageMasker  # loads JAX, which a refusal above need not wait for

    with ConsoleProgress() as bar:
        callback = None if request.quiet else bar
        callbacks = () if callback is None else (callback,)
        if request.using is not None:
            masker = load_release(request.using, ImageMasker, "mask")
            masker.set_params(random_state=seed, callbacks=callbacks)
        else:
            settings = {name: value for name, value in asked.items() if value is not None}
            masker = ImageMasker(**settings, random_state=seed, callbacks=callbacks)
            masker._check_settings()
        pictures = read_pictures(request.data, **request.reading)
        if request.using is None:
            masker.fit(pictures)
            keep_trained(masker, request.save, "masker", "pictures")
        released = masker.transform(pictures)
        write_release(
            request.output,
            released,
            masker.ledger_,
            save=request.save,
            reports=request.reports,
            real=pictures,
            held=None if request.holdout is None else read_pictures(request.holdout, **holding),
            seed=seed,
            callback=callback,
            panels=[panel for panel in (fills_panel(masker.audit_),) if panel is not None],
        )
    if masker.audit_:
        audit = masker.audit_
        tell(
            f"Fills are off by {audit['error']:.0f} grey levels a pixel ({audit['error_if_seen']:.0f} by nets that had seen "
            f"the picture); two fills of one picture are {audit['spread']:.0f} apart."
        )
    tell(masker.ledger_.sentence())
