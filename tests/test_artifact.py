"""A `.mq` file gives back what was written, or one clear line; it never runs code and is never half written."""

from __future__ import annotations

import hashlib
import io
import json
import pickle
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given, settings
from hypothesis import strategies as st

from masquerade import artifact
from masquerade.artifact import ARRAYS, MANIFEST, read, write
from masquerade.errors import ArtifactError, FileError

CONFIG = {"epochs": 3, "columns": ["age", "größe"], "nested": {"empty": [], "none": None, "share": 0.5}}
WEIGHTS = {
    "w": np.arange(12, dtype=np.float32).reshape(3, 4),
    "flags": np.array([True, False]),
    "scalar": np.array(3.5),
    "empty": np.zeros((0, 4), np.int64),
}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "model.mq"
    write(path, "CTGAN", CONFIG, WEIGHTS)
    return path


def parts(path: Path) -> tuple[dict[str, Any], bytes]:
    with zipfile.ZipFile(path) as archive:
        return json.loads(archive.read(MANIFEST)), archive.read(ARRAYS)


def forge(path: Path, manifest: Any, packed: bytes, extra: dict[str, bytes] | None = None) -> Path:
    """A file with a valid seal and valid checksums, so that the check under test has to find the fault."""
    if isinstance(manifest, dict) and isinstance(manifest.get("parts"), dict):
        manifest["parts"] = {ARRAYS: {"size": len(packed), "sha256": hashlib.sha256(packed).hexdigest()}}
    members = {MANIFEST: json.dumps(manifest).encode(), ARRAYS: packed} | (extra or {})
    path.write_bytes(artifact._seal(artifact._archive(members)))
    return path


def refused(path: Path, words: str) -> None:
    with pytest.raises(ArtifactError, match=words) as caught:
        read(path)
    message = str(caught.value)
    assert "\n" not in message
    assert path.name in message


def test_what_was_written_comes_back(model: Path) -> None:
    found = read(model)
    assert (found.kind, found.config) == ("CTGAN", CONFIG)
    assert found.version.count(".") == 2
    assert found.arrays.keys() == WEIGHTS.keys()
    for name, array in WEIGHTS.items():
        assert found.arrays[name].dtype == array.dtype
        np.testing.assert_array_equal(found.arrays[name], array)
        assert found.arrays[name].shape == array.shape


def test_any_memory_layout_comes_back(tmp_path: Path) -> None:
    base = np.arange(24, dtype=">f8").reshape(4, 6)
    write(tmp_path / "m.mq", "x", {}, {"turned": base.T, "every_second": base[:, ::2]})
    found = read(tmp_path / "m.mq").arrays
    np.testing.assert_array_equal(found["turned"], base.T)
    np.testing.assert_array_equal(found["every_second"], base[:, ::2])


def test_the_same_content_gives_the_same_bytes(model: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.mq"
    write(again, "CTGAN", CONFIG, dict(reversed(WEIGHTS.items())))
    assert again.read_bytes() == model.read_bytes()


def test_it_is_a_plain_zip_that_others_can_open(model: Path) -> None:
    with zipfile.ZipFile(model) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == [MANIFEST, ARRAYS]


@pytest.mark.parametrize("bad", [float("nan"), {1, 2}, b"bytes", np.float32(1)])
def test_settings_that_are_not_plain_data_are_refused_and_nothing_is_written(tmp_path: Path, bad: object) -> None:
    with pytest.raises(ArtifactError, match="cannot be saved as JSON"):
        write(tmp_path / "m.mq", "x", {"setting": bad}, {})
    assert list(tmp_path.iterdir()) == []


def test_objects_are_refused_and_the_old_file_stays(model: Path) -> None:
    before = model.read_bytes()
    with pytest.raises(ArtifactError, match="array 'names': dtype"):
        write(model, "x", {}, {"names": np.array(["a", None], dtype=object)})
    assert model.read_bytes() == before
    assert list(model.parent.iterdir()) == [model]


def test_folders_that_are_not_there_are_made(tmp_path: Path) -> None:
    write(tmp_path / "new" / "folder" / "m.mq", "x", {"a": 1}, {})
    assert read(tmp_path / "new" / "folder" / "m.mq").config == {"a": 1}


def test_a_folder_that_is_a_file_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(FileError, match="cannot be written"):
        write(tmp_path / "file" / "m.mq", "x", {}, {})
    assert (tmp_path / "file").read_text() == "not a folder"


def test_every_truncation_is_refused(model: Path) -> None:
    whole = model.read_bytes()
    for length in [*range(0, len(whole) - 1, 7), len(whole) - 1]:
        model.write_bytes(whole[:length])
        refused(model, "not a Masquerade model|damaged or altered")


def test_every_flipped_byte_is_refused(model: Path) -> None:
    whole = model.read_bytes()
    for place in range(len(whole)):
        model.write_bytes(whole[:place] + bytes([whole[place] ^ (1 << place % 8)]) + whole[place + 1 :])
        with pytest.raises(ArtifactError) as caught:
            read(model)
        assert "\n" not in str(caught.value)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=400), st.booleans())
def test_noise_is_refused(tmp_path_factory: pytest.TempPathFactory, noise: bytes, like_zip: bool) -> None:
    path = tmp_path_factory.mktemp("noise") / "m.mq"
    path.write_bytes(b"PK\x03\x04" + noise if like_zip else noise)
    refused(path, "not a Masquerade model|damaged or altered")


def test_bytes_put_before_or_after_are_refused(model: Path) -> None:
    whole = model.read_bytes()
    for changed in (b"#!/bin/sh\n" + whole, whole + b"\0"):
        model.write_bytes(changed)
        refused(model, "not a Masquerade model|damaged or altered")


def test_a_newer_format_asks_for_an_upgrade(model: Path) -> None:
    manifest, packed = parts(model)
    forge(model, manifest | {"format_version": 2, "unheard_of": 1}, packed, {"more.bin": b"1"})
    refused(model, "made by a newer Masquerade.*upgrade")


def test_what_is_not_ours_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.mq"
    path.write_bytes(pickle.dumps({"weights": [1, 2]}))
    refused(path, "not a Masquerade model")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("data.pkl", b"x")
    refused(path, "not a Masquerade model, there is no manifest.json")
    forge(path, {"format": "other"}, b"")
    refused(path, "not a Masquerade model, its manifest")
    forge(path, ["format"], b"")
    refused(path, "not a Masquerade model, its manifest")


def test_missing_files_and_folders_are_refused(tmp_path: Path) -> None:
    refused(tmp_path / "none.mq", "there is no such file")
    refused(tmp_path, "cannot be read")


@pytest.mark.parametrize("name", ["more.txt", "../../evil", "/etc/passwd", "C:\\evil", "manifest.json/../x"])
def test_further_members_are_refused(model: Path, name: str) -> None:
    forge(model, *parts(model), extra={name: b"x"})
    refused(model, "unexpected members")


def test_a_member_named_twice_is_refused(model: Path) -> None:
    manifest, packed = parts(model)
    buffer = io.BytesIO(artifact._archive({MANIFEST: json.dumps(manifest).encode(), ARRAYS: packed}))
    with zipfile.ZipFile(buffer, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr(ARRAYS, packed)
    model.write_bytes(artifact._seal(buffer.getvalue()))
    refused(model, "unexpected members")


def test_a_compressed_member_is_refused_unread(model: Path) -> None:
    with zipfile.ZipFile(model, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(MANIFEST, b" " * 10_000_000)
        archive.writestr(ARRAYS, b"")
    assert model.stat().st_size < 50_000
    refused(model, "compressed or encrypted")


def test_a_manifest_that_claims_too_much_is_refused(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(artifact, "MAX_MANIFEST_BYTES", 10)
    refused(model, "manifest.json claims .* bytes, at most 10")


def test_a_file_that_is_too_large_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "huge.mq"
    with path.open("wb") as file:
        file.truncate(artifact.MAX_FILE_BYTES + 1)
    refused(path, "a model file has at most")


@pytest.mark.parametrize(
    "change",
    [
        {"kind": 3},
        {"config": []},
        {"parts": None},
        {"masquerade": None},
        {"format_version": "1"},
        {"format_version": 0},
    ],
)
def test_a_malformed_manifest_is_refused(model: Path, change: dict[str, object]) -> None:
    manifest, packed = parts(model)
    forge(model, manifest | change, packed)
    refused(model, "damaged or altered, manifest.json")


def test_deep_nesting_and_constants_in_the_manifest_are_refused(model: Path) -> None:
    for text in (b"[" * 200_000, b'{"format": NaN}', b"\xff\xfe"):
        model.write_bytes(artifact._seal(artifact._archive({MANIFEST: text, ARRAYS: b""})))
        refused(model, "manifest.json is not JSON")


def header(fields: object) -> bytes:
    text = json.dumps(fields).encode()
    return struct.pack("<Q", len(text)) + text


@pytest.mark.parametrize(
    ("packed", "words"),
    [
        (lambda: b"", "header of arrays.safetensors"),
        (lambda: b"\xff" * 8, "header of arrays.safetensors"),
        (lambda: struct.pack("<Q", 2**40) + b"{}", "header of arrays.safetensors"),
        (
            lambda: header({"a": {"dtype": "BF16", "shape": [1], "data_offsets": [0, 2]}}) + b"12",
            "unknown dtype 'BF16'",
        ),
        (lambda: header({"a": {"dtype": "F32", "shape": [2**40], "data_offsets": [0, 4]}}) + b"1234", "malformed"),
        (lambda: header({"a": {"dtype": "F32", "shape": [1], "data_offsets": [4, 8]}}) + b"1234", "malformed"),
        (lambda: header({"a": 1}), "malformed"),
        (lambda: header([1]), "malformed"),
        (lambda: safetensors.numpy.save({"a": np.ones(2)}) + b"more", "malformed"),
    ],
)
def test_malformed_arrays_are_refused(model: Path, packed: Callable[[], bytes], words: str) -> None:
    manifest, _ = parts(model)
    refused(forge(model, manifest, packed()), words)
