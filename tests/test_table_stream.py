"""A file in batches is the file read whole."""

from __future__ import annotations

import base64
import gzip
import random
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from masquerade import table_stream
from masquerade.errors import FileError
from masquerade.files import read_table
from masquerade.table_stream import TableStream


def streamed(path: Path) -> pl.DataFrame:
    shares = []
    frames = []
    for batch in TableStream(path).batches():
        frames.append(batch.frame)
        shares.append(batch.share)
    assert shares == sorted(shares)
    assert shares[0] > 0
    assert shares[-1] == 1.0
    return pl.concat(frames)


def _lines(count: int, newline: str = "\n") -> str:
    draw = random.Random(0)
    rows = [f"{i},{draw.choice(['a', 'bé', '', '中'])},{draw.random():.3f}" for i in range(count)]
    return newline.join(["id,word,number", *rows]) + newline


@pytest.mark.parametrize("block", [300, 1_000, 1 << 20])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
def test_csv_in_blocks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int, newline: str, encoding: str
) -> None:
    text = _lines(500, newline)
    if encoding == "gb18030":
        text = text.replace("é", "文")
    path = tmp_path / "a.csv"
    path.write_bytes(text.encode(encoding))
    monkeypatch.setattr(table_stream, "BLOCK_BYTES", block)
    assert_frame_equal(streamed(path), read_table(path))


@pytest.mark.parametrize(
    "text",
    [
        'a,b\n"x\ny",1\n"",2\n' * 1 + '"p, q","r ""s"""\n' * 200,
        "a, b\n" + '1, "x, y"\n' * 200,
        "a;b\n\n1;2\n\n" + "3;4\n" * 200,
        'a,b\n5" tall,1\n' + "x,2\n" * 300 + '7" tall,"two\nlines"\n' * 20,
        "a\n" + "1\n" * 300,
        "a,b\n1,2\n3,4",
        '"a\nb",c\n' + "1,2\n" * 100,
    ],
)
def test_quotes_blank_lines_and_odd_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(text)
    whole = read_table(path)
    for block in (37, 200, 1 << 20):
        monkeypatch.setattr(table_stream, "BLOCK_BYTES", block)
        assert_frame_equal(streamed(path), whole)


def test_gzip_and_parquet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_stream, "BLOCK_BYTES", 500)
    monkeypatch.setattr(table_stream, "BATCH_CELLS", 3_000)
    packed = tmp_path / "a.csv.gz"
    packed.write_bytes(gzip.compress(_lines(5_000).encode()))
    assert_frame_equal(streamed(packed), read_table(packed))
    path = tmp_path / "a.parquet"
    frame = pl.DataFrame({"n": range(10_000), "x": [0.5, None] * 5_000, "t": ["a", "b"] * 5_000})
    frame.write_parquet(path, row_group_size=4_000)
    assert_frame_equal(streamed(path), frame)
    batches = list(TableStream(path).batches(["t"]))
    assert len(batches) > 1
    assert batches[0].frame.columns == ["t"]


def test_bytes_in_memory(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    frame = pl.DataFrame({"n": range(100_000)})
    frame.write_parquet(path)
    assert TableStream(path).bytes_in_memory() == pytest.approx(frame.estimated_size(), rel=0.2)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "empty"),
        (b"a,b\n", "only a header"),
        (b"a,a\n1,2\n", "named 'a'"),
        (b"a,b\n" + b"1,2\n" * 200 + b"3\n", "line 202: got 1 fields"),
        (b"a,b\n1,\0\n", "NUL"),
        (b"a,b\n" + b"1,2\n" * 100_000 + b"caf\xe9,1\nx\n", "encodings"),
    ],
)
def test_faults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: bytes, message: str) -> None:
    monkeypatch.setattr(table_stream, "BLOCK_BYTES", 300)
    path = tmp_path / "a.csv"
    path.write_bytes(data)
    with pytest.raises(FileError, match=message):
        streamed(path)


def test_damaged_parquet(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    path.write_bytes(b"PAR1 not at all")
    with pytest.raises(FileError, match="cannot be read"):
        TableStream(path)
    with pytest.raises(FileError, match="no such file"):
        TableStream(tmp_path / "b.csv")


NO_VALUES_OF_THREE = (
    "UEFSMRUAFSwVLCwVBhUAFQYVBhwAAAACAAAAAwUBAAAAAAAAAAMAAAAAAAAAFQQZLDUAGAZzY2hlbWEVAgAVBCUCGAFhABYGGRwZHCYAHBUEGSUGABkY"
    "AWEVABYAFlIWUiYISRwVABUAFQIAPCkGGSYCBAAAABZSFgYmCBZSACggcGFycXVldC1jcHAtYXJyb3cgdmVyc2lvbiAyNi4wLjEZHBwAAAB6AAAAUEFS"
    "MQ=="
)
"""A Parquet file of three rows whose footer claims a column without values."""


def test_a_parquet_file_that_polars_panics_at_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    path.write_bytes(base64.b64decode(NO_VALUES_OF_THREE))
    with pytest.raises(FileError, match="cannot be read"):
        read_table(path)
    with pytest.raises(FileError, match=r"0 of 3 rows|cannot be read"):
        list(TableStream(path).batches())
