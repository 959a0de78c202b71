"""The command line: what it writes, and one clear line, exit code 2 and no file for whatever is wrong."""

from __future__ import annotations

import gzip
import io
import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from masquerade import artifact
from masquerade.cli import run
from masquerade.errors import MasqueradeError, MasqueradeWarning

ROWS = 300
COMMANDS = (
    "demo",
    "inspect",
    "synthesize",
    "sample",
    "desensitize",
    "mask",
    "fuse",
    "encode",
    "evaluate",
    "run",
)


def make_table(rows: int = ROWS, seed: int = 0) -> pl.DataFrame:
    """A small bank: an account of three rows each, a number, a category, an amount and a target tied to them."""
    random = np.random.default_rng(seed)
    age = random.integers(18, 80, rows)
    job = random.choice(["admin.", "technician", "services"], rows, p=[0.5, 0.3, 0.2])
    amount = np.round(random.normal(1000, 200, rows) + 10 * age, 2)
    y = np.where(random.random(rows) < 0.2 + 0.5 * (job == "services"), "yes", "no")
    accounts = [f"acc-{i // 3:05d}" for i in range(rows)]
    return pl.DataFrame({"account": accounts, "age": age, "job": job, "amount": amount, "y": y})


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Each test stands in an empty folder, beside a folder with its inputs."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("COLUMNS", "80")
    return folder


@pytest.fixture
def bank(tmp_path: Path) -> Path:
    path = tmp_path / "bank.csv"
    make_table().write_csv(path)
    return path


@dataclass(frozen=True)
class Made:
    """What one whole synthesis wrote and said."""

    folder: Path
    out: str
    err: str


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """One epoch on the small bank, with all that `synthesize` can write."""
    folder = tmp_path_factory.mktemp("made")
    make_table().write_csv(folder.with_name("input.csv"))
    arguments = ["--epochs", "1", "--seed", "3", "--unit", "account", "--target", "y", "-o", str(folder / "out.csv")]
    reports = ["--report", str(folder / "r.html"), "--report", str(folder / "r.json")]
    with redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()) as err:
        code = run(
            ["synthesize", str(folder.with_name("input.csv")), *arguments, *reports, "--save", str(folder / "m.mq")]
        )
    assert code == 0, err.getvalue()
    return Made(folder, out.getvalue(), err.getvalue())


@pytest.fixture
def model(made: Made) -> Path:
    """The model that was saved then."""
    return made.folder / "m.mq"


def refused(capsys: pytest.CaptureFixture[str], arguments: list[object], words: str, here: Path, code: int = 2) -> None:
    """The program says one line with these words, exits with this code, and leaves no file."""
    capsys.readouterr()
    assert run([str(argument) for argument in arguments]) == code
    said = capsys.readouterr()
    errors = [line for line in said.err.splitlines() if line.startswith("error: ")]
    assert said.err.splitlines()[-1:] == errors, said.err
    assert words in errors[0]
    assert "Traceback" not in said.err
    assert list(here.iterdir()) == []


# ── help, usage ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_help_names_every_command_in_order_and_fits_80_columns(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in ([], ["--help"]):
        assert run(arguments) == 0
        text = capsys.readouterr().out
        named = [line.split()[1] for line in text.partition("Commands")[2].splitlines() if line.startswith("│ ")]
        assert [word for word in named if word in COMMANDS] == list(COMMANDS)
        assert max(map(len, text.splitlines())) <= 80


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_examples_and_the_common_options(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([command, "--help"]) == 0
    text = capsys.readouterr().out
    assert f"Examples\n \n masquerade {command}".replace(" \n", "") in "\n".join(
        line.rstrip() for line in text.splitlines() if line.strip()
    )
    assert all(option in text for option in ("--seed", "--quiet", "--schema", "--unit"))
    assert max(map(len, text.splitlines())) <= 80


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["synthesise", "x"], "Did you mean 'synthesize'?"),
        (["synthesize"], "Missing argument 'DATA'"),
        (["synthesize", "x.csv", "-o", "y.csv", "--nope"], "No such option: --nope"),
        (["synthesize", "x.csv", "-o", "y.csv", "--rows", "-5"], "'--rows'"),
        (["synthesize", "x.csv", "-o", "y.csv", "--rows", "many"], "'--rows'"),
        (["synthesize", "x.csv", "-o", "y.csv", "--protect", "-1"], "'--protect'"),
        (["synthesize", "x.csv", "-o", "y.csv", "--epsilon", "many"], "'--epsilon'"),
        (["sample", "m.mq", "-n", "-1", "-o", "y.csv"], "'--rows' / '-n'"),
        (["evaluate", "a.csv", "b.csv", "--attacks", "thorough"], "--attacks thorough: refits the generator"),
        (["evaluate", "a.csv", "b.csv", "--kind", "row"], "(did you mean 'rows'?)"),
        (["evaluate", "a.csv", "b.csv", "--policy", "p.toml"], "p.toml: cannot be read as a policy"),
    ],
)
def test_usage_errors_are_one_line(
    arguments: list[object], words: str, capsys: pytest.CaptureFixture[str], here: Path
) -> None:
    refused(capsys, arguments, words, here)


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out.startswith("masquerade 0.")


# ── bad input ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"a,b\n", "row"),
        (b"a,b\n1,2\n3\n4,5\n", "line 3"),
        (b"a,b\n1,\x81\x8d\xff\xff\n", "GB18030"),
        (b"a,a\n" + b"1,2\n" * 20, "'a'"),
        (b"a,b\n" + b"1,2\n" * 9, "at least 10"),
        (b"a,b\n" + b"1.5,2\n" * 20 + b"inf,2\n", "infinite"),
    ],
    ids=["empty", "header", "ragged", "encoding", "duplicate", "short", "infinite"],
)
def test_a_table_that_cannot_be_used_is_refused(
    content: bytes, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], here: Path
) -> None:
    path = tmp_path / "bad.csv"
    path.write_bytes(content)
    refused(capsys, ["synthesize", path, "-o", "out.csv", "--epochs", 1, "--save", "m.mq"], words, here)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["-o", "out.csv", "--given", "jobb=admin."], "(did you mean 'job'?)"),
        (["-o", "out.csv", "--given", "job=admim."], "(did you mean 'admin.'?)"),
        (["-o", "out.csv", "--given", "age=old"], "got 'old' for column 'age', which is integer"),
        (["-o", "out.csv", "--given", "y=yes", "--given", "y=no"], "'y' is given twice"),
        (["-o", "out.csv", "--model", "ctgan", "--given", "age=40"], "'age' is integer, and CTGAN takes one"),
        (
            ["-o", "out.csv", "--model", "tvae", "--given", "job=admin.", "--given", "y=yes"],
            "--model autoregressive takes any",
        ),
        (["-o", "out.csv", "--model", "copula", "--temperature", "0.5"], "--temperature: GaussianCopula does not"),
        (["-o", "out.csv", "--model", "ctgan", "--rebalance", "y:yes=0.5"], "--rebalance: CTGAN does not"),
        (["-o", "out.csv", "--temperature", "0"], "--temperature: got 0.0"),
        (["-o", "out.csv", "--rebalance", "y=0.5"], "expected COL:LEVEL=SHARE"),
        (["-o", "out.csv", "--rebalance", "y:yes=2"], "a share from 0 to 1"),
        (["-o", "out.csv", "--rebalance", "z:yes=0.5"], "no column 'z'"),
        (["-o", "out.csv", "--rebalance", "y:yess=0.5"], "(did you mean 'yes'?)"),
        (["-o", "out.csv", "--rebalance", "y:yes=0.5", "--rebalance", "y:yes=0.6"], "is given twice"),
        (["-o", "out.csv", "--rebalance", "y:yes=0.5", "--rebalance", "y:no=0.6"], "add up to 1.1"),
        (["-o", "out.csv", "--balance", "y", "--temperature", "2"], "leave out --rows"),
        (["-o", "out.csv", "--given", "job"], "expected COL=VALUE"),
        (["-o", "out.csv", "--balance", "jo"], "(did you mean 'job'?)"),
        (["-o", "out.csv", "--balance", "amount"], "'amount' is continuous"),
        (["-o", "out.csv", "--balance", "y", "--rows", "3"], "leave out --rows"),
        (["-o", "out.csv", "--flag"], "only --balance"),
        (["-o", "out.csv", "--unit", "acount"], "(did you mean 'account'?)"),
        (["-o", "out.csv", "--target", "y"], "add --report"),
        (["-o", "out.csv", "--report", "r.html", "--target", "z"], "no column 'z'"),
        (["-o", "out.csv", "--report", "r.html", "--sensitive", "jobs"], "(did you mean 'job'?)"),
        (["-o", "out.csv", "--report", "r.html", "--holdout-share", "1.5"], "below 1"),
        (["-o", "out.csv", "--report", "r.pdf"], ".html"),
        (["-o", "out.csv", "--model", "marginals"], "under a guarantee only"),
        (["-o", "out.csv", "--model", "ctgann"], "(did you mean 'ctgan'?)"),
        (["-o", "out.csv", "--schema", "none.toml"], "none.toml"),
        (["-o", "out.csv", "--save", "m.zip"], ".mq"),
        (["-o", "out.csv", "--report", "out.csv.ledger.json"], "give another name"),
        (["-o", "out.txt"], ".parquet"),
    ],
)
def test_what_cannot_be_met_is_refused_before_training(
    arguments: list[object], words: str, bank: Path, capsys: pytest.CaptureFixture[str], here: Path
) -> None:
    refused(capsys, ["synthesize", bank, *arguments], words, here)


def test_the_input_is_never_overwritten(bank: Path, capsys: pytest.CaptureFixture[str], here: Path) -> None:
    before = bank.read_bytes()
    refused(capsys, ["synthesize", bank, "-o", bank], "is also the input", here)
    assert bank.read_bytes() == before


def test_a_missing_file_is_refused(capsys: pytest.CaptureFixture[str], here: Path) -> None:
    for command in (["inspect", "no.csv"], ["synthesize", "no.csv", "-o", "o.csv"], ["evaluate", "no.csv", "no2.csv"]):
        refused(capsys, list(command), "no.csv: there is no such file", here)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_an_output_without_permission_is_refused(bank: Path, capsys: pytest.CaptureFixture[str], here: Path) -> None:
    here.chmod(0o500)
    refused(capsys, ["synthesize", bank, "-o", "out.csv"], "cannot be written", here)


def test_an_output_that_cannot_be_is_refused(bank: Path, capsys: pytest.CaptureFixture[str], here: Path) -> None:
    refused(capsys, ["synthesize", bank, "-o", bank / "out.csv"], "cannot be written", here)
    refused(capsys, ["synthesize", bank, "-o", "/proc/none/out.csv"], "cannot be written", here)


@pytest.mark.parametrize("change", ["kind", "missing column", "not toml", "unknown key"])
def test_a_schema_that_does_not_match_is_refused(
    change: str, bank: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], here: Path
) -> None:
    path = tmp_path / "schema.toml"
    assert run(["inspect", str(bank), "-o", str(path), "--quiet"]) == 0
    text = path.read_text()
    changed, words = {
        "kind": (text.replace('kind = "categorical"', 'kind = "integer"'), "expected a whole number"),
        "missing column": (text.replace("[columns.amount]", "[columns.ammount]"), "'ammount'"),
        "not toml": (text + "[[[", "not a TOML file"),
        "unknown key": (text.replace("declared", "declred"), "'declred'"),
    }[change]
    path.write_text(changed)
    refused(capsys, ["synthesize", bank, "-o", "out.csv", "--schema", path], words, here)


def test_a_damaged_model_is_refused(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], here: Path
) -> None:
    whole = model.read_bytes()
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        manifest, packed = json.loads(archive.read(artifact.MANIFEST)), archive.read(artifact.ARRAYS)
    newer = json.dumps(manifest | {"format_version": 99}).encode()
    middle = len(whole) // 2
    for content, words in (
        (whole[:middle], "damaged"),
        (whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :], "damaged"),
        (artifact._seal(artifact._archive({artifact.MANIFEST: newer, artifact.ARRAYS: packed})), "upgrade"),
        (b"age,job\n1,2\n", "not a Masquerade model"),
    ):
        path = tmp_path / "bad.mq"
        path.write_bytes(content)
        refused(capsys, ["sample", path, "-n", 5, "-o", "out.csv"], words, here)


# ── good input ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_inspect_shows_the_columns_and_its_schema_is_read_back(
    bank: Path, capsys: pytest.CaptureFixture[str], here: Path
) -> None:
    assert run(["inspect", str(bank), "-o", "schema.toml", "--unit", "account"]) == 0
    shown = capsys.readouterr().out
    assert "3 levels: admin., technician, services" in shown
    assert 'unit = "account"' in (here / "schema.toml").read_text()
    assert run(["inspect", str(bank), "--schema", "schema.toml"]) == 0
    assert "unit account" in capsys.readouterr().out


def test_synthesize_writes_rows_ledger_model_and_reports(made: Made) -> None:
    names = {"out.csv", "out.csv.ledger.json", "m.mq", "r.html", "r.json"}
    assert {path.name for path in made.folder.iterdir()} == names
    table = pl.read_csv(made.folder / "out.csv")
    assert table.columns == make_table().columns
    assert table.height == 270
    assert set(table["y"]) <= {"yes", "no"}
    ledger = json.loads((made.folder / "out.csv.ledger.json").read_text())
    assert (ledger["guarantee"], ledger["unit"], ledger["protections"]["protect"]) == ("none", "account", 10)
    report = json.loads((made.folder / "r.json").read_text())
    assert report["rows"] == {"real": 270, "released": 270, "holdout": 30}
    assert report["ledger"]["guarantee"] == "none"
    assert "Held out 30 rows" in made.out
    assert "train: epoch 1/1" in made.err


def test_sample_draws_under_a_condition_and_the_seed_decides(model: Path, here: Path) -> None:
    for name, seed in (("a.csv", "5"), ("b.csv", "5"), ("c.csv", "6")):
        arguments = ["sample", str(model), "-n", "40", "-o", name, "--given", "y=yes", "--seed", seed, "--quiet"]
        assert run(arguments) == 0
    assert pl.read_csv("a.csv")["y"].unique().to_list() == ["yes"]
    assert (here / "a.csv").read_bytes() == (here / "b.csv").read_bytes()
    assert (here / "a.csv").read_bytes() != (here / "c.csv").read_bytes()


def test_sample_takes_several_given_columns_spelled_as_in_the_table(model: Path) -> None:
    arguments = ["--given", "y=yes", "--given", "age=33", "--given", "amount=1234.50", "--seed", "5", "--quiet"]
    assert run(["sample", str(model), "-n", "30", "-o", "a.csv", *arguments]) == 0
    table = pl.read_csv("a.csv")
    assert table.select("y", "age", "amount").unique().rows() == [("yes", 33, 1234.5)]
    assert table["job"].n_unique() > 1


def test_sample_rebalances_and_takes_a_temperature(model: Path) -> None:
    common = ["sample", str(model), "-n", "600", "--seed", "5", "--quiet"]
    assert run([*common, "-o", "a.csv", "--rebalance", "y:yes=0.9", "--rebalance", "job:services=0.5"]) == 0
    table = pl.read_csv("a.csv")
    assert (table["y"] == "yes").mean() == pytest.approx(0.9, abs=0.05)
    assert (table["job"] == "services").mean() == pytest.approx(0.5, abs=0.07)
    shares = []
    for temperature in ("0.2", "1", "5"):
        assert run([*common, "-o", "t.csv", "--temperature", temperature]) == 0
        shares.append((pl.read_csv("t.csv")["job"] == "admin.").mean())
    assert shares[0] > shares[1] + 0.1 > shares[2] + 0.15  # type: ignore[operator]


def test_sample_refuses_what_the_model_does_not_know(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], here: Path
) -> None:
    refused(capsys, ["sample", model, "-n", 5, "-o", "o.csv", "--given", "y=yess"], "(did you mean 'yes'?)", here)
    refused(capsys, ["sample", model, "-n", 5, "-o", "o.csv", "--given", "age=old"], "'age'", here)
    refused(capsys, ["sample", model, "-n", 5, "-o", "o.csv", "--given", "account=acc-00001"], "made afresh", here)
    refused(capsys, ["sample", model, "-n", 5, "-o", "o.csv", "--rebalance", "age:30=0.5"], "numeric", here)
    refused(capsys, ["sample", model, "-n", 5, "-o", "o.csv", "--temperature", "-1"], "above 0", here)
    refused(capsys, ["sample", model, "-n", 5, "-o", "o.csv", "--unit", "job"], "is 'account'", here)
    make_table().drop("age").write_csv(tmp_path / "less.csv")
    assert run(["inspect", str(tmp_path / "less.csv"), "-o", str(tmp_path / "s.toml"), "-q"]) == 0
    refused(capsys, ["sample", model, "-n", 5, "-o", "o.csv", "--schema", tmp_path / "s.toml"], "other columns", here)


def test_no_rows_is_a_table_with_a_header(model: Path) -> None:
    assert run(["sample", str(model), "-n", "0", "-o", "none.csv", "--quiet"]) == 0
    assert pl.read_csv("none.csv").shape == (0, 5)


@pytest.mark.parametrize("model", ["autoregressive", "copula"])
def test_balance_levels_the_classes_and_claims_no_protection(
    model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_table().drop("account").write_csv(tmp_path / "b.csv")
    arguments = ["--balance", "y", "--flag", "--seed", "0", "--model", model]
    arguments += ["--epochs", "1"] * (model != "copula")
    assert run(["synthesize", str(tmp_path / "b.csv"), "-o", "level.csv", *arguments]) == 0
    table = pl.read_csv("level.csv")
    assert table["y"].value_counts()["count"].n_unique() == 1
    assert table["synthetic"].sum() == table.height - ROWS
    assert json.loads(Path("level.csv.ledger.json").read_text())["protections"] == {}
    assert "warning: level.csv holds real rows" in capsys.readouterr().err


def test_evaluate_reads_the_ledger_beside_the_release(
    bank: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], here: Path
) -> None:
    make_table(seed=1).write_csv(tmp_path / "out.csv")
    ledger = tmp_path / "out.csv.ledger.json"
    ledger.write_text(json.dumps({"guarantee": "none", "mechanism": "by hand", "protections": {"protect": 25}}))
    assert run(["evaluate", str(bank), str(tmp_path / "out.csv"), "-o", "r.json", "--seed", "0"]) == 0
    assert json.loads((here / "r.json").read_text())["ledger"]["protections"] == {"protect": 25}
    said = capsys.readouterr()
    assert "warning: no holdout was given" in said.err
    assert "column_shapes" in said.out


def test_quiet_is_quiet(bank: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    make_table(seed=1).write_csv(tmp_path / "out.csv")
    assert run(["evaluate", str(bank), str(tmp_path / "out.csv"), "-o", "r.json", "--quiet"]) == 0
    assert run(["inspect", str(bank), "--quiet"]) == 0
    assert capfd.readouterr() == ("", "")


def test_compressed_and_parquet_tables_work(model: Path, here: Path) -> None:
    for name in ("a.csv.gz", "a.parquet"):
        assert run(["sample", str(model), "-n", "12", "-o", name, "--seed", "1", "-q"]) == 0
    packed = pl.read_csv(gzip.decompress((here / "a.csv.gz").read_bytes()))
    assert packed.cast(pl.String).equals(pl.read_parquet("a.parquet").cast(pl.String))


def test_an_unexpected_error_is_one_line_and_debug_shows_the_rest(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, here: Path
) -> None:
    def broken(path: object) -> None:
        raise ZeroDivisionError("of all things")

    monkeypatch.setattr("masquerade.cli.tables.read_table", broken)
    refused(capsys, ["inspect", "x.csv"], "unexpected ZeroDivisionError: of all things", here)
    assert run(["inspect", "x.csv", "--debug"]) == 2
    assert "Traceback" in capsys.readouterr().err


def test_a_gate_that_is_not_met_exits_with_3(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, here: Path
) -> None:
    class Gate(MasqueradeError):
        exit_code = 3

    def gate(path: object) -> None:
        raise Gate("dcr_share is 0.7, the policy wants at most 0.55.")

    monkeypatch.setattr("masquerade.cli.tables.read_table", gate)
    refused(capsys, ["inspect", "x.csv"], "the policy wants", here, code=3)


def test_a_warning_is_one_line_once(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    import warnings

    def warn(path: object) -> pl.DataFrame:
        for _ in range(3):
            warnings.warn("column 'a': it is\nconstant.", MasqueradeWarning, stacklevel=1)
        return make_table()

    monkeypatch.setattr("masquerade.cli.tables.read_table", warn)
    assert run(["inspect", "x.csv"]) == 0
    assert capsys.readouterr().err == "warning: column 'a': it is\\nconstant.\n"


# ── the process ──────────────────────────────────────────────────────────────────────────────────────────────────────


def start(*arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-u", "-c", "from masquerade.cli import main; main()", *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def interrupted(process: subprocess.Popen[str]) -> tuple[int, float, str]:
    """Exit code, seconds until the end, and what was said on standard error after the interrupt."""
    begin = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    return process.returncode, time.monotonic() - begin, err


def wait_for(process: subprocess.Popen[str], word: str) -> None:
    assert process.stderr is not None
    said = []
    for line in process.stderr:
        said.append(line)
        if line.startswith(word):
            return
    raise AssertionError(f"the program ended before it said {word!r}, it said {said}")


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys\nfrom masquerade.cli import run\nrun(['synthesize', '--help'])\n"
        "print([m for m in ('jax', 'sklearn', 'plotly', 'polars', 'scipy') if m in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == "[]\n"


def test_a_refusal_while_a_model_compiles_ends_in_order(model: Path, here: Path) -> None:
    process = start("sample", model, "-n", 5, "-o", "out.csv", "--given", "y=maybe")
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (2, "")
    assert err.splitlines()[-1].endswith("it has 'no', 'yes'.")
    assert list(here.iterdir()) == []


@pytest.mark.parametrize("stage", ["train: epoch", "calibrate"])
def test_ctrl_c_in_training_and_after_it_keeps_the_best_model(stage: str, tmp_path: Path, here: Path) -> None:
    bank = tmp_path / "bank.csv"
    make_table(6_000).write_csv(bank)  # many enough to train for more than the moment until the interrupt
    long = ("--epochs", 100_000, "--max-minutes", 1) if stage == "train: epoch" else ("--epochs", 1)
    process = start("synthesize", bank, "-o", "out.csv", "--save", "m.mq", "--rows", 3_000_000, *long)
    wait_for(process, stage)
    code, seconds, said = interrupted(process)
    assert (code, said.count("\n")) == (130, said.strip().count("\n") + 1)
    assert "the best model so far is in m.mq" in said
    assert "Traceback" not in said
    assert seconds < 2
    assert [path.name for path in here.iterdir()] == ["m.mq"]
    assert run(["sample", "m.mq", "-n", "5", "-o", "five.csv", "-q"]) == 0


def test_ctrl_c_while_compiling_leaves_nothing(bank: Path, here: Path) -> None:
    process = start("synthesize", bank, "-o", "out.csv", "--epochs", 100, "--save", "m.mq")
    wait_for(process, "compile")
    code, seconds, said = interrupted(process)
    assert code == 130
    assert "Traceback" not in said
    assert seconds < 2
    assert list(here.iterdir()) == []


def test_ctrl_c_ends_a_call_that_python_cannot_interrupt(here: Path) -> None:
    code = (
        "import hashlib, sys\nfrom masquerade.cli.interrupt import watched\n"
        "with watched():\n    print('ready', file=sys.stderr, flush=True)\n    hashlib.pbkdf2_hmac('sha256', b'', b'', 10**9)"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    wait_for(process, "ready")
    time.sleep(0.1)
    code_, seconds, said = interrupted(process)
    assert code_ == 130
    assert seconds < 2
    assert "interrupted" in said
