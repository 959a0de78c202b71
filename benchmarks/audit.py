"""Lower bounds on ε of every private mechanism, of five broken builds and of rivals, beside the claim (ε = 1, δ = 1e-6).

What is tight is audited white box with many runs; whole models are fitted again and again with and without a canary and judged
by what leaves the house. Nothing here has a seed: the noise comes from the operating system. `--quick` runs a tenth of it.

Rivals are asked for by name, each with the Python of an environment of its own (`pip install` there: dpmm 0.1.9;
smartnoise-synth 1.0.8 with torch and packaging; datasynthesizer 0.1.13 with numpy<2 and pandas<3). `--only` without a name
leaves out all of ours:

    python benchmarks/audit.py --only --rival dpmm-privbayes=PYTHON --scenario declared inferred
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

import broken
import masquerade as mq
from masquerade.errors import MasqueradeError
from masquerade.privacy.accounting import gaussian_multiplier
from masquerade.schema import Column, Schema
from masquerade.studies.auditing.canaries import rare_row
from masquerade.studies.auditing.claim import Claim
from masquerade.studies.auditing.findings import Finding
from masquerade.studies.auditing.models import audit_fits, audit_one_fit
from masquerade.studies.auditing.noise import audit_choices, audit_counts, audit_steps
from masquerade.studies.auditing.one_run import audit_one_run
from masquerade.studies.auditing.pairs import finding_of_scores
from masquerade.studies.auditing.preparing import audit_domains, audit_preparation

EPSILON, DELTA = 1.0, 1e-6
RIVALS = {
    "masquerade-marginals": ("peer_masquerade_audit.py", "marginals"),
    "dpmm-mst": ("peer_dpmm_audit.py", "mst"),
    "dpmm-privbayes": ("peer_dpmm_audit.py", "privbayes"),
    "dpmm-aim": ("peer_dpmm_audit.py", "aim"),
    "smartnoise-mst": ("peer_smartnoise_audit.py", "mst"),
    "smartnoise-mwem": ("peer_smartnoise_audit.py", "mwem"),
    "smartnoise-aim": ("peer_smartnoise_audit.py", "aim"),
    "smartnoise-patectgan": ("peer_smartnoise_audit.py", "patectgan"),
    "smartnoise-dpctgan": ("peer_smartnoise_audit.py", "dpctgan"),
    "datasynthesizer": ("peer_datasynthesizer_audit.py", "privbayes"),
    "dpmm-privbayes-choice": ("peer_dpmm_choice_audit.py", "privbayes"),
    "datasynthesizer-default-seed": ("peer_datasynthesizer_audit.py", "default-seed"),
}
"""The worker of a rival, and which model of it; ours is put through the same."""
SCENARIOS = ("declared", "inferred", "odd")
"""What rivals are told of the common table."""
OWN = {"dpmm-privbayes-choice": ("choice",)}
"""Which are asked something else."""
EXTREME = 1_000_000
SMALL = Schema(
    (
        Column("job", "categorical", levels=("clerk", "nurse", "smith")),
        Column("member", "boolean"),
        Column("age", "integer", minimum=0, maximum=99),
        Column("grade", "categorical", levels=("a", "b", "c", "d")),
    ),
    declared=True,
)


def small(count: int = 500) -> pl.DataFrame:
    """The table that whole models are fitted to."""
    random = np.random.default_rng(0)
    return broken.rows(count).with_columns(pl.Series("grade", random.choice(["a", "b", "c"], count)))


def privacy() -> mq.Privacy:
    return mq.Privacy(epsilon=EPSILON, delta=DELTA)


def ours(share: float) -> dict[str, Callable[[], Finding]]:
    """Our mechanisms."""

    def some(count: int, least: int = 20) -> int:
        return max(round(count * share), least)

    sigma = gaussian_multiplier(EPSILON, DELTA)
    nets = {"epochs": 1, "batch_size": 50}

    def one_run_of_counts() -> Finding:
        from masquerade.privacy.noise import noised_counts

        claim = Claim.of_noise(sigma, delta=DELTA)
        return audit_one_run(
            lambda inside: noised_counts(inside.astype(np.int64), sigma), some(20_000), claim=claim,
            name="noised counts, one run with many canaries",
        )  # fmt: skip

    return {
        "counts": lambda: audit_counts(sigma, delta=DELTA, trials=some(4_000_000)),
        "one run": one_run_of_counts,
        "choice": lambda: audit_choices(EPSILON, delta=DELTA, trials=some(300_000)),
        "steps": lambda: audit_steps(
            broken.plan(), delta=DELTA, trials=some(1_000_000), name="DP-SGD, 8 steps, every gradient seen"
        ),
        "more steps": lambda: audit_steps(
            broken.plan(0.02, 100), delta=DELTA, trials=some(100_000), name="DP-SGD, 100 steps, every gradient seen"
        ),
        "preparation": lambda: audit_preparation(
            broken.rows(100).select("job", "member"), without_numbers(broken.DECLARED), privacy(), trials=some(10_000)
        ),
        "domains": lambda: audit_domains(
            broken.rows().select("job", "age"),
            broken.OPEN,
            privacy(),
            trials=some(1_000),
            name="levels above a threshold, and bounds",
        ),
        "marginals": lambda: audit_fits(
            mq.Marginals(privacy=privacy()), small(), SMALL, trials=some(150), name="Marginals, whole fits"
        ),
        "marginals at once": lambda: audit_one_fit(
            mq.Marginals(privacy=privacy()),
            small(),
            SMALL,
            canaries=some(1_000),
            name="Marginals, one fit, many canaries",
        ),
        "autoregressive": lambda: audit_fits(
            mq.Autoregressive(privacy=privacy(), size="small", **nets),
            small(),
            SMALL,
            trials=some(40),
            name="Autoregressive, whole fits",
        ),
        "autoregressive at once": lambda: audit_one_fit(
            mq.Autoregressive(privacy=privacy(), size="small", **nets),
            small(),
            SMALL,
            canaries=some(1_000),
            name="Autoregressive, one fit, many canaries",
        ),
        "ctgan": lambda: audit_fits(
            mq.CTGAN(privacy=privacy(), **nets), small(), SMALL, trials=some(40), name="CTGAN, whole fits"
        ),
        "ctgan at once": lambda: audit_one_fit(
            mq.CTGAN(privacy=privacy(), **nets),
            small(),
            SMALL,
            canaries=some(1_000),
            name="CTGAN, one fit, many canaries",
        ),
    }


def without_numbers(schema: Schema) -> Schema:
    return dataclasses.replace(schema, columns=tuple(column for column in schema if not column.is_numeric))


def spelled(table: pl.DataFrame) -> pl.DataFrame:
    """The table as rivals get it: no rival takes the words for a truth value."""
    return table.with_columns(pl.when("member").then(pl.lit("yes")).otherwise(pl.lit("no")).alias("member"))


def canary_of(scenario: str) -> pl.DataFrame:
    """The row that one of two neighbouring tables has more.

    Args:
        scenario: `"declared"`: common values that are rarely together; `"inferred"`: the same with a level and a number that
            nobody else has, for rivals that find levels and bounds themselves; `"odd"`: the same with a declared level that
            nobody else has, and an empty cell.
    """
    row = rare_row(small(), SMALL)
    if scenario == "inferred":
        return row.with_columns(job=pl.lit("canary"), age=pl.lit(EXTREME, pl.Int64))
    if scenario == "odd":
        return row.with_columns(grade=pl.lit("d"), age=pl.lit(None, pl.Int64))
    return row


def nearly_empty(count: int = 20_000) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Eight columns of yes and no, two of which say yes once, in different rows; and a row where both do."""
    names = [f"c{i}" for i in range(8)]
    values = np.random.default_rng(0).random((count, len(names))) < 0.5
    values[:, :2] = np.eye(count, 2, dtype=bool)
    canary = np.arange(len(names)) < 2
    rows, row = (pl.DataFrame(part, schema=names).cast(pl.Int8) for part in (values, canary[None]))
    words = pl.all().replace_strict({0: "no", 1: "yes"}, return_dtype=pl.String)
    return rows.select(words), row.select(words)


def theirs(python: Path, worker: str, model: str, scenario: str, trials: int, minutes: float) -> list[dict[str, Any]]:
    """A rival's synthesizer, fitted in its own environment; its claim is ε and δ, for its events are not known."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="masquerade-audit-") as folder:
        paths = [Path(folder) / name for name in ("without.csv", "canary.csv", "scores.json")]
        choice = scenario == "choice"
        tables = nearly_empty() if choice else (spelled(small()), spelled(canary_of(scenario)))
        for table, path in zip(tables, paths, strict=False):
            table.write_csv(path)
        subprocess.run(
            [python, Path(__file__).with_name(worker), *paths, "--model", model, "--scenario", scenario,
             "--trials", str(trials), "--seconds", str(60 * minutes), "--epsilon", str(EPSILON), "--delta", str(DELTA)],
            check=True, env={"OMP_NUM_THREADS": "2", **os.environ},
        )  # fmt: skip
        scores = json.loads(paths[2].read_text())
    return judged(scores, time.monotonic() - began)


def judged(scores: dict[str, Any], seconds: float) -> list[dict[str, Any]]:
    """What a worker's scores say of the rival's claim.

    Args:
        scores: `name`; `names` of the numbers of an outcome: those of the released rows, then those that the model itself
            carries; `without` and `inside`: these numbers, run by run.
        seconds: how long it took.

    Returns:
        One or two findings, as `finding` and the `means` of each number without and with the canary: of the rows alone, and of
        rows and model; where the worker looked at one of them only, of that.
    """
    sides = {side: np.array(scores[side], float) for side in ("without", "inside")}
    rows, model = scores["names"]["rows"], scores["names"]["model"]
    found = []
    both = ([*rows, *model], "its rows and model" if rows else "its model")
    for names, seen in [*([(rows, "its rows")] if rows else []), *([both] if model else [])]:
        without, inside = (side[:, : len(names)] for side in sides.values())
        finding = finding_of_scores(
            without, inside, claim=Claim(EPSILON, DELTA), name=f"{scores['name']}: {seen}", seconds=seconds
        )
        means = zip(names, without.mean(axis=0), inside.mean(axis=0), strict=True)
        found.append({"finding": finding, "means": {name: [float(a), float(b)] for name, a, b in means}})
    return found


def line(finding: Finding, note: str) -> str:
    """A row of the table."""
    verdict = "**above the claim**" if finding.disproved else "within"
    figures = f"{finding.bound:.3f} | {finding.plain:.3f} | {finding.epsilon:.3f} | {finding.trials:,} | {finding.seconds:.0f}"
    return f"| {note}{finding.mechanism} | {figures} | {verdict} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a tenth of the runs")
    parser.add_argument("--only", nargs="*", default=None, help="some of them, by name")
    parser.add_argument("--rival", nargs="*", default=[], metavar="NAME=PYTHON", help=f"of {', '.join(RIVALS)}")
    parser.add_argument("--scenario", nargs="*", default=SCENARIOS, choices=SCENARIOS, help="what most rivals are told")
    parser.add_argument("--trials", type=int, default=100, help="fits of a rival with and without the canary, at most")
    parser.add_argument(
        "--minutes", type=float, default=3, help="of a rival's fits; the first 30 of each side run anyway"
    )
    parser.add_argument("--json", type=Path, help="write what was measured; what stands there is kept")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    share = 0.1 if options.quick else 1.0
    jobs: dict[str, tuple[str, Callable[[], Finding]]] = {name: ("", job) for name, job in ours(share).items()}
    for name, (breaking, audit, trials) in broken.BROKEN.items():

        def caught(breaking: Any = breaking, audit: Any = audit, trials: int = trials, name: str = name) -> Finding:
            with breaking():
                found = audit(10 * trials if not options.quick else trials, 0.95)
            return dataclasses.replace(found, mechanism=f"{name} ({found.mechanism})")

        jobs[name] = ("broken: ", caught)
    kept: dict[str, Any] = json.loads(options.json.read_text()) if options.json and options.json.exists() else {}
    print("| mechanism | ε at least, 95 % | whatever the noise | ε claimed | runs | seconds | |")
    print("|---|---|---|---|---|---|---|")
    for name, (note, job) in jobs.items():
        if options.only is not None and name not in options.only:
            continue
        try:
            found = job()
        except MasqueradeError as error:
            print(f"{name}: {error}", file=sys.stderr)
            continue
        print(line(found, note), flush=True)
        kept[name] = found.to_dict() | {"kind": note.rstrip(": ") or "ours"}
        write(options.json, kept)
    for pair in options.rival:
        name, _, python = pair.partition("=")
        for scenario in OWN.get(name, options.scenario):
            trials = max(round(options.trials * share), 20)
            for result in theirs(Path(python), *RIVALS[name], scenario, trials, options.minutes):
                found = result["finding"]
                print(line(found, "rival: "), flush=True)
                kept[found.mechanism] = found.to_dict() | {"kind": "rival", "means": result["means"]}
            write(options.json, kept)


def write(path: Path | None, kept: dict[str, Any]) -> None:
    """What was measured so far."""
    if path:
        path.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
