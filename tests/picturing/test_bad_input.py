"""Bad pictures, files and folders: refused in one line that names them; left out with a count where that is asked for."""

from __future__ import annotations

import contextlib
import gzip
import io
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

from masquerade.errors import FileError, InputError, MasqueradeWarning, TableError
from masquerade.picture_files import is_picture_set, read_pictures, stream_pictures, write_pictures
from masquerade.pictures import Pictures
from masquerade.picturing import idx


def png(pixels: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


def noise(height: int = 16, width: int = 16) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width)).astype(np.uint8)


def bomb() -> bytes:
    """A PNG of a few bytes that claims 40,000 x 40,000 pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 40_000, 40_000, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(100))) + chunk(b"IEND", b"")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Six good pictures in two classes."""
    for i in range(6):
        file = tmp_path / "set" / "ab"[i % 2] / f"{i}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(png(noise()))
    return tmp_path / "set"


BAD = {
    "truncated": (png(noise())[:-60], "damaged or cut off"),
    "empty": (b"", "not a PNG"),
    "text": (b"<html>no picture</html>" * 20, "not a PNG"),
    "bomb": (bomb(), "decompression bomb"),
    "wide": (b"", "32 bits"),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_picture_is_named_and_left_out_on_request(kind: str, folder: Path) -> None:
    content, reason = BAD[kind]
    if kind == "wide":
        Image.fromarray(noise().astype(np.float32)).save(folder / "a" / "0.png", "TIFF")
    else:
        (folder / "a" / "0.png").write_bytes(content)
    (folder / "b" / "5.png").write_bytes(b"nothing")
    with pytest.raises(FileError, match=rf"2 of 6 pictures cannot be read, first a/0\.png \(.*{reason}.*--skip-bad"):
        read_pictures(folder)
    with pytest.raises(FileError, match="2 of 6 pictures"):
        list(stream_pictures(folder, 2))
    with pytest.warns(MasqueradeWarning, match=r"2 of 6 pictures cannot be read and are left out, first a/0\.png"):
        found = read_pictures(folder, skip_bad=True)
    assert found.files == ("a/2.png", "a/4.png", "b/1.png", "b/3.png")
    assert found.labels["label"].tolist() == ["a", "a", "b", "b"]
    assert (found.images == noise()[..., None]).all()


def test_nothing_but_bad_pictures(folder: Path) -> None:
    for file in folder.rglob("*.png"):
        file.write_bytes(b"nothing")
    with pytest.raises(FileError, match="6 of 6"):
        read_pictures(folder, skip_bad=True)


def test_bad_pictures_in_parquet(tmp_path: Path) -> None:
    frame = pl.DataFrame({"image": [png(noise()), None, b"x", png(noise())], "label": [1, 2, 3, 4]})
    frame.write_parquet(tmp_path / "a.parquet")
    with pytest.raises(FileError, match="2 of 4 pictures cannot be read, first row 2"):
        read_pictures(tmp_path / "a.parquet")
    with pytest.warns(MasqueradeWarning, match="2 of 4"):
        assert read_pictures(tmp_path / "a.parquet", skip_bad=True).labels["label"].tolist() == [1, 4]


def test_mixed_sizes(folder: Path) -> None:
    (folder / "b" / "1.png").write_bytes(png(noise(20, 10)))
    expected = r"a/0\.png is 16x16 and b/1\.png is 20x10; give one size to resample them to, such as 16x10"
    with pytest.raises(FileError, match=expected):
        read_pictures(folder, skip_bad=True)
    assert read_pictures(folder, size=(16, 10)).images.shape == (6, 16, 10, 1)


def test_folders_that_are_no_picture_sets(tmp_path: Path, folder: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileError, match="there is no picture in it"):
        read_pictures(tmp_path / "empty")
    with pytest.raises(FileError, match=r"lie deeper, in set/a; give .*set"):
        read_pictures(tmp_path)
    (folder / "c").mkdir()
    with pytest.warns(MasqueradeWarning, match="no picture in the folder c"):
        read_pictures(folder)
    (folder / "c" / "notes.txt").write_text("x")
    (folder / "c" / "9.png").write_bytes(png(noise()))
    with pytest.warns(MasqueradeWarning, match=r"files in c that are no pictures by their ending are left out \(1\)"):
        read_pictures(folder)
    (folder / "lost.png").write_bytes(png(noise()))
    with pytest.raises(FileError, match=r"beside the class folders \(1, first lost\.png\)"):
        read_pictures(folder)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("a/0.png\na/2.png\na/4.png\nb/1.png\nb/3.png\nb/7.png\n", r"1 of 6 rows name a picture .* first b/7\.png"),
        ("a/0.png\na/2.png\na/4.png\nb/1.png\nb/3.png\n", r"1 of 6 pictures in .* have no row, first b/5\.png"),
        ("a/0.png\na/0.png\n", r"a/0\.png has more than one row"),
        ('"a\r b"\n', r"first a\\r b\.$"),
    ],
)
def test_labels_that_do_not_match(rows: str, message: str, folder: Path) -> None:
    (folder / "labels.csv").write_text("file,age\n" + rows.replace("\n", ",1\n"))
    with pytest.raises(TableError, match=message):
        read_pictures(folder)


def test_labels_without_a_column_of_files(folder: Path) -> None:
    (folder / "labels.csv").write_text("name,age\na/0.png,1\n")
    with pytest.raises(TableError, match="no column 'file'"):
        read_pictures(folder)


def member(path: Path, name: str, content: bytes) -> None:
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{name}.npy", content)


def npy(shape: str, dtype: str, content: bytes) -> bytes:
    text = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}".encode()
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + content


def test_archives_that_are_no_picture_sets(tmp_path: Path) -> None:
    images = np.zeros((4, 8, 8), np.uint8)
    cases = {
        "other": ({"x": images}, "no array 'images'"),
        "float": ({"images": images / 255.0}, "float64, expected uint8"),
        "flat": ({"images": images.reshape(4, 64)}, r"shape \(4, 64\)"),
        "none": ({"images": images[:0]}, "no picture in it"),
        "long": ({"images": images, "labels": np.arange(5)}, "5 values for 4 pictures"),
        "halves": ({"images": images, "labels": np.arange(4) / 2}, "not whole"),
        "pickled": ({"images": images, "labels": np.array([1, "a", None, 2], dtype=object)}, "pickled Python objects"),
    }
    for name, (arrays, message) in cases.items():
        np.savez(tmp_path / f"{name}.npz", **arrays)
        with pytest.raises(InputError, match=message):
            read_pictures(tmp_path / f"{name}.npz")
    (tmp_path / "text.npz").write_text("no archive")
    with pytest.raises(FileError, match="cannot be read as an NPZ"):
        read_pictures(tmp_path / "text.npz")
    np.savez(tmp_path / "more.npz", images=images, labels=np.arange(4), names=np.array(["a", "b"]))
    with pytest.warns(MasqueradeWarning, match="left out names"):
        assert list(read_pictures(tmp_path / "more.npz").labels) == ["label"]


def test_archives_that_claim_too_much(tmp_path: Path) -> None:
    member(tmp_path / "a.npz", "images", npy("(10000000, 28, 28)", "|u1", bytes(100)))
    with pytest.raises(FileError, match="damaged, its header claims"):
        read_pictures(tmp_path / "a.npz")
    member(tmp_path / "b.npz", "images", npy("(3, -1, -100)", "|u1", bytes(300)))
    with pytest.raises(FileError, match=r"b\.npz"):
        read_pictures(tmp_path / "b.npz")
    member(tmp_path / "c.npz", "images", npy("(8000000,)", "|u1", bytes(8_000_000)))
    data = bytearray((tmp_path / "c.npz").read_bytes())
    at = data.rindex(b"PK\x01\x02")
    data[at + 24 : at + 28] = (4_000_000_000).to_bytes(4, "little")  # the size that the directory claims
    (tmp_path / "c.npz").write_bytes(data)
    with pytest.raises(FileError, match="refused as a decompression bomb"):
        read_pictures(tmp_path / "c.npz")


@pytest.mark.parametrize("text", ["(" * 9_000, "-" * 9_000 + "1", "{'descr': '|u1', 'shape': (4,", "  x\n y", "{}", ""])
def test_headers_of_arrays_that_no_parser_reads(text: str, tmp_path: Path) -> None:
    member(tmp_path / "a.npz", "images", b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode())
    with pytest.raises(FileError, match=r"a\.npz: cannot be read as an NPZ archive") as caught:
        read_pictures(tmp_path / "a.npz")
    assert "\n" not in str(caught.value)


def test_idx_files_that_are_none(tmp_path: Path) -> None:
    good = idx.header(0x08, (3, 4, 4)) + bytes(48)
    cases = {
        "short": (good[:-1], "cut off"),
        "long": (good + b"x", "cut off"),
        "huge": (idx.header(0x08, (2**31, 2**31, 2**31)) + bytes(9), "cut off"),
        "magic": (b"\x01" + good[1:], "not an IDX file"),
        "float": (idx.header(0x0D, (3, 4, 4)) + bytes(192), "not an IDX file"),
        "deep": (idx.header(0x0B, (3, 4, 4)) + bytes(96), "expected u1"),
        "labels": (idx.header(0x08, (3,)) + bytes(3), "these are labels"),
        "begun": (good[:6], "too early"),
        "none": (idx.header(0x08, (0, 4, 4)), "shape"),
    }
    path = tmp_path / "t-images-idx3-ubyte"
    for content, message in cases.values():
        path.write_bytes(content)
        with pytest.raises(FileError, match=message):
            read_pictures(path)
    path.write_bytes(good)
    (tmp_path / "t-labels-idx1-ubyte").write_bytes(idx.header(0x08, (4,)) + bytes(4))
    with pytest.raises(TableError, match="4 labels for 3 pictures"):
        read_pictures(path)
    packed = tmp_path / "p-images-idx3-ubyte.gz"
    for content in (good + b"x", good[:-1], idx.header(0x08, (2**31, 2**10, 2**10))):
        packed.write_bytes(gzip.compress(content))
        with pytest.raises(FileError, match="damaged"):
            read_pictures(packed)


def test_other_things(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="no such file or folder"):
        read_pictures(tmp_path / "no.npz")
    (tmp_path / "bank.csv").write_text("a,b\n1,2\n")
    with pytest.raises(FileError, match="not a picture set"):
        read_pictures(tmp_path / "bank.csv")
    pl.DataFrame({"a": [1]}).write_parquet(tmp_path / "bank.parquet")
    with pytest.raises(FileError, match="no column 'image'"):
        read_pictures(tmp_path / "bank.parquet")
    (tmp_path / "bad.parquet").write_text("x")
    assert not any(is_picture_set(tmp_path / name) for name in ("bank.csv", "bank.parquet", "bad.parquet", "gone"))
    pl.DataFrame({"image": [png(noise())], "sex": pl.Series([None], dtype=pl.String)}).write_parquet(
        tmp_path / "a.parquet"
    )
    with pytest.raises(TableError, match="'sex' has 1 empty rows"):
        read_pictures(tmp_path / "a.parquet")


@pytest.mark.parametrize("name", ["a.npz", "a-images-idx3-ubyte", "a-images-idx3-ubyte.gz", "a.parquet", "a"])
def test_damage_anywhere_is_refused_in_one_line(name: str, digits: Pictures, tmp_path: Path) -> None:
    """Random bytes changed or cut: either pictures are read, or one of our errors says in one line what is wrong."""
    write_pictures(tmp_path / name, Pictures(digits.images[:6], {"label": digits.labels["label"][:6]}))
    path = tmp_path / name
    file = next(path.rglob("*.png")) if path.is_dir() else path
    whole, random, refused = file.read_bytes(), np.random.default_rng(0), []
    for _ in range(60):
        data = bytearray(whole)
        for at in random.integers(0, len(data), random.integers(1, 4)):
            data[at] = random.integers(256)
        file.write_bytes(data if random.random() < 0.7 else data[: random.integers(0, len(data))])
        with contextlib.suppress(MasqueradeWarning):  # a label that is none any more; warnings are errors here
            try:
                read_pictures(path)
            except InputError as error:
                refused.append(str(error))
    assert len(refused) >= 10
    assert all("\n" not in message and path.name.split("-")[0] in message for message in refused)
