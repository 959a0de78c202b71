"""Worker: one released table before both judges, `masquerade.evaluate` and the benchmark's own."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

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
    parser.add_argument("--every-score", action="store_true", help="of `evaluate`, with intervals and ceilings")
    parser.add_argument("--ceiling", action="store_true", help="what held-out real rows score; `released` is not read")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, required=True)
    options = parser.parse_args()
    paths = (options.real, options.released, options.holdout)

    result: dict[str, Any] = {}
    began = time.perf_counter()
    if options.ceiling:
        seen, unseen = independent_judge.read(options.real), independent_judge.read(options.holdout)
        result["independent"] = independent_judge.ceiling(seen, unseen, options.target, options.seed)
    else:
        three = map(independent_judge.read, paths)
        result["independent"] = independent_judge.judge(*three, target=options.target, seed=options.seed)
    result["independent"]["seconds"] = time.perf_counter() - began
    if not options.only_independent and not options.ceiling:
        real, released, holdout = map(mq.read_table, paths)
        report = mq.evaluate(real, released, holdout=holdout, target=options.target, seed=options.seed)
        if options.every_score:
            result["evaluate"] = {name: score.to_dict() for name, score in report.scores.items()}
            result["evaluate_seconds"] = report.seconds
        else:
            result["evaluate"] = {name: report.scores[name].value for name in SCORES}
            result["evaluate"] |= {"dcr_share_interval": report.scores["dcr_share"].interval, "seconds": report.seconds}
    options.json.write_text(json.dumps(result))


if __name__ == "__main__":
    main()
