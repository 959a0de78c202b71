"""Holding out splits by unit, at the asked share, the same way for the same seed."""

from __future__ import annotations

import polars as pl
import pytest

from masquerade.errors import SettingError, TableError
from masquerade.holdout import hold_out

TABLE = pl.DataFrame({"account": [f"a{i % 50}" for i in range(1000)], "row": range(1000)})


def test_every_row_lands_on_exactly_one_side_in_order() -> None:
    train, held = hold_out(TABLE, 0.1, seed=3)
    assert (train.height, held.height) == (900, 100)
    assert sorted([*train["row"], *held["row"]]) == list(range(1000))
    assert train["row"].is_sorted()
    assert held["row"].is_sorted()


def test_the_seed_decides() -> None:
    assert hold_out(TABLE, 0.1, seed=3)[1].equals(hold_out(TABLE, 0.1, seed=3)[1])
    assert not hold_out(TABLE, 0.1, seed=3)[1].equals(hold_out(TABLE, 0.1, seed=4)[1])


def test_a_unit_is_never_on_both_sides() -> None:
    train, held = hold_out(TABLE, 0.2, seed=0, unit="account")
    assert held["account"].n_unique() == 10
    assert set(train["account"]).isdisjoint(held["account"])


@pytest.mark.parametrize("share", [0.0, 1.0, -0.5, 1.5, float("nan")])
def test_a_share_outside_its_range_is_refused(share: float) -> None:
    with pytest.raises(SettingError, match="holdout share"):
        hold_out(TABLE, share, seed=0)


def test_an_empty_side_is_refused() -> None:
    with pytest.raises(TableError, match="cannot be split"):
        hold_out(TABLE.head(4), 0.1, seed=0)
    with pytest.raises(TableError, match="different values of 'account'"):
        hold_out(TABLE.with_columns(account=pl.lit("one")), 0.5, seed=0, unit="account")
