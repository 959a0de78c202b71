"""Learning a GAN of pictures under a guarantee: noised mean embeddings first, then DP-SGD on the critic alone."""

from __future__ import annotations

import secrets
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from masquerade.errors import InterruptedTraining, MasqueradeWarning
from masquerade.nets.loop import Compilation, Schedule, seconds_left, train
from masquerade.nets.picture_critic_private import check_critic
from masquerade.nets.picture_gan import PictureGAN
from masquerade.nets.picture_gan_private import PrivatePictures, PrivatePictureTraining, Recipe
from masquerade.nets.picture_merf import EmbeddingMatcher, MatchingSettings, WindowFeatures
from masquerade.nets.picture_nets import PictureNetFactory
from masquerade.privacy.accountant import Accountant
from masquerade.privacy.dpsgd import Plan
from masquerade.progress import Callback, Progress
from masquerade.synthesize.image_guarantee import Counted, noised_means
from masquerade.synthesize.private_training import PrivateLength

__all__ = ["LearnedPictures", "PictureLength", "learn_privately"]

EMBEDDING = 0.2
"""Share of the budget for the mean embeddings that the generator begins at and is held to; the critic has the rest."""

FEATURES = 3_000
"""Numbers of a mean embedding, about: it is to say where to begin, and the critic what is missing."""

MATCHING_STEPS = 1_000
MATCHING_SHARE = 0.4
"""Steps of the generator towards the embeddings, and of a limited time at most so much."""

PARTS = 10
"""Grids that are shown of that, at most."""

CLIP = 1.0
"""Bound of a unit's gradient. Adam makes up for its scale, and most gradients are longer, so that little depends on it."""

MICROBATCH = 128
"""Pictures worked off at a time where a critic's gradients come from its layers."""

MICROBATCH_NUMBERS = 16_000_000
"""About how many numbers written out gradients may take."""

HISTORY = 3
"""Entries of the history."""

ROUNDS = 2
"""Updates of the generator, with the critic's before each, that the pace is taken from."""


class PictureLength(PrivateLength):
    """How long and on how many pictures to train; a step is an update of the critic.

    >>> PictureLength.of(60_000.0, None, None)
    PictureLength(batch=600.0, epochs=25, steps_per_epoch=100)
    """

    share, least_batch, most_epochs, most_steps = 0.01, 64, 40, 2_500


@dataclass(frozen=True)
class LearnedPictures:
    """What is left of a private training: no critic, no optimiser, no loss.

    Args:
        params: the averaged generator's arrays, its normalisation, if any, fixed.
        history: ε at a few steps on the way.
        interrupted: whether Ctrl-C ended it early.
    """

    params: Any
    history: list[dict[str, float]]
    interrupted: bool


def learn_privately(
    images: NDArray[np.uint8],
    numbers: NDArray[np.int32],
    counted: Counted,
    gan: PictureGAN,
    generator: PictureNetFactory,
    recipe: Recipe,
    *,
    batch_size: int | None,
    epochs: int | None,
    begin_at: Callable[[Any], Any],
    max_minutes: float | None,
    tell: Callback,
    show: Callable[[Any], None],
) -> LearnedPictures:
    """Train with all that is left of the budget.

    There is no referee, no best epoch and no early stop: each would be a look at the pictures. The clock does not end the
    training either, for how long a step takes depends on how many pictures it draws: how many steps fit in is found out
    beforehand, on pictures of nothing, and the noise is then made for so many.

    Args:
        images: the private pictures, all of them declared classes.
        numbers: their classes.
        counted: the account, and how many pictures there are, with noise.
        gan: pure functions.
        generator: makes the generator that `gan` has.
        recipe: what shapes a step.
        batch_size: pictures a step of the critic draws on average; None: a hundredth of all.
        epochs: passes over the pictures; None: what suits so many.
        begin_at: from the arrays of a fresh generator to those that training begins at.
        max_minutes: about so long; None: no limit.
        tell: told how far training is.
        show: given the generator's arrays now and then.

    Raises:
        SettingError: a critic that does not judge each picture on its own, or a budget that is too small.
        InterruptedTraining: Ctrl-C before there was anything to keep.
    """
    check_critic(gan)
    accountant, features = counted.accountant, WindowFeatures(gan.shape, FEATURES // 3)
    means = noised_means(counted, accountant.sigma(EMBEDDING), features, images, numbers)
    began = time.monotonic()  # from here on, what the clock says depends on no picture
    settings = MatchingSettings(latent_width=gan.settings.latent_width, steps=MATCHING_STEPS)
    matcher = EmbeddingMatcher(gan.shape, gan.classes, features, settings, generator)
    limit = None if max_minutes is None else 60 * MATCHING_SHARE * max_minutes
    told = jnp.asarray(means), jnp.asarray(counted.shares, jnp.float32)
    seed = secrets.randbits(31)
    fresh, critic = jax.jit(gan.fresh)(seed)
    params, interrupted = _matched(matcher, begin_at(fresh), told, limit, tell, show)
    history: list[dict[str, float]] = []
    if not interrupted:
        length = PictureLength.of(counted.total, batch_size, epochs)
        plan = _plan(accountant, counted.total, length, length.steps)
        training = PrivatePictureTraining(gan, matcher, plan, recipe, _microbatch(gan, length.batch))
        if max_minutes is not None:
            fitting = _fitting(training, params, critic, told, round(counted.total), max_minutes, began, tell)
            if fitting < plan.steps:
                plan = _plan(accountant, counted.total, length, fitting)
                training = PrivatePictureTraining(gan, matcher, plan, recipe, training.microbatch)
        data = PrivatePictures(jnp.asarray(images), jnp.asarray(numbers), *told)
        del images, numbers
        params, history, interrupted = _trained(training, params, critic, data, accountant, length, tell, show)
    key = jax.random.key(secrets.randbits(31))
    return LearnedPictures(jax.jit(gan.normalised)(params, key), history, interrupted)


def _plan(accountant: Accountant, total: float, length: PictureLength, steps: int) -> Plan:
    what = "updates of the critic"
    return Plan.calibrated(accountant, total, batch=length.batch, clip=CLIP, steps=steps, what=what)


def _matched(
    matcher: EmbeddingMatcher, params: Any, told: Any, limit: float | None, tell: Callback, show: Callable[[Any], None]
) -> tuple[Any, bool]:
    """The generator's arrays brought to the noised means; no picture is needed. And whether Ctrl-C ended it."""
    outcome = train(
        matcher.step,
        matcher.begin(params, secrets.randbits(31)),
        told,
        Schedule(PARTS, MATCHING_STEPS // PARTS, limit, validate_every=1, quick=True),
        snapshot=lambda state: state.average,
        validate=_shown(show),
        callback=tell,
    )
    return outcome.trail.best, outcome.stopped == "interrupted"


def _shown(show: Callable[[Any], None]) -> Callable[[Any], float]:
    """A validation that looks at nothing."""

    def validate(params: Any) -> float:
        show(params)
        return 0.0

    return validate


def _trained(
    training: PrivatePictureTraining,
    params: Any,
    critic: Any,
    data: PrivatePictures,
    accountant: Accountant,
    length: PictureLength,
    tell: Callback,
    show: Callable[[Any], None],
) -> tuple[Any, list[dict[str, float]], bool]:
    """Take the steps of the plan: the generator's arrays, the history, and whether Ctrl-C ended it."""
    plan, found, interrupted = training.plan, params, False
    parts = max(plan.steps // length.steps_per_epoch, 1)
    with plan.charged(accountant) as meter:

        def before(state: Any, steps: int) -> Any:
            meter.begin(steps)
            return training.refreshed(state)

        try:
            outcome = train(
                training.step,
                training.begin(params, critic),
                data,
                Schedule(parts, plan.steps // parts, None, validate_every=1, quick=True),
                snapshot=lambda state: state.average,
                validate=_shown(show),
                callback=tell,
                before=before,
            )
            found, interrupted = outcome.trail.best, outcome.stopped == "interrupted"
        except InterruptedTraining:  # before the first step: what came of the noised means is worth keeping
            interrupted = True
    if not all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(found)):
        warnings.warn(
            "training left the finite numbers, and its budget is spent: what the generator was told by the noised means alone "
            "is kept. A smaller learning_rate usually helps.",
            MasqueradeWarning,
            stacklevel=5,
        )
        found = params
    marks = np.unique(np.linspace(0, meter.begun, HISTORY + 1).astype(int)[1:])
    history = [{"step": float(step), "epsilon": meter.epsilon(int(step))} for step in marks if step > 0]
    return found, history, interrupted


def _fitting(
    training: PrivatePictureTraining,
    params: Any,
    critic: Any,
    told: tuple[Any, Any],
    count: int,
    max_minutes: float,
    began: float,
    tell: Callback,
) -> int:
    """Steps that there is time for, by the pace on pictures of nothing, as many as there are with noise."""
    shape, rounds = training.gan.shape, ROUNDS * training.recipe.critic_steps
    nothing = PrivatePictures(jnp.zeros((count, *shape), jnp.uint8), jnp.arange(count) % training.kinds, *told)
    state = training.begin(params, critic)._replace(steps=jnp.int32(training.first))
    start = time.monotonic()

    def several(state: Any, data: PrivatePictures, steps: Any) -> Any:
        return jax.lax.fori_loop(0, steps, lambda _, state: training.step(state, data)[0], state)

    def waiting(seconds: float) -> None:
        tell(Progress("compile", 0, 1, seconds))

    run = Compilation(several, state, nothing, jnp.int32(rounds), quick=True).result(waiting)
    compiled = time.monotonic() - start
    int(run(state, nothing, jnp.int32(1)).steps)
    start = time.monotonic()
    int(run(state, nothing, jnp.int32(rounds)).steps)  # waits for it
    pace = (time.monotonic() - start) / rounds
    left = (seconds_left(max_minutes, began) or 0.0) - compiled
    return int(np.clip(left / pace, 1, training.plan.steps))


def _microbatch(gan: PictureGAN, batch: float) -> int:
    """Pictures worked off at a time: where gradients are written out, by the memory of those."""
    wanted = 1 << int(np.ceil(np.log2(1.25 * batch + 8)))
    if PrivatePictureTraining.judges_by_layers(gan):
        return int(min(MICROBATCH, wanted))
    weights = sum(leaf.size for leaf in jax.tree.leaves(gan.critic_skeleton()))
    return int(min(MICROBATCH, max(MICROBATCH_NUMBERS // weights, 1), wanted))
