"""Sealed files on the command line: no command leaves anything plain, and one clear line where a secret is missing or wrong."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import masquerade as mq
from masquerade.cli import run
from masquerade.files import read_table, write_table
from masquerade.sealing import is_sealed
from masquerade.secret import Secret

ROWS = 200


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Each test stands in an empty folder, with a key, another one and a password; scrypt is quick."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setattr("masquerade.secret._LOG_N", 10)
    (tmp_path / "k.key").write_text(bytes(range(32)).hex())
    (tmp_path / "other.key").write_text(bytes(range(1, 33)).hex())
    (tmp_path / "p.txt").write_text("correct horse battery staple\n")
    return folder


@pytest.fixture
def table() -> pl.DataFrame:
    random = np.random.default_rng(0)
    job = random.choice(["canary-technician", "canary-manager"], ROWS)
    age = np.where(job == "canary-manager", 50, 30) + random.integers(0, 10, ROWS)
    return pl.DataFrame({"age": age.astype(str), "job": job, "y": random.choice(["yes", "no"], ROWS)})


@pytest.fixture
def bank(here: Path, table: pl.DataFrame) -> Path:
    write_table(table, here.parent / "bank.csv")
    return here.parent / "bank.csv"


@pytest.fixture
def key(here: Path) -> Secret:
    return Secret.from_key_file(here.parent / "k.key")


@pytest.fixture
def closed(here: Path, table: pl.DataFrame, key: Secret) -> Path:
    path = here.parent / "closed.csv"
    write_table(table, path, secret=key)
    return path


KEY = ("--seal-key-file", "../k.key")


def good(*arguments: object) -> str:
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = run([str(argument) for argument in arguments])
    assert code == 0, err.getvalue()
    return out.getvalue()


def bad(words: str, *arguments: object) -> None:
    """Exit code 2, one line, no new file."""
    before = sorted(path.name for path in Path().rglob("*"))
    err = io.StringIO()
    with redirect_stdout(io.StringIO()), redirect_stderr(err):
        assert run([str(argument) for argument in arguments]) == 2
    (line,) = err.getvalue().strip().splitlines()
    assert line.startswith("error: ")
    assert words in line
    assert bytes(range(32)).hex() not in line
    assert sorted(path.name for path in Path().rglob("*")) == before


def nothing_plain(*but: str) -> None:
    for path in Path().rglob("*"):
        if path.is_file() and path.name not in but:
            assert b"canary" not in path.read_bytes(), path


def test_synthesize_and_sample_sealed(closed: Path, table: pl.DataFrame, key: Secret) -> None:
    good("synthesize", closed, "-o", "out.csv", "--model", "copula", "--save", "m.mq", "--seed", 1, *KEY)
    assert is_sealed("out.csv")
    assert is_sealed("m.mq")
    nothing_plain()
    assert "guarantee" in Path("out.csv.ledger.json").read_text()
    json.loads(Path("out.csv.ledger.json").read_text())
    assert set(read_table("out.csv", secret=key)["job"]) <= set(table["job"])
    good("sample", "m.mq", "-n", 50, "-o", "more.parquet", "--seed", 1, *KEY)
    assert read_table("more.parquet", secret=key).height == 50
    nothing_plain()
    good("sample", "m.mq", "-n", 50, "-o", "plain.csv", "--plain", *KEY)
    assert not is_sealed("plain.csv")
    assert read_table("plain.csv").height == 50
    model = mq.load("m.mq", secret=key)
    assert model.sample(5, random_state=0).height == 5
    model.save("n.mq", secret=key)
    assert is_sealed("n.mq")
    bad("sealed (encrypted); give the secret with --password-file", "sample", "m.mq", "-n", 5, "-o", "x.csv")
    bad("wrong key or damaged", "sample", "m.mq", "-n", 5, "-o", "x.csv", "--seal-key-file", "../other.key")
    bad("sealed with a key", "sample", "m.mq", "-n", 5, "-o", "x.csv", "--password-file", "../p.txt")


def test_mask_keeps_one_more_secret_apart(closed: Path, key: Secret) -> None:
    (closed.parent / "mask.key").write_text("a key of more than sixteen bytes")
    masking = ["--columns", "age", "--how", "replace", "--key-file", "../mask.key"]
    good("mask", closed, "-o", "a.csv", *masking, "--save", "mask.mq", *KEY)
    good("mask", closed, "-o", "b.csv.gz", "--using", "mask.mq", "--key-file", "../mask.key", *KEY)
    assert is_sealed("a.csv")
    assert is_sealed("mask.mq")
    first, second = (read_table(path, secret=key) for path in ("a.csv", "b.csv.gz"))
    assert first.equals(second)
    assert set(first["job"]) == {"canary-technician", "canary-manager"}
    nothing_plain()
    bad("is sealed", "mask", closed, "-o", "c.csv", *masking)
    bad("is sealed", "mask", closed, "-o", "c.csv", "--using", "mask.mq", "--key-file", "../mask.key")


@pytest.mark.parametrize(
    ("command", "options"),
    [
        ("desensitize", ["--hide", "job", "--epochs", "1"]),
        ("fuse", ["--sensitive", "job"]),
        ("encode", ["--target", "y", "--epochs", "1"]),
    ],
)
def test_every_release_opens_seals_and_is_kept_sealed(
    command: str, options: list[str], closed: Path, key: Secret
) -> None:
    good(command, closed, "-o", "out.parquet", "--save", "m.mq", "--seed", 1, *options, *KEY)
    good(command, closed, "-o", "again.csv", "--using", "m.mq", "--seed", 1, *KEY)
    assert all(is_sealed(path) for path in ("out.parquet", "m.mq", "again.csv"))
    assert read_table("out.parquet", secret=key).height == read_table("again.csv", secret=key).height == ROWS
    nothing_plain()
    bad("m.mq: it is sealed", command, closed.parent / "bank.csv", "-o", "x.csv", "--using", "m.mq")


def test_inspect_and_evaluate_open_what_is_sealed(closed: Path, bank: Path) -> None:
    assert "job" in good("inspect", closed, *KEY)
    good("evaluate", closed, bank, "-o", "r.json", *KEY)
    bad("closed.csv: it is sealed", "inspect", closed)
    bad("closed.csv: it is sealed", "evaluate", bank, closed, "-o", "x.json")
    bad("--seal-key-file: nothing that is read is sealed", "inspect", bank, *KEY)
    bad("--seal-key-file: nothing that is read is sealed", "evaluate", bank, bank, "-o", "x.json", *KEY)


@pytest.mark.parametrize("secret", [KEY, ("--password-file", "../p.txt")])
def test_seal_and_unseal(bank: Path, secret: tuple[str, str]) -> None:
    good("seal", bank, "-o", "s.csv", *secret)
    assert is_sealed("s.csv")
    nothing_plain()
    good("unseal", "s.csv", "-o", "u.csv", *secret)
    assert Path("u.csv").read_bytes() == bank.read_bytes()
    bad("it is sealed already", "seal", "s.csv", "-o", "t.csv", *secret)
    bad("it is not sealed", "unseal", "u.csv", "-o", "t.csv", *secret)
    bad("no secret is given", "unseal", "s.csv", "-o", "t.csv")
    bad("no such file", "seal", "none.csv", "-o", "t.csv", *secret)
    bad("s.csv is also the input", "unseal", "s.csv", "-o", "s.csv", *secret)
    Path("s.csv").write_bytes(Path("s.csv").read_bytes()[:-1])
    bad("wrong key or damaged", "unseal", "s.csv", "-o", "t.csv", *secret)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([*KEY, "--password-file", "../p.txt"], "a run has one secret"),
        (["--plain"], "--plain: nothing is sealed"),
        (["--plain", *KEY], "nothing that is read is sealed, and nothing that is written would be"),
        (["--password-file", "../none"], "none: cannot be read"),
        (["--seal-key-file", "../p.txt"], "it holds text"),
        ([*KEY, "--save", "../k.mq", "--schema", "../none.toml"], "none.toml: cannot be read"),
    ],
)
def test_a_secret_that_does_not_serve_is_refused(options: list[str], words: str, bank: Path) -> None:
    bad(words, "synthesize", bank, "-o", "out.csv", "--model", "copula", *options)


def test_sealed_data_is_refused_where_it_cannot_be_opened(closed: Path, tmp_path: Path) -> None:
    fit = ["synthesize", closed, "-o", "out.csv", "--model", "copula"]
    bad("closed.csv: it is sealed", *fit)
    bad("wrong key or damaged", *fit, "--seal-key-file", "../other.key")
    bad("--stream: ", *fit, "--stream", *KEY)
    (tmp_path / "k.csv").write_text(bytes(range(32)).hex())
    bad("k.csv is also the input", *fit[:3], "../k.csv", "--seal-key-file", "../k.csv")
    data = bytearray(closed.read_bytes())
    data[100] ^= 1
    closed.write_bytes(bytes(data))
    bad("wrong key or damaged", *fit, *KEY)
    assert (tmp_path / "k.csv").read_text() == bytes(range(32)).hex()


def test_a_pipeline_gives_each_step_its_own_secret(closed: Path, key: Secret) -> None:
    steps = """
input = "../closed.csv"
[[step]]
do = "synthesize"
model = "copula"
seal_key_file = "../k.key"
output = "one.csv"
[[step]]
do = "mask"
columns = ["age"]
how = "redact"
seal_key_file = "../k.key"
plain = true
output = "two.csv"
"""
    Path("p.toml").write_text(steps)
    good("run", "p.toml", "--seed", 1)
    assert is_sealed("one.csv")
    assert read_table("two.csv").height == read_table("one.csv", secret=key).height == ROWS
    Path("q.toml").write_text('input = "../closed.csv"\n[[step]]\ndo = "clean"\noutput = "three.csv"\n')
    bad("closed.csv: it is sealed", "run", "q.toml")
    Path("q.toml").write_text(steps.replace('seal_key_file = "../k.key"', "", 1))
    bad("closed.csv: it is sealed", "run", "q.toml")
