"""A bank's risk model trained on synthetic customers, tested on real ones.

    python examples/credit_risk.py
    python examples/credit_risk.py loans.csv --target status --bad B D

Without a path it takes the bundled Bank Marketing table, where the outcome to be predicted is that a customer accepts an offer.
An analyst who gets synthetic rows only can build the model; how much is lost is what this program prints.
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
from masquerade.datasets import bank_path
from masquerade.holdout import hold_out
from masquerade.metrics.intervals import from_influences
from masquerade.metrics.prediction import roc_auc


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
    parser = argparse.ArgumentParser(description="A risk model from synthetic customers, tested on real ones.")
    parser.add_argument("path", type=Path, nargs="?", default=bank_path(), help="a table; default: the bundled one")
    parser.add_argument("--target", default="y", help="the column that says how it ended")
    parser.add_argument("--bad", nargs="+", default=["yes"], help="its values that are to be foreseen")
    parser.add_argument("--quick", action="store_true", help="2,000 rows, two epochs: only to see it run")
    options = parser.parse_args(arguments)

    table = mq.read_table(options.path).sample(fraction=1.0, shuffle=True, seed=0)[: 2_000 if options.quick else None]
    if options.path == bank_path():
        table = table.drop("duration")  # known only once the call is over, when there is nothing left to foresee
    train, test = hold_out(table, 0.2, seed=0)  # a fifth judges, and never trains

    model = mq.Autoregressive(epochs=2 if options.quick else None, random_state=0).fit(train)
    fake = model.sample(train.height)

    print(f"AUC on {test.height:,} real customers that no model saw (95 % interval)")
    print(f"  trained on real rows       {auc_of(train, test, model.schema_, options.target, options.bad)}")
    print(f"  trained on synthetic rows  {auc_of(fake, test, model.schema_, options.target, options.bad)}")

    scores = mq.evaluate(train, fake, holdout=test, schema=model.schema_).scores
    for name in ("dcr_share", "exact_copies"):
        print(f"{name:<14} {scores[name].value:.4f}  {scores[name].meaning}")
    print(model.ledger_.sentence())


if __name__ == "__main__":
    main()
