"""`masquerade desensitize` on a picture set: read it, learn or load, redraw the pictures, say what attackers still find."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from masquerade.cli.boundary import tell
from masquerade.cli.keeping import load_release
from masquerade.cli.picture_panels import readers_panel
from masquerade.cli.picture_releasing import check_asked, write_release
from masquerade.cli.refusing import refuse_with_using
from masquerade.cli.release import keep_trained
from masquerade.errors import SettingError
from masquerade.picture_files import read_pictures
from masquerade.progress import ConsoleProgress
from masquerade.seeds import check_seed

__all__ = ["PictureDesensitizeRequest", "one_label", "run_picture_desensitize", "told_of"]


@dataclass(frozen=True, kw_only=True)
class PictureDesensitizeRequest:
    """What the user asked `desensitize` for: the options by their names, None or empty where not given.

    Args:
        data, output, hide, keep, strength, epochs, max_minutes, save, using, reports, seed, quiet: as the options.
        reading: arguments of `read_pictures`.
        refused: what was given of the options that only tables have, by option.
    """

    data: Path
    output: Path
    hide: tuple[str, ...]
    keep: tuple[str, ...]
    strength: float | None
    epochs: int | None
    max_minutes: float | None
    save: Path | None
    using: Path | None
    reports: tuple[Path, ...]
    seed: int | None
    quiet: bool
    reading: Mapping[str, Any]
    refused: Mapping[str, Any]


def one_label(option: str, given: Sequence[str]) -> str | None:
    """The one label that an option names; None: it was not given.

    Raises:
        SettingError: several.

    >>> one_label("--hide", ["parity"])
    'parity'
    """
    names = [name.strip() for part in given for name in part.split(",") if name.strip()]
    if len(names) > 1:
        raise SettingError(f"{option}: got {', '.join(names)}, expected one label of the pictures.")
    return names[0] if names else None


def told_of(audit: Mapping[str, float], hide: str, keep: str | None) -> list[str]:
    """What was measured on held-out pictures, as sentences.

    >>> print(*told_of({"secret_before": 0.99, "secret_after": 0.53, "secret_guess": 0.51}, "parity", None))
    parity: read from 99% of held-out pictures before, from 53% after, by a fresh attacker (guessing: 51%).
    """
    if not audit:
        return []
    lines = [
        f"{hide}: read from {audit['secret_before']:.0%} of held-out pictures before, from {audit['secret_after']:.0%} after, "
        f"by a fresh attacker (guessing: {audit['secret_guess']:.0%})."
    ]
    if keep is not None:
        lines.append(
            f"{keep}: read from {audit['keep_before']:.0%} before, from {audit['keep_after']:.0%} after, from "
            f"{audit['keep_by_real']:.0%} by a net of real pictures (guessing: {audit['keep_guess']:.0%})."
        )
    if audit.get("code_share") == 0:
        shown = "nothing" if keep is None else f"only {keep}"
        lines.append(
            f"Of each picture {shown} was kept, the rest is drawn at random: attackers were not shown to gain nothing by more. "
            "More pictures may allow for it."
        )
    return lines


def run_picture_desensitize(request: PictureDesensitizeRequest) -> None:
    """Do all of it; either everything that was asked for is written, or nothing but a model worth keeping."""
    check_asked(
        request.data, request.output, request.save, request.reports, [request.data, request.using], request.refused
    )
    hide, keep = one_label("--hide", request.hide), one_label("--keep", request.keep)
    settled = {"--hide": hide, "--keep": keep, "--epochs": request.epochs, "--max-minutes": request.max_minutes}
    refuse_with_using(request.using, settled | {"--save": request.save})
    if request.using is None and hide is None:
        raise SettingError("--hide: no label is named, expected the secret, such as --hide parity.")
    seed = check_seed(request.seed)
    from masquerade.release.image_desensitize import ImageDesensitizer  # loads JAX

    with ConsoleProgress() as bar:
        callback = None if request.quiet else bar
        callbacks = () if callback is None else (callback,)
        asked: dict[str, Any] = {
            "hide": hide,
            "keep": keep,
            "strength": request.strength,
            "epochs": request.epochs,
            "max_minutes": request.max_minutes,
        }
        asked = {name: value for name, value in asked.items() if value is not None}
        if request.using is None:
            release = ImageDesensitizer(**asked, random_state=seed, callbacks=callbacks)
        else:
            release = load_release(request.using, ImageDesensitizer, "desensitize")
            release.set_params(**asked, random_state=seed, callbacks=callbacks)
        release._check_settings()
        pictures = read_pictures(request.data, **request.reading)
        if request.using is None:
            release.fit(pictures)
            keep_trained(release, request.save, "release", "pictures")
        released = release.transform(pictures)
        ledger = release.ledger_
        measured = request.strength is None or request.using is None  # else it was measured at another strength
        audit = release.audit_ if measured else {}
        readers = readers_panel(audit, release.hide, release.keep)
        found = told_of(audit, release.hide, release.keep)
        write_release(
            request.output,
            released,
            ledger,
            save=request.save,
            reports=request.reports,
            real=pictures,
            held=None,
            seed=seed,
            callback=callback,
            panels=[] if readers is None else [readers],
            tried=found[:1],
        )
    for line in found:
        tell(line)
    tell(ledger.sentence())
