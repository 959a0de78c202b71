"""Worker: one run of a private synthesizer of `dpmm` on codes, in an environment of its own. It knows nothing of Masquerade.

Default settings but for the guarantee and the domain, which is public. AIM has no end of its own that one could wait for: after
`--limit-seconds` a fit is given up, and reported as not finished.
"""

from __future__ import annotations

import argparse
import json
import signal
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
from dpmm.models.aim import AIMGM
from dpmm.models.mst import MSTGM
from dpmm.models.priv_bayes import PrivBayesGM

MODELS = {"MST": MSTGM, "AIM": AIMGM, "PrivBayes": PrivBayesGM}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("codes", type=Path)
    parser.add_argument("--model", choices=MODELS, required=True)
    parser.add_argument("--epsilon", type=float, required=True)
    parser.add_argument("--delta", type=float, required=True)
    parser.add_argument("--limit-seconds", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--json", type=Path, required=True)
    options = parser.parse_args()

    with np.load(options.codes) as given:
        names, sizes, train = given["names"].tolist(), given["sizes"].tolist(), given["train"]
    table, domain = pd.DataFrame(train, columns=names), dict(zip(names, sizes, strict=True))
    signal.signal(signal.SIGALRM, _too_late)
    began = time.perf_counter()
    try:
        signal.alarm(options.limit_seconds)
        model = MODELS[options.model](
            epsilon=options.epsilon,
            delta=options.delta,
            domain=domain,
            random_state=np.random.RandomState(0),
            n_jobs=1,
        )
        model.set_domain(domain)
        model.fit(table)
        drawn = model.generate(n_records=len(table))
        signal.alarm(0)
        np.save(options.out, drawn[names].to_numpy().astype(np.int32))
        finished = True
    except TimeoutError:
        finished = False
    result = {
        "name": f"dpmm {version('dpmm')}",
        "finished": finished,
        "seconds": time.perf_counter() - began,
        "epsilon": options.epsilon,
    }
    options.json.write_text(json.dumps(result))


def _too_late(*_: object) -> None:
    raise TimeoutError


if __name__ == "__main__":
    main()
