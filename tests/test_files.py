"""Tables and schemas as files: every delimiter and encoding in, whole files or none out."""

from __future__ import annotations

import gzip
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from masquerade.errors import FileError, SchemaError
from masquerade.files import (
    WRITABLE,
    TableWriter,
    atomic_path,
    check_writable,
    read_schema,
    read_table,
    write_schema,
    write_table,
)
from masquerade.schema import Column, Schema


def read(folder: Path, data: bytes, name: str = "table.csv") -> pl.DataFrame:
    path = folder / name
    path.write_bytes(data)
    return read_table(path)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("name", ["t.csv", "t.tsv", "t.txt", "t.asc", "t.data", "t.csv.gz", "T.CSV"])
def test_delimiters_quotes_and_newlines(tmp_path: Path, delimiter: str, newline: str, name: str) -> None:
    lines = ["id;name;note", '1;"a;b";', '2;"say ""hi""";"two\nlines"', "3;ü;"]
    data = (newline.join(lines).replace(";", delimiter) + newline).encode()
    frame = read(tmp_path, gzip.compress(data) if name.endswith(".gz") else data, name)
    assert frame.columns == ["id", "name", "note"]
    assert frame.rows() == [("1", f"a{delimiter}b", ""), ("2", 'say "hi"', "two\nlines"), ("3", "ü", "")]
    assert set(frame.dtypes) == {pl.String}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "gb18030"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    rows = [("张三", "北京"), ("李四", "上海市浦东新区"), ("name", "plain")] * 5
    text = "name,city,remark of the clerk\n" + "".join(f"{name},{city},none\n" for name, city in rows)
    frame = read(tmp_path, text.encode(encoding))
    assert frame.columns[:2] == ["name", "city"]
    assert frame.select("name", "city").rows() == rows


@pytest.mark.parametrize("text", ["name,age\nMüller,3\n", "name,age\nZoë café,3\nÅsa Öberg,4\n"])
def test_other_encodings_are_refused_by_name(tmp_path: Path, text: str) -> None:
    with pytest.raises(FileError, match=r"UTF-8, UTF-8 with BOM, UTF-16, GB18030"):
        read(tmp_path, text.encode("latin-1"))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "the file is empty"),
        (b"\n \n", "the file is empty"),
        (b"a,b\n", "only a header line"),
        (b"a,b\n1,2\n3\n4,5\n", "line 3: got 1 fields, expected 2"),
        (b"a,b\n1,2\n3,4,5\n", "line 3: got 3 fields, expected 2"),
        (b'a,b\n"x\ny",2\n3\n', "line 4: got 1 fields, expected 2"),
        (b"a,b\n" + b"1,2\n" * 2_000_000 + b"1,2,3", "line 2000002: got 3 fields"),
        (b"a,b,a\n1,2,3\n", "2 columns named 'a'"),
        (b"a,b\n1,2\n3,\x004\n", "line 3: there is a NUL byte"),
    ],
    ids=["empty", "blank", "header", "short", "long", "after quoted newline", "far", "duplicate", "nul"],
)
def test_bad_tables_are_refused_with_the_place(tmp_path: Path, data: bytes, message: str) -> None:
    with pytest.raises(FileError, match=message) as caught:
        read(tmp_path, data)
    assert "\n" not in str(caught.value)
    assert "table.csv" in str(caught.value)


@pytest.mark.parametrize(
    ("data", "rows"),
    [
        (b"a, b\n1, 2\n3, x\n", [("1", "2"), ("3", "x")]),
        (b'a, b\n1, "2, 3"\n', [("1", "2, 3")]),
        (b'a,b\n5" disk,2\n', [('5" disk', "2")]),
        (b"\n\na,b\n1,2\n\n3,4\n\n\n", [("1", "2"), ("3", "4")]),
        (b"a,b\r1,2\r", [("1", "2")]),
        (b"a,b\n1,2", [("1", "2")]),
        (b'a,b\n"",\n,""\n', [("", ""), ("", "")]),
        (b"a\n1\n2\n", [("1",), ("2",)]),
        (b"a,b\n 1 ,x\n", [(" 1 ", "x")]),
    ],
)
def test_odd_but_whole_tables_are_read(tmp_path: Path, data: bytes, rows: list[tuple[str, ...]]) -> None:
    assert read(tmp_path, data).rows() == rows


cells = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=6)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(cells, cells, cells), min_size=1, max_size=6), st.sampled_from([".csv", ".csv.gz"]))
def test_what_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, ...]], ending: str
) -> None:
    frame = pl.DataFrame(rows, schema=dict.fromkeys(["first name", "ü", "c,d"], pl.String), orient="row")
    path = tmp_path_factory.mktemp("csv") / f"table{ending}"
    write_table(frame, path)
    assert_frame_equal(read_table(path), frame)


@pytest.mark.parametrize("ending", WRITABLE)
def test_parts_make_one_table(tmp_path: Path, ending: str) -> None:
    frame = pl.DataFrame({"a": ["x", "y", 'z,"'], "b": [1, 2, 3], "c": [0.5, 1.5, 2.5]})
    path = tmp_path / "new folder" / f"table{ending}"
    with TableWriter(path) as writer:
        writer.write(frame[:2])
        writer.write(frame[2:])
    whole = read_table(path)
    assert_frame_equal(whole, frame if ending in (".parquet", ".xlsx") else frame.cast(pl.String))
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("ending", WRITABLE)
def test_a_failure_leaves_what_was_there(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"table{ending}"
    path.write_text("before")

    def fail_halfway() -> None:
        with TableWriter(path) as writer:
            writer.write(pl.DataFrame({"a": [1]}))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_halfway()
    assert path.read_text() == "before"
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


def test_parts_must_agree(tmp_path: Path) -> None:
    def write_two_types() -> None:
        with TableWriter(tmp_path / "table.parquet") as writer:
            writer.write(pl.DataFrame({"a": [1]}))
            writer.write(pl.DataFrame({"a": ["x"]}))

    with pytest.raises(FileError, match=r"table\.parquet: cannot be written"):
        write_two_types()
    assert list(tmp_path.iterdir()) == []


FULL_DISK = """
import resource, sys
import polars as pl
from masquerade.errors import FileError
from masquerade.files import write_table
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
try:
    write_table(pl.DataFrame({"a": pl.int_range(200_000, eager=True)}), sys.argv[1])
except FileError as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="file sizes cannot be limited there")
@pytest.mark.parametrize("ending", WRITABLE)
def test_a_full_disk_leaves_nothing(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"table{ending}"
    done = subprocess.run([sys.executable, "-c", FULL_DISK, str(path)], capture_output=True, text=True, check=True)
    assert "cannot be written" in done.stdout
    assert done.stdout.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_paths_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "file").write_text("")
    for path, message in [
        (tmp_path / "table.json", "the ending '.json' is unknown, expected one of .csv"),
        (tmp_path / "table", "the ending '' is unknown"),
        (tmp_path / "folder.csv", "it is a folder"),
        (tmp_path / "file" / "table.csv", "not a folder"),
    ]:
        with pytest.raises(FileError, match=message):
            write_table(pl.DataFrame({"a": [1]}), path)
        with pytest.raises(FileError, match=message):
            check_writable(path, endings=WRITABLE)
    check_writable(tmp_path / "new" / "deep" / "table.csv", endings=WRITABLE)
    check_writable(tmp_path / "model.mq")
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["file", "folder.csv"]


def test_paths_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "folder.csv").mkdir()
    for name, message in [
        ("none.csv", "no such file"),
        ("folder.csv", "it is a folder"),
        ("table.doc", r"the ending '\.doc' is unknown, expected one of \.csv"),
    ]:
        with pytest.raises(FileError, match=message):
            read_table(tmp_path / name)
    for name in ["t.parquet", "t.xlsx", "t.csv.gz"]:
        with pytest.raises(FileError, match="cannot be read") as caught:
            read(tmp_path, b"this is something else", name)
        assert "\n" not in str(caught.value)
    with pytest.raises(FileError, match="cannot be read"):
        read(tmp_path, gzip.compress(b"a,b\n1,2\n" * 99)[:-9], "cut.csv.gz")


def test_excel_without_its_extra_names_the_remedy(tmp_path: Path) -> None:
    script = (
        "import sys; sys.modules['fastexcel'] = sys.modules['xlsxwriter'] = None\n"
        "import polars as pl; from masquerade.files import read_table, write_table; from masquerade.errors import FileError\n"
        "for call in (lambda: read_table(sys.argv[1]), lambda: write_table(pl.DataFrame({'a': [1]}), sys.argv[1])):\n"
        "    try: call()\n"
        "    except FileError as error: assert 'pip install masquerade[excel]' in str(error), error\n"
        "    else: raise SystemExit('it was not missed')\n"
    )
    path = tmp_path / "t.xlsx"
    path.write_bytes(b"anything")
    subprocess.run([sys.executable, "-c", script, str(path)], check=True)
    assert path.read_bytes() == b"anything"


def test_atomic_path_keeps_links_and_rights(tmp_path: Path) -> None:
    target, link = tmp_path / "real.txt", tmp_path / "link.txt"
    target.write_text("before")
    link.symlink_to(target)
    with atomic_path(link) as temporary:
        temporary.write_text("after")
    assert link.is_symlink()
    assert target.read_text() == "after"


def test_a_big_table_is_read_by_the_fast_path(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    frame = pl.DataFrame({f"c{i}": generator.integers(0, 1000, 400_000) for i in range(6)}).cast(pl.String)
    frame = frame.with_columns(note=pl.when(pl.col("c0") == "7").then(pl.lit('a "b",\nc')).otherwise(pl.lit("")))
    path = tmp_path / "big.csv"
    write_table(frame, path)
    assert path.stat().st_size > 1 << 23, "more than one block of the scan"
    assert_frame_equal(read_table(path), frame)


SCHEMA = Schema(
    (
        Column("age", "integer", minimum=17, maximum=90, missing="?"),
        Column('odd "name".x', "categorical", levels=("Female", "Mäle"), sensitive=True, missing=""),
        Column("when", "datetime", minimum="2018-10-01", maximum="2019-03-05", format="%d-%b-%y"),
        Column("amount", "continuous", minimum=0.5, decimals=2, least_decimals=0, thousands=",", grouping="indian"),
        Column("owner", "id", protect=3),
    ),
    unit="owner",
    declared=True,
)


def test_a_schema_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "schema.toml"
    write_schema(SCHEMA, path)
    assert read_schema(path) == SCHEMA
    assert path.read_text(encoding="utf-8").startswith("# What each column is.")


def test_dates_may_stand_without_quotes(tmp_path: Path) -> None:
    path = tmp_path / "schema.toml"
    path.write_text('[columns.when]\nkind = "datetime"\nminimum = 2018-10-01\n')
    assert read_schema(path)["when"].minimum == "2018-10-01"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("columns = 3 4\n", "not a TOML file .*line 1"),
        ("declared = true", "no columns given"),
        ("[columns]\nage = 3", "column 'age': got 3"),
        ("[columns.age]\nminimum = 3", "column 'age': no kind given"),
        ('[columns.age]\nkind = "intger"', "kind is 'intger'.*did you mean 'integer'"),
        ('[columns.age]\nkind = "integer"\nminimun = 3', "unknown field 'minimun' .did you mean 'minimum'"),
        ('unti = "a"\n[columns.age]\nkind = "integer"', "unknown key 'unti'"),
        ('unit = "agee"\n[columns.age]\nkind = "integer"', "no column 'agee' .did you mean 'age'"),
        ('declared = "yes"\n[columns.age]\nkind = "integer"', "declared is 'yes', expected true or false"),
    ],
)
def test_bad_schemas_are_refused_with_the_field(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "schema.toml"
    path.write_text(text)
    with pytest.raises(SchemaError, match=message):
        read_schema(path)
    with pytest.raises(FileError, match="cannot be read"):
        read_schema(tmp_path / "none.toml")
