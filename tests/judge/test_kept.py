"""k-anonymity, l-diversity and t-closeness on tables small enough to count by hand, and on random ones by brute force."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from masquerade.judge import kept as module
from masquerade.judge.kept import kept


def test_the_example_of_t_closeness() -> None:
    """Li et al. 2007, section 5.1: salaries 3k to 11k, the class {3k, 4k, 5k} lies 0.375 from all, {6k, 8k, 11k} 0.167."""
    salaries = [3, 4, 5, 6, 11, 8, 7, 9, 10]
    table = pl.DataFrame({"zip": ["a"] * 3 + ["b"] * 3 + ["c"] * 3, "salary": salaries})
    assert kept(table, ["zip"], ["salary"]).scores["t_closeness"].value == pytest.approx(0.375)
    only = table.filter(pl.col("zip") != "a").vstack(table.filter(pl.col("zip") == "a").with_columns(zip=pl.lit("c")))
    assert kept(only, ["zip"], ["salary"]).scores["t_closeness"].value == pytest.approx(1 / 6, abs=0.01)


def test_a_class_of_one_has_one_value_and_stands_alone() -> None:
    table = pl.DataFrame({"age": [1, 1, 2], "sex": ["f", "f", "m"], "ill": ["x", "y", "x"]})
    found = kept(table, ["age", "sex"], ["ill"])
    assert found.scores["k_anonymity"].value == 1
    assert found.scores["l_diversity"].value == 1
    assert found.unique == pytest.approx(1 / 3)
    assert "33.3 %" in found.panel.note


def test_missing_is_a_value_like_another() -> None:
    table = pl.DataFrame({"a": [None, None, 1, 1], "s": [None, "x", "x", "x"]})
    found = kept(table, ["a"], ["s"])
    assert found.scores["k_anonymity"].value == 2
    assert found.scores["l_diversity"].value == 1
    assert found.scores["t_closeness"].value == pytest.approx(0.25)


def test_one_class_of_all_is_as_safe_as_can_be() -> None:
    table = pl.DataFrame({"a": [1] * 40, "s": list("ab") * 20, "n": range(40)})
    scores = kept(table, ["a"], ["s", "n"]).scores
    assert [scores[name].value for name in ("k_anonymity", "l_diversity", "t_closeness")] == [40, 2, 0]


@pytest.mark.parametrize("ordered", [False, True])
def test_against_brute_force(ordered: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_BATCH", 50)
    random = np.random.default_rng(1)
    classes, codes = random.integers(0, 40, 300), random.integers(0, 7, 300)
    secret = pl.Series("s", codes if ordered else [f"v{code}" for code in codes])
    table = pl.DataFrame({"q": classes}).with_columns(secret)
    whole = np.bincount(codes, minlength=7) / 300
    worst, fewest = 0.0, 7
    for number in np.unique(classes):
        own = codes[classes == number]
        gap = np.bincount(own, minlength=7) / own.size - whole
        worst = max(worst, np.abs(np.cumsum(gap)[:-1]).sum() / 6 if ordered else np.abs(gap).sum() / 2)
        fewest = min(fewest, np.unique(own).size)
    scores = kept(table, ["q"], ["s"]).scores
    assert scores["t_closeness"].value == pytest.approx(worst)
    assert scores["l_diversity"].value == fewest
    assert scores["k_anonymity"].value == np.bincount(classes).min()


def test_bars_count_records_in_tens_and_show_no_single_one() -> None:
    table = pl.DataFrame({"a": [*range(3), *[9] * 997]})
    panel = kept(table, ["a"]).panel.to_dict()
    assert panel["chart"]["values"][0] == 0.0
    assert panel["chart"]["values"][-1] == pytest.approx(1.0)
    assert panel["table"] is None


def test_without_a_secret_only_k_is_measured() -> None:
    assert set(kept(pl.DataFrame({"a": [1, 1]}), ["a"]).scores) == {"k_anonymity"}
