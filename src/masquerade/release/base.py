"""The contract of every release that keeps its records: row i of what comes out was made from row i of what went in.

A release is one class in one module of this folder. It says how to learn from a typed table (`_learn`), how to turn one into
another (`_apply`), and what to save (`_to_state`, `_from_state`); frames, schemas, spelling and seeds are dealt with here.
"""

from __future__ import annotations

import html
import secrets
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from masquerade import artifact, frames, seeds, spelling
from masquerade.errors import ArtifactError
from masquerade.privacy.ledger import Ledger
from masquerade.schema import Schema
from masquerade.secret import Secret
from masquerade.synthesize.estimator import Learner
from masquerade.synthesize.settings import check_count

__all__ = ["Release"]


class Release(Learner):
    """A scikit-learn transformer that makes each record of a table safer.

    A subclass's constructor only stores plain settings, among them at least `protect`, `unit`, `random_state`, `verbose` and
    `callbacks`.

    Attributes after `fit`:
        schema_: the table's schema, protected.
        ledger_: what was guaranteed.
        feature_names_in_: the columns that were fitted, in order.
        n_features_in_: how many.
    """

    reference: ClassVar[str]
    """The paper behind the release."""

    schema_: Schema
    kind_: frames.FrameKind
    ledger_: Ledger

    # ── what a subclass says ───────────────────────────────────────────────────────────────────────────────────

    @abstractmethod
    def _check_settings(self) -> None:
        """Raise `SettingError` for a setting out of range, before any work."""

    def _check_table(self, typed: pl.DataFrame, schema: Schema) -> None:
        """Raise for settings that do not fit the table, before any work; nothing by default."""

    @abstractmethod
    def _learn(self, typed: pl.DataFrame, seed: int) -> None:
        """Learn from the typed training table; `schema_` and `kind_` are set."""

    @abstractmethod
    def _apply(self, typed: pl.DataFrame, seed: int) -> pl.DataFrame:
        """The typed table that is released: as many rows, in the same order."""

    @abstractmethod
    def _names_out(self) -> Sequence[str]:
        """The released columns, in order."""

    @abstractmethod
    def _protections(self) -> Mapping[str, Any]:
        """The measures without a guarantee, for the ledger."""

    @abstractmethod
    def _to_state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Everything learned: plain data and arrays."""

    @abstractmethod
    def _from_state(self, config: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
        """The reverse of `_to_state`."""

    # ── the face ───────────────────────────────────────────────────────────────────────────────────────────────

    def fit(self, X: Any, y: Any = None, schema: Schema | None = None) -> Self:
        """Learn from a table.

        Args:
            X: a pandas, Polars or PyArrow table of at least 10 rows; it is not changed.
            y: not used; scikit-learn's pipelines hand it over.
            schema: what each column is; None: inferred from the table.

        Raises:
            TableError: the table cannot be modelled (the message says why and what to do).
            SchemaError: the schema does not match the table.
            SettingError: a setting out of range.
        """
        seed = self._seed()
        self._check_settings()
        check_count("protect", self.protect, least=0)
        raw, kind = frames.to_polars(X)
        frames.check_table(raw)
        schema = self._schema_of(raw, schema)
        typed = spelling.parse(raw, schema)
        self._check_table(typed, schema)
        self.schema_, self.kind_ = schema, kind.protected(schema)
        self._learn(typed, seeds.integer(seed, "learn"))
        self.ledger_ = Ledger(
            unit=schema.unit or "row",
            mechanism=type(self).__name__,
            protections=dict(self._protections()),
            aligned=True,
            dropped=tuple(name for name in schema.names if name not in self._names_out()),
        )
        return self

    def transform(self, X: Any) -> Any:
        """The records made safer, in their order.

        Args:
            X: a table with the fitted columns; it is not changed.

        Returns:
            The kind of frame that was given. With an integer `random_state` the same rows give the same result; repeated draws
            of one record would tell more about it than one.

        Raises:
            SchemaError: the table does not match the fitted columns.
        """
        self._check_fitted()
        raw, kind = frames.to_polars(X)
        typed = spelling.parse(raw, self.schema_)
        with artifact.doubted(self._file):
            return self._native(self._apply(typed, self._apply_seed()), raw, kind)

    def fit_transform(self, X: Any, y: Any = None, schema: Schema | None = None) -> Any:
        """`fit`, and `transform` of the same rows."""
        return self.fit(X, y, schema).transform(X)

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[Any]:
        """The names of the released columns, in order: an array of objects, shape (columns,)."""
        self._check_fitted()
        return np.array(list(self._names_out()), dtype=object)

    @property
    def feature_names_in_(self) -> NDArray[Any]:
        """The fitted columns, in order."""
        self._check_fitted()
        return np.array(self.schema_.names, dtype=object)

    @property
    def n_features_in_(self) -> int:
        """How many columns were fitted."""
        self._check_fitted()
        return len(self.schema_.names)

    def _apply_seed(self) -> int:
        return secrets.randbits(63) if self.random_state is None else seeds.integer(self._seed(), "apply")

    def _native(self, typed: pl.DataFrame, raw: pl.DataFrame, kind: frames.FrameKind) -> Any:
        """The released rows spelled as the table was, in the kind of frame that was given."""
        del raw  # for releases that keep cells exactly as they are spelled
        schema = Schema(tuple(self.schema_[name] for name in typed.columns))
        given = self._kind_of(kind)
        return frames.from_polars(spelling.spell(typed, schema, given), given)

    def _kind_of(self, kind: frames.FrameKind) -> frames.FrameKind:
        """The kind of frame that was given, without categories of its columns that are no protected levels."""
        return frames.FrameKind(kind.library, {**self.kind_.columns, **kind.protected(self.schema_).columns})

    # ── save and load ──────────────────────────────────────────────────────────────────────────────────────────

    def save(self, path: str | Path, *, secret: Secret | None = None) -> None:
        """Write the fitted release as one `.mq` file (JSON and safetensors in a zip; atomic; no training row inside).

        Args:
            path: where to.
            secret: what seals (encrypts) the file, such as `mq.Secret.from_password_file(path)`; None: it is not sealed.
        """
        self._check_fitted()
        config, arrays = self._to_state()
        manifest = {
            "settings": self._settings(),
            "schema": self.schema_.to_dict(),
            "kind": self.kind_.to_dict(),
            "ledger": self.ledger_.to_dict(),
            "learned": config,
        }
        artifact.write(path, type(self).__name__, manifest, arrays, secret=secret)

    @classmethod
    def _load(cls, part: artifact.Artifact) -> Self:
        """A fitted release from what `save` wrote."""
        config = part.config
        try:
            release = cls(**config["settings"])
            release.schema_ = Schema.from_dict(config["schema"])
            release.kind_ = frames.FrameKind.from_dict(config["kind"])
            release.ledger_ = Ledger.from_dict(config["ledger"])
            release._from_state(config["learned"], part.arrays)
        except (KeyError, TypeError, AttributeError, IndexError) as error:
            raise ArtifactError(
                f"the model file does not hold a complete {cls.__name__} ({type(error).__name__}: {error}); save it again."
            ) from error
        return release

    # ── looks ──────────────────────────────────────────────────────────────────────────────────────────────────

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "ledger_")

    def _repr_html_(self) -> str:
        """A card for notebooks: the settings that differ from the defaults, the columns and the guarantee."""
        head = f"<strong>{html.escape(repr(self))}</strong>"
        if not self.__sklearn_is_fitted__():
            return f"<div>{head}<br>not fitted</div>"
        facts = [
            f"{len(self.schema_.names)} columns in, {len(self._names_out())} out",
            html.escape(self.ledger_.sentence()),
        ]
        return f"<div>{head}<ul>{''.join(f'<li>{fact}</li>' for fact in facts)}</ul></div>"
