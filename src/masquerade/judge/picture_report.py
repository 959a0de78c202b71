"""A report on pictures: what a classifier loses, how like the real ones they look, and what they tell of those that trained."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from masquerade.errors import SettingError
from masquerade.judge.ceilings import guaranteed_ceilings
from masquerade.judge.figures import Outcome
from masquerade.judge.intake import warn
from masquerade.judge.panels import Panel
from masquerade.judge.picture_fidelity import FAIR_PICTURES, class_balance, likeness
from masquerade.judge.picture_intake import PictureSets, picture_sets
from masquerade.judge.picture_learning import Teacher
from masquerade.judge.picture_panels import balance_panel, nearness_panel, neighbours_panel, released_panel
from masquerade.judge.picture_privacy import copies, membership, memorisation
from masquerade.judge.picture_utility import accuracies
from masquerade.judge.report import Report
from masquerade.nets.picture_classifier import PictureClassifier
from masquerade.privacy.ledger import Ledger
from masquerade.progress import Callback, Progress

__all__ = ["judge_pictures", "refuse_for_pictures"]

_NET = 8.0  # what training a net counts for on the bar
_ALIKE = 0.8  # a set this much smaller than another trains nets that cannot be set beside the other's


def refuse_for_pictures(settings: Mapping[str, Any]) -> None:
    """Refuse settings that would have no effect on a report about pictures.

    Args:
        settings: by name, those that are for tables; None, empty and 16 shadows are what they are when nobody sets them.

    Raises:
        SettingError: one of them was set.
    """
    for name, value in settings.items():
        if value is not None and not (isinstance(value, list | tuple | str) and not value):
            raise SettingError(f"{name}: it is for tables, and these are pictures (kind='images'); leave it out.")


def judge_pictures(
    real: Any,
    released: Any,
    holdout: Any,
    *,
    size: tuple[int, int] | None,
    aligned: bool | None,
    protect: int,
    attacks: str,
    show_neighbours: bool,
    ledger: Mapping[str, Any],
    seed: int,
    callback: Callback | None,
    skip_bad: bool = False,
    seen: int | None = None,
) -> Report:
    """Judge released pictures beside the real ones they were made from, and beside real ones they never saw.

    Args:
        real, released, holdout: as for `masquerade.judge.picture_intake.picture_sets`.
        size: height and width to which all are brought; None: they must be alike.
        aligned: whether released picture i was made from real picture i; None: what the ledger says.
        protect: how many real pictures a class must have to be counted on the page.
        attacks: `"none"`, or `"quick"`: which pictures trained is asked.
        show_neighbours: whether the page shows the real pictures that released ones come nearest to.
        ledger: what was guaranteed, as from `Ledger.to_dict`; empty: nothing is known.
        seed: of every sample and net.
        callback: told how far it is.
        skip_bad: whether damaged pictures of files are left out, with a warning.
        seen: pictures that the training of each net sees; None: twenty times the set, from 20,000 to 240,000.

    Raises:
        TableError, FileError, SettingError: as `picture_sets`.
    """
    start = time.monotonic()
    sets = picture_sets(real, released, holdout, size=size, skip_bad=skip_bad, seed=seed)
    _tell_left_out(sets, show_neighbours)
    labelled = sets.released.classes is not None
    tested = labelled and sets.holdout is not None and sets.holdout.classes is not None
    known = Ledger.from_dict(ledger)
    fresh = not (
        known.aligned if aligned is None else aligned
    )  # of pictures that were kept everybody knows whose they are
    attacked = attacks != "none" and sets.holdout is not None and fresh
    count = min(len(sets.real), len(sets.released))
    own = tested and count < _ALIKE * len(sets.real)  # as many real pictures as released ones train a net of their own
    bar = _Bar(callback, start, 8 + _NET * (1 + (labelled and (tested or attacked)) + own))

    teacher = Teacher(sets.shape, len(sets.names), seed, seen)
    net = teacher.train(sets.real, "real", bar.during(_NET))
    outcomes = [likeness(sets, net.features, seed, bar.tick, turned=not sets.names), class_balance(sets)]
    pupil: PictureClassifier | None = None
    if labelled and (tested or attacked):
        pupil = teacher.train(sets.released.sample(count, seed, "utility"), "released", bar.during(_NET))
    if tested and pupil is not None and sets.holdout is not None:
        fair, trained = net, len(sets.real)
        if own:
            fair = teacher.train(sets.real.sample(count, seed, "utility"), "fair", bar.during(_NET))
            trained = count
        told = [judge.predict(sets.holdout.images) for judge in (pupil, fair)]
        outcomes.append(accuracies(told[0], told[1], sets.holdout, (count, trained)))
        bar.tick("utility")
    near_found, near = memorisation(sets, seed, kept=not fresh)
    outcomes += [copies(sets), near_found]
    bar.tick("nearness")
    if attacked:
        outcomes.append(membership(sets, pupil, seed, guaranteed_ceilings(known)))
        bar.tick("membership")
    panels: list[Panel | None] = [released_panel(sets, seed), balance_panel(sets, protect)]
    if near is not None:
        panels.append(nearness_panel(near, protect))
        if show_neighbours:
            panels.append(neighbours_panel(near))
    bar.finish()
    return _report(sets, outcomes, panels, ledger, time.monotonic() - start)


def _report(
    sets: PictureSets, outcomes: list[Outcome], panels: list[Panel | None], ledger: Mapping[str, Any], seconds: float
) -> Report:
    return Report(
        scores={name: score for outcome in outcomes for name, score in outcome.scores.items()},
        attacks={name: found for outcome in outcomes for name, found in outcome.attacks.items()},
        ledger=ledger,
        rows={
            "real": sets.real.count,
            "released": sets.released.count,
            "holdout": 0 if sets.holdout is None else sets.holdout.count,
        },
        seconds=seconds,
        facts={"things": "pictures", "panels": [panel.to_dict() for panel in panels if panel is not None]},
    )


def _tell_left_out(sets: PictureSets, show_neighbours: bool) -> None:
    if not sets.names:
        warn(
            "the pictures have no classes: tstr and class_balance are left out, and the net learns which way up they are."
        )
    if sets.holdout is None:
        warn("no holdout was given: ceilings, tstr, memorisation, exact_copies and attacks are left out.")
    elif len(sets.holdout) < min(FAIR_PICTURES, len(sets.released)):
        warn(
            f"holdout: {len(sets.holdout)} pictures are too few to compare with (expected {FAIR_PICTURES}); ceilings of "
            "frechet_distance, kernel_distance, precision and recall are left out."
        )
    if show_neighbours:
        if sets.holdout is None:
            raise SettingError("show_neighbours: nearest pictures are sought where there is a holdout; give one.")
        warn("the report's page shows REAL pictures, as was asked for: keep it where the real set may be.")


class _Bar:
    """Tells the callback how far the judgement is, within trainings too."""

    def __init__(self, callback: Callback | None, start: float, total: float) -> None:
        self._callback, self._start, self._total, self._done = callback, start, total, 0.0

    def tick(self, part: str) -> None:
        """A small part is done."""
        del part  # a bar shows how far, not what
        self._done += 1
        self._tell(self._done)

    def during(self, weight: float) -> Callable[[float], None]:
        """To be told of a part which share of it is done."""
        before = self._done
        self._done += weight
        return lambda share: self._tell(before + weight * share)

    def finish(self) -> None:
        """All is done."""
        self._tell(self._total, finished=True)

    def _tell(self, done: float, *, finished: bool = False) -> None:
        if self._callback is not None:
            seconds = time.monotonic() - self._start
            self._callback(Progress("evaluate", min(done, self._total), self._total, seconds, finished=finished))
