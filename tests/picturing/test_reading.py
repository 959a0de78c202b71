"""Reading: every format gives the same pictures, whole or streamed; sizes, modes and labels as asked."""

from __future__ import annotations

import gzip
import io
import shutil
import tracemalloc
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

from masquerade.errors import FileError, MasqueradeWarning, SettingError, TableError
from masquerade.picture_files import is_picture_set, read_pictures, stream_pictures, write_pictures
from masquerade.pictures import Pictures
from masquerade.picturing import npz
from masquerade.picturing.decoding import Wanted, decode, on_white

FORMATS = ("set", "set.npz", "set.parquet", "set-images-idx3-ubyte", "set-images-idx3-ubyte.gz")


def same(a: Pictures, b: Pictures) -> bool:
    """Whether pictures, labels, types of labels and order are the same."""
    alike = np.array_equal(a.images, b.images) and list(a.labels) == list(b.labels)
    return alike and all(
        np.array_equal(a.labels[n], b.labels[n]) and a.labels[n].dtype.kind == b.labels[n].dtype.kind for n in a.labels
    )


@pytest.mark.parametrize("name", FORMATS)
def test_what_is_written_is_read(name: str, digits: Pictures, tmp_path: Path) -> None:
    some = digits[:150]
    if "idx" in name:  # which holds the class alone
        some = Pictures(some.images, {"label": some.labels["label"]})
    write_pictures(tmp_path / name, some)
    assert is_picture_set(tmp_path / name)
    assert same(read_pictures(tmp_path / name), some)
    parts = list(stream_pictures(tmp_path / name, 64))
    assert [len(part) for part in parts] == [64, 64, 22]
    assert np.array_equal(np.concatenate([part.images for part in parts]), some.images)
    assert np.array_equal(np.concatenate([part.labels["label"] for part in parts]), some.labels["label"])


@pytest.mark.parametrize("name", ["set", "set.npz", "set.parquet"])
def test_colours_and_classes_of_any_name(name: str, colours: Pictures, tmp_path: Path) -> None:
    write_pictures(tmp_path / name, colours)
    assert same(read_pictures(tmp_path / name), colours)


def test_blocks_of_an_array_are_cut_anywhere(digits: Pictures, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_pictures(tmp_path / "a.npz", digits[:100])
    monkeypatch.setattr(npz, "BLOCK_BYTES", 7 * 64)
    assert same(read_pictures(tmp_path / "a.npz"), digits[:100])
    assert [len(part) for part in stream_pictures(tmp_path / "a.npz", 30)] == [30, 30, 30, 10]


def test_an_array_in_the_order_of_fortran(digits: Pictures, tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", images=np.asfortranarray(digits.images[:9, ..., 0]), labels=np.arange(9))
    assert np.array_equal(read_pictures(tmp_path / "a.npz").images, digits.images[:9])


@pytest.mark.parametrize("form", ["x_{}/y_{}", "{}_images/{}_labels"])
def test_archives_in_parts(form: str, digits: Pictures, tmp_path: Path) -> None:
    arrays = {}
    for part, rows in (("train", slice(0, 20)), ("test", slice(20, 26))):
        for name, values in zip(
            form.format(part, part).split("/"), (digits.images[rows], digits.labels["label"][rows, None]), strict=True
        ):
            arrays[name] = values
    np.savez_compressed(tmp_path / "parts.npz", **arrays)
    assert len(read_pictures(tmp_path / "parts.npz")) == 20
    test = read_pictures(f"{tmp_path}/parts.npz#test")
    assert np.array_equal(test.images, digits.images[20:26])
    assert test.labels["label"].tolist() == digits.labels["label"][20:26].tolist()
    with pytest.raises(FileError, match="no part 'val', it has train, test"):
        read_pictures(f"{tmp_path}/parts.npz#val")


def test_a_plain_folder_of_classes(digits: Pictures, tmp_path: Path) -> None:
    for i, level in enumerate([3, 10, 3]):
        (tmp_path / "set" / str(level)).mkdir(parents=True, exist_ok=True)
        Image.fromarray(digits.images[i, ..., 0]).save(tmp_path / "set" / str(level) / f"{i}.PNG")
    (tmp_path / "set" / ".DS_Store").write_bytes(b"\0")
    found = read_pictures(tmp_path / "set")
    assert found.labels["label"].tolist() == [10, 3, 3]
    assert found.files == ("10/1.PNG", "3/0.PNG", "3/2.PNG")
    assert np.array_equal(found.images, digits.images[[1, 0, 2]])


@pytest.mark.parametrize("place", ["in", "named", "beside", "given"])
def test_further_labels_of_a_folder(place: str, digits: Pictures, tmp_path: Path) -> None:
    folder = tmp_path / "set"
    for i in range(4):
        (folder / "ab"[i % 2]).mkdir(parents=True, exist_ok=True)
        Image.fromarray(digits.images[i, ..., 0]).save(folder / "ab"[i % 2] / f"{i}.png")
    files = {
        "in": folder / "labels.csv",
        "named": tmp_path / "set.csv",
        "beside": tmp_path / "labels.csv",
        "given": tmp_path / "x.csv",
    }
    files[place].write_text("file;age;sex\nb/1.png;31;f\na/0.png;45;m\n.\\a\\2.png;7;f\nb/3.png;8;f\n")
    found = read_pictures(folder, labels=files[place] if place == "given" else None)
    assert list(found.labels) == ["label", "age", "sex"]
    assert found.labels["label"].tolist() == ["b", "a", "a", "b"]
    assert found.labels["age"].tolist() == [31, 45, 7, 8]
    assert np.array_equal(found.images, digits.images[[1, 0, 2, 3]])
    assert list(read_pictures(folder, labels={}).labels) == ["label"]


def test_labels_given_as_arrays_and_in_order(digits: Pictures, tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", images=digits.images[:5])
    assert read_pictures(tmp_path / "a.npz").labels == {}
    assert read_pictures(tmp_path / "a.npz", labels=[1, 2, 3, 4, 5]).labels["label"].tolist() == [1, 2, 3, 4, 5]
    assert read_pictures(tmp_path / "a.npz", labels={"sex": list("fmfmf")}).labels["sex"].tolist() == list("fmfmf")
    (tmp_path / "a.csv").write_text("label,age\n" + "x,1\n" * 5)
    assert read_pictures(tmp_path / "a.npz", labels=tmp_path / "a.csv").labels["age"].tolist() == [1] * 5
    with pytest.raises(TableError, match="4 values for 5 pictures"):
        read_pictures(tmp_path / "a.npz", labels=[1, 2, 3, 4])
    (tmp_path / "a.csv").write_text("label,age\n" + "x,1\n" * 6)
    with pytest.raises(TableError, match="6 rows for 5 pictures"):
        read_pictures(tmp_path / "a.npz", labels=tmp_path / "a.csv")


def test_labels_of_idx_are_found_or_given(digits: Pictures, tmp_path: Path) -> None:
    write_pictures(tmp_path / "t-images.idx3-ubyte", Pictures(digits.images[:5], {"label": np.arange(5)}))
    labels = tmp_path / "t-labels.idx1-ubyte"
    with gzip.open(f"{labels}.gz", "wb") as packed:
        packed.write(labels.read_bytes())
    labels.unlink()
    assert read_pictures(tmp_path / "t-images.idx3-ubyte").labels["label"].tolist() == [0, 1, 2, 3, 4]
    shutil.move(f"{labels}.gz", tmp_path / "other.idx.gz")
    assert read_pictures(tmp_path / "t-images.idx3-ubyte").labels == {}
    given = read_pictures(tmp_path / "t-images.idx3-ubyte", labels=tmp_path / "other.idx.gz")
    assert given.labels["label"].tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("wrapped", [True, False])
def test_parquet_as_others_write_it(wrapped: bool, colours: Pictures, tmp_path: Path) -> None:
    contents = []
    for pixels in colours.images[:4]:
        stream = io.BytesIO()
        Image.fromarray(pixels).save(stream, "PNG")
        contents.append({"bytes": stream.getvalue(), "path": None} if wrapped else stream.getvalue())
    frame = pl.DataFrame({"img": contents, "label": [0, 1, 0, 1], "weight": [0.5] * 4, "sure": [True] * 4})
    frame.write_parquet(tmp_path / "hf.parquet")
    assert is_picture_set(tmp_path / "hf.parquet")
    with pytest.warns(MasqueradeWarning, match="left out weight"):
        found = read_pictures(tmp_path / "hf.parquet")
    assert np.array_equal(found.images, colours.images[:4])
    assert found.labels["label"].tolist() == [0, 1, 0, 1]
    assert found.labels["sure"].tolist() == [1] * 4


def test_a_size_is_reached_with_antialiasing(tmp_path: Path) -> None:
    board = np.indices((64, 64)).sum(axis=0) % 2 * 255  # black and white by turns: grey from afar
    np.savez(tmp_path / "a.npz", images=board[None].astype(np.uint8))
    small = read_pictures(tmp_path / "a.npz", size=(16, 8)).images
    assert small.shape == (1, 16, 8, 1)
    assert abs(small.astype(int) - 128).max() <= 8


def test_modes_are_turned_into_one(tmp_path: Path) -> None:
    folder = tmp_path / "set"
    folder.mkdir()
    red = Image.new("RGB", (4, 4), (255, 0, 0))
    red.save(folder / "a.png")
    red.quantize(4).save(folder / "b.gif")
    red.convert("CMYK").save(folder / "c.tif")
    Image.new("RGBA", (4, 4), (0, 0, 0, 0)).save(folder / "d.webp", lossless=True)
    Image.new("LA", (4, 4), (0, 128)).save(folder / "e.png")
    Image.fromarray(np.full((4, 4), 65535, np.uint16)).save(folder / "f.png")
    Image.new("1", (4, 4), 1).save(folder / "g.bmp")
    Image.fromarray(np.full((4, 4), 257 * 100, np.uint16)).save(folder / "h.tif")
    colour = read_pictures(folder, channels=3).images[:, 1, 1]
    assert colour.tolist() == [[255, 0, 0]] * 3 + [[255] * 3, [127] * 3, [255] * 3, [255] * 3, [100] * 3]
    assert read_pictures(folder, channels=1).images[:, 1, 1, 0].tolist() == [76, 76, 76, 255, 127, 255, 255, 100]
    with pytest.raises(FileError, match=r"a\.png is RGB and b\.gif is palette; give the number of channels"):
        read_pictures(folder)


def test_a_large_transparent_picture_is_whitened_in_little_memory(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (1_500, 900, 4), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png", compress_level=0)
    tracemalloc.start()
    try:
        found = decode(tmp_path / "a.png", Wanted()).pixels
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (found == on_white(pixels)).all()
    assert peak < 9 * 1_500 * 900  # at once it took 18 bytes a pixel beside those of Pillow


def test_a_photograph_is_upright_and_reduced(tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    lying = np.zeros((300, 500, 3), np.uint8)
    lying[:, :250] = 255  # bright on the left, which is on top once it is turned
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(lying).save(tmp_path / "set" / "a.jpg", exif=exif, quality=95)
    whole = read_pictures(tmp_path / "set").images
    assert whole.shape == (1, 500, 300, 3)
    small = read_pictures(tmp_path / "set", size=(50, 30)).images
    assert small[0, :23].min() > 250
    assert small[0, 27:].max() < 5


def test_settings_that_cannot_be(digits: Pictures, tmp_path: Path) -> None:
    write_pictures(tmp_path / "a.npz", digits[:5])
    for size in ((0, 4), (4,), "4x4", (4.5, 4), (True, 4), 28):
        with pytest.raises(SettingError, match="size"):
            read_pictures(tmp_path / "a.npz", size=size)  # type: ignore[arg-type]
    with pytest.raises(SettingError, match="channels"):
        read_pictures(tmp_path / "a.npz", channels=4)
    with pytest.raises(SettingError, match="batch"):
        stream_pictures(tmp_path / "a.npz", 0)


@pytest.mark.parametrize("name", ["a.npz", "a-images-idx3-ubyte.gz", "a-images-idx3-ubyte"])
def test_a_stream_holds_a_batch_and_not_the_set(name: str, tmp_path: Path) -> None:
    part = Pictures(np.zeros((10_000, 28, 28), np.uint8), {"label": np.arange(10_000) % 10})
    write_pictures(tmp_path / name, (part for _ in range(10)))  # 78 MB
    tracemalloc.start()
    count = sum(len(batch) for batch in stream_pictures(tmp_path / name, 500))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 100_000
    assert peak < 40e6


@pytest.mark.data
def test_mnist(shared_data: Path) -> None:
    path = shared_data / "mnist" / "mnist.npz"
    batches = [(len(part), int(part.labels["label"][0])) for part in stream_pictures(path, 25_000)]
    assert [count for count, _ in batches] == [25_000, 25_000, 10_000]
    assert batches[0][1] == 5
    test = read_pictures(f"{path}#test")
    assert test.images.shape == (10_000, 28, 28, 1)
    assert test.counts()[1] == 1135
