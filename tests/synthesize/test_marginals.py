"""`Marginals`: what it learns, what it spends, conditions, interruptions, files."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from masquerade.errors import ConditionError, SettingError
from masquerade.loading import load
from masquerade.metrics.codes import total_variation
from masquerade.privacy.budget import Privacy
from masquerade.progress import Progress
from masquerade.schema import Column, Schema
from masquerade.synthesize.marginals import Marginals

LEVELS = tuple("abcdef")


def make(rows: int = 4_000, seed: int = 0) -> pl.DataFrame:
    """A chain of causes: word → number → answer, and a column beside."""
    random = np.random.default_rng(seed)
    word = random.choice(6, rows, p=[0.4, 0.25, 0.15, 0.1, 0.07, 0.03])
    number = np.clip(word * 3 + random.normal(0, 2, rows).round(), 0, 19).astype(int)
    answer = random.random(rows) < 1 / (1 + np.exp(8.0 - number))
    beside = random.choice(3, rows)
    return pl.DataFrame(
        {
            "word": [LEVELS[w] for w in word],
            "number": number,
            "answer": answer,
            "beside": [f"side {b}" for b in beside],
        }
    )


SCHEMA = Schema(
    (
        Column("word", "categorical", levels=LEVELS, nullable=False),
        Column("number", "integer", minimum=0, maximum=19, nullable=False),
        Column("answer", "boolean", nullable=False),
        Column("beside", "categorical", levels=("side 0", "side 1", "side 2"), nullable=False),
    ),
    declared=True,
)


def table_of(frame: pl.DataFrame, *columns: str) -> np.ndarray:
    """Counts of every combination that there could be."""
    codes, sizes = np.zeros(frame.height, int), 1
    for name in columns:
        column = frame[name]
        if column.dtype == pl.Boolean:
            values, size = column.cast(int).to_numpy(), 2
        elif column.dtype.is_numeric():
            values, size = column.to_numpy(), 20
        else:
            levels = SCHEMA[name].levels or ()
            values, size = np.array([levels.index(v) for v in column]), len(levels)
        codes, sizes = codes * size + values, sizes * size
    return np.bincount(codes, minlength=sizes).astype(float)


@pytest.fixture(scope="module")
def fitted() -> Marginals:
    return Marginals(privacy=Privacy(epsilon=1.0)).fit(make(), schema=SCHEMA)


def test_pairs_and_what_follows_from_them_are_learned(fitted: Marginals) -> None:
    real, drawn = make(), fitted.sample(4_000, random_state=0)
    for columns, most in ((("word",), 0.03), (("word", "number"), 0.25), (("word", "number", "answer"), 0.3)):
        apart = total_variation(table_of(real, *columns), table_of(drawn, *columns))
        shuffled = real.with_columns(pl.col(c).shuffle(seed=i) for i, c in enumerate(columns))
        assert apart < most
        if len(columns) > 1:
            assert apart < 0.5 * total_variation(table_of(real, *columns), table_of(shuffled, *columns))


@pytest.mark.parametrize("epsilon", [0.01, 0.3, 5.0])
def test_the_budget_is_spent_and_never_exceeded(epsilon: float) -> None:
    model = Marginals(privacy=Privacy(epsilon=epsilon, delta=1e-7)).fit(make(40_000), schema=SCHEMA)
    assert model.ledger_.epsilon is not None
    assert 0.99 * epsilon <= model.ledger_.epsilon <= epsilon
    assert set(model.ledger_.split) == {"marginals", "selection"}
    assert not any(event.get("adaptive") for event in model.ledger_.events)


def test_what_is_spent_does_not_hang_on_the_rows() -> None:
    spent = [
        Marginals(privacy=Privacy(epsilon=1.0)).fit(table, schema=SCHEMA).ledger_.events
        for table in (make(300), make(300, seed=9).with_columns(word=pl.lit("a")), make(2_000, seed=3))
    ]
    assert spent[0] == spent[1] == spent[2]


def test_history_tells_rounds_and_nothing_of_the_rows(fitted: Marginals) -> None:
    assert [set(step) for step in fitted.history_] == [{"round", "epsilon", "cliques"}] * 4
    assert [step["cliques"] for step in fitted.history_] == [7, 9, 11, 13]
    assert all(0.98 < step["epsilon"] <= 1 for step in fitted.history_)
    assert "4 columns" in fitted._repr_html_()


@pytest.mark.parametrize("names", [("answer",), ("number",), ("word", "answer"), ("word", "number", "answer")])
def test_few_columns_are_enough(names: tuple[str, ...]) -> None:
    schema = Schema(tuple(SCHEMA[name] for name in names), declared=True)
    model = Marginals(privacy=Privacy(epsilon=2.0)).fit(make().select(names), schema=schema)
    assert model.ledger_.epsilon == pytest.approx(2.0, rel=0.01)
    drawn = model.sample(4_000, random_state=0)
    for name in names:
        assert total_variation(table_of(make(), name), table_of(drawn, name)) < 0.03


@pytest.mark.parametrize(("rows", "epsilon"), [(30, 10.0), (5_000, 0.05)])
def test_a_constant_column_few_rows_and_much_noise(rows: int, epsilon: float) -> None:
    columns = (*SCHEMA.columns, Column("one", "categorical", levels=("x",), nullable=False))
    table = make(rows).with_columns(one=pl.lit("x"), word=pl.lit("b"))
    model = Marginals(privacy=Privacy(epsilon=epsilon)).fit(table, schema=Schema(columns, declared=True))
    drawn = model.sample(400)
    assert drawn.height == 400
    assert set(drawn["one"]) == {"x"}
    assert drawn["number"].is_between(0, 19).all()
    assert (drawn["word"] == "b").mean() > 0.5


def test_many_rows_are_counted_without_rounding() -> None:
    """Shares of one row in 300,000 must not be lost."""
    rows = 300_000
    word = np.where(np.arange(rows) % 1_000 == 0, "f", "a")
    table = pl.DataFrame({"word": word, "answer": word == "f"})
    schema = Schema((SCHEMA["word"], SCHEMA["answer"]), declared=True)
    drawn = Marginals(privacy=Privacy(epsilon=5.0)).fit(table, schema=schema).sample(rows, random_state=0)
    both = drawn.filter(word="f", answer=True).height
    assert abs(both - 300) < 25
    assert abs(drawn.filter(word="f").height - 300) < 25


def test_a_table_of_large_columns_stays_small() -> None:
    random = np.random.default_rng(0)
    words = tuple(f"w{i:03d}" for i in range(300))
    names = [f"c{i}" for i in range(6)]
    table = pl.DataFrame({name: random.choice(words, 3_000) for name in names})
    schema = Schema(tuple(Column(name, "categorical", levels=words, nullable=False) for name in names), declared=True)
    model = Marginals(privacy=Privacy(epsilon=10.0), max_cells=2_000).fit(table, schema=schema)
    assert model._model.tree.cells <= 2_000
    assert model.sample(100).height == 100


# ── conditions ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_conditions_on_several_columns_are_met_and_change_the_others(fitted: Marginals) -> None:
    rows = fitted.sample(3_000, given={"word": "a", "beside": "side 1"}, random_state=0)
    assert set(rows["word"]) == {"a"}
    assert set(rows["beside"]) == {"side 1"}
    real = make(60_000, seed=5).filter(word="a")
    assert total_variation(table_of(real, "number"), table_of(rows, "number")) < 0.25
    assert fitted.sample(3_000, given={"number": 12}, random_state=0)["answer"].mean() > 0.7
    assert fitted.sample(3_000, given={"number": 1}, random_state=0)["answer"].mean() < 0.2


def test_conditional_draws_have_the_models_own_conditional_shares(fitted: Marginals) -> None:
    given = fitted.sample(40_000, given={"answer": True}, random_state=1)
    free = fitted.sample(65_000, random_state=2).filter("answer")
    for columns in (("word",), ("number",), ("word", "number")):
        assert total_variation(table_of(given, *columns), table_of(free, *columns)) < 0.02


def test_a_frame_is_completed_row_by_row(fitted: Marginals) -> None:
    wanted = make(200, seed=4).select("number", "beside")
    rows = fitted.sample(given=wanted, random_state=0)
    assert rows.select("number", "beside").equals(wanted)
    assert rows.columns == make().columns
    whole = make(50, seed=4)
    assert fitted.sample(given=whole).equals(whole)


def test_distributions_are_those_of_draws(fitted: Marginals) -> None:
    layout = fitted.codec_.layout
    given = np.full((2, 4), -1, np.int32)
    given[1, layout.names.index("answer")] = 1
    column = layout.names.index("word")
    shares = fitted._distribution(given, column)
    np.testing.assert_allclose(shares.sum(axis=1), 1, atol=1e-5)
    for row, rows in enumerate((fitted.sample(40_000, random_state=0), fitted.sample(40_000, given={"answer": True}))):
        drawn = table_of(rows, "word") / 40_000
        np.testing.assert_allclose(shares[row][: len(drawn)], drawn, atol=0.012)


def test_levels_are_rebalanced_and_a_temperature_set(fitted: Marginals) -> None:
    rows = fitted.sample(4_000, random_state=0, rebalance={"word": {"f": 0.5}})
    assert 0.46 < (rows["word"] == "f").mean() < 0.54
    cold, warm = (fitted.sample(4_000, random_state=0, temperature=t)["word"] for t in (0.3, 3.0))
    assert (cold == "a").mean() > 0.55 > 0.4 > (warm == "a").mean()


def test_what_cannot_be_given_is_refused(fitted: Marginals) -> None:
    with pytest.raises(ConditionError, match="no level 'z'"):
        fitted.sample(5, given={"word": "z", "answer": True})
    with pytest.raises(ConditionError, match="no column 'wrd'"):
        fitted.sample(5, given={"wrd": "a"})
    with pytest.raises(SettingError, match="given already"):
        fitted.sample(5, given={"word": "a"}, rebalance={"word": {"a": 0.5}})
    with pytest.raises(SettingError, match="temperature"):
        fitted.sample(5, temperature=0.0)


# ── settings, Ctrl-C, files ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("max_cells", [999, 0, -1, 2.5, True, "many"])
def test_max_cells_out_of_range_is_refused(max_cells: Any) -> None:
    with pytest.raises(SettingError, match="max_cells"):
        Marginals(privacy=Privacy(epsilon=1.0), max_cells=max_cells).fit(make(), schema=SCHEMA)


def test_it_learns_under_a_guarantee_only() -> None:
    with pytest.raises(SettingError, match="under a guarantee only"):
        Marginals().fit(make(), schema=SCHEMA)


def test_ctrl_c_keeps_the_best_so_far() -> None:
    class Once:
        done = False

        def __call__(self, progress: Progress) -> None:
            if not self.done and progress.stage == "measure" and progress.done >= 2:
                self.done = True
                raise KeyboardInterrupt

    model = Marginals(privacy=Privacy(epsilon=1.0), callbacks=[Once()]).fit(make(), schema=SCHEMA)
    assert model.interrupted_
    assert len(model.history_) == 2
    assert total_variation(table_of(make(), "word"), table_of(model.sample(4_000), "word")) < 0.03
    assert model.ledger_.epsilon is not None
    assert model.ledger_.epsilon <= 1


def test_progress_tells_rounds() -> None:
    seen: list[Progress] = []
    Marginals(privacy=Privacy(epsilon=1.0), callbacks=[seen.append]).fit(make(200), schema=SCHEMA)
    rounds = [(p.done, p.total) for p in seen if p.stage == "measure"]
    assert rounds == [(0, 4), (1, 4), (2, 4), (3, 4), (4, 4)]
    assert seen[-1].finished


def test_a_saved_model_draws_the_same_and_holds_no_row(fitted: Marginals, tmp_path: Path) -> None:
    fitted.save(tmp_path / "m.mq")
    back = load(tmp_path / "m.mq")
    assert back.sample(50, random_state=3).equals(fitted.sample(50, random_state=3))
    assert back.sample(5, given={"word": "b"}, random_state=3).equals(
        fitted.sample(5, given={"word": "b"}, random_state=3)
    )
    with zipfile.ZipFile(tmp_path / "m.mq") as archive:
        assert set(json.loads(archive.read("manifest.json"))["config"]["learned"]) == {"cliques", "parents"}
    assert not {"_cached", "codes", "encoded"} & set(vars(fitted))
