"""A sealed file gives back what was sealed, or one clear line; nothing of it can be read, changed or cut unnoticed."""

from __future__ import annotations

import dataclasses
import io
import pickle
import tracemalloc
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from masquerade import artifact
from masquerade import secret as secret_module
from masquerade.errors import ArtifactError, FileError
from masquerade.files import TableWriter, read_table, write_table
from masquerade.sealing import SealedWriter, is_sealed, read_sealed, seal, unseal
from masquerade.secret import CHUNK_BYTES, Secret
from masquerade.table_stream import TableStream

KEY = bytes(range(100, 132))
CANARY = b"Erika Mustermann, 1964-08-12, L01X00T47"
HEADER, BLOCK = 37, CHUNK_BYTES + 16
REFUSED = "wrong key or damaged file"


def key_secret(folder: Path, key: bytes = KEY) -> Secret:
    path = folder / f"{key[:4].hex()}.key"
    path.write_bytes(key)
    return Secret.from_key_file(path)


@pytest.fixture
def secret(tmp_path: Path) -> Secret:
    return key_secret(tmp_path)


@pytest.fixture
def password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Secret:
    """A password whose scrypt is quick; the cost is written in the file, so it is opened as any other."""
    monkeypatch.setattr(secret_module, "_LOG_N", 10)
    path = tmp_path / "password.txt"
    path.write_text("correct horse battery staple\n")
    return Secret.from_password_file(path)


def sealed(content: bytes, secret: Secret) -> bytes:
    target = io.BytesIO()
    seal(content, target, secret)
    return target.getvalue()


def opened(data: bytes, secret: Secret) -> bytes:
    target = io.BytesIO()
    unseal(data, target, secret, name="people.csv")
    return target.getvalue()


def refused(data: bytes, secret: Secret, words: str = REFUSED) -> None:
    with pytest.raises(FileError, match=words) as caught:
        opened(data, secret)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("people.csv: ")


# ── round trips ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("size", [0, 1, 1000, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES, 200_001])
def test_what_was_sealed_comes_back(size: int, secret: Secret) -> None:
    content = np.random.default_rng(size).bytes(size)
    data = sealed(content, secret)
    assert opened(data, secret) == content
    assert len(data) == HEADER + size + 16 * max(1, -(-size // CHUNK_BYTES))


@given(st.lists(st.binary(max_size=300), max_size=20))
@settings(max_examples=30, deadline=None)
def test_however_it_is_written(parts: list[bytes]) -> None:
    target, secret = io.BytesIO(), Secret(2, KEY)
    with SealedWriter(target, secret) as file:
        for part in parts:
            assert file.write(part) == len(part)
    assert opened(target.getvalue(), secret) == b"".join(parts)


def test_a_password_seals_and_opens(password: Secret) -> None:
    assert opened(sealed(CANARY, password), password) == CANARY


def test_new_files_take_scrypt_at_full_cost(tmp_path: Path) -> None:
    (tmp_path / "p").write_text("correct horse battery staple")
    data = sealed(CANARY, Secret.from_password_file(tmp_path / "p"))
    head = secret_module.Header.parse(data, "x")
    assert (1 << head.log_n, head.r, head.p) == (131072, 8, 1)
    assert opened(data, Secret.from_password_file(tmp_path / "p")) == CANARY


def test_nothing_of_the_content_is_in_the_file_and_no_two_are_alike(secret: Secret, password: Secret) -> None:
    content = CANARY * 5000
    for one in (secret, password):
        data, again = sealed(content, one), sealed(content, one)
        assert CANARY in content
        assert CANARY not in data
        assert all(CANARY[i : i + 6] not in data for i in range(len(CANARY) - 6))
        assert data[HEADER:] != again[HEADER:]
        blocks = [data[i : i + 32] for i in range(HEADER, len(data) - 32, 32)]
        assert len(set(blocks)) == len(blocks)


def test_memory_does_not_grow_with_the_file(tmp_path: Path, secret: Secret) -> None:
    size = 24 << 20
    plain, closed, back = tmp_path / "plain", tmp_path / "closed", tmp_path / "back"
    plain.write_bytes(b"a line of text\n" * (size // 15))
    opened(sealed(b"", secret), secret)  # what is loaded once does not count
    tracemalloc.start()
    with plain.open("rb") as source, closed.open("wb") as target:
        seal(source, target, secret)
    with closed.open("rb") as source, back.open("wb") as target:
        unseal(source, target, secret)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert back.read_bytes() == plain.read_bytes()
    assert peak < 1 << 20


def test_a_block_that_fails_leaves_no_file_that_opens(secret: Secret) -> None:
    target = io.BytesIO()
    with pytest.raises(TypeError), SealedWriter(target, secret) as file:
        file.writelines([b"x" * (CHUNK_BYTES + 5), "text"])  # type: ignore[list-item]
    refused(target.getvalue(), secret)


# ── attacks ────────────────────────────────────────────────────────────────────────────────────────────────────────

CONTENT = np.random.default_rng(1).bytes(2 * CHUNK_BYTES + 777)
KEY_SEALED = sealed(CONTENT, Secret(2, KEY))


@pytest.mark.parametrize(
    "place", [*range(8, HEADER), HEADER, HEADER + CHUNK_BYTES, HEADER + BLOCK - 1, HEADER + BLOCK, -17, -1]
)
@pytest.mark.parametrize("bit", [1, 128])
def test_every_changed_bit_is_noticed(place: int, bit: int, secret: Secret) -> None:
    data = bytearray(KEY_SEALED)
    data[place] ^= bit
    refused(bytes(data), secret, f"{REFUSED}|newer Masquerade|sealed with")


@given(st.integers(8, len(KEY_SEALED) - 1), st.integers(1, 255))
@settings(max_examples=100, deadline=None)
def test_any_changed_byte_is_noticed(place: int, change: int) -> None:
    data = bytearray(KEY_SEALED)
    data[place] ^= change
    refused(bytes(data), Secret(2, KEY), f"{REFUSED}|newer Masquerade|sealed with")


@pytest.mark.parametrize(
    "length",
    [
        8,
        HEADER - 1,
        *(HEADER + more for more in (0, 15, 16, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, 2 * BLOCK + 16)),
        -1,
    ],
)
def test_a_cut_is_noticed(length: int, secret: Secret) -> None:
    refused(KEY_SEALED[:length], secret)


def test_what_is_appended_swapped_dropped_repeated_or_from_another_file_is_noticed(secret: Secret) -> None:
    head, a, b, c = KEY_SEALED[:HEADER], *(KEY_SEALED[HEADER + i * BLOCK :][:BLOCK] for i in range(3))
    assert head + a + b + c == KEY_SEALED
    other = sealed(CONTENT, secret)
    for parts in [
        (b, a, c),
        (a, c),
        (b, c),
        (c,),
        (a, b),
        (a, a, c),
        (a, b, b),
        (a, b, c, c),
        (a, b, c, b"x"),
        (a, b, c + b"x"),
    ]:
        refused(b"".join([head, *parts]), secret)
    refused(head + a + other[HEADER + BLOCK :], secret)
    refused(other[:HEADER] + a + b + c, secret)
    refused(head + a + b + c + other, secret)


def test_the_wrong_secret_is_refused_without_saying_which_is_wrong(
    tmp_path: Path, secret: Secret, password: Secret
) -> None:
    (tmp_path / "other.txt").write_text("another password, as long")
    other = Secret.from_password_file(tmp_path / "other.txt")
    refused(sealed(CANARY, secret), key_secret(tmp_path, KEY[::-1]))
    refused(sealed(CANARY, password), other)
    refused(sealed(CANARY, password), secret, "sealed with a password, got a key; give --password-file")
    refused(sealed(CANARY, secret), password, "sealed with a key, got a password; give --seal-key-file")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("log_n", value) for value in (0, 21, 63, 255)),
        *(("r", value) for value in (0, 33, 255)),
        *(("p", value) for value in (0, 5, 255)),
        *(("log_chunk", value) for value in (0, 9, 21, 255)),
        *(("kind", value) for value in (0, 3)),
    ],
)
def test_a_hostile_header_costs_nothing(
    field: str, value: int, password: Secret, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = sealed(CANARY, password)
    head = secret_module.Header.parse(data, "x")

    def never(*_: object) -> bytes:
        raise AssertionError("the key was derived")

    monkeypatch.setattr(Secret, "file_key", never)
    refused(dataclasses.replace(head, **{field: value}).pack() + data[HEADER:], password)


def test_costs_that_are_dear_only_together_are_refused(password: Secret) -> None:
    data = sealed(CANARY, password)
    head = secret_module.Header.parse(data, "x")
    for costs in ({"log_n": 20, "r": 8}, {"log_n": 18, "r": 16, "p": 2}, {"log_n": 17, "r": 32, "p": 4}):
        refused(dataclasses.replace(head, **costs).pack() + data[HEADER:], password)
    refused(dataclasses.replace(head, kind=2).pack() + data[HEADER:], password)


def test_a_newer_version_is_named(secret: Secret) -> None:
    refused(KEY_SEALED[:8] + b"\x02" + KEY_SEALED[9:], secret, "newer Masquerade .*pip install --upgrade")
    refused(b"name,age\n", secret, "not a sealed file")


# ── secrets ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_hexadecimal_and_raw_are_the_same_key(tmp_path: Path, secret: Secret) -> None:
    (tmp_path / "hex").write_text(f"  {KEY.hex().upper()}\n")
    assert opened(sealed(CANARY, secret), Secret.from_key_file(tmp_path / "hex")) == CANARY


def test_a_password_is_the_same_whatever_editor_wrote_it(tmp_path: Path, password: Secret) -> None:
    data = sealed(CANARY, password)
    for text in (b"correct horse battery staple", b"\xef\xbb\xbfcorrect horse battery staple\r\n"):
        (tmp_path / "p").write_bytes(text)
        assert opened(data, Secret.from_password_file(tmp_path / "p")) == CANARY
    (tmp_path / "p").write_text("größe der pläne", encoding="utf-8")
    (tmp_path / "q").write_bytes("gro\u0308ße der pla\u0308ne".encode())
    composed, apart = Secret.from_password_file(tmp_path / "p"), Secret.from_password_file(tmp_path / "q")
    assert opened(sealed(CANARY, composed), apart) == CANARY


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "0 bytes, expected at least 16"),
        (bytes([200] * 15), "15 bytes, expected at least 16"),
        (b"00112233445566778899aabbccddee", "15 bytes, expected at least 16"),
        (b"correct horse battery staple", "holds text"),
        (bytes(5000), "longer than 4096"),
    ],
)
def test_a_weak_key_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "k").write_bytes(content)
    with pytest.raises(FileError, match=words):
        Secret.from_key_file(tmp_path / "k")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "0 characters"),
        (b"seven77\n", "7 characters"),
        (b"one line\nanother\n", "several lines"),
        (KEY + b"\xff", "text in UTF-8"),
        (b"x" * 5000, "longer than 4096"),
    ],
)
def test_a_weak_password_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "p").write_bytes(content)
    with pytest.raises(FileError, match=words):
        Secret.from_password_file(tmp_path / "p")


def test_a_secret_shows_nothing_of_itself(tmp_path: Path, password: Secret) -> None:
    with pytest.raises(FileError, match="no-such-file: cannot be read"):
        Secret.from_key_file(tmp_path / "no-such-file")
    assert repr(password) == str(password) == f"{password}" == "Secret(...)"
    assert not hasattr(password, "__dict__")
    with pytest.raises(TypeError, match="not written anywhere"):
        pickle.dumps(password)


# ── tables and models ──────────────────────────────────────────────────────────────────────────────────────────────

TABLE = pl.DataFrame({"name": ["Canary Miller", "Ann"] * 3000, "age": [str(n) for n in range(6000)]})


@pytest.mark.parametrize("ending", [".csv", ".csv.gz", ".parquet", ".xlsx"])
def test_a_table_is_sealed_and_never_plain_on_the_disk(
    ending: str, tmp_path: Path, secret: Secret, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    path = tmp_path / "out" / f"people{ending}"
    with TableWriter(path, secret=secret) as writer:
        writer.write(TABLE[:4000])
        seen = [file.read_bytes() for file in path.parent.rglob("*") if file.is_file()]
        writer.write(TABLE[4000:])
    assert is_sealed(path)
    assert list(scratch.iterdir()) == []
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    assert all(b"Canary" not in data for data in [*seen, path.read_bytes()])
    assert read_table(path, secret=secret).equals(TABLE)
    write_table(TABLE, tmp_path / f"plain{ending}")
    kind = "csv" if ending == ".csv.gz" else ending[1:]
    if kind != "xlsx":  # which holds the hour of its making
        assert read_sealed(path, secret)[:4] == (tmp_path / f"plain{ending}").read_bytes()[:4]
    stream = TableStream(path, secret=secret)
    assert stream.names == ["name", "age"]
    assert pl.concat([batch.frame for batch in stream.batches(["age"])]).equals(TABLE.select("age"))
    assert stream.bytes_in_memory() > 0
    assert list(scratch.iterdir()) == []
    for read in (read_table, TableStream):
        with pytest.raises(FileError, match=r"sealed .*--password-file F or --seal-key-file F"):
            read(path)
        with pytest.raises(FileError, match=REFUSED):
            read(path, secret=key_secret(tmp_path, KEY[::-1]))
        with pytest.raises(FileError, match="not sealed, though a secret was given"):
            read(tmp_path / f"plain{ending}", secret=secret)


@pytest.mark.parametrize("ending", [".csv", ".csv.gz", ".parquet", ".xlsx"])
def test_a_failure_leaves_no_sealed_table(ending: str, tmp_path: Path, secret: Secret) -> None:
    def write() -> None:
        with TableWriter(tmp_path / "x" / f"t{ending}", secret=secret) as writer:
            writer.write(TABLE[:10])
            raise KeyError

    with pytest.raises(KeyError):
        write()
    assert list((tmp_path / "x").iterdir()) == []


def test_a_model_file_is_sealed_and_noticed(tmp_path: Path, secret: Secret) -> None:
    path, plain = tmp_path / "a.mq", tmp_path / "b.mq"
    artifact.write(path, "CTGAN", {"level": "Canary Miller"}, {"w": np.arange(3)}, secret=secret)
    artifact.write(plain, "CTGAN", {"level": "Canary Miller"}, {"w": np.arange(3)})
    assert b"Canary" in plain.read_bytes()
    assert b"Canary" not in path.read_bytes()
    assert artifact.read(path, secret=secret).config == {"level": "Canary Miller"}
    with pytest.raises(ArtifactError, match=r"a\.mq: it is sealed .*--password-file"):
        artifact.read(path)
    with pytest.raises(ArtifactError, match=REFUSED):
        artifact.read(path, secret=key_secret(tmp_path, KEY[::-1]))
    with pytest.raises(ArtifactError, match=r"b\.mq: it is not sealed, though a secret was given"):
        artifact.read(plain, secret=secret)
    with pytest.raises(ArtifactError, match="there is no such file"):
        artifact.read(tmp_path / "c.mq", secret=secret)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(ArtifactError, match=REFUSED):
        artifact.read(path, secret=secret)
