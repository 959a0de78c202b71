"""Redacting, noise, generalizing, shuffling, suppressing: each exactly what it says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy import stats

from masquerade.errors import FileError, SettingError
from masquerade.masking import Batch, Generalize, Noise, Redact, Shuffle, Suppress
from masquerade.schema import Column, Schema

Make = Callable[..., Batch]


def test_redacting_keeps_the_ends_and_covers_short_values_whole(batch: Make) -> None:
    made = Redact(keep_first=3, keep_last=4).apply("x", batch(["13812345678", "123456789", "12", "", None]))
    assert made.to_list() == ["138****5678", "*********", "**", "", None]


def test_redacting_counts_what_a_reader_sees(batch: Make) -> None:
    family, flag, accented = "👨\u200d👩\u200d👧", "🇫🇷", "e\u0301"
    cells = [family * 5, flag * 5, accented * 5, "张三丰收获"]
    made = Redact(keep_first=1, keep_last=1).apply("x", batch(cells))
    assert made.to_list() == [f"{x}***{x}" for x in (family, flag, accented)] + ["张***获"]


def test_redacting_without_telling_the_length(batch: Make) -> None:
    made = Redact(keep_last=2, mark="#", length=3).apply("x", batch(["1234567", "12345678901", "12"]))
    assert made.to_list() == ["###67", "###01", "###"]


@pytest.mark.parametrize("distribution", ["laplace", "gaussian"])
def test_noise_has_the_stated_scale_and_no_other(distribution: str, batch: Make) -> None:
    cells = pl.Series(np.full(20_000, 500.0))
    made = (
        Noise(scale=3.0, distribution=distribution).apply("x", batch(cells, "continuous")).cast(pl.Float64).to_numpy()
        - 500
    )
    law = {"laplace": stats.laplace, "gaussian": stats.norm}[distribution]
    assert stats.kstest(made, law(scale=3).cdf).pvalue > 0.001
    for wrong in (2.0, 4.5):
        assert stats.kstest(made, law(scale=wrong).cdf).pvalue < 1e-6


def test_noise_keeps_spelling_bounds_and_missing_cells(batch: Make) -> None:
    numbers = Noise(scale=50.0, minimum=0).apply(
        "x", batch(["1,200", "?", "3", ""] * 50, "integer", missing="?", thousands=",")
    )
    assert numbers.filter(pl.Series(["1,200", "?", "3", ""] * 50) == "?").unique().to_list() == ["?"]
    assert numbers.str.contains(r"^(\d{1,3}(,\d{3})*|\?|)$").all()
    dates = Noise(scale=10.0).apply("x", batch(["01.05.2020", ""] * 20, "datetime", format="%d.%m.%Y"))
    assert dates.gather_every(2).str.contains(r"^\d\d\.\d\d\.20(19|20)$").all()
    assert dates.gather_every(2).n_unique() > 5
    cents = Noise(scale=1.0).apply("x", batch(["1.25"] * 20, "continuous", decimals=2))
    assert cents.str.contains(r"^-?\d+\.\d\d$").all()


def test_noise_is_not_the_same_in_every_column_or_draw(batch: Make) -> None:
    one, two = (Noise(scale=1.0).apply("x", batch(pl.Series(np.zeros(50)), "continuous", seed=seed)) for seed in (0, 1))
    assert (one == two).sum() == 0


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"width": 10}, ["0 to 9", "20 to 29", "", "90 to 99"]),
        ({"width": 10, "label": "start"}, ["0", "20", "", "90"]),
        ({"width": 2.5}, ["5 to below 7.5", "25 to below 27.5", "", "90 to below 92.5"]),
        ({"edges": [7, 30]}, ["7 to below 30", "7 to below 30", "", "30 and above"]),
        ({"edges": [7.5, 25, 90.5]}, ["below 7.5", "25 to below 90.5", "", "25 to below 90.5"]),
    ],
)
def test_numbers_to_bins(options: dict[str, object], expected: list[str], batch: Make) -> None:
    assert Generalize.of("x", options).apply("x", batch(["7", "25", "", "90"], "integer")).to_list() == expected


@pytest.mark.parametrize(
    ("to", "words", "start"),
    [
        ("month", "2020-05", "2020-05-01"),
        ("quarter", "2020-Q2", "2020-04-01"),
        ("year", "2020", "2020-01-01"),
        ("decade", "2020s", "2020-01-01"),
    ],
)
def test_dates_to_longer_spans(to: str, words: str, start: str, batch: Make) -> None:
    made = batch(["2020-05-17", ""], "datetime", format="%Y-%m-%d")
    assert Generalize(to=to).apply("x", made).to_list() == [words, ""]
    assert Generalize(to=to, label="start").apply("x", made).to_list() == [start, ""]


def test_prefixes_and_hierarchies(batch: Make, tmp_path: Path) -> None:
    assert Generalize(prefix=2).apply("x", batch(["94110", "上海市浦东", "", "1"])).to_list() == [
        "94***",
        "上海***",
        "",
        "1",
    ]
    table = tmp_path / "jobs.csv"
    table.write_text("job,group,all\ncook,service,work\nwaiter,service,work\nmason,craft,work\n")
    cells = ["cook", "mason", "king", ""]
    assert Generalize(hierarchy=str(table)).apply("x", batch(cells)).to_list() == ["service", "craft", "*", ""]
    assert Generalize(hierarchy=str(table), depth=2).apply("x", batch(cells)).to_list() == ["work", "work", "*", ""]
    toml = tmp_path / "jobs.toml"
    toml.write_text('cook = "service"\nservice = "work"\nmason = "craft"\n')
    way = Generalize(hierarchy=str(toml), depth=2, other="else")
    assert way.apply("x", batch(cells)).to_list() == ["work", "craft", "else", ""]
    toml.unlink()
    assert Generalize.of("x", way.options()).apply("x", batch(cells)).to_list() == ["work", "craft", "else", ""]


def test_hierarchies_that_are_none(tmp_path: Path) -> None:
    table = tmp_path / "jobs.csv"
    table.write_text("job,group\ncook,service\ncook,craft\n")
    with pytest.raises(SettingError, match="twice"):
        Generalize(hierarchy=str(table))
    with pytest.raises(SettingError, match="at most 1"):
        Generalize(hierarchy=str(table), depth=2)
    with pytest.raises(FileError):
        Generalize(hierarchy=str(tmp_path / "none.csv"))
    with pytest.raises(SettingError, match="circle"):
        Generalize(hierarchy={"a": "b", "b": "a"}, depth=3)


def test_shuffling_moves_rows_together_and_within_groups() -> None:
    raw = pl.DataFrame({"a": range(200), "b": range(200), "g": ["u", "v"] * 100})
    schema = Schema((Column("a", "integer"), Column("b", "integer"), Column("g", "categorical")))
    hidden = np.arange(200) < 120

    def shuffled(name: str) -> pl.Series:
        from masquerade.masking.keys import Key

        batch = Batch(raw, schema, None, Key.random(), np.random.default_rng(7), {"a": hidden, "b": hidden})
        return Shuffle(together="ab", within="g").apply(name, batch)

    a, b = shuffled("a"), shuffled("b")
    assert a.equals(b)
    assert sorted(a) == list(range(200))
    assert a[120:].to_list() == list(range(120, 200))
    assert (a % 2 == raw["a"] % 2).all()
    assert (a[:120] == raw["a"][:120]).sum() < 20


def test_suppressing(batch: Make) -> None:
    assert Suppress().apply("x", batch(["a", "?"], missing="?")).to_list() == ["?", "?"]
    assert Suppress().apply("x", batch(pl.Series([1, 2]), "integer")).to_list() == [None, None]
    assert Suppress(mark="hidden").apply("x", batch(["a"])).to_list() == ["hidden"]


@pytest.mark.parametrize(
    ("way", "options"),
    [
        (Redact, {"keep_frist": 3}),
        (Redact, {"keep_first": -1}),
        (Redact, {"mark": ""}),
        (Noise, {}),
        (Noise, {"scale": float("inf")}),
        (Noise, {"scale": 1, "distribution": "cauchy"}),
        (Noise, {"scale": 1, "minimum": 2, "maximum": 1}),
        (Generalize, {}),
        (Generalize, {"width": 10, "to": "month"}),
        (Generalize, {"edges": [3, 2]}),
        (Generalize, {"to": "week"}),
        (Generalize, {"width": 3, "depth": 2}),
        (Generalize, {"edges": [3], "label": "start"}),
        (Shuffle, {"within": 3}),
        (Suppress, {"mark": 3}),
    ],
)
def test_options_that_are_off_name_the_column(way: type[Redact], options: dict[str, object]) -> None:
    with pytest.raises(SettingError, match="column 'x'"):
        way.of("x", options)


def test_ways_that_do_not_fit_a_column() -> None:
    for way, column in (
        (Noise(scale=1), Column("x", "categorical")),
        (Noise(scale=1, minimum=0), Column("x", "datetime")),
        (Generalize(width=1), Column("x", "text")),
        (Generalize(to="month"), Column("x", "integer")),
    ):
        with pytest.raises(SettingError, match="column 'x'"):
            way.check(column)
