"""Masquerade: release data without releasing people."""

from __future__ import annotations

__version__ = "0.1.0"
