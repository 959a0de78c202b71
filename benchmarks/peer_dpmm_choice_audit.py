"""Worker: which columns `dpmm`'s PrivBayes puts together, with and without a canary, in its own environment.

The network is chosen by mutual information divided by the root of the product of both columns' entropies; the noise of the
choice is for mutual information as it is, which one row hardly moves in a large table (Zhang et al. 2017). The quotient of two
columns that are nearly empty it moves far. Their edge is looked for in the network that the model's `store` writes. All
levels are declared and all of ε is the model's, which is fitted to its noisy counts in one step: no row is drawn.
"""

from __future__ import annotations

import logging
from importlib.metadata import version

import pandas as pd
from dpmm.pipelines.priv_bayes import PrivBayesPipeline

from peer_shared_audit import Numbers, parser, repeat

RARE = ("c0", "c1")


def main() -> None:
    options = parser(__doc__, ["privbayes"]).parse_args()
    logging.getLogger("dpmm").setLevel(logging.ERROR)
    without, canary = (pd.read_csv(path, dtype=str) for path in (options.without, options.canary))

    def outcome(table: pd.DataFrame) -> tuple[Numbers, Numbers]:
        levels = ["no", "yes"]
        table = table.apply(lambda column: pd.Series(pd.Categorical(column, levels)))
        pipe = PrivBayesPipeline(
            epsilon=options.epsilon, delta=options.delta, proc_epsilon=None, gen_kwargs={"n_iters": 1}
        )
        pipe.fit(table, domain={name: {"categories": levels} for name in table})
        edge = any(set(clique) == set(RARE) for clique in pipe.gen.generator.cliques)
        return {}, {"both are put together": float(edge)}

    repeat(options, without, canary, outcome, f"dpmm {version('dpmm')}, PrivBayesPipeline")


if __name__ == "__main__":
    main()
