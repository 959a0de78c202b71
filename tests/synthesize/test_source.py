"""A synthesizer learns from a path or a survey as from a table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from masquerade.errors import MasqueradeWarning, SettingError
from masquerade.surveying import survey
from masquerade.synthesize import source
from masquerade.synthesize.autoregressive import Autoregressive
from masquerade.synthesize.copula import GaussianCopula


@pytest.fixture
def path(tmp_path: Path) -> Path:
    draw = np.random.default_rng(0)
    word = draw.choice(["a", "b", "c"], 30_000, p=[0.7, 0.299, 0.001])
    number = draw.normal(size=30_000) + 3 * (word == "b")
    path = tmp_path / "t.parquet"
    pl.DataFrame({"word": word, "number": number}).write_parquet(path)
    return path


def test_a_small_file_is_a_table(path: Path) -> None:
    one = GaussianCopula(random_state=0).fit(path).sample(100, random_state=1)
    two = GaussianCopula(random_state=0).fit(pl.read_parquet(path)).sample(100, random_state=1)
    assert one.equals(two)


def test_a_large_file_is_surveyed(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "fits_in_memory", lambda path: False)
    with pytest.warns(MasqueradeWarning, match="read 30,000 rows in a stream"):
        model = GaussianCopula(random_state=0).fit(path)
    made = model.sample(20_000, random_state=0)
    real = pl.read_parquet(path)
    assert made.schema == real.schema
    for word in ("a", "b", "c"):
        assert (made["word"] == word).mean() == pytest.approx((real["word"] == word).mean(), abs=0.01)  # type: ignore[operator]


def test_a_survey_trains_and_its_frequencies_hold(path: Path, tmp_path: Path) -> None:
    found = survey(path, sample_rows=2_000, random_state=0)
    model = Autoregressive(epochs=2, random_state=0).fit(found)
    made = model.sample(5_000, random_state=0)
    real = pl.read_parquet(path)
    share = (real["word"] == "b").mean()
    assert (made["word"] == "b").mean() == pytest.approx(share, abs=0.02)
    place = model.codec_.layout.names.index("word")
    assert model.codec_.layout.frequencies[place][1] == share
    model.save(tmp_path / "m.mq")


def test_what_does_not_go_with_a_survey(path: Path) -> None:
    found = survey(path, sample_rows=2_000, random_state=0)
    with pytest.raises(SettingError, match="protect: got 20"):
        GaussianCopula(protect=20).fit(found)
    with pytest.raises(SettingError, match="schema: a survey has its own"):
        GaussianCopula().fit(found, schema=found.schema.replace("word", kind="text"))
