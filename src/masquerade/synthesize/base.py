"""The contract of every synthesizer, and all that they share: table → codec → arrays, and back.

A synthesizer is one class in one module of this folder. It says how to learn from encoded arrays (`_learn`), how to draw them
(`_draw`), and what to save (`_to_state`, `_from_state`); tables, protection, conditions, seeds and files are dealt with here.
"""

from __future__ import annotations

import html
import secrets
import time
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

import polars as pl
from numpy.typing import NDArray

from masquerade import artifact, frames, seeds, spelling
from masquerade.codec.arrays import Encoded, Layout
from masquerade.codec.table import TableCodec
from masquerade.errors import ArtifactError, ConditionError, SettingError
from masquerade.interrupts import keeping_model
from masquerade.privacy.budget import Privacy
from masquerade.privacy.ledger import Ledger
from masquerade.privacy.protect import unit_series
from masquerade.progress import Callback, Progress
from masquerade.rules.check import check_rules
from masquerade.rules.enforce import Enforcer
from masquerade.schema import Schema
from masquerade.secret import Secret
from masquerade.synthesize.enforcement import enforced
from masquerade.synthesize.estimator import Learner
from masquerade.synthesize.given import Condition, Known, given_columns, one_column, rows_wanted
from masquerade.synthesize.private import Prepared, Spending, open_private, prepare
from masquerade.synthesize.private_rules import declared_enforcer
from masquerade.synthesize.settings import check_count
from masquerade.synthesize.source import open_source

__all__ = ["Condition", "Synthesizer"]

CHUNK_ROWS = 65_536
"""Rows drawn and decoded at a time."""


class Synthesizer(Learner):
    """Learns a table and draws new rows of it.

    A subclass is a scikit-learn estimator: its constructor only stores plain settings, among them at least `protect`, `unit`,
    `discrete_columns`, `random_state`, `verbose` and `callbacks`.

    Attributes after `fit`:
        schema_: the table's schema, protected.
        ledger_: what was guaranteed.
        history_: one mapping per epoch.
        interrupted_: True when Ctrl-C ended training early and the best model so far was kept.
        noised_rows_: after a private fit, about how many rows it used; the true number is not kept.
    """

    reference: ClassVar[str]
    """The paper behind the model."""

    quantiles: ClassVar[bool] = False
    """Whether numbers are encoded as quantile bins, else as mixtures with a scalar."""

    takes_any_cells: ClassVar[bool] = False
    """Whether any cells can be given, levels rebalanced and a temperature set, else one discrete column at a time."""

    most_levels: int = 500
    """At most so many levels of a column get a code."""

    spends: ClassVar[Spending | None] = None
    """How a private fit splits its budget before `_learn_private`; None: the model gives no guarantee."""

    privacy: Privacy | None = None
    """The guarantee to keep; a setting of those models that can keep one."""

    protect: int
    unit: str | None
    discrete_columns: Sequence[str] | None
    random_state: int | None
    verbose: bool
    callbacks: Sequence[Callback]

    schema_: Schema
    ledger_: Ledger
    history_: list[dict[str, float]]
    interrupted_: bool
    noised_rows_: int
    codec_: TableCodec
    kind_: frames.FrameKind
    _enforcer: Enforcer | None

    # ── what a subclass says ───────────────────────────────────────────────────────────────────────────────────

    @abstractmethod
    def _check_settings(self) -> None:
        """Raise `SettingError` for a setting out of range, before any work."""

    @abstractmethod
    def _learn(self, encoded: Encoded, layout: Layout, seed: int) -> None:
        """Learn from the encoded training table; set `history_` and `interrupted_`."""

    def _learn_private(self, prepared: Prepared) -> None:
        """`_learn` under a guarantee: each look at `prepared.encoded` is paid for at `prepared.accountant` before it is taken,
        randomness comes from the operating system, and `history_` tells steps and ε only."""
        raise NotImplementedError(f"{type(self).__name__} gives no guarantee")

    @abstractmethod
    def _draw(self, rows: int, known: Any, seed: int) -> Encoded:
        """Draw encoded rows; `known` is what `_condition` made of the given values, None without any."""

    @abstractmethod
    def _to_state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Everything learned beside the codec: plain data and arrays."""

    @abstractmethod
    def _from_state(self, config: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], layout: Layout) -> None:
        """The reverse of `_to_state`."""

    # ── fit ────────────────────────────────────────────────────────────────────────────────────────────────────

    def fit(self, X: Any, schema: Schema | None = None) -> Self:
        """Learn from a table.

        Args:
            X: a pandas, Polars or PyArrow table of at least 10 rows, which is not changed; or the path of a CSV or Parquet
                file, which is read as a stream where it would take more than half of the free memory; or a `masquerade.Survey`.
            schema: what each column is; None: inferred from the table.

        Raises:
            FileError: the file cannot be read.
            TableError: the table cannot be modelled (the message says why and what to do).
            SchemaError: the schema does not match the table.
            SettingError: a setting out of range.
            InterruptedTraining: Ctrl-C before there was anything to keep.
        """
        if self.privacy is not None:
            return self._fit_private(X, schema, self.privacy)
        seed = self._seed()
        self._check_settings()
        check_count("protect", self.protect, least=0)
        source = open_source(X, schema, protect=self.protect, unit=self.unit, seed=seed, callback=self._tell)
        del X
        began = time.monotonic()
        self._tell(Progress("encode", 0, 1, 0.0))
        raw, kind, counts = source.raw, source.kind, source.counts
        schema = self._schema_of(raw, source.schema)
        del source
        typed = spelling.parse(raw, schema)
        del raw
        check_rules(schema.rules, typed)
        self.codec_, encoded = TableCodec.fit_encode(
            typed,
            schema,
            protect=self.protect,
            discrete_columns=self.discrete_columns,
            max_levels=self.most_levels,
            quantiles=self.quantiles,
            reuse=self._reused(),
            independent=self._independent(),
            counts=counts,
            seed=seeds.integer(seed, "codec"),
        )
        self._enforcer = None
        if schema.rules:
            units = unit_series(typed, schema.unit)
            self._enforcer = Enforcer.learn(schema.rules, typed, schema, self.protect, units)
        del typed, counts
        self.schema_, self.kind_ = schema, kind.protected(schema)
        self.ledger_ = Ledger(
            unit=schema.unit or "row", mechanism=type(self).__name__, protections={"protect": self.protect}
        )
        self.interrupted_, self._calls = False, 0
        self._tell(Progress("encode", 1, 1, time.monotonic() - began, finished=True))
        with keeping_model(self):
            self._learn(encoded, self.codec_.layout, seeds.integer(seed, "learn"))
        return self

    def _fit_private(self, X: Any, schema: Schema | None, privacy: Privacy) -> Self:
        """`fit` under a guarantee: what is not declared is paid for or refused.

        Formal guarantees:
            Adding or removing all rows of one unit changes the probability of any fitted model, and so of its file, its ledger,
            its rows and what is told on the way, by no more than the ledger says. Public are: the names of the table's columns,
            what the schema declares, the settings, and the kind of frame (see `private_cells.declared_kind`). One thing is told
            of the rows as they are: that some have no unit, where a unit is named, and then nothing is made.
        """
        if self.spends is None:
            raise SettingError(
                f"privacy: {type(self).__name__} cannot keep a guarantee; take mq.Marginals, mq.Autoregressive or mq.CTGAN."
            )
        if discrete := getattr(self, "discrete_columns", None):
            raise SettingError(
                f"discrete_columns: got {list(discrete)} with a private fit, which asks the schema alone; declare these "
                "columns categorical, with their levels."
            )
        self._check_settings()
        began = time.monotonic()
        self._tell(Progress("encode", 0, 1, 0.0))
        opened = open_private(X, schema, privacy, seed=self.random_state, unit=self.unit)
        prepared = prepare(opened, privacy, self.spends, self._reused())
        self.codec_, self.schema_, self.kind_ = prepared.codec, prepared.codec.schema, opened.kind
        self._enforcer = declared_enforcer(self.schema_, self.codec_)
        self.interrupted_, self._calls, self.history_ = False, 0, []
        self.noised_rows_ = round(prepared.total)
        bounded = {} if opened.units is None else {"rows_per_unit": opened.most_rows}
        del opened
        self._tell(Progress("encode", 1, 1, time.monotonic() - began, finished=True))
        with keeping_model(self):
            self._learn_private(prepared)
            self.ledger_ = prepared.accountant.ledger(type(self).__name__, bounded)
        return self

    def _reused(self) -> TableCodec | None:
        """The codec of another model to go on from; none for most models."""
        return None

    def _independent(self) -> frozenset[str]:
        """Columns that are modelled even where another one determines them; none for most models."""
        return frozenset()

    # ── sample ─────────────────────────────────────────────────────────────────────────────────────────────────

    def sample(self, n: int | None = None, given: Any = None, random_state: int | None = None) -> Any:
        """Draw new rows.

        Args:
            n: how many; None: as many as `given` has, where that is a frame.
            given: a mapping `{column: value}` that holds in every row, or a frame whose row i is completed to row i of the
                result. What the model cannot condition on is refused.
            random_state: seed; None: the next draw of this model, reproducible when the model itself was given a seed.

        Returns:
            The same kind of frame as was fitted, with the same columns, dtypes and spelling.
        """
        frames_ = list(self.sample_chunks(n, given, random_state, chunk_rows=None))
        return frames_[0]

    def sample_chunks(
        self,
        n: int | None = None,
        given: Any = None,
        random_state: int | None = None,
        *,
        chunk_rows: int | None = CHUNK_ROWS,
    ) -> Iterator[Any]:
        """`sample` as a stream of frames of at most `chunk_rows` rows (None: one frame), so that memory stays small."""
        self._check_fitted()
        seed = self._sampling_seed(random_state)
        rows, condition = self._condition(n, given, seed)
        return self._chunks(rows, condition, seed, chunk_rows)

    def _chunks(self, rows: int, known: Known | None, seed: int, chunk_rows: int | None) -> Iterator[Any]:
        pieces = []
        for start in range(0, max(rows, 1), CHUNK_ROWS if chunk_rows is None else chunk_rows):
            count = min(CHUNK_ROWS if chunk_rows is None else chunk_rows, rows - start)
            with artifact.doubted(self._file):
                typed = self._typed(count, None if known is None else known.rows(start, count), seed, start)
            if chunk_rows is None:
                pieces.append(typed)
            else:
                yield self._native(typed)
        if chunk_rows is None:
            yield self._native(pl.concat(pieces))

    def _typed(self, count: int, known: Known | None, seed: int, start: int = 0) -> pl.DataFrame:
        """Typed rows, with what is known in its place and every rule met; `start` rows came before with this seed."""

        def draw(count: int, known: Known | None, *turn: int) -> pl.DataFrame:
            encoded = self._draw(count, known, seeds.integer(seed, "draw", start, *turn))
            typed = self.codec_.decode(encoded, seeds.integer(seed, "decode", *turn), start)
            return typed if known is None else known.fill(typed)

        typed = draw(count, known)
        if self._enforcer is None:
            return typed
        return enforced(
            self._enforcer,
            typed,
            lambda index, turn: draw(len(index), None if known is None else known.take(index), turn),
            given=frozenset() if known is None else known.names,
            redrawn=[*self.codec_.layout.names, *self.codec_.dependencies],
            seed=seeds.integer(seed, "rules", start),
        )

    def _native(self, typed: pl.DataFrame) -> Any:
        with artifact.doubted(self._file):
            return frames.from_polars(spelling.spell(typed, self.schema_, self.kind_), self.kind_)

    def _sampling_seed(self, random_state: int | None) -> int:
        if random_state is not None:
            return seeds.check_seed(random_state)
        self._calls += 1
        if self.random_state is None:
            return secrets.randbits(63)
        return seeds.integer(self._seed(), "sample", self._calls)

    def _condition(self, n: int | None, given: Any, seed: int) -> tuple[int, Known | None]:
        columns, given_rows = given_columns(given)
        rows = rows_wanted(n, given_rows)
        if not columns:
            return rows, None
        for name in columns:
            self.codec_.check_modelled(name)
            if self.schema_[name].is_numeric and name not in self.codec_.conditional:
                private = "declare it categorical, with its levels, for a private fit"
                way = "name it in `discrete_columns` when fitting" if self.privacy is None else private
                raise ConditionError(
                    f"given: column {name!r} is numeric, and {type(self).__name__} takes discrete columns only "
                    f"({', '.join(sorted(self.codec_.conditional)) or 'there is none'}); {way}, or take "
                    "mq.Autoregressive, which takes any."
                )
        if len(columns) > 1:
            for name, values in columns.items():
                self.codec_.condition(name, values[0])
            raise ConditionError(
                f"given: got {len(columns)} columns ({', '.join(columns)}), and {type(self).__name__} learns under a "
                "condition on one discrete column at a time; give one column, or take mq.Autoregressive, which takes any."
            )
        ((name, values),) = columns.items()
        return rows, one_column(self.codec_, name, values, rows, seed)

    # ── save and load ──────────────────────────────────────────────────────────────────────────────────────────

    def save(self, path: str | Path, *, secret: Secret | None = None) -> None:
        """Write the fitted model as one `.mq` file (JSON and safetensors in a zip; atomic; no training row inside).

        Args:
            path: where to.
            secret: what seals (encrypts) the file, such as `mq.Secret.from_password_file(path)`; None: it is not sealed.
        """
        artifact.write(path, type(self).__name__, *self._to_parts(), secret=secret)

    def _to_parts(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """The manifest and the arrays that `save` writes, also for releases that hold a synthesizer."""
        self._check_fitted()
        codec_config, codec_arrays = self.codec_.to_state()
        config, arrays = self._to_state()
        manifest = {
            "settings": self._settings(),
            "codec": codec_config,
            "kind": self.kind_.to_dict(),
            "ledger": self.ledger_.to_dict(),
            "history": self.history_,
            "learned": config,
        }
        if self._enforcer is not None:
            manifest["rules"], rule_arrays = self._enforcer.to_state()
            arrays |= {f"rules/{k}": v for k, v in rule_arrays.items()}
        parts = {f"codec/{k}": v for k, v in codec_arrays.items()} | {f"learned/{k}": v for k, v in arrays.items()}
        return manifest, parts

    @classmethod
    def _load(cls, part: artifact.Artifact, **nets: Any) -> Self:
        """A fitted model from what `save` wrote; `nets` are factories that the user brought."""
        config = part.config
        try:
            settings: dict[str, Any] = {
                k: tuple(v) if isinstance(v, list) else v for k, v in config["settings"].items()
            }
            if settings.get("privacy") is not None:
                settings["privacy"] = Privacy.from_dict(settings["privacy"])
            model = cls(**settings, **{k: v for k, v in nets.items() if v is not None})
            codec_arrays, learned = (
                {k.removeprefix(head): v for k, v in part.arrays.items() if k.startswith(head)}
                for head in ("codec/", "learned/")
            )
            rules = {k.removeprefix("rules/"): learned.pop(k) for k in list(learned) if k.startswith("rules/")}
            model._enforcer = Enforcer.from_state(config["rules"], rules) if "rules" in config else None
            model.codec_ = TableCodec.from_state(config["codec"], codec_arrays)
            model.schema_ = model.codec_.schema
            model.kind_ = frames.FrameKind.from_dict(config["kind"])
            model.ledger_ = Ledger.from_dict(config["ledger"])
            model.history_, model.interrupted_, model._calls = list(config["history"]), False, 0
            model._from_state(config["learned"], learned, model.codec_.layout)
        except (KeyError, TypeError, AttributeError, IndexError) as error:
            raise ArtifactError(
                f"the model file does not hold a complete {cls.__name__} ({type(error).__name__}: {error}); save it again."
            ) from error
        return model

    # ── looks ──────────────────────────────────────────────────────────────────────────────────────────────────

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "codec_")

    def _repr_html_(self) -> str:
        """A card for notebooks: the settings that differ from the defaults, the columns and the guarantee."""
        head = f"<strong>{html.escape(repr(self))}</strong>"
        if not self.__sklearn_is_fitted__():
            return f"<div>{head}<br>not fitted</div>"
        last = self.history_[-1] if self.history_ else {}
        facts = [
            f"{len(self.schema_)} columns, {len(self.codec_.layout.names)} of them modelled",
            f"{int(last.get('epoch', last.get('step', 0)))} {'private steps' if 'step' in last else 'epochs'}",
            html.escape(self.ledger_.sentence()),
        ]
        return f"<div>{head}<ul>{''.join(f'<li>{fact}</li>' for fact in facts)}</ul></div>"
