"""Real pictures for all tests here: scikit-learn's handwritten digits, 8 x 8."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_digits

from masquerade.pictures import Pictures


@pytest.fixture(scope="session")
def digits() -> Pictures:
    """1,797 grey digits with their class and whether they are even."""
    data = load_digits()
    images = (data.images * 255 / 16).round().astype(np.uint8)
    return Pictures(images, {"label": data.target, "parity": np.where(data.target % 2 == 0, "even", "odd")})


@pytest.fixture(scope="session")
def colours() -> Pictures:
    """60 small colour pictures with texts for classes, one of which no folder can be called."""
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (60, 6, 9, 3)).astype(np.uint8)
    return Pictures(images, {"label": np.array(["cat", "dog", "a/b: c"] * 20)})
