"""Worker: a synthesizer of `smartnoise-synth` fitted again and again with and without a canary, in its own environment.

`declared` and `odd`: a transformer that was fitted to a public table of all levels, with public bounds, ten bins, and in `odd`
with empty cells allowed; all of ε is the model's. `inferred`: the table as it is with `preprocessor_eps=0.5`, as its guide
shows; ε is the whole of both, and what is not needed for bounds stays with the model.
"""

from __future__ import annotations

import contextlib
import io
from importlib.metadata import version
from itertools import zip_longest
from typing import Any

import pandas as pd
from snsynth import Synthesizer
from snsynth.transform import BinTransformer, LabelTransformer, MinMaxTransformer, OneHotEncoder, TableTransformer
from snsynth.transform.chain import ChainTransformer

from peer_shared_audit import DRAWN, HIGH, LEVELS, LOW, NUMBER, Carried, audit, parser

MODELS = {"mst": "MST", "mwem": "MWEM", "aim": "AIM", "patectgan": "PATE-CTGAN", "dpctgan": "DP-CTGAN"}
CUBES = ("mst", "mwem", "aim")
SETTINGS: dict[str, dict[str, Any]] = {"dpctgan": {"epochs": 3}}
"""Others are the defaults."""
PREPARING = 0.5


def public(columns: list[str], cube: bool, gaps: bool) -> TableTransformer:
    """A transformer that has seen all levels and both bounds, and no row."""
    values = {**LEVELS, NUMBER: [LOW, HIGH]}
    rows = pd.DataFrame(zip_longest(*(values[name] for name in columns)), columns=columns)
    rows = rows.apply(lambda column: column.ffill())

    def one(name: str) -> Any:
        if name == NUMBER:
            kind = BinTransformer if cube else MinMaxTransformer
            return kind(lower=LOW, upper=HIGH, nullable=gaps, **({"bins": 10} if cube else {}))
        label = LabelTransformer(nullable=False)
        return label if cube else ChainTransformer([label, OneHotEncoder()])

    transformer = TableTransformer([one(name) for name in columns])
    transformer.fit(rows)
    return transformer


def known(transformer: TableTransformer) -> Carried:
    """What the fitted transformer holds."""
    parts = [part for whole in transformer.transformers for part in getattr(whole, "transformers", [whole])]
    levels = {value for part in parts for value in getattr(part, "categories", [])}
    numbers = [float(value) for value in levels if isinstance(value, (int, float)) and not isinstance(value, bool)]
    bounds = [float(getattr(part, "fit_upper", None) or 0.0) for part in parts]
    gaps = sum(bool(getattr(part, "nullable", False)) for part in parts)
    return Carried({str(value) for value in levels}, max([*numbers, *bounds]), float(gaps))


def main() -> None:
    options = parser(__doc__, list(MODELS)).parse_args()

    def fit(table: pd.DataFrame) -> tuple[pd.DataFrame, Carried]:
        settings = SETTINGS.get(options.model, {}) | ({} if options.model == "mwem" else {"delta": options.delta})
        with contextlib.redirect_stdout(io.StringIO()):
            model = Synthesizer.create(options.model, epsilon=options.epsilon, **settings)
            if options.scenario == "inferred":
                model.fit(table, preprocessor_eps=PREPARING)
            else:
                cube, gaps = options.model in CUBES, options.scenario == "odd"
                model.fit(table, transformer=public(list(table), cube, gaps))
            drawn = model.sample(DRAWN)
        return drawn, known(model._transformer)

    audit(options, fit, f"smartnoise-synth {version('smartnoise-synth')}, {MODELS[options.model]}")


if __name__ == "__main__":
    main()
