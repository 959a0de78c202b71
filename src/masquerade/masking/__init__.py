"""The classic ways to mask a column, each in a module of its own: no model, no training, one batch of cells after another."""

from __future__ import annotations

from masquerade.masking.generalize import Generalize
from masquerade.masking.noise import Noise
from masquerade.masking.redact import Redact
from masquerade.masking.replace import Replace
from masquerade.masking.shuffle import Shuffle
from masquerade.masking.suppress import Suppress
from masquerade.masking.way import Batch, Way

__all__ = ["WAYS", "Batch", "Generalize", "Noise", "Redact", "Replace", "Shuffle", "Suppress", "Way"]

WAYS: dict[str, type[Way]] = {way.how: way for way in (Replace, Redact, Noise, Generalize, Shuffle, Suppress)}
"""Every way by its name in `how=`."""
