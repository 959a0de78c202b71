"""The autoregressive net: what each slot may know, that it is a distribution, and that drawing follows it."""

from __future__ import annotations

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from masquerade.codec.arrays import Layout
from masquerade.nets.autoregressive import AutoregressiveNet, NetSettings, Weights
from masquerade.nets.autoregressive_draw import Drawing
from masquerade.nets.slots import Slots

BASE = 4
"""Few places a digit, so that small columns already take several digits."""


def tiny(base: int = BASE) -> Slots:
    """Three columns: levels of one digit, numbers with missing of two or more, levels of two."""
    random = np.random.default_rng(0)
    sizes = (3, 7, 6)
    numbers = np.column_stack([np.linspace(0.1, 0.9, 7), np.linspace(-1, 1, 7)]).astype(np.float32)
    numbers[-1] = np.nan
    frequencies = tuple(random.dirichlet(np.full(size, 3.0)) for size in sizes)
    flags = tuple((False,) * size for size in sizes)
    return Slots(Layout(("a", "b", "c"), sizes, flags, (True, False, True), frequencies, (None, numbers, None)), base)


def make(narrow: int | None) -> tuple[AutoregressiveNet, Weights]:
    settings = NetSettings(embedding=5, hidden=8, narrow=narrow, dropout=0.0, batch_size=32, steps=10)
    net = AutoregressiveNet(tiny(), settings)
    weights = net.weights(0)
    # Weights large enough for the columns to depend on each other visibly.
    return net, jax.tree.map(lambda w: 1.5 * w, weights)


@pytest.fixture(scope="module", params=[None, 6], ids=["dense", "narrow"])
def built(request: pytest.FixtureRequest) -> tuple[AutoregressiveNet, Weights]:
    return make(request.param)


def every_row(slots: Slots) -> np.ndarray:
    return np.array(list(itertools.product(*map(range, slots.layout.sizes))), np.int32)


def order_of(slots: Slots, columns: list[int]) -> np.ndarray:
    """The order in which these columns come one after another."""
    rank = np.argsort(columns)
    return np.asarray(rank[slots.digits.column] * len(slots.digits.digit) + slots.digits.level, np.int32)


@pytest.mark.parametrize("columns", list(itertools.permutations(range(3))))
def test_a_slot_knows_those_before_it_and_no_other(
    built: tuple[AutoregressiveNet, Weights], columns: tuple[int, ...]
) -> None:
    net, weights = built
    order = order_of(net.slots, list(columns))
    rows = every_row(net.slots)[::7]
    share = net.slots.log_share
    before = np.asarray(net.log_probabilities(weights, share, rows, order))
    for place, changed in enumerate(columns):
        other = rows.copy()
        other[:, changed] = (other[:, changed] + 1) % net.slots.layout.sizes[changed]
        after = np.asarray(net.log_probabilities(weights, share, other, order))
        column = net.slots.digits.column
        earlier, later = np.isin(column, columns[:place]), np.isin(column, columns[place + 1 :])
        np.testing.assert_allclose(after[earlier], before[earlier], rtol=1e-5, atol=1e-5)
        if later.any():
            assert np.abs(after[later] - before[later]).max() > 1e-2


@pytest.mark.parametrize("columns", [(0, 1, 2), (2, 0, 1)])
def test_the_probabilities_of_all_rows_add_up_to_one(
    built: tuple[AutoregressiveNet, Weights], columns: tuple[int, ...]
) -> None:
    net, weights = built
    rows = every_row(net.slots)
    each = net.log_probabilities(weights, net.slots.log_share, rows, order_of(net.slots, list(columns)))
    assert float(jnp.exp(each.sum(axis=0)).sum()) == pytest.approx(1, abs=1e-4)


def drawn(
    net: AutoregressiveNet, weights: Weights, given: np.ndarray, *, free: bool = False, **how: float
) -> np.ndarray:
    drawing = Drawing(net)
    arguments = (
        drawing.ready(weights),
        net.slots.log_share,
        jnp.float32(how.get("temperature", 1.0)),
        jax.random.key(0),
        jnp.int32(0),
        given,
    )
    return np.asarray(jax.jit(drawing.free_rows if free else drawing.rows)(*arguments))


def distance(rows: np.ndarray, sizes: tuple[int, ...], probability: np.ndarray) -> float:
    """Total variation between drawn rows and the probability of each possible row."""
    places = np.ravel_multi_index(tuple(rows.T), sizes)
    return float(np.abs(np.bincount(places, minlength=probability.size) / len(rows) - probability).sum() / 2)


def test_rows_are_drawn_as_the_probabilities_say(built: tuple[AutoregressiveNet, Weights]) -> None:
    net, weights = built
    rows, sizes = every_row(net.slots), net.slots.layout.sizes
    each = net.log_probabilities(weights, net.slots.log_share, rows, net.slots.order)
    probability = np.exp(np.asarray(each, np.float64).sum(axis=0))
    count = 40_000
    sample = drawn(net, weights, np.full((count, 3), -1, np.int32), free=True)
    noise = np.sqrt(probability * (1 - probability) / count * 2 / np.pi).sum() / 2
    assert distance(sample, sizes, probability) < 1.5 * noise
    # The other side: without the weights' dependence the same rows are caught.
    alone = [np.bincount(sample[:, i], minlength=size) / count for i, size in enumerate(sizes)]
    apart = np.einsum("a,b,c->abc", *alone).ravel()
    assert distance(sample, sizes, apart) > 3 * noise


def test_given_cells_stand_and_the_others_follow_from_them(built: tuple[AutoregressiveNet, Weights]) -> None:
    """The last column given: the others are drawn from p(a | c) p(b | a, c), as their order says."""
    net, weights = built
    rows, sizes, count = every_row(net.slots), net.slots.layout.sizes, 40_000
    given = np.tile(np.array([-1, -1, 4], np.int32), (count, 1))
    sample = drawn(net, weights, given)
    assert (sample[:, 2] == 4).all()
    each = np.asarray(net.log_probabilities(weights, net.slots.log_share, rows, order_of(net.slots, [2, 0, 1])))
    open_ = each[net.slots.digits.column != 2].sum(axis=0).astype(np.float64)
    probability = np.where(rows[:, 2] == 4, np.exp(open_), 0.0)
    assert probability.sum() == pytest.approx(1, abs=1e-4)
    noise = np.sqrt(probability / count * 2 / np.pi).sum() / 2
    assert distance(sample, sizes, probability) < 1.5 * noise
    free = drawn(net, weights, np.full((count, 3), -1, np.int32), free=True)
    assert distance(np.column_stack([free[:, :2], sample[:, 2]]), sizes, probability) > 3 * noise


def test_cells_may_be_given_row_by_row(built: tuple[AutoregressiveNet, Weights]) -> None:
    net, weights = built
    random = np.random.default_rng(1)
    sizes = np.array(net.slots.layout.sizes)
    given = np.where(random.random((500, 3)) < 0.5, random.integers(0, sizes, (500, 3)), -1).astype(np.int32)
    sample = drawn(net, weights, given)
    assert (sample[given >= 0] == given[given >= 0]).all()
    assert (sample >= 0).all()
    assert (sample < sizes).all()
    nothing = np.full((500, 3), -1, np.int32)
    assert (drawn(net, weights, nothing) == drawn(net, weights, nothing, free=True)).all()


def test_a_low_temperature_draws_the_likeliest_more_often() -> None:
    net, weights = make(None)
    nothing = np.full((4_000, 3), -1, np.int32)
    share = {
        t: np.bincount(drawn(net, weights, nothing, free=True, temperature=t)[:, 0]).max() / 4_000 for t in (0.3, 1, 4)
    }
    assert share[0.3] > share[1] + 0.05 > share[4] + 0.1


def test_children_are_what_follows_given_the_cells(built: tuple[AutoregressiveNet, Weights]) -> None:
    """The probabilities of a column's first digit given the two others are those of the order in which it comes last."""
    net, weights = built
    drawing, slots = Drawing(net), net.slots
    rows = every_row(slots)
    order = order_of(slots, [0, 2, 1])
    each = np.asarray(net.log_probabilities(weights, slots.log_share, rows, order))
    slot = int(slots.digits.first_slot[1])
    place = slots.digits.starts[1]
    children = np.asarray(
        drawing.child_log_probabilities(
            drawing.ready(weights),
            slots.log_share,
            jnp.asarray(rows),
            jnp.int32(slot),
            jnp.int32(place),
            jnp.int32(slots.digits.node[0, place]),
        )
    )
    digit = slots.digits.digit[0, place + rows[:, 1]]
    np.testing.assert_allclose(children[np.arange(len(rows)), digit], each[slot], rtol=1e-4, atol=1e-4)


def test_training_finds_what_hangs_together_in_every_order(built: tuple[AutoregressiveNet, Weights]) -> None:
    """Columns a and c are tied; after a few hundred steps every order knows it, and all agree on the likelihood of rows."""
    random = np.random.default_rng(2)
    a = random.integers(0, 3, 2_000)
    c = np.where(random.random(2_000) < 0.9, 2 * a + random.integers(0, 2, 2_000), random.integers(0, 6, 2_000))
    rows = np.column_stack([a, random.integers(0, 7, 2_000), c]).astype(np.int32)
    settings = NetSettings(
        embedding=8,
        hidden=16,
        narrow=built[0].settings.narrow,
        dropout=0.0,
        batch_size=128,
        learning_rate=0.01,
        steps=300,
    )
    net = AutoregressiveNet(tiny(), settings)
    state = net.begin(net.weights(0), 0)
    state = jax.jit(lambda s, r: jax.lax.fori_loop(0, 300, lambda _, s: net.step(s, r)[0], s))(state, rows)
    share = net.slots.log_share
    totals = {}
    for columns in itertools.permutations(range(3)):
        each = net.log_probabilities(state.average, share, rows, order_of(net.slots, list(columns)))
        totals[columns] = np.asarray(each).sum(axis=0)
    truth = -(np.log(3) + np.log(7) + 0.9 * np.log(2 / 0.95) + 0.1 * np.log(60))  # about the entropy of such rows
    for total in totals.values():
        assert total.mean() == pytest.approx(truth, abs=0.25)
    natural, reverse = totals[0, 1, 2], totals[2, 1, 0]
    assert np.abs(natural - reverse).mean() < 0.3
    untrained = net.log_probabilities(net.weights(0), share, rows, net.slots.order)
    assert float(untrained.sum(axis=0).mean()) < natural.mean() - 0.3
