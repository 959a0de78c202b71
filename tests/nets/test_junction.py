"""Junction trees, messages, and marginals of pairs, against the joint table multiplied out."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from masquerade.nets.beliefs import propagate, spread, summed
from masquerade.nets.junction import JunctionTree, cells_needed, cells_of
from masquerade.nets.pair_marginals import pair_marginals

SIZES = (2, 3, 4, 2, 3, 5, 1)
WANTED = [(0, 1), (1, 2), (2, 3), (0, 3), (3, 4)]
ALL = tuple(range(len(SIZES)))


def random_graph(seed: int, columns: int = 12, edges: int = 16) -> tuple[tuple[int, ...], list[tuple[int, ...]]]:
    random = np.random.default_rng(seed)
    pairs = list(itertools.combinations(range(columns), 2))
    chosen = random.choice(len(pairs), edges, replace=False)
    return tuple(random.integers(2, 6, columns).tolist()), [pairs[i] for i in chosen]


@pytest.mark.parametrize("seed", range(5))
def test_every_wanted_clique_has_a_home_in_a_proper_tree(seed: int) -> None:
    sizes, wanted = random_graph(seed)
    tree = JunctionTree.of(sizes, wanted)
    tree.check()
    assert all(tree.home(pair) >= 0 for pair in wanted)
    assert tree.cells == cells_needed(sizes, wanted)
    assert not any(set(a) < set(b) for a, b in itertools.permutations(tree.cliques, 2))


@pytest.mark.parametrize("seed", range(5))
def test_a_tree_grows_by_no_more_than_the_way_says(seed: int) -> None:
    sizes, wanted = random_graph(seed)
    tree = JunctionTree.of(sizes, wanted)
    for column in (0, 5, 11):
        ways = tree.ways_from(column)
        assert set(ways) == set(range(12))
        for other, way in ways.items():
            grown = tree.grown(column, way)
            grown.check()
            assert grown.home({column, other}) >= 0
            assert all(grown.home(clique) >= 0 for clique in tree.cliques)
            assert grown.cells <= tree.cells + way.cells


def test_a_pair_that_is_there_already_costs_nothing() -> None:
    tree = JunctionTree.of(SIZES, WANTED)
    way = tree.ways_from(1)[2]
    assert way.cells == 0
    assert tree.grown(1, way).cells == tree.cells


@pytest.mark.parametrize(
    ("cliques", "parents", "message"),
    [
        (((0, 1), (1, 2)), (-1, 1), "does not come before"),
        (((0, 1), (2, 1)), (-1, 0), "rising"),
        (((0, 1), (1, 7)), (-1, 0), "rising"),
        (((0, 1), (2,), (0, 2)), (-1, 0, 1), "hang together"),
        (((0, 1),), (-1,), "hang together"),
        ((), (), "no tree"),
    ],
)
def test_what_is_no_junction_tree_is_refused(
    cliques: tuple[tuple[int, ...], ...], parents: tuple[int, ...], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        JunctionTree((2, 3, 4), cliques, parents).check()


def test_messages_and_pairs_agree_with_the_whole_table() -> None:
    random = np.random.default_rng(0)
    tree = JunctionTree.of(SIZES, WANTED)
    potentials = [2 * random.normal(size=[SIZES[c] for c in clique]) for clique in tree.cliques]
    potentials[0].flat[0] = -np.inf  # ruled out
    whole = np.zeros(SIZES)
    for clique, table in zip(tree.cliques, potentials, strict=True):
        whole = whole + spread(table, clique, ALL)
    whole = np.exp(whole)
    beliefs = propagate(tree, potentials)
    assert beliefs.log_total == pytest.approx(np.log(whole.sum()))
    whole /= whole.sum()
    for clique, table in zip(tree.cliques, beliefs.tables, strict=True):
        np.testing.assert_allclose(table, summed(whole, ALL, clique), atol=1e-14)
    pairs = dict(pair_marginals(beliefs))
    assert sorted(pairs) == list(itertools.combinations(ALL, 2))
    for pair, table in pairs.items():
        np.testing.assert_allclose(table, summed(whole, ALL, pair), atol=1e-14)


@pytest.mark.parametrize("seed", range(3))
def test_pairs_of_a_larger_tree_agree_with_the_whole_table(seed: int) -> None:
    sizes, wanted = random_graph(seed, columns=8, edges=9)
    tree, random = JunctionTree.of(sizes, wanted), np.random.default_rng(seed)
    potentials = [random.normal(size=[sizes[c] for c in clique]) for clique in tree.cliques]
    columns = tuple(range(8))
    whole = np.exp(sum(spread(t, clique, columns) for t, clique in zip(potentials, tree.cliques, strict=True)))
    whole = whole * np.ones(sizes) / (whole * np.ones(sizes)).sum()
    for pair, table in pair_marginals(propagate(tree, potentials)):
        np.testing.assert_allclose(table, summed(whole, columns, pair), atol=1e-13)


def test_cells_are_counted() -> None:
    assert cells_of((0, 2, 5), SIZES) == 40
    assert JunctionTree.of(SIZES, []).cells == sum(SIZES)
