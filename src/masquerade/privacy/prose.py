"""Free text made anew: words that many share, at their frequencies, among words made by shape."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from masquerade.privacy.free import Taken
from masquerade.privacy.protect import protected_bounds, protected_levels
from masquerade.privacy.shape import CAPITAL, SMALL, points, random_characters, shapes_of, texts
from masquerade.privacy.template import Template

__all__ = ["Prose", "is_prose"]

WORDS = 2_000
WORD_SHAPES = 50
LEARNED_ROWS = 20_000


def is_prose(values: pl.Series) -> bool:
    """Whether texts have two words or more on average."""
    return values.len() > 0 and float((values.head(10_000).str.count_matches(r"\S+")).mean() or 0) >= 2  # type: ignore[arg-type]


@dataclass(frozen=True)
class Prose:
    """Words, and how many of them a text has.

    Args:
        opening: the first word: its beginning is one that no real text has, so no text made is a real one.
        words: words that enough units have.
        shapes: shapes of other words that enough units have.
        weights: share of each word and then of each shape, float64.
        counts: words in a text as quantiles within the protected bounds, float64, rising.
    """

    opening: Template
    words: tuple[str, ...]
    shapes: tuple[str, ...]
    weights: NDArray[np.float64]
    counts: NDArray[np.float64]

    @classmethod
    def learn(
        cls, values: pl.Series, protect: int, units: pl.Series | None, skeletons: Taken, rng: np.random.Generator
    ) -> Self:
        """Learn from texts; see `Pattern.learn`."""
        letters = shapes_of(values.head(1_000)).str.join("").item()
        mark = CAPITAL if letters.count(CAPITAL) > letters.count(SMALL) else SMALL
        opening = Template.learn(mark * 6, None, skeletons, rng, 1e5)
        opening = opening or Template.learn(mark * 12, None, skeletons, rng, 1e5)
        assert opening is not None  # twelve letters leave room beside any table
        values, units = values.head(LEARNED_ROWS), None if units is None else units.head(LEARNED_ROWS)
        owner = pl.Series("owner", np.arange(values.len())) if units is None else units.alias("owner")
        split = values.str.extract_all(r"\S+").alias("word")
        counts = split.list.len().cast(pl.Float64).to_numpy()
        frame = pl.DataFrame([owner, split]).explode("word").drop_nulls()
        known = protected_levels(frame["word"], max(protect, 2), frame["owner"]).head(WORDS)
        other = frame.filter(~pl.col("word").is_in(known["level"].to_list()))
        shapes = protected_levels(shapes_of(other["word"]), max(protect, 2), other["owner"]).head(WORD_SHAPES)
        left = max(other.height - int(shapes["rows"].sum()), 0 if known.height + shapes.height else 1)
        rows = [*known["rows"].to_list(), *shapes["rows"].to_list(), left]
        enough = (values.len() if units is None else units.n_unique()) >= max(2 * protect, 2)
        low, high = (
            protected_bounds(counts, protect, None if units is None else units.to_numpy()) if enough else (3.0, 3.0)
        )
        knots = np.quantile(np.clip(counts, low, high), np.linspace(0, 1, 11))
        return cls(
            opening,
            tuple(known["level"].to_list()),
            (*shapes["level"].to_list(), SMALL * 5),
            np.array(rows, dtype=np.float64) / sum(rows),
            knots,
        )

    def generate(self, count: int, rng: np.random.Generator) -> pl.Series:
        """`count` texts."""
        lengths = np.interp(rng.random(count), np.linspace(0, 1, self.counts.size), self.counts)
        following = np.maximum(np.round(lengths).astype(np.int64) - 1, 0)
        which = rng.choice(self.weights.size, size=int(following.sum()), p=self.weights)
        vocabulary = pl.Series([*self.words, *self.shapes], dtype=pl.String)
        drawn = vocabulary.gather(which)
        for i in np.unique(which[which >= len(self.words)]):
            places = np.flatnonzero(which == i)
            shape = self.shapes[i - len(self.words)]
            marks = points([shape], len(shape))[0]
            drawn = drawn.scatter(places, texts(random_characters(marks, places.size, rng)))
        rows = np.repeat(np.arange(count), following)
        frame = pl.DataFrame(
            {"row": np.r_[np.arange(count), rows], "word": pl.concat([self.opening.generate(count, rng), drawn])}
        )
        joined = (
            frame.sort("row", maintain_order=True)
            .group_by("row", maintain_order=True)
            .agg(pl.col("word").str.join(" "))
        )
        return joined["word"]

    def to_state(self) -> dict[str, Any]:
        """JSON data."""
        return {
            "opening": self.opening.to_state(), "words": list(self.words), "shapes": list(self.shapes),
            "weights": self.weights.tolist(), "counts": self.counts.tolist(),
        }  # fmt: skip

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """The reverse of `to_state`."""
        return cls(
            Template.from_state(state["opening"]), tuple(state["words"]), tuple(state["shapes"]),
            np.array(state["weights"]), np.array(state["counts"]),
        )  # fmt: skip
