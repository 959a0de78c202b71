"""Writing: all or nothing, only over what is ours, and nothing in the files that nobody asked for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

from masquerade.errors import FileError, InputError, TableError
from masquerade.picture_files import check_picture_output, contact_sheet, read_pictures, write_pictures, write_sheet
from masquerade.pictures import Pictures

FORMATS = ("set", "set.npz", "set.parquet", "set-images-idx3-ubyte", "set-images-idx3-ubyte.gz")


def classed(digits: Pictures, count: int) -> Pictures:
    return Pictures(digits.images[:count], {"label": digits.labels["label"][:count]})


def content(folder: Path) -> dict[str, bytes]:
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


@pytest.mark.parametrize("name", FORMATS)
def test_parts_make_the_same_files_as_the_whole(name: str, digits: Pictures, tmp_path: Path) -> None:
    some = classed(digits, 50)
    write_pictures(tmp_path / "whole" / name, some)
    write_pictures(tmp_path / "parts" / name, (some[i : i + 20] for i in range(0, 50, 20)))
    whole, parts = content(tmp_path / "whole"), content(tmp_path / "parts")
    assert whole.keys() == parts.keys()
    if name != "set.parquet":  # whose parts are its row groups
        assert whole == parts
    assert np.array_equal(read_pictures(tmp_path / "parts" / name).images, some.images)


@pytest.mark.parametrize("name", FORMATS)
def test_nothing_is_left_and_nothing_lost_when_it_fails(name: str, digits: Pictures, tmp_path: Path) -> None:
    def breaking() -> Iterator[Pictures]:
        yield classed(digits, 10)
        raise RuntimeError("the generator broke")

    with pytest.raises(RuntimeError):
        write_pictures(tmp_path / name, breaking())
    assert content(tmp_path) == {}
    write_pictures(tmp_path / name, classed(digits, 5))
    before = content(tmp_path)
    with pytest.raises(RuntimeError):
        write_pictures(tmp_path / name, breaking())
    assert content(tmp_path) == before
    write_pictures(tmp_path / name, classed(digits, 7))
    assert len(read_pictures(tmp_path / name)) == 7
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_a_folder_of_something_else_is_kept(digits: Pictures, tmp_path: Path) -> None:
    folder = tmp_path / "set"
    (folder / "deep").mkdir(parents=True)
    write_pictures(folder, classed(digits, 5))
    assert not (folder / "deep").exists()
    for extra in ("thesis.txt", "3/holiday.png", ".hidden"):
        (folder / extra).write_text("dear")
        with pytest.raises(FileError, match="other files than a picture set of ours"):
            write_pictures(folder, classed(digits, 6))
        assert (folder / extra).read_text() == "dear"
        (folder / extra).unlink()
    own = tmp_path / "own"
    own.mkdir()
    Image.fromarray(digits.images[0, ..., 0]).save(own / "me.png")
    (own / "labels.csv").write_text("file,age\nme.png,7\n")
    with pytest.raises(FileError, match="other files than a picture set of ours"):
        check_picture_output(own)


def test_paths_that_are_refused(digits: Pictures, tmp_path: Path) -> None:
    for name in ("a.csv", "a.png", "a.zip"):
        with pytest.raises(FileError, match="is unknown, expected a folder"):
            write_pictures(tmp_path / name, digits[:2])
    (tmp_path / "file").write_text("x")
    with pytest.raises(FileError, match="there is a file of this name"):
        write_pictures(tmp_path / "file", digits[:2])
    with pytest.raises(FileError, match="cannot be written"):
        write_pictures(tmp_path / "file" / "set", digits[:2])


def test_what_a_format_cannot_hold(digits: Pictures, tmp_path: Path) -> None:
    idx = tmp_path / "a-images-idx3-ubyte"
    cases: list[tuple[Path, Pictures, str]] = [
        (idx, digits[:5], "holds the class alone"),
        (idx, Pictures(digits.images[:2], {"label": np.array(["a", "b"])}), "classes from 0 to 255"),
        (idx, Pictures(digits.images[:2], {"label": np.array([1, 256])}), "classes from 0 to 255"),
        (tmp_path / "set", Pictures(digits.images[:2], {"file": np.arange(2)}), "'file': the file needs this name"),
        (tmp_path / "a.npz", Pictures(digits.images[:2], {"images": np.arange(2)}), "'images': the file needs this"),
        (tmp_path / "a.parquet", Pictures(digits.images[:2], {"image": np.arange(2)}), "'image': the file needs this"),
        (tmp_path / "a.npz", digits[:0], "no pictures to write"),
    ]
    for path, pictures, message in cases:
        with pytest.raises(TableError, match=message):
            write_pictures(path, pictures)
    with pytest.raises(TableError, match="a part has pictures"):
        write_pictures(tmp_path / "a.npz", iter([digits[:2], Pictures(digits.images[:2])]))
    assert list(tmp_path.iterdir()) == []
    write_pictures(idx, classed(digits, 5))
    with pytest.raises(FileError, match="taken for the labels"):
        write_pictures(idx, Pictures(digits.images[:5]))
    assert len(read_pictures(idx)) == 5


def test_names_of_files_do_not_come_along(digits: Pictures, tmp_path: Path) -> None:
    named = Pictures(digits.images[:3], {"label": digits.labels["label"][:3]}, ("smith.png", "jones.png", "doe.png"))
    for name in ("set", "set.npz", "set.parquet"):
        write_pictures(tmp_path / name, named)
    files = content(tmp_path)
    assert not any(word in path or word.encode() in data for path, data in files.items() for word in ("smith", "doe"))


def test_others_can_read_it(digits: Pictures, tmp_path: Path) -> None:
    write_pictures(tmp_path / "a.npz", digits[:20])
    with np.load(tmp_path / "a.npz", allow_pickle=False) as archive:
        assert archive["images"].shape == (20, 8, 8)
        assert archive["labels"].tolist() == digits.labels["label"][:20].tolist()
        assert archive["parity"][0] == "even"
    write_pictures(tmp_path / "a.parquet", digits[:20])
    frame = pl.read_parquet(tmp_path / "a.parquet")
    assert frame.columns == ["image", "label", "parity"]
    assert frame["image"].struct.fields == ["bytes", "path"]


def test_contact_sheets(colours: Pictures, tmp_path: Path) -> None:
    sheet = contact_sheet(colours[:5], columns=3, scale=2)
    assert sheet.shape == (2 * 13 + 1, 3 * 19 + 1, 3)
    assert np.array_equal(sheet[1:13:2, 20:38:2], colours.images[1])
    assert np.array_equal(sheet[14:26:2, 20:38:2], colours.images[4])
    assert (sheet[14:26, 39:57] == 128).all()  # no sixth picture
    write_sheet(tmp_path / "a.png", colours[:5], 3, scale=2)
    assert np.array_equal(np.asarray(Image.open(tmp_path / "a.png")), sheet)
    with pytest.raises(FileError, match=r"expected \.png"):
        write_sheet(tmp_path / "a.jpg", colours)
    for bad in ({"columns": 0}, {"scale": 0}):
        with pytest.raises(InputError, match="expected at least 1"):
            contact_sheet(colours, **bad)
    with pytest.raises(TableError, match="no pictures"):
        contact_sheet(colours[:0])
