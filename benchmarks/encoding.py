"""How long encoding Bank Marketing takes, whole and by its four groups, and what the forest reaches on the codes.

Aims on two idle cores: encoding in 60 seconds; four groups in 1.5 times the seconds of the whole table; the report in 8
minutes; roc_auc of the codes within .01 of the raw features. Fits take turns, each in this process: the second and later ones
no longer load libraries, so the medians are of `fit` alone, compiling included.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from pathlib import Path

import masquerade as mq
from masquerade.datasets import bank_path
from masquerade.progress import ConsoleProgress
from masquerade.release.groups import read_groups
from masquerade.studies.encoding import encoding


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=3, help="fits of each kind")
    parser.add_argument("--seeds", type=int, default=1, help="reports, each with a seed of its own; 0: fits only")
    parser.add_argument("--json", type=Path, help="write what was measured")
    options = parser.parse_args()

    table = mq.read_table(bank_path())
    kinds = {"whole": None, "groups": read_groups("bank")}
    seconds: dict[str, list[float]] = {kind: [] for kind in kinds}
    trained: dict[str, list[float]] = {kind: [] for kind in kinds}
    for turn in range(options.turns):
        for kind, groups in kinds.items():
            began = time.perf_counter()
            encoder = mq.Encoder(groups=groups, target="y", random_state=turn)
            encoder.fit_transform(table)
            seconds[kind].append(time.perf_counter() - began)
            trained[kind].append(encoder.history_[-1]["seconds"])
    found: dict[str, object] = {"cores": os.cpu_count(), "fit_transform_seconds": seconds, "training_seconds": trained}
    for kind in kinds:
        print(f"{kind:<7} fit_transform {statistics.median(seconds[kind]):.1f} s, of which training "
              f"{statistics.median(trained[kind]):.1f} s (aim 60)")  # fmt: skip
    ratio = statistics.median(a / b for a, b in zip(trained["groups"], trained["whole"], strict=True))
    print(f"groups take {ratio:.2f} times the training seconds of the whole table (aim 1.5)")
    found["ratio"] = ratio

    reports = []
    for seed in range(options.seeds):
        encoder = mq.Encoder(groups=kinds["groups"], target="y", random_state=seed)
        codes = encoder.fit_transform(table)
        with ConsoleProgress() as show:
            study = encoding(table, encoder, codes, target="y", seed=seed, callback=show)
        scores = {name: score.value for name, score in study.scores.items()}
        reports.append({"seed": seed, "seconds": study.seconds, "scores": scores})
        raw = scores["roc_auc_raw"]
        print(f"seed {seed}: report {study.seconds:.0f} s (aim 480); roc_auc raw {raw:.4f}, "
              f"whole {scores['roc_auc_whole'] - raw:+.4f}, groups {scores['roc_auc_groups'] - raw:+.4f}")  # fmt: skip
        print(study.sentence)
    found["reports"] = reports
    if options.json:
        options.json.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
