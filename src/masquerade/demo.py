"""The main job from end to end on the bundled bank table, in half a minute on two cores."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from masquerade import inference, spelling
from masquerade.datasets import bank_path
from masquerade.errors import FileError, InterruptedTraining, SchemaError, nearest
from masquerade.evaluation import evaluate
from masquerade.files import TableWriter, atomic_path, read_table
from masquerade.holdout import hold_out
from masquerade.overview import overview
from masquerade.privacy.ledger import ledger_path
from masquerade.progress import ConsoleProgress
from masquerade.schema import Schema
from masquerade.seeds import check_seed
from masquerade.synthesize.autoregressive import Autoregressive

__all__ = ["run"]

HOLDOUT_SHARE = 0.2
TARGET = "y"
PROTECT = 10
MAX_MINUTES = 55 / 60


def run(
    folder: str | Path = "masquerade-demo",
    *,
    seed: int | None = 0,
    schema: Schema | None = None,
    unit: str | None = None,
    max_minutes: float = MAX_MINUTES,
    tell: Callable[[object], None] = print,
    quiet: bool = False,
) -> Any:
    """Hold out a fifth of the bank table, train on the rest, make as many rows as trained, judge them, write it all.

    Args:
        folder: gets `synthetic.csv` (with its ledger), `report.html`, `report.json` and `model.mq`; made if needed.
        seed: decides who is held out, and the training; None: a fresh one.
        schema: what each column is; None: it is inferred.
        unit: the column that says whose row it is; None: each row is its own unit.
        max_minutes: how long to train at most.
        tell: gets what is to be shown, as text or Rich tables.
        quiet: whether to leave the progress bar away.

    Returns:
        The report.

    Raises:
        FileError: the folder cannot be written.
        SchemaError: the table has no such unit.
        InterruptedTraining: Ctrl-C; what was trained is saved as `model.mq`.
    """
    begin = time.monotonic()
    seed = check_seed(seed)
    folder = Path(folder)
    raw = read_table(bank_path())
    unit = unit if schema is None else schema.unit
    if unit is not None and unit not in raw.columns:
        raise SchemaError(f"unit: there is no column {unit!r}{nearest(unit, raw.columns)}.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(f"{folder}: cannot be made ({error.strerror}).") from error
    train, holdout = hold_out(raw, HOLDOUT_SHARE, seed=seed, unit=unit)
    found = inference.infer(train, protect=PROTECT, unit=unit) if schema is None else schema
    tell("UCI Bank Marketing: calls of a Portuguese bank (Moro, Cortez, Rita 2014, CC BY 4.0)")
    tell(overview(found, spelling.parse(raw, found)))
    tell(f"Held out {holdout.height:,} rows; {train.height:,} rows train, for at most {max_minutes * 60:.0f} s.")

    with ConsoleProgress() as bar:
        callbacks = () if quiet else (bar,)
        model = Autoregressive(
            protect=PROTECT, unit=found.unit, max_minutes=max_minutes, random_state=seed, callbacks=callbacks
        ).fit(train, schema=found)
        model.save(folder / "model.mq")
        if model.interrupted_:
            raise InterruptedTraining(f"training was interrupted; the best model so far is in {folder / 'model.mq'}.")
        released = model.sample(train.height, random_state=seed)
        with TableWriter(folder / "synthetic.csv") as writer:
            writer.write(released)
        with atomic_path(ledger_path(folder / "synthetic.csv")) as temporary:
            Path(temporary).write_text(json.dumps(model.ledger_.to_dict(), indent=2) + "\n", encoding="utf-8")
        report = evaluate(
            train,
            released,
            holdout=holdout,
            target=TARGET,
            schema=found,
            unit=found.unit,
            dependencies=model.dependencies_,
            protect=PROTECT,
            ledger=model.ledger_,
            seed=seed,
            callback=None if quiet else bar,
        )
    report.save(folder / "report.html")
    report.save(folder / "report.json")
    tell(report.summary())
    tell(f"Done in {time.monotonic() - begin:.0f} s. Look at {folder / 'report.html'} in a browser.")
    tell(
        f"Beside it: synthetic.csv ({released.height:,} new rows), its ledger, report.json, and model.mq for more rows:"
    )
    tell(f"  masquerade sample {folder / 'model.mq'} -n 1000 -o more.csv")
    return report
