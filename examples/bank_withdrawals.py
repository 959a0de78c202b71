"""Synthetic bank withdrawals: learn who withdraws how much and when, without handing out a single account.

    python examples/bank_withdrawals.py bank.xlsx --out withdrawals

`bank.xlsx` is the Kaggle table "Bank Transaction Data" (or an extract of it, as CSV or Parquet). The folder gets the synthetic
rows, the report, and one merged table for comparing the two, which holds real rows and must stay in the house.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import polars as pl

import masquerade as mq
from masquerade import spelling


def read_withdrawals(path: Path) -> pl.DataFrame:
    """The withdrawals: account, date and amount, under the names AccountNo, ValueDate and WithdrawalAmt."""
    table = mq.read_table(path)
    plain = {"".join(filter(str.isalpha, name)).lower(): name for name in table.columns}  # "Account No" is "accountno"
    wanted = ("AccountNo", "ValueDate", "WithdrawalAmt")
    absent = [name for name in wanted if name.lower() not in plain]
    if absent:
        raise SystemExit(f"error: {path}: there is no column {absent[0]!r}, expected {', '.join(wanted)}.")
    table = table.select(pl.col(plain[name.lower()]).alias(name) for name in wanted)
    return table.filter(pl.col("WithdrawalAmt").cast(pl.String).fill_null("") != "")  # a CSV's empty cell is ""


def side_by_side(real: pl.DataFrame, fake: pl.DataFrame, schema: mq.Schema) -> pl.DataFrame:
    """`describe()` of both tables, column beside column; the account number has nothing to describe."""
    both = [spelling.parse(table, schema).drop("AccountNo").describe() for table in (real, fake)]
    joined = both[0].join(both[1], on="statistic", suffix=" (synthetic)", maintain_order="left")
    return joined.select("statistic", *(name + tail for name in both[0].columns[1:] for tail in ("", " (synthetic)")))


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Synthesize bank withdrawals and judge them.")
    parser.add_argument("path", type=Path, help="the bank transactions: .xlsx, .csv, .csv.gz or .parquet")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--rows", type=int, help="use only so many withdrawals, drawn at random")
    parser.add_argument("--out", type=Path, default=Path("withdrawals"), help="the folder for what is written")
    options = parser.parse_args(arguments)

    real = read_withdrawals(options.path).sample(fraction=1.0, shuffle=True, seed=0)[: options.rows]
    held_out, train = real[: real.height // 10], real[real.height // 10 :]  # a tenth judges, and never trains

    # The account number is an identifier: every account gets one fresh pseudonym, and no real number comes out.
    schema = mq.infer(train).replace("AccountNo", kind="id", levels=None)
    model = mq.CTGAN(epochs=options.epochs, discrete_columns=["AccountNo"], random_state=0, verbose=True)
    fake = model.fit(train, schema=schema).sample(real.height)

    options.out.mkdir(parents=True, exist_ok=True)
    mq.write_table(fake, options.out / "synthetic.csv")
    (options.out / "synthetic.csv.ledger.json").write_text(json.dumps(model.ledger_.to_dict(), indent=2) + "\n")
    report = mq.evaluate(train, fake, holdout=held_out, schema=schema, ledger=model.ledger_)
    report.save(options.out / "report.html")

    merged = pl.concat(table.with_columns(source=pl.lit(s)) for table, s in ((real, "real"), (fake, "synthetic")))
    mq.write_table(merged, options.out / "merged-with-real-rows.csv")

    with pl.Config(tbl_cols=-1, tbl_width_chars=140):
        print(side_by_side(real, fake, schema))
    print(f"{fake.height:,} synthetic withdrawals and their report are in {options.out}.")
    print("WARNING: merged-with-real-rows.csv holds the real rows too. It is for the house: do not release it.")


if __name__ == "__main__":
    main()
