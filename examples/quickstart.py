"""The README's example: learn a table, make new rows, judge them.

python examples/quickstart.py bank.csv
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import masquerade as mq


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Synthesize the bank table and judge the result.")
    parser.add_argument("path", type=Path, help="UCI Bank Marketing, or another table with a column y")
    parser.add_argument("--minutes", type=float, default=5.0, help="how long to train at most")
    parser.add_argument("--out", type=Path, default=Path(), help="the folder for bank.mq and report.html")
    options = parser.parse_args(arguments)

    table = mq.read_table(options.path).sample(fraction=1.0, shuffle=True, seed=0)  # the file is in order of time
    model = mq.Autoregressive(max_minutes=options.minutes, random_state=0).fit(table[1000:])
    fake = model.sample(10_000)  # the same kind of frame, the same dtypes and spelling
    rare = model.sample(500, given={"y": "yes", "age": 33})  # only rows with these values; any columns can be given
    print(rare.head())
    model.save(options.out / "bank.mq")  # JSON and numbers, no pickle: mq.load("bank.mq")

    report = mq.evaluate(table[1000:], fake, holdout=table[:1000], target="y")
    print(f"column_shapes {report.scores['column_shapes'].value:.3f}")
    report.save(options.out / "report.html")


if __name__ == "__main__":
    main()
