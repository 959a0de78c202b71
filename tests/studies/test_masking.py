"""The study of drawn cells: it finds no difference where there is none, and one where there is."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from masquerade.errors import SettingError
from masquerade.release.mask import Masker
from masquerade.studies.masking import equality, judge, panels


def make_rows(rows: int, seed: int) -> pl.DataFrame:
    random = np.random.default_rng(seed)
    a = random.integers(0, 5, rows)
    return pl.DataFrame(
        {
            "a": a,
            "b": np.where(random.random(rows) < 0.8, a, random.integers(0, 5, rows)),
            "c": random.choice(["x", "y"], rows),
        }
    )


@pytest.fixture(scope="module")
def masker() -> Masker:
    return Masker(rate=0.3, random_state=0).fit(make_rows(600, 0))


def test_drawn_cells_equal_the_original_as_often_as_chance_has_it(masker: Masker) -> None:
    found = equality(masker, make_rows(600, 0), holdout=make_rows(300, 1), draws=2)
    assert found.unseen is not None
    assert found.difference is not None
    assert found.difference_interval is not None
    assert found.ours == pytest.approx(found.unseen + found.difference)
    assert found.difference_interval[0] < found.difference < found.difference_interval[1]
    assert abs(found.difference) < 0.1
    # b follows a four times in five, c is a coin: no drawing can be right much more often than this.
    assert 0.45 < found.ours < 0.65
    assert found.columns["c"][0] == pytest.approx(0.5, abs=0.1)
    assert 450 < found.cells < 630


def test_a_model_that_copies_is_found_out(masker: Masker) -> None:
    table = make_rows(600, 0)

    class Copier:
        def fill(self, typed: pl.DataFrame, hidden: object, seed: int, *, seen: bool = False) -> pl.DataFrame:
            return typed

    honest = equality(masker, table, draws=1)
    copying = Masker(rate=0.3, random_state=0).set_params(**masker.get_params())
    vars(copying).update(vars(masker))
    copying._fit = Copier()  # type: ignore[assignment]
    assert equality(copying, table, draws=1).ours == 1.0
    assert honest.ours < 0.7


def test_panels_and_report(masker: Masker) -> None:
    table, holdout = make_rows(600, 0), make_rows(300, 1)
    masked = masker.transform(table)
    report = judge(masker, table, masked, holdout=holdout, target="c")
    titles = [panel["title"] for panel in report.facts["panels"]]
    assert titles == ["How each column was masked", "Do drawn cells give the truth away?"]
    assert "tstr" in report.scores
    assert report.to_html().count("How each column was masked") >= 1


def test_columns_of_another_kind_are_listed_and_not_compared() -> None:
    table = make_rows(100, 0)
    masker = Masker(rules={"a": {"how": "generalize", "width": 2}}).fit(table)
    masked = masker.transform(table)
    with pytest.warns(UserWarning, match="no holdout"):
        report = judge(masker, table, masked)
    assert set(report.columns) == {"b", "c"}
    (panel,) = panels(masker, table, masked, left_out=["a"])
    assert panel.table is not None
    assert panel.table.rows[0][:4] == ("a", "generalize", "100%", "100.0%")
    assert "not compared" in panel.table.rows[0][5]
    with pytest.raises(SettingError, match="no model"):
        equality(masker, table)
