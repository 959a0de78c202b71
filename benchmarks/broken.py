"""Five private mechanisms, each broken in one place, as published implementations were: an audit has to catch them.

Each is the mechanism of this package with one piece replaced while a `with` block lasts.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import jax
import jax.numpy as jnp
import numpy as np
import polars as pl

from masquerade.nets import private, private_trial
from masquerade.privacy.accountant import Accountant
from masquerade.privacy.budget import Privacy
from masquerade.privacy.dpsgd import Plan
from masquerade.schema import Column, Schema
from masquerade.studies.auditing import noise
from masquerade.studies.auditing.findings import Finding
from masquerade.studies.auditing.preparing import audit_domains, audit_preparation
from masquerade.synthesize import private as preparation
from masquerade.synthesize import private_domains

PRIVACY = Privacy(epsilon=1.0, delta=1e-6)
DECLARED = Schema(
    (
        Column("job", "categorical", levels=("clerk", "nurse", "smith")),
        Column("member", "boolean"),
        Column("age", "integer", minimum=0, maximum=99),
    ),
    declared=True,
)
OPEN = Schema((Column("job", "categorical"), Column("age", "integer")), declared=True)
"""Neither levels nor bounds are declared."""


def rows(count: int = 2_000) -> pl.DataFrame:
    """A typed table."""
    random = np.random.default_rng(0)
    return pl.DataFrame(
        {
            "job": random.choice(["clerk", "nurse"], count),
            "member": random.random(count) < 0.5,
            "age": random.integers(20, 60, count),
        }
    )


# ── what is broken ───────────────────────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def no_noise() -> Iterator[None]:
    """Counts go out as they are."""

    def plain(counts: Any, scale: float) -> Any:
        return counts.astype(np.int64)

    with patch.object(preparation, "noised_counts", plain):
        yield


@contextmanager
def no_clip() -> Iterator[None]:
    """Gradients are added up as they are, and the noise is for clipped ones."""

    def unclipped(loss: Callable[[Any, Any], Any], clip: float) -> private.ClippedSum:
        def function(weights: Any, examples: Any, present: Any) -> Any:
            gradients = jax.vmap(jax.grad(loss), (None, 0))(weights, examples)
            return jax.tree.map(lambda leaf: (leaf.T * present).T.sum(axis=0), gradients)

        return private.ClippedSum(function, clip)

    with _recompiled(), patch.object(private, "clipped_sum", unclipped):
        yield


@contextmanager
def reused_key() -> Iterator[None]:
    """All leaves of the weights get the same noise."""

    def noised(key: Any, sums: Any, deviation: Any) -> Any:
        return jax.tree.map(lambda leaf: leaf + deviation * jax.random.normal(key, leaf.shape), sums)

    with _recompiled(), patch.object(private, "noised", noised):
        yield


@contextmanager
def shuffled() -> Iterator[None]:
    """Batches of a fixed size from shuffled rows, which are charged as if each row were drawn on its own.

    One row more takes the place of another one in its batch: where all others pull the other way, it shows twice.
    """

    @functools.cache
    def compiled(plan: Plan, length: float, runs: int) -> Any:
        slots = round(1 / plan.rate)
        units = slots - 1 + (length != 0)
        clipped = private.clipped_sum(lambda weights, example: (weights * example).sum(), plan.clip)
        gradients = jnp.zeros((slots, 2)).at[:, 0].set(-plan.clip).at[0, 0].set(length if length else -plan.clip)
        there = jnp.arange(slots) < units

        def step(gradient: Any, present: Any, key: Any) -> Any:
            total = clipped(jnp.zeros(2), gradient[None], present[None])
            return private.noised(key, total, plan.sigma * clipped.sensitivity())

        def run(key: Any) -> Any:
            def epoch(number: Any) -> Any:
                order_key, noise_key = jax.random.split(jax.random.fold_in(key, number))
                order = jax.random.permutation(order_key, units)
                order = jnp.concatenate([order, jnp.arange(units, slots)])  # the last batch is one short
                return jax.vmap(step)(gradients[order], there[order], jax.random.split(noise_key, slots))

            return jax.lax.map(epoch, jnp.arange(plan.steps // slots)).reshape(-1, 2)

        return jax.jit(lambda key: jax.vmap(run)(jax.random.split(key, runs)))

    def noisy_sums(plan: Plan, length: float, runs: int) -> Any:
        return compiled(plan, length, runs)(private.fresh_key())

    with patch.object(private_trial, "noisy_sums", noisy_sums):
        yield


@contextmanager
def raw_domain() -> Iterator[None]:
    """Levels and bounds are read off the rows."""

    def levels(column: Column, values: pl.Series, *_: Any) -> Any:
        counted = values.drop_nulls().value_counts(name="rows").sort(values.name)
        return tuple(counted.get_column(values.name).to_list()), counted.get_column("rows").to_numpy().astype(float)

    def bounded(column: Column, values: pl.Series, scale: float) -> Column:
        return private_domains._with(column, values.min(), values.max())

    with patch.object(private_domains, "found_levels", levels), patch.object(private_domains, "_bounded", bounded):
        yield


@contextmanager
def _recompiled() -> Iterator[None]:
    """What is replaced must not be found compiled, before or after."""
    private_trial._compiled.cache_clear()
    try:
        yield
    finally:
        private_trial._compiled.cache_clear()


# ── how each is audited, broken or whole ─────────────────────────────────────────────────────────────────────────────────


@functools.cache
def plan(rate: float = 0.25, steps: int = 8, privacy: Privacy = PRIVACY) -> Plan:
    """A plan whose steps use all of the budget."""
    total = 100.0
    return Plan.calibrated(Accountant(privacy), total, batch=rate * total, clip=1.0, steps=steps)


def counts(trials: int, confidence: float) -> Finding:
    """The noised counts of a table."""
    return audit_preparation(rows(100), DECLARED, PRIVACY, trials=trials, confidence=confidence)


def steps(trials: int, confidence: float) -> Finding:
    """All steps of a training, by the likelihood ratio; the canary's gradient is ten times too long."""
    return noise.audit_steps(plan(), delta=PRIVACY.delta, trials=trials, confidence=confidence)


def leaves(trials: int, confidence: float) -> Finding:
    """All steps of a training, by the difference of two leaves."""

    def score(seen: Any, used: Plan) -> Any:
        return (seen[:, :, 0] - seen[:, :, 1]).sum(axis=1)

    return noise.audit_steps(plan(), delta=PRIVACY.delta, trials=trials, confidence=confidence, score=score)


def epochs(trials: int, confidence: float) -> Finding:
    """All steps of a training whose other rows pull the other way, by the likelihood ratio of shuffled batches."""
    used = plan(0.1, 10)
    slots = round(1 / used.rate)

    def score(seen: Any, _: Plan) -> Any:
        pulled = seen[:, :, 0].reshape(len(seen), -1, slots) + 1.0  # 2 in the canary's batch; or 1 in the last one
        inside = (4 * pulled - 4) / (2 * used.sigma**2)
        outside = (2 * pulled[:, :, -1] - 1) / (2 * used.sigma**2)
        return (np.logaddexp.reduce(inside, axis=2) - np.log(slots) - outside).sum(axis=1)

    return noise.audit_steps(used, delta=PRIVACY.delta, trials=trials, confidence=confidence, score=score)


def domains(trials: int, confidence: float) -> Finding:
    """Levels and bounds that nobody declared."""
    table = rows().select("job", "age")
    return audit_domains(table, OPEN, PRIVACY, trials=trials, confidence=confidence)


BROKEN: dict[str, tuple[Callable[[], Any], Callable[[int, float], Finding], int]] = {
    "no noise": (no_noise, counts, 60),
    "no clip": (no_clip, steps, 500),
    "shuffled rows": (shuffled, epochs, 4_000),
    "reused key": (reused_key, leaves, 500),
    "raw domain": (raw_domain, domains, 60),
}
"""What breaks it, how it is audited, and with how many runs of each side it is caught."""
