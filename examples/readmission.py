"""A hospital's readmission model trained on synthetic stays, tested on real patients.

    python examples/readmission.py diabetic_data.csv

The table is "Diabetes 130-US Hospitals for Years 1999-2008" (UCI, Strack et al. 2014, CC BY 4.0): 101,766 stays of 71,518
patients. A patient is on one side only, in training or in the test; a level or exact value comes out only if at least ten
*patients* share it, not ten stays. Readmission is hard to foresee: published models reach an AUC of .6 to .7.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.preprocessing import OrdinalEncoder

import masquerade as mq
from masquerade import spelling
from masquerade.holdout import hold_out
from masquerade.metrics.intervals import from_influences
from masquerade.metrics.prediction import roc_auc

BESIDE = Path(__file__).resolve().parents[2] / "shared" / "data" / "diabetes_130us" / "diabetic_data.csv.gz"
PATIENT = "patient_nbr"


def auc_of(train: pl.DataFrame, test: pl.DataFrame, schema: mq.Schema, target: str, bad: Sequence[str]) -> str:
    """The AUC, with its 95 % interval, of boosted trees that learn from one table and are tested on another."""
    words = [c.name for c in schema if c.kind in ("categorical", "boolean") and c.name != target]
    numbers = [c.name for c in schema if c.kind in ("integer", "continuous") and c.name != target]
    coder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan, max_categories=250)
    coder.fit(train.select(words).to_numpy())

    def features(table: pl.DataFrame) -> np.ndarray:
        typed = spelling.parse(table, schema, strict=False).select(pl.col(numbers).cast(pl.Float64))
        return np.hstack([coder.transform(table.select(words).to_numpy()), typed.to_numpy()])

    trees = HistGradientBoostingClassifier(categorical_features=range(len(words)), random_state=0)
    trees.fit(features(train), train[target].is_in(bad))
    risk = trees.predict_proba(features(test))[:, 1]
    auc, influences = roc_auc(test[target].is_in(bad).to_numpy().astype(int), risk)
    low, high = from_influences(auc, influences) or (0.0, 1.0)
    return f"{auc:.3f}  ({low:.3f} to {high:.3f})"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="A readmission model from synthetic stays, tested on real patients.")
    parser.add_argument("path", type=Path, nargs="?", default=BESIDE, help="diabetic_data.csv, perhaps gzipped")
    parser.add_argument("--quick", action="store_true", help="2,000 stays, two epochs: only to see it run")
    options = parser.parse_args(arguments)
    if not options.path.exists():
        raise SystemExit(f"error: {options.path} is not there; give the path of UCI's diabetic_data.csv.")

    stays = mq.read_table(options.path).drop("encounter_id")  # a running number: it says nothing of the patient
    stays = stays.sample(2_000 if options.quick else stays.height, shuffle=True, seed=0)
    train, test = hold_out(stays, 0.2, seed=0, unit=PATIENT)  # a fifth of the patients judge, and never train

    model = mq.Autoregressive(epochs=2 if options.quick else None, unit=PATIENT, random_state=0).fit(train)
    fake = model.sample(train.height)

    print(f"AUC of readmission within 30 days, {test.height:,} real stays that no model saw (95 % interval)")
    for name, table in (("real", train), ("synthetic", fake)):
        print(f"  trained on {name + ' stays':<16} {auc_of(table, test, model.schema_, 'readmitted', ['<30'])}")

    scores = mq.evaluate(train, fake, holdout=test, schema=model.schema_).scores
    for name in ("dcr_share", "exact_copies"):
        print(f"{name:<14} {scores[name].value:.4f}  {scores[name].meaning}")
    print(model.ledger_.sentence())


if __name__ == "__main__":
    main()
