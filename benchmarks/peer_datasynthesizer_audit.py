"""Worker: `DataSynthesizer`'s PrivBayes fitted again and again with and without a canary, in its own environment.

The correlated attribute mode of its notebook, two parents. `declared` and `odd`: levels from a domain file, bounds from
`numerical_attribute_ranges`, kinds declared. `inferred`: levels and bounds are its own; its README says that noise is for
"the statistics within active domain that are the values presented in the table". Each fit has a fresh seed; with
`--model default-seed` none is given, as in the notebook: then it is 0.
"""

from __future__ import annotations

import contextlib
import io
import json
import secrets
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd
from DataSynthesizer.DataDescriber import DataDescriber
from DataSynthesizer.DataGenerator import DataGenerator

from peer_shared_audit import DRAWN, HIGH, LEVELS, LOW, NUMBER, Carried, audit, parser

MODELS = {"privbayes": "PrivBayes", "default-seed": "PrivBayes with the seed left as it is"}
PARENTS, BINS = 2, 10


def main() -> None:
    options = parser(__doc__, list(MODELS)).parse_args()

    def fit(table: pd.DataFrame) -> tuple[pd.DataFrame, Carried]:
        fresh = options.model != "default-seed"
        seeds = [{"seed": secrets.randbits(32)} if fresh else {} for _ in range(2)]
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
            rows, levels, written = (Path(folder) / name for name in ("rows.csv", "levels.json", "description.json"))
            table.to_csv(rows, index=False)
            levels.write_text(json.dumps(LEVELS))
            given: dict[str, Any] = {"attribute_to_is_categorical": dict.fromkeys(LEVELS, True)}
            if options.scenario != "inferred":
                given["attribute_to_is_categorical"][NUMBER] = False
                given["attribute_to_is_candidate_key"] = dict.fromkeys([*LEVELS, NUMBER], False)
                given["attribute_to_datatype"] = dict.fromkeys(LEVELS, "String") | {NUMBER: "Integer"}
                given["categorical_attribute_domain_file"] = str(levels)
                given["numerical_attribute_ranges"] = {NUMBER: [LOW, HIGH]}
            describer = DataDescriber(**({} if options.scenario == "inferred" else {"histogram_bins": BINS}))
            describer.describe_dataset_in_correlated_attribute_mode(
                dataset_file=str(rows), epsilon=options.epsilon, k=PARENTS, **given, **seeds[0]
            )
            describer.save_dataset_description_to_file(str(written))
            generator = DataGenerator()
            generator.generate_dataset_in_correlated_attribute_mode(DRAWN, str(written), **seeds[1])
            columns = json.loads(written.read_text())["attribute_description"]
        seen = {str(level) for name in LEVELS for level in columns[name]["distribution_bins"]}
        gaps = sum(column["missing_rate"] for column in columns.values())
        return generator.synthetic_dataset, Carried(seen, float(columns[NUMBER]["max"]), float(gaps))

    audit(options, fit, f"DataSynthesizer {version('DataSynthesizer')}, {MODELS[options.model]}")


if __name__ == "__main__":
    main()
