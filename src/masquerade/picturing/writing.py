"""Picture sets written whole or not at all: a folder, NPZ, IDX or Parquet."""

from __future__ import annotations

import gzip
import re
import shutil
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
import polars as pl
from numpy.typing import NDArray

from masquerade.atomic import atomic_path, check_writable
from masquerade.errors import FileError, TableError
from masquerade.files import TableWriter, read_table, write_table
from masquerade.pictures import LABEL, Pictures
from masquerade.picturing.atomic_folder import atomic_folder
from masquerade.picturing.decoding import encode
from masquerade.picturing.folder import LABELS_FILE
from masquerade.picturing.idx import header, is_idx, labels_beside
from masquerade.picturing.labelling import FILE
from masquerade.picturing.parquet import IMAGE

__all__ = ["check_picture_output", "write_pictures"]

_PART = 4096
_SPOOLED_BYTES = 1 << 28  # pictures wait in memory up to this much, then on the disk
_OURS = re.compile(r"([^/]+/)?[0-9]{6,}\.png")


def write_pictures(path: str | Path, pictures: Pictures | Iterable[Pictures]) -> None:
    """Write a picture set; the path chooses the format.

    A folder (a path without an ending) gets a PNG per picture, numbered, in sub-folders by class, and `labels.csv` with their
    order and labels; the names of the files that the pictures came from are not repeated, since they may name people. `.npz`
    holds `images`, `labels` and further labels by their names. `.parquet` holds PNGs in a column `image` and the labels. An IDX
    file (`...-idx3-ubyte`, also `.gz`) holds the pictures, a second one beside it the classes, 0 to 255.

    Args:
        path: where to; a folder there is overwritten only if it is empty or was written by this function.
        pictures: the set, or its parts one after another, of which only one is in memory then.

    Raises:
        FileError: an unknown ending, a folder of other things, or it cannot be written; nothing is left then.
        TableError: no pictures, parts that do not fit together, or labels that the format cannot hold.

    >>> folder = Path(tempfile.mkdtemp())
    >>> write_pictures(folder / "set", Pictures(np.zeros((2, 8, 8), np.uint8), {"label": np.array(["cat", "dog"])}))
    >>> sorted(str(file.relative_to(folder)) for file in folder.rglob("*.*"))
    ['set/cat/000000.png', 'set/dog/000001.png', 'set/labels.csv']
    """
    path = Path(path)
    check_picture_output(path)
    parts = _alike(path, _parts(pictures))
    if _is_folder(path):
        _write_folder(path, parts)
    elif is_idx(path):
        _write_idx(path, parts)
    elif path.name.lower().endswith(".npz"):
        _write_npz(path, parts)
    else:
        _write_parquet(path, parts)


def check_picture_output(path: str | Path) -> None:
    """Refuse a path for a picture set before any long work is done; raises `FileError`.

    >>> try:
    ...     check_picture_output("sheet.jpg")
    ... except FileError as error:
    ...     print(str(error).split(",")[0])
    sheet.jpg: the ending '.jpg' is unknown
    """
    path = Path(path)
    if not _is_folder(path):
        if not (is_idx(path) or path.name.lower().endswith((".npz", ".parquet"))):
            raise FileError(
                f"{path}: the ending {path.suffix!r} is unknown, expected a folder (no ending), .npz, .parquet or "
                "...-idx3-ubyte (also .gz)."
            )
        return check_writable(path)
    if path.exists() and not path.is_dir():
        raise FileError(f"{path}: cannot be written, there is a file of this name; give another one.")
    check_writable(path / LABELS_FILE)
    if path.is_dir() and not _is_ours(path):
        raise FileError(f"{path}: it holds other files than a picture set of ours; give another name, or empty it.")
    return None


def _is_folder(path: Path) -> bool:
    return path.is_dir() or (path.suffix == "" and not is_idx(path))


def _is_ours(folder: Path) -> bool:
    """Whether a folder is empty, or holds what `labels.csv` lists, numbered as we do, and nothing else."""
    there = {file.relative_to(folder).as_posix() for file in folder.rglob("*") if not file.is_dir()}
    if not there:
        return True
    if LABELS_FILE not in there:
        return False
    listed = read_table(folder / LABELS_FILE)
    named = set(listed.get_column(FILE).to_list()) if FILE in listed.columns else set()
    return there - {LABELS_FILE} == named and all(_OURS.fullmatch(name) for name in named)


def _parts(pictures: Pictures | Iterable[Pictures]) -> Iterator[Pictures]:
    for part in (pictures,) if isinstance(pictures, Pictures) else pictures:
        for begin in range(0, len(part), _PART):
            yield part[begin : begin + _PART]


def _alike(path: Path, parts: Iterator[Pictures]) -> Iterator[Pictures]:
    """The parts, once each is known to be like the first."""
    first: Pictures | None = None
    for part in parts:
        first = part if first is None else first
        if part.images.shape[1:] != first.images.shape[1:] or list(part.labels) != list(first.labels):
            raise TableError(
                f"{path}: a part has pictures of shape {part.images.shape[1:]} and labels {list(part.labels)}, "
                f"the first has {first.images.shape[1:]} and {list(first.labels)}."
            )
        yield part
    if first is None:
        raise TableError(f"{path}: there are no pictures to write.")


def _folder_of(level: Any) -> str:
    """A class as the name of a folder that every system takes.

    >>> _folder_of("cats & dogs/wolves"), _folder_of(7), _folder_of("..")
    ('cats & dogs_wolves', '7', '_')
    """
    return re.sub(r'[<>:"/\\|?*\x00-\x1f]', "_", str(level)).strip(" .") or "_"


def _write_folder(path: Path, parts: Iterator[Pictures]) -> None:
    done, rows = 0, []
    with atomic_folder(path) as folder:
        for part in parts:
            classes = part.labels.get(LABEL)
            names = []
            for i, pixels in enumerate(part.images):
                name = f"{done + i:06}.png" if classes is None else f"{_folder_of(classes[i])}/{done + i:06}.png"
                file = folder / name
                if not file.parent.exists():
                    file.parent.mkdir()
                file.write_bytes(encode(pixels))
                names.append(name)
            rows.append(pl.DataFrame({FILE: names, **_columns(part.labels, reserved=FILE)}))
            done += len(part)
        write_table(pl.concat(rows), folder / LABELS_FILE)


def _write_parquet(path: Path, parts: Iterator[Pictures]) -> None:
    done = 0
    dtype = pl.Struct({"bytes": pl.Binary, "path": pl.String})
    with TableWriter(path) as writer:
        for part in parts:
            cells = [{"bytes": encode(p), "path": f"{done + i:06}.png"} for i, p in enumerate(part.images)]
            image = pl.Series(IMAGE, cells, dtype=dtype)
            writer.write(pl.DataFrame([image, *_columns(part.labels, reserved=IMAGE).values()]))
            done += len(part)


def _columns(labels: Mapping[str, NDArray[Any]], *, reserved: str) -> dict[str, pl.Series]:
    if reserved in labels:
        raise TableError(f"label {reserved!r}: the file needs this name for itself; rename the label.")
    return {name: pl.Series(name, values) for name, values in labels.items()}


@dataclass
class _Spool:
    """Pictures of which it is not known yet how many there will be."""

    stream: IO[bytes]
    count: int = 0
    shape: tuple[int, ...] = ()
    labels: dict[str, list[NDArray[Any]]] = field(default_factory=dict)

    def fill(self, parts: Iterator[Pictures]) -> None:
        """Take all parts."""
        for part in parts:
            self.stream.write(np.ascontiguousarray(part.images).data)
            self.count += len(part)
            self.shape = part.images.shape[1:3] if part.channels == 1 else part.images.shape[1:]
            for name, values in part.labels.items():
                self.labels.setdefault(name, []).append(values)

    def copy_to(self, target: IO[bytes]) -> None:
        """Hand over the bytes of the pictures."""
        self.stream.seek(0)
        shutil.copyfileobj(self.stream, target, 1 << 20)


def _spool(stack: ExitStack, path: Path, parts: Iterator[Pictures]) -> _Spool:
    stream = stack.enter_context(tempfile.SpooledTemporaryFile(_SPOOLED_BYTES, dir=str(path.parent)))  # noqa: SIM115
    spool = _Spool(cast(IO[bytes], stream))
    spool.fill(parts)
    return spool


def _write_npz(path: Path, parts: Iterator[Pictures]) -> None:
    with ExitStack() as stack:
        temporary = stack.enter_context(atomic_path(path))
        spool = _spool(stack, temporary, parts)
        archive = stack.enter_context(zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED))
        shape = (spool.count, *spool.shape)
        with archive.open(_member("images"), "w", force_zip64=True) as member:
            fields = {"descr": "|u1", "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(cast(Any, member), fields)
            spool.copy_to(member)
        for name, values in spool.labels.items():
            stored = "labels" if name == LABEL else name
            if stored in ("images", "labels") and name != LABEL:
                raise TableError(f"label {name!r}: the file needs this name for itself; rename the label.")
            with archive.open(_member(stored), "w", force_zip64=True) as member:
                np.lib.format.write_array(cast(Any, member), np.concatenate(values), allow_pickle=False)


def _member(name: str) -> zipfile.ZipInfo:
    """A member that carries no date, so that the same pictures make the same file."""
    info = zipfile.ZipInfo(f"{name}.npy")
    info.compress_type = zipfile.ZIP_DEFLATED
    return info


def _write_idx(path: Path, parts: Iterator[Pictures]) -> None:
    beside = labels_beside(path)
    with ExitStack() as stack:
        temporary = stack.enter_context(atomic_path(path))
        spool = _spool(stack, temporary, parts)
        further = [name for name in spool.labels if name != LABEL]
        if further:
            raise TableError(
                f"{path}: an IDX file holds the class alone, not {further}; write a folder, .npz or .parquet."
            )
        if LABEL in spool.labels:
            classes = np.concatenate(spool.labels[LABEL])
            if classes.dtype.kind not in "iu" or classes.min() < 0 or classes.max() > 255:
                raise TableError(f"{path}: an IDX file holds classes from 0 to 255; write a folder, .npz or .parquet.")
            written = stack.enter_context(atomic_path(beside))
            with _opened(written) as stream:
                stream.write(header(0x08, classes.shape) + classes.astype(np.uint8).tobytes())
        elif beside.exists():
            raise FileError(f"{beside}: it would be taken for the labels of {path.name}, which has none; remove it.")
        with _opened(temporary) as stream:
            shape = (spool.count, *spool.shape)
            stream.write(header(0x08, shape))
            spool.copy_to(stream)


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    with path.open("wb") as file:
        if not path.name.lower().endswith(".gz"):
            yield file
            return
        with gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=file, mtime=0) as packed:
            yield cast(IO[bytes], packed)
