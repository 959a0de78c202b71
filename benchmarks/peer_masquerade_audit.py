"""Worker: `mq.Marginals` in the scenarios that rivals are put through, by the same numbers of rows and model.

`declared` and `odd`: levels and bounds are declared, and in `odd` that every column may have empty cells. `inferred`: the
levels of the canary's own column and the bounds are not declared; what is found with noise is in the model. (Five hundred rows
are too few to find more at ε = 1: a fit is refused then, which is an outcome like any other.)
"""

from __future__ import annotations

import pandas as pd
import polars as pl

import masquerade as mq
from masquerade.errors import SchemaError, TableError
from masquerade.schema import Column, Schema
from peer_shared_audit import DRAWN, HIGH, LEVELS, LOW, NUMBER, Carried, audit, parser


def schema_of(scenario: str) -> Schema:
    """What is declared."""
    known, gaps = scenario != "inferred", scenario == "odd"
    columns = [
        Column(name, "categorical", levels=tuple(levels) if known or name != "job" else None, nullable=gaps)
        for name, levels in LEVELS.items()
    ]
    low, high = (LOW, HIGH) if known else (None, None)
    columns.insert(2, Column(NUMBER, "integer", minimum=low, maximum=high, nullable=gaps))
    return Schema(tuple(columns), declared=True)


def main() -> None:
    options = parser(__doc__, ["marginals"]).parse_args()
    schema = schema_of(options.scenario)

    def fit(table: pd.DataFrame) -> tuple[pd.DataFrame, Carried]:
        model = mq.Marginals(privacy=mq.Privacy(epsilon=options.epsilon, delta=options.delta))
        try:
            model.fit(pl.from_pandas(table).with_columns(pl.col(NUMBER).cast(pl.Int64)), schema=schema)
        except (SchemaError, TableError):
            return pd.DataFrame({name: [None] for name in table}), Carried()
        drawn = model.sample(DRAWN)
        columns = {column.name: column for column in model.codec_.schema}
        levels = {level for name in LEVELS for level in columns[name].levels or ()}
        gaps = sum(column.nullable is not False for column in columns.values())
        known = Carried(levels, float(columns[NUMBER].maximum or 0.0), float(gaps))
        return pd.DataFrame(drawn.to_dict(as_series=False)), known

    audit(options, fit, f"masquerade {mq.__version__}, Marginals")


if __name__ == "__main__":
    main()
