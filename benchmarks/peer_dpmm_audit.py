"""Worker: a pipeline of `dpmm` fitted again and again with and without a canary, in its own environment, without Masquerade.

`declared` and `odd`: all of ε is the model's; levels and bounds are the public ones, numbers in ten equal bins. `inferred`:
no domain; a tenth of ε is for bounds and bins, with the settings of its README (whose `epsilon` is the model's alone; here
both together are the ε that is claimed). `dpmm` logs then, for each column of levels: "PrivacyLeakage: No categorical domain
provided". In all of them the model is fitted to its noisy counts in 250 steps in place of 5,000; that looks at no row.
"""

from __future__ import annotations

import logging
from importlib.metadata import version

import pandas as pd
from dpmm.pipelines.aim import AIMPipeline
from dpmm.pipelines.mst import MSTPipeline
from dpmm.pipelines.priv_bayes import PrivBayesPipeline

from peer_shared_audit import DRAWN, HIGH, LEVELS, LOW, NUMBER, Carried, audit, parser

PIPELINES = {"mst": MSTPipeline, "privbayes": PrivBayesPipeline, "aim": AIMPipeline}
DOMAIN = {name: {"categories": levels} for name, levels in LEVELS.items()} | {NUMBER: {"lower": LOW, "upper": HIGH}}
STEPS = 250
PREPARING = 0.1


def main() -> None:
    options = parser(__doc__, list(PIPELINES)).parse_args()
    logging.getLogger("dpmm").setLevel(logging.ERROR)
    inferred = options.scenario == "inferred"

    def fit(table: pd.DataFrame) -> tuple[pd.DataFrame, Carried]:
        for name, levels in LEVELS.items():
            table[name] = table[name].astype("category") if inferred else pd.Categorical(table[name], levels)
        share = PREPARING * options.epsilon if inferred else 0.0
        pipe = PIPELINES[options.model](
            epsilon=options.epsilon - share, delta=options.delta, proc_epsilon=share or None,
            n_bins="auto" if inferred else 10, gen_kwargs={"n_iters": STEPS},
        )  # fmt: skip
        pipe.fit(table, domain=None if inferred else dict(DOMAIN))
        known = {str(level) for levels in pipe.proc.categories.values() for level in levels}
        bounds = [float(binner.bins[-1]) for binner in pipe.proc.binners.values()]
        drawn = pipe.generate(n_records=DRAWN)
        return drawn, Carried(known, max(bounds, default=0.0), float(len(pipe.proc.nan_columns)))

    audit(options, fit, f"dpmm {version('dpmm')}, {PIPELINES[options.model].__name__}")


if __name__ == "__main__":
    main()
