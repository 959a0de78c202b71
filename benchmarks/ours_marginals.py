"""Worker: one run of `mq.Marginals` on codes: fit and sample, in seconds, with what it guaranteed.

The codes of numbers are declared as whole numbers, so that their order is known, all others as levels.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
import polars as pl

import masquerade as mq
from masquerade.schema import Column, Schema


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("codes", type=Path)
    parser.add_argument("--epsilon", type=float, required=True)
    parser.add_argument("--delta", type=float, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--json", type=Path, required=True)
    options = parser.parse_args()

    with np.load(options.codes) as given:
        names, sizes = given["names"].tolist(), given["sizes"].tolist()
        train, ordered = given["train"], given["ordered"]
    columns, table = [], {}
    for place, (name, size) in enumerate(zip(names, sizes, strict=True)):
        codes = train[:, place]
        if ordered[place] and size > 2:
            columns.append(Column(name, "integer", minimum=0, maximum=size - 1, nullable=False))
            table[name] = pl.Series(codes, dtype=pl.Int64)
        else:
            levels = tuple(map(str, range(size)))
            columns.append(Column(name, "categorical", levels=levels, nullable=False))
            table[name] = pl.Series([levels[code] for code in codes])
    frame, schema = pl.DataFrame(table), Schema(tuple(columns), declared=True)
    began = time.perf_counter()
    model = mq.Marginals(privacy=mq.Privacy(epsilon=options.epsilon, delta=options.delta)).fit(frame, schema=schema)
    drawn = model.sample(len(train))
    seconds = time.perf_counter() - began
    np.save(options.out, drawn.select(pl.col(names).cast(pl.Int32)).to_numpy())
    result = {
        "name": f"masquerade {mq.__version__}",
        "finished": True,
        "seconds": seconds,
        "epsilon": model.ledger_.epsilon,
    }
    options.json.write_text(json.dumps(result))


if __name__ == "__main__":
    main()
