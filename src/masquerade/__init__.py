"""Masquerade: release data without releasing people.

```python
import masquerade as mq

model = mq.CTGAN(random_state=0).fit(table)          # pandas, Polars or PyArrow
fake = model.sample(10_000)                           # the same kind of frame, the same dtypes
report = mq.evaluate(table, fake, holdout=held_out)   # what an analyst loses, what is at risk
report.save("report.html")
```
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from masquerade.evaluation import evaluate
    from masquerade.files import read_schema, read_table, write_schema, write_table
    from masquerade.inference import infer
    from masquerade.judge.report import Report
    from masquerade.loading import load
    from masquerade.logs import TensorBoard, WeightsAndBiases
    from masquerade.picture_files import read_pictures, write_pictures
    from masquerade.pictures import Pictures
    from masquerade.privacy.budget import Privacy
    from masquerade.privacy.ledger import Ledger
    from masquerade.release.balance import augment
    from masquerade.release.desensitize import Desensitizer
    from masquerade.release.encode import Encoder
    from masquerade.release.fuse import Fusion
    from masquerade.release.image_desensitize import ImageDesensitizer
    from masquerade.release.image_mask import ImageMasker
    from masquerade.release.mask import Masker
    from masquerade.rules.fixed import FixedCombinations
    from masquerade.rules.formula import Formula
    from masquerade.rules.inequality import Inequality
    from masquerade.rules.interval import Range
    from masquerade.rules.one_hot import OneHot
    from masquerade.schema import Column, Schema
    from masquerade.secret import Secret
    from masquerade.surveying import Survey, survey
    from masquerade.synthesize import image_synthesizers, synthesizers
    from masquerade.synthesize.autoregressive import Autoregressive
    from masquerade.synthesize.copula import GaussianCopula
    from masquerade.synthesize.ctgan import CTGAN
    from masquerade.synthesize.dcgan import DCGAN
    from masquerade.synthesize.imagegan import ImageGAN
    from masquerade.synthesize.marginals import Marginals
    from masquerade.synthesize.merf import DPMERF
    from masquerade.synthesize.tvae import TVAE

__version__ = "0.1.0"

# Where each public name lives. They are imported on first use, so that `import masquerade` stays quick.
_HOMES = {
    "Autoregressive": "masquerade.synthesize.autoregressive",
    "CTGAN": "masquerade.synthesize.ctgan",
    "Column": "masquerade.schema",
    "DCGAN": "masquerade.synthesize.dcgan",
    "DPMERF": "masquerade.synthesize.merf",
    "Desensitizer": "masquerade.release.desensitize",
    "Encoder": "masquerade.release.encode",
    "FixedCombinations": "masquerade.rules.fixed",
    "Formula": "masquerade.rules.formula",
    "Fusion": "masquerade.release.fuse",
    "GaussianCopula": "masquerade.synthesize.copula",
    "ImageDesensitizer": "masquerade.release.image_desensitize",
    "ImageGAN": "masquerade.synthesize.imagegan",
    "ImageMasker": "masquerade.release.image_mask",
    "Inequality": "masquerade.rules.inequality",
    "Ledger": "masquerade.privacy.ledger",
    "Marginals": "masquerade.synthesize.marginals",
    "Masker": "masquerade.release.mask",
    "OneHot": "masquerade.rules.one_hot",
    "Pictures": "masquerade.pictures",
    "Privacy": "masquerade.privacy.budget",
    "Range": "masquerade.rules.interval",
    "Report": "masquerade.judge.report",
    "Schema": "masquerade.schema",
    "Secret": "masquerade.secret",
    "Survey": "masquerade.surveying.passes",
    "TVAE": "masquerade.synthesize.tvae",
    "TensorBoard": "masquerade.logs",
    "WeightsAndBiases": "masquerade.logs",
    "augment": "masquerade.release.balance",
    "evaluate": "masquerade.evaluation",
    "image_synthesizers": "masquerade.synthesize",
    "infer": "masquerade.inference",
    "load": "masquerade.loading",
    "read_pictures": "masquerade.picture_files",
    "read_schema": "masquerade.files",
    "read_table": "masquerade.files",
    "survey": "masquerade.surveying.passes",
    "synthesizers": "masquerade.synthesize",
    "write_pictures": "masquerade.picture_files",
    "write_schema": "masquerade.files",
    "write_table": "masquerade.files",
}

__all__ = [
    "CTGAN",
    "DCGAN",
    "DPMERF",
    "TVAE",
    "Autoregressive",
    "Column",
    "Desensitizer",
    "Encoder",
    "FixedCombinations",
    "Formula",
    "Fusion",
    "GaussianCopula",
    "ImageDesensitizer",
    "ImageGAN",
    "ImageMasker",
    "Inequality",
    "Ledger",
    "Marginals",
    "Masker",
    "OneHot",
    "Pictures",
    "Privacy",
    "Range",
    "Report",
    "Schema",
    "Secret",
    "Survey",
    "TensorBoard",
    "WeightsAndBiases",
    "__version__",
    "augment",
    "evaluate",
    "image_synthesizers",
    "infer",
    "load",
    "read_pictures",
    "read_schema",
    "read_table",
    "survey",
    "synthesizers",
    "write_pictures",
    "write_schema",
    "write_table",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'masquerade' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
