"""The demo does the whole job on the whole bundled table."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from masquerade import demo
from masquerade.errors import FileError, SchemaError


def test_a_folder_that_cannot_be_made_is_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FileError, match="cannot be made"):
        demo.run(tmp_path / "file" / "demo")


def test_an_unknown_unit_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match="did you mean 'job'"):
        demo.run(tmp_path / "demo", unit="jobs")
    assert not (tmp_path / "demo").exists()


@pytest.mark.slow
def test_the_demo_writes_as_many_rows_as_it_trained_on(tmp_path: Path) -> None:
    told: list[object] = []
    report = demo.run(tmp_path / "demo", max_minutes=0.1, tell=told.append, quiet=True)
    names = {path.name for path in (tmp_path / "demo").iterdir()}
    assert names == {"synthetic.csv", "synthetic.csv.ledger.json", "report.html", "report.json", "model.mq"}
    assert pl.read_csv(tmp_path / "demo" / "synthetic.csv").shape == (32950, 21)
    saved = json.loads((tmp_path / "demo" / "report.json").read_text())
    assert saved["rows"] == {"real": 32950, "released": 32950, "holdout": 8238}
    assert saved["scores"]["column_shapes"]["value"] == pytest.approx(report.scores["column_shapes"].value)
    assert any("report.html" in str(line) for line in told)
