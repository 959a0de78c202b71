"""Damaged files: 10,000 mutations of models and other files, each of which must be refused in one clear line, or still work.

Of every damaged file it is asked: nothing but a `MasqueradeError` of one line is raised, by loading it and by drawing five rows
or transforming five; nothing takes over 5 seconds of the processor beyond what the whole file takes, or 500 MB more memory;
no file appears beside it, and no code of it runs. A file whose seal is broken must not load at all, nor a sealed (encrypted)
one of which any byte is another. Run by hand:

    python benchmarks/fuzz.py --mutations 10000 --seed 0
    python benchmarks/fuzz.py --subjects sealed age --begin 5000 --mutations 1000

The first run trains tiny models to damage, which takes a minute or two. Every fault is printed with the number that makes it
again, with the same `--subjects`: `--only NUMBER`.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import dataclasses
import faulthandler
import os
import random
import resource
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import polars as pl

import masquerade as mq
from fuzz_pictures import change, picture_models, picture_sets
from fuzz_sealed import age, keys, sealed
from masquerade.errors import MasqueradeError
from mutations import Mutant
from subjects import Subject, damaged_model, damaged_text

__all__ = ["Subject", "fuzz", "models", "private_models", "table", "texts"]

SECONDS = 5.0
PATIENCE = 10
ROWS = 60


@dataclass(frozen=True)
class Fault:
    """What must not be: the mutation's number, the file, what was done to it, and what came of it."""

    number: int
    name: str
    how: str
    what: str


class TooLong(BaseException):
    """Over the time that a file may take; nothing catches it on its way."""


def table(rows: int = ROWS) -> pl.DataFrame:
    """Every kind of column, with missing values, a column that another determines, and an id."""
    rng = random.Random(7)
    sex = [rng.choice(("female", "male")) for _ in range(rows)]
    return pl.DataFrame(
        {
            "id": [f"A-{1_000 + i}" for i in range(rows)],
            "age": [rng.randrange(18, 90) for _ in range(rows)],
            "income": [None if rng.random() < 0.2 else round(rng.lognormvariate(3, 1), 2) for _ in range(rows)],
            "sex": sex,
            "salutation": ["Ms" if word == "female" else "Mr" for word in sex],
            "joined": [f"20{rng.randrange(10, 24)}-0{rng.randrange(1, 10)}-1{rng.randrange(10)}" for _ in range(rows)],
            "member": [rng.choice((True, False, None)) for _ in range(rows)],
            "note": [rng.choice(("red", "blue", "", "x-ray", f"n{rng.randrange(50)}")) for _ in range(rows)],
        }
    )


def declared(frame: pl.DataFrame) -> mq.Schema:
    """The schema of some of the columns, vouched for as public."""
    return dataclasses.replace(mq.infer(frame), declared=True)


def models(folder: Path, only: Collection[str] | None = None) -> list[Subject]:
    """One tiny fitted model of each kind, or of those that are named."""
    frame = table()
    ruled = dataclasses.replace(mq.infer(frame, protect=2), rules=("18 <= age <= 89",))
    public = frame.select("age", "sex", "member")
    made: dict[str, Callable[[], Any]] = {
        "autoregressive": lambda: mq.Autoregressive(epochs=1, size="small", protect=2, random_state=0).fit(frame, schema=ruled),
        "ctgan": lambda: mq.CTGAN(
            epochs=1, batch_size=20, embedding_dim=4, generator_dim=(8,), discriminator_dim=(8,), protect=2, random_state=0
        ).fit(frame),
        "copula": lambda: mq.GaussianCopula(protect=2, random_state=0).fit(frame),
        "tvae": lambda: mq.TVAE(epochs=1, batch_size=20, embedding_dim=4, compress_dims=(8,), decompress_dims=(8,), protect=2,
                        random_state=0).fit(frame),
        "encoder": lambda: mq.Encoder(epochs=1, width=2, protect=2, random_state=0).fit(frame),
        "desensitizer": lambda: mq.Desensitizer(hide=["sex"], epochs=1, protect=2, random_state=0).fit(
            frame.drop("salutation")),
        "masker": lambda: mq.Masker(["id", "note"], how="replace", protect=2, random_state=0).fit(frame),
        "masker-drawn": lambda: mq.Masker(["age"], how="generate", engine="gan", protect=2, random_state=0).fit(public),
        "fusion": lambda: mq.Fusion(
            sensitive=["sex"], model=lambda: mq.Autoregressive(epochs=1, size="small", protect=2, random_state=0), protect=2
        ).fit(public),
        "marginals": lambda: mq.Marginals(privacy=mq.Privacy(epsilon=1.0)).fit(public, schema=declared(public)),
    }  # fmt: skip
    return _saved(folder, made, only)


def private_models(folder: Path, only: Collection[str] | None = None) -> list[Subject]:
    """The same of nets that were trained under a guarantee."""
    public = table(600).select("age", "sex", "member")
    loose, schema = mq.Privacy(epsilon=20.0), declared(public)
    small: dict[str, Any] = {"embedding_dim": 4, "generator_dim": (8,), "discriminator_dim": (8,)}
    made: dict[str, Callable[[], Any]] = {
        "autoregressive-private": lambda: mq.Autoregressive(privacy=loose, epochs=1, size="small").fit(public, schema=schema),
        "ctgan-private": lambda: mq.CTGAN(privacy=loose, epochs=1, **small).fit(public, schema=schema),
    }  # fmt: skip
    return _saved(folder, made, only)


def _saved(folder: Path, made: dict[str, Callable[[], Any]], only: Collection[str] | None) -> list[Subject]:
    out = []
    for name, make in made.items():
        if only is None or name in only:
            path = folder / f"{name}.mq"
            make().save(path)
            out.append(Subject(path.name, path.read_bytes(), draw, damaged_model))
    return out


def draw(path: Path) -> object:
    """Load a model, and draw five rows of it or transform five."""
    model = mq.load(path)
    if hasattr(model, "transform"):
        rows = table().head(5)
        made = model.transform(rows.select(name for name in rows.columns if name in model.feature_names_in_))
    else:
        made = model.sample(5, random_state=1)
    assert made.height == 5, f"5 rows were asked for, and {made.height} came"
    return made


def texts() -> list[Subject]:
    """The files that people write: schema, policy, masking rules, groups, pipeline; and the ledger."""
    import tomli_w

    from masquerade import spelling
    from masquerade.cli.pipeline import read_plan
    from masquerade.files import read_schema
    from masquerade.judge.ceilings import guaranteed_ceilings
    from masquerade.judge.policy import Policy, with_policy
    from masquerade.judge.report import Report
    from masquerade.judge.scores import Score
    from masquerade.privacy.accountant import Accountant
    from masquerade.privacy.events import gaussian, poisson_gaussian
    from masquerade.privacy.ledger import Ledger
    from masquerade.release.groups import check_groups, read_groups

    frame = table()
    schema = dataclasses.replace(mq.infer(frame), rules=("18 <= age <= 89", "age >= 1"))
    report = Report(scores={"tstr": Score("tstr", 0.9, "higher", interval=(0.87, 0.93))})
    people = frame.write_csv().encode()
    account = Accountant(mq.Privacy(epsilon=1.0))
    account.spend(gaussian(account.sigma(0.2, 3), stage="marginals", what="histograms", count=3))
    account.spend(poisson_gaussian(0.01, 4.0, 100, what="training"))
    ledger = account.ledger("Marginals")
    import json

    def use_ledger(path: Path) -> object:
        read = Ledger.read(path)
        return read.sentence(), guaranteed_ceilings(read)

    def use_rules(path: Path) -> object:
        rules = mq.Masker(rules=path, protect=2, random_state=0)
        return rules.fit_transform(frame)

    def use_pipeline(path: Path) -> object:
        path.with_name("people.csv").write_bytes(people)
        return read_plan(path, given={})

    return [
        Subject("schema.toml", tomli_w.dumps(schema.to_dict()).encode(),
                lambda path: spelling.parse(frame, read_schema(path)), damaged_text),
        Subject("policy.toml", b'tstr = { min = 0.88 }\ndetection_auc = { max = 0.6 }\nepsilon = { max = 3 }\n',
                lambda path: with_policy(report, Policy.of(path)), damaged_text),
        Subject("out.csv.ledger.json", json.dumps(ledger.to_dict(), indent=1).encode(), use_ledger, damaged_text),
        Subject("groups.toml", b'[groups]\nperson = ["age", "sex"]\nmoney = ["income"]\n',
                lambda path: check_groups(read_groups(path), ["age", "sex", "income"]), damaged_text),
        Subject("mask.toml", b'[columns.note]\nhow = "replace"\nkind = "name"\n[columns.income]\nhow = "noise"\nscale = 50\n'
                b'[columns.age]\nhow = "generalize"\nwidth = 10\n[columns.id]\nhow = "redact"\nkeep_first = 1\n',
                use_rules, damaged_text),
        Subject("pipeline.toml", b'input = "people.csv"\nseed = 3\n\n[[step]]\ndo = "clean"\ntrim_spaces = true\n\n[[step]]\n'
                b'do = "mask"\ncolumns = ["note"]\nhow = "replace"\noutput = "masked.csv"\n\n[[step]]\ndo = "synthesize"\n'
                b'rows = 20\nepochs = 2\noutput = "made.csv"\n\n[[step]]\ndo = "evaluate"\noutput = "report.html"\n',
                use_pipeline, damaged_text),
    ]  # fmt: skip


def timed(subject: Subject, folder: Path) -> Subject:
    """The same with its time: of the second use, as what is compiled once is compiled in the first."""
    path = folder / subject.name
    path.write_bytes(subject.content)
    subject.use(path)
    began = time.process_time()
    subject.use(path)
    return dataclasses.replace(subject, seconds=time.process_time() - began)


# ── the trial ──────────────────────────────────────────────────────────────────────────────────────────────────────


def fuzz(
    subjects: list[Subject],
    folder: Path,
    *,
    mutations: int,
    seed: int,
    begin: int = 0,
    told: Callable[[int, Fault | None], None] = lambda number, fault: None,
) -> tuple[list[Fault], collections.Counter[tuple[str, str]]]:
    """Damage and use files.

    Args:
        subjects: what to damage, in turn.
        folder: an empty folder to work in.
        mutations: how many.
        seed: of every choice; mutation i is the same whatever `mutations` is.
        begin: the number of the first one.
        told: called before each mutation with its number and None, and with its fault where it has one.

    Returns:
        The faults; and how many mutants of each file were "refused", and how many "worked".
    """
    faults: list[Fault] = []
    outcomes: collections.Counter[tuple[str, str]] = collections.Counter()
    for number in range(begin, begin + mutations):
        told(number, None)
        subject = subjects[number % len(subjects)]
        mutant = subject.damage(subject.content, random.Random(f"{seed}/{number}"))
        what = _tried(subject, mutant, folder / subject.name)
        if what in ("refused", "worked"):
            outcomes[subject.name, what] += 1
        else:
            faults.append(Fault(number, subject.name, mutant.how, what))
            told(number, faults[-1])
    return faults, outcomes


def _tried(subject: Subject, mutant: Mutant, path: Path) -> str:
    path.write_bytes(mutant.content)
    before = _listing(path.parent)
    held = _memory_peak(fresh=True)
    try:
        with _in_time(SECONDS + 2 * subject.seconds), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            subject.use(path)
        what = "worked" if mutant.may_load else "damage that the seal must find was not found"
    except MasqueradeError as error:
        what = "refused" if _clear(error) else f"an unclear message: {error!s:.300}"
    except TooLong:
        what = f"over {SECONDS + 2 * subject.seconds:.0f} s: {_where()}"
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # noqa: BLE001 - this is what is looked for, a panic of a library among it
        what = f"{type(error).__name__}: {str(error)[:200]} {_where()}"
    if _memory_peak() - held > subject.megabytes:
        what = f"{_memory_peak() - held:.0f} MB"
    if (now := _listing(path.parent)) != before:
        what = f"files appeared: {sorted(now - before)}"
    return what


def _clear(error: MasqueradeError) -> bool:
    """One line of bearable length, and not because memory ran out."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, MemoryError):
            return False
        cause = cause.__cause__
    return "\n" not in str(error) and 20 < len(str(error)) < 2_100


def _where() -> str:
    return " < ".join(
        f"{Path(frame.filename).name}:{frame.lineno}"
        for frame in reversed(traceback.extract_tb(sys.exc_info()[2])[-6:])
    )


@contextlib.contextmanager
def _in_time(seconds: float) -> Iterator[None]:
    """At most so many seconds of the processor, and `PATIENCE` times that by the clock, however busy the machine is."""

    def ring(*_: object) -> None:
        raise TooLong

    timers = ((signal.SIGPROF, signal.ITIMER_PROF, seconds), (signal.SIGALRM, signal.ITIMER_REAL, PATIENCE * seconds))
    before = {number: signal.signal(number, ring) for number, _, _ in timers}
    for _, timer, limit in timers:
        signal.setitimer(timer, limit)
    faulthandler.dump_traceback_later(2 * PATIENCE * seconds, exit=True)
    try:
        yield
    finally:
        for number, timer, _ in timers:
            signal.setitimer(timer, 0)
            signal.signal(number, before[number])
        faulthandler.cancel_dump_traceback_later()


def _listing(folder: Path) -> set[str]:
    return {str(path) for path in (*folder.rglob("*"), *folder.parent.glob("*"), *Path.cwd().glob("escaped*"))}


def _memory_peak(*, fresh: bool = False) -> float:
    """The most memory that this process has had since it was last asked afresh, in MB."""
    if fresh:
        with contextlib.suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5")
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mutations", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--begin", type=int, default=0, help="the number of the first mutation")
    parser.add_argument("--only", type=int, help="try the mutation of this number alone")
    parser.add_argument(
        "--subjects", nargs="+", choices=GROUPS, default=list(GROUPS), help="which files; all by default"
    )
    parser.add_argument(
        "--kept", type=Path, help="a folder where the files to damage are kept from one run to the next"
    )
    options = parser.parse_args()
    begin, count = (options.begin, options.mutations) if options.only is None else (options.only, 1)
    with tempfile.TemporaryDirectory() as name, tempfile.TemporaryDirectory() as compiled, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        work, made = Path(name) / "work", Path(name) / "made"
        work.mkdir()
        jax.config.update("jax_compilation_cache_dir", str(options.kept / "compiled") if options.kept else compiled)
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
        found = [subject for group in options.subjects for subject in GROUPS[group]((options.kept or made) / group)]
        subjects = [timed(subject, work) for subject in found]
        began = time.monotonic()
        faults, outcomes = fuzz(subjects, work, mutations=count, seed=options.seed, begin=begin, told=_told)
    for subject in subjects:
        of = {what: outcomes[subject.name, what] for what in ("refused", "worked")}
        bad = sum(fault.name == subject.name for fault in faults)
        print(f"{subject.name:<28} {of['refused']:>6,} refused {of['worked']:>6,} worked {bad:>4,} faults")
    total = {what: sum(n for (_, kind), n in outcomes.items() if kind == what) for what in ("refused", "worked")}
    print(f"{count:,} mutations in {time.monotonic() - began:.0f} s: "
          f"{total['refused']:,} refused, {total['worked']:,} worked, {len(faults):,} faults")  # fmt: skip
    os._exit(1 if faults else 0)


def _told(number: int, fault: Fault | None) -> None:
    """The number at once, so that a hang which ends the program has one; and each fault."""
    if fault is None:
        print(f"{number:,}", end="\r", file=sys.stderr, flush=True)
    else:
        print(f"--only {fault.number}: {fault.name}, {fault.how}: {fault.what}", flush=True)


def _kept(folder: Path, make: Callable[[Path], list[Subject]], use: Callable[[Path], object]) -> list[Subject]:
    """The models of an earlier run, made where there are none yet."""
    folder.mkdir(parents=True, exist_ok=True)
    if not list(folder.glob("*.mq")):
        return make(folder)
    return [Subject(path.name, path.read_bytes(), use, damaged_model) for path in sorted(folder.glob("*.mq"))]


def _afresh(folder: Path, make: Callable[[Path], list[Subject]]) -> list[Subject]:
    folder.mkdir(parents=True, exist_ok=True)
    return make(folder)


GROUPS: dict[str, Callable[[Path], list[Subject]]] = {
    "tables": lambda folder: _kept(folder, models, draw),
    "texts": lambda folder: texts(),
    "private": lambda folder: _kept(folder, private_models, draw),
    "pictures": lambda folder: _kept(folder, picture_models, change),
    "sets": lambda folder: picture_sets(),
    "sealed": lambda folder: [*_afresh(folder, sealed), *keys()],
    "age": lambda folder: _afresh(folder, age),
}


if __name__ == "__main__":
    main()
