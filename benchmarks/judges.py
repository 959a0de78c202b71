"""Worker: one released table before both judges, `masquerade.evaluate` and the benchmark's own."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import independent_judge
import masquerade as mq

SCORES = (
    "column_shapes",
    "univariate_accuracy",
    "bivariate_accuracy",
    "detection_auc",
    "tstr_boosting",
    "dcr_share",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("real", "released", "holdout"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--target", required=True)
    parser.add_argument("--only-independent", action="store_true")
    parser.add_argument("--json", type=Path, required=True)
    options = parser.parse_args()
    paths = (options.real, options.released, options.holdout)

    result = {}
    began = time.perf_counter()
    result["independent"] = independent_judge.judge(*map(independent_judge.read, paths), options.target)
    result["independent"]["seconds"] = time.perf_counter() - began
    if not options.only_independent:
        real, released, holdout = map(mq.read_table, paths)
        report = mq.evaluate(real, released, holdout=holdout, target=options.target)
        result["evaluate"] = {name: report.scores[name].value for name in SCORES}
        result["evaluate"] |= {"dcr_share_interval": report.scores["dcr_share"].interval, "seconds": report.seconds}
    options.json.write_text(json.dumps(result))


if __name__ == "__main__":
    main()
