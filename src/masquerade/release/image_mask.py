"""Regions of real pictures hidden, and filled with what could have been there: `ImageMasker`."""

from __future__ import annotations

import functools
import time
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal, Self

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from masquerade import seeds
from masquerade.errors import SettingError, TableError, nearest
from masquerade.nets.loop import Compilation, Schedule, seconds_left
from masquerade.nets.picture_filling import FillData, FillNet, FillNetFactory, FillSettings, PictureFilling
from masquerade.nets.picture_nets import PictureCritic, PictureNetFactory
from masquerade.nets.weights import from_arrays, to_arrays
from masquerade.pictures import LABEL, Pictures
from masquerade.privacy.ledger import Ledger
from masquerade.progress import Callback
from masquerade.release.image_beliefs import Beliefs
from masquerade.release.image_regions import box_mask, check_box, halves, read_masks
from masquerade.release.image_release import PictureRelease, blocks, check_modelled, under
from masquerade.release.image_ways import WAYS, blackened, blurred, default_grain, pixelated
from masquerade.synthesize.estimator import careful
from masquerade.synthesize.image_base import as_pictures
from masquerade.synthesize.settings import check_count, check_positive

__all__ = ["ImageMasker"]

BLOCK = 250
"""Pictures filled in one compiled call."""

LEAST_OF_HALF = 10
LEAST_OF_CLASS = 10
"""Pictures of a class below which a net is not told of it."""

AUDITED = 500
"""Pictures whose fills by both nets are compared."""

BELIEFS_SHARE = 0.25
"""Of the time for training, where that is limited: what classifiers get, where the pictures have classes."""

STEPS = 2_000
"""Steps of each net at least, however few pictures there are; the most are twice as many."""


class ImageMasker(PictureRelease):
    """Hides a region of every picture; all pixels outside of it stay as they are, to the bit.

    With `how="generate"` a net draws what could have been there, G(x, m) → x̂, from what the picture still shows and, where the
    pictures have classes, from the class, which is released beside it; where it is not told, from the likeliest one, as a
    classifier of pictures with holes sees it. Fills vary from draw to draw. The nets of a picture never saw it: two of each are
    trained, each on half of the pictures, and each fills the other half; which half, a keyed hash of the pixels tells (as of
    `Masker`). The classic ways learn nothing; of them only `"blackout"` takes everything away.

    Args:
        box: `(top, left, height, width)` in pixels: what is hidden of every picture.
        mask: instead of `box`: booleans, True where hidden, shape (height, width), or (n, height, width) for each picture.
        how: `"generate"`, `"blur"`, `"pixelate"` or `"blackout"`.
        grain: of `"pixelate"` the side of a block, of `"blur"` twice the standard deviation, in pixels; None: a quarter of the
            picture's shorter side. The other ways have none.
        epochs: passes over the pictures; None: as many as make 2,000 to 4,000 steps of each net.
        batch_size: pictures a step.
        width: channels of the nets at a quarter of the pictures' size.
        learning_rate: of both nets.
        penalty: weight of the critics' gradient penalties; 0: none.
        max_minutes: wall-clock limit of training; None: no limit.
        generator: factory `(shape, latent_width, classes, *, key) -> equinox.Module` of another net that fills (see
            `masquerade.nets.picture_filling.FillNetFactory`).
        discriminator: likewise, of another critic; it sees the mask as one more channel.
        verbose: whether to show a progress bar.
        callbacks: called with each `masquerade.progress.Progress`.
        random_state: seed; with an integer the same pictures are filled alike. None: afresh each time.

    After `fit` with `how="generate"`, `audit_` holds, of up to 500 training pictures, in grey levels per hidden pixel: `error`
    of a fill; `error_if_seen`, by the net that did see them, which would be lower if nets learned pictures by heart; and
    `spread`, how far two fills of a picture are apart.

    >>> pictures = np.full((3, 8, 8), 200, np.uint8)
    >>> masked, _ = ImageMasker(box=(2, 2, 4, 4), how="blackout").fit_transform(pictures)
    >>> int(masked[0, 0, 0]), int(masked[0, 3, 3])
    (200, 0)
    """

    reference: ClassVar[str] = (
        "Pathak et al., Context encoders, 2016, arXiv 1604.07379; spread: arXiv 2210.13389; cross-fitting: arXiv 1608.00060"
    )

    def __init__(
        self,
        *,
        box: tuple[int, int, int, int] | None = None,
        mask: Any = None,
        how: Literal["generate", "blur", "pixelate", "blackout"] = "generate",
        grain: int | None = None,
        epochs: int | None = None,
        batch_size: int = 32,
        width: int = 32,
        learning_rate: float = 1e-3,
        penalty: float = 2.0,
        max_minutes: float | None = None,
        generator: FillNetFactory | None = None,
        discriminator: PictureNetFactory | None = None,
        verbose: bool = False,
        callbacks: Sequence[Callback] = (),
        random_state: int | None = None,
    ):
        self.box = box
        self.mask = mask
        self.how = how
        self.grain = grain
        self.epochs = epochs
        self.batch_size = batch_size
        self.width = width
        self.learning_rate = learning_rate
        self.penalty = penalty
        self.max_minutes = max_minutes
        self.generator = generator
        self.discriminator = discriminator
        self.verbose = verbose
        self.callbacks = callbacks
        self.random_state = random_state

    def _check_settings(self) -> None:
        known = ("generate", *WAYS)
        if self.how not in known:
            raise SettingError(
                f"how: got {self.how!r}, expected one of {', '.join(known)}{nearest(str(self.how), known)}."
            )
        if (self.box is None) == (self.mask is None):
            raise SettingError("box, mask: expected one of them: what is hidden.")
        if self.box is not None:
            check_box(self.box)
        if self.grain is not None:
            if self.how not in ("blur", "pixelate"):
                raise SettingError(
                    f"grain: got {self.grain!r}, which does nothing with how={self.how!r}; leave it out."
                )
            check_count("grain", self.grain, least=2)
        if self.epochs is not None:
            check_count("epochs", self.epochs)
        check_count("batch_size", self.batch_size)
        check_count("width", self.width, least=4)
        check_positive("learning_rate", self.learning_rate)
        if self.penalty != 0:
            check_positive("penalty", self.penalty)
        if self.max_minutes is not None:
            check_positive("max_minutes", self.max_minutes)

    # ── learning ───────────────────────────────────────────────────────────────────────────────────────────────

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn to fill, where that was asked for.

        Args:
            X: an array uint8 of shape (n, height, width) or (n, height, width, 3), `Pictures`, or the path of a picture set. To
                learn to fill, at least 20 or so, height and width multiples of 4 from 8 to 64. It is not changed.
            y: the class of each picture, shape (n,); None: what `X` says.

        Raises:
            SettingError: a setting out of range, or a box or mask that does not fit the pictures.
            TableError: pictures that cannot be modelled.
            InterruptedTraining: Ctrl-C before there was anything to keep.
        """
        seed = self._seed()
        self._check_settings()
        pictures = as_pictures(X, y)
        height, width = pictures.size
        masks = self._asked(len(pictures), (height, width))
        if not masks.any():
            raise SettingError("mask: nothing is hidden.")
        if self.how == "generate":
            check_modelled(pictures, 2 * LEAST_OF_HALF)
        self.shape_, self.history_, self.interrupted_ = (height, width, pictures.channels), [], False
        self._mask = masks[0] if len(masks) == 1 else None
        self.audit_ = {}
        if self.how == "generate":
            values, counts = np.unique(pictures.labels.get(LABEL, np.empty(0)), return_counts=True)
            self.classes_ = values[counts >= LEAST_OF_CLASS]
            self._learn(pictures, masks, seeds.integer(seed, "learn"))
            self._audit(pictures, masks, seeds.integer(seed, "audit"))
        hidden = {"hidden pixels": int(masks.sum(axis=(1, 2)).max())}
        self.ledger_ = Ledger(
            unit="picture", mechanism="ImageMasker", protections={"how": self.how, **hidden}, aligned=True
        )
        return self

    def fit_transform(self, X: Any, y: Any = None) -> Pictures:
        """`fit`, and `transform` of the same pictures."""
        return self.fit(X, y).transform(as_pictures(X, y))

    def _filling(self, count: int, steps: int) -> PictureFilling:
        width = 4 * -(-self.width // 4)
        settings = FillSettings(
            batch_size=min(self.batch_size, max(count // 2, 2)),
            learning_rate=self.learning_rate,
            penalty=self.penalty,
            steps=steps,
        )
        generator = self.generator or functools.partial(FillNet, width=width)
        critic = self.discriminator or functools.partial(PictureCritic, width=width)
        return PictureFilling(self.shape_, self.classes_.size, settings, generator, critic)

    def _learn(self, pictures: Pictures, masks: NDArray[np.bool_], seed: int) -> None:
        began = time.monotonic()
        self._salt = seeds.stream(seed, "halves").bytes(32)
        second = halves(pictures.images, self._salt)
        order = np.argsort(second, kind="stable")
        counts = np.array([int((~second).sum()), int(second.sum())])
        if counts.min() < LEAST_OF_HALF:
            raise TableError(
                f"images: half of them fill the other half's, and the smaller half has {counts.min()}, expected at least "
                f"{LEAST_OF_HALF}; give more pictures, or hide by blur, pixelate or blackout."
            )
        size = min(self.batch_size, max(int(counts.min()) // 2, 2))
        steps = 2 * max(int(counts.max()) // size, 1)  # of one epoch, both nets' turns together
        wanted = int(np.clip(12 * counts.max() // size, STEPS, 2 * STEPS))
        epochs = self.epochs or max(2 * wanted // steps, 1)
        self._net = net = self._filling(int(counts.min()), epochs * steps // 2)
        numbers, limit = self._numbers(pictures), seconds_left(self.max_minutes, began)
        if self.classes_.size:  # before the nets that fill: those are worth keeping also if Ctrl-C ends their training
            self._beliefs = Beliefs(self.shape_, self.classes_.size).fit(
                pictures.images,
                numbers,
                second,
                masks,
                seed=seeds.integer(seed, "beliefs"),
                max_seconds=None if limit is None else BELIEFS_SHARE * limit,
                callback=self._tell_apart("classifier"),
            )
        data = FillData(
            jnp.asarray(pictures.images[order]),
            jnp.asarray(numbers[order]),
            jnp.asarray(masks),
            jnp.array([0, counts[0]]),
            jnp.asarray(counts),
        )
        left = seconds_left(self.max_minutes, began)
        schedule = Schedule(epochs, steps, left, validate_every=epochs, quick=True)
        self._params = self._train(net, data, schedule, seeds.integer(seed, "train"))
        self._forget()

    def _audit(self, pictures: Pictures, masks: NDArray[np.bool_], seed: int) -> None:
        """How far fills are from the truth, by the net that did not see a picture and by the one that did."""
        chosen = np.sort(seeds.stream(seed, "some").permutation(len(pictures))[:AUDITED])
        some = pictures[chosen]
        hidden = np.broadcast_to(masks if len(masks) == 1 else masks[chosen], some.images.shape[:3])
        unseen, again = (self._fill(some, hidden, seeds.integer(seed, name)) for name in ("first", "second"))
        seen = self._fill(some, hidden, seeds.integer(seed, "first"), seen=True)
        self.audit_ = {
            "error": _apart(some.images, unseen, hidden),
            "error_if_seen": _apart(some.images, seen, hidden),
            "spread": _apart(unseen, again, hidden),
        }

    # ── masking ────────────────────────────────────────────────────────────────────────────────────────────────

    @careful
    def transform(self, X: Any, mask: Any = None, random_state: int | None = None, y: Any = None) -> Pictures:
        """The pictures with the region hidden, in their order, and their labels as they were.

        Args:
            X: pictures of the fitted size, as for `fit`; they are not changed. The classes they have help to fill.
            mask: what is hidden in place of the setting: booleans, (height, width) or (n, height, width).
            random_state: seed of this draw; None: that of the setting. Repeated draws of a picture tell more about it than one.
            y: the class of each picture, shape (n,); None: what `X` says, and the likeliest where it says nothing.

        Raises:
            SchemaError: pictures of another size or mode.
            SettingError: the mask does not fit the pictures, or was one for each of the fitted ones and is missing for these.
        """
        self._check_fitted()
        pictures = as_pictures(X, y)
        self._check_same(pictures)
        masks = (
            self._asked(len(pictures), pictures.size)
            if mask is None
            else read_masks(mask, len(pictures), pictures.size)
        )
        hidden = np.broadcast_to(masks, pictures.images.shape[:3])
        if self.how == "generate":
            made = self._fill(pictures, hidden, self._transform_seed(random_state))
        else:
            made = np.empty_like(pictures.images)
            for start in range(0, len(pictures), BLOCK):
                part = slice(start, start + BLOCK)
                made[part] = self._classic(pictures.images[part], hidden[part])
        return Pictures(made, pictures.labels, pictures.files)

    def _classic(self, images: NDArray[np.uint8], hidden: NDArray[np.bool_]) -> NDArray[np.uint8]:
        if self.how == "blackout":
            return blackened(images, hidden)
        grain = default_grain(*images.shape[1:3]) if self.grain is None else self.grain
        return (blurred if self.how == "blur" else pixelated)(images, hidden, grain)

    def _asked(self, count: int, size: tuple[int, int]) -> NDArray[np.bool_]:
        """The region of the settings: booleans (1, height, width) or (count, height, width)."""
        if self.box is not None:
            return box_mask(check_box(self.box), size)[None]
        if self.mask is not None:
            return read_masks(self.mask, count, size)
        kept: NDArray[np.bool_] | None = self._mask
        if kept is None:
            raise SettingError("mask: it was one for each picture when fitting; give the mask of these pictures, too.")
        return kept[None]

    def _numbers(self, pictures: Pictures) -> NDArray[np.int32]:
        """The number of each picture's class; -1 where it is not known."""
        values = pictures.labels.get(LABEL)
        if values is None or not self.classes_.size:
            return np.full(len(pictures), -1, np.int32)
        if (values.dtype.kind in "US") != (self.classes_.dtype.kind in "US"):
            raise SettingError(
                f"label {LABEL!r}: it is of integers here and of texts when fitted, or the other way round."
            )
        place = np.minimum(np.searchsorted(self.classes_, values), self.classes_.size - 1)
        return np.where(self.classes_[place] == values, place, -1).astype(np.int32)

    def _fill(
        self, pictures: Pictures, hidden: NDArray[np.bool_], seed: int, *, seen: bool = False
    ) -> NDArray[np.uint8]:
        """Hidden pixels drawn by the net of the other half, or, only to measure it, by the one that saw them."""
        if not hasattr(self, "_drawing"):
            arguments = (jnp.int32(0), jax.eval_shape(jax.random.key, 0), jnp.zeros((BLOCK, *self.shape_), jnp.uint8))
            flags, numbers = jnp.zeros((BLOCK, *self.shape_[:2]), jnp.bool_), jnp.zeros(BLOCK, jnp.int32)
            self._drawing = Compilation(
                self._net.fill, self._params, *arguments, flags, numbers, numbers, quick=True
            ).result()
        made = pictures.images.copy()
        key = jax.random.key(seeds.integer(seed, "fill"))
        second, classes = halves(pictures.images, self._salt), self._numbers(pictures)
        anywhere, untold = hidden.any(axis=(1, 2)), self.classes_.size and LABEL not in pictures.labels
        for half in (0, 1):
            places = np.flatnonzero((second == bool(half)) & anywhere)
            net = half if seen else 1 - half
            if untold and places.size:
                classes[places] = self._beliefs.likeliest(pictures.images[places], hidden[places], net)
            for block in blocks(len(places), BLOCK):
                rows = places[block]
                given = (pictures.images[rows], hidden[rows], classes[rows], rows.astype(np.int32))
                made[rows] = np.asarray(self._drawing(self._params, jnp.int32(net), key, *given))
        return made

    # ── save and load ──────────────────────────────────────────────────────────────────────────────────────────

    def _forget(self) -> None:
        """What was compiled for other nets is of no use."""
        if hasattr(self, "_drawing"):
            del self._drawing

    def _settings(self) -> dict[str, Any]:
        return {name: value for name, value in super()._settings().items() if name != "mask"}

    def _to_state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        arrays: dict[str, NDArray[Any]] = {}
        config: dict[str, Any] = {"by_mask": self.box is None}
        if self._mask is not None:
            arrays["mask"] = self._mask
        if self.how == "generate":
            config |= {"salt": self._salt.hex(), "classes": self.classes_.tolist()}
            arrays |= {f"net{name}": array for name, array in to_arrays(self._params).items()}
            if self.classes_.size:
                arrays |= {f"beliefs{name}": array for name, array in self._beliefs.to_arrays().items()}
        return config, arrays

    def _from_state(self, config: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
        if not config["by_mask"]:
            self._check_settings()
        self._mask = arrays.get("mask")
        if self._mask is not None and (self._mask.shape != self.shape_[:2] or self._mask.dtype != np.bool_):
            raise ValueError("the mask is of another size")
        if self.how == "generate":
            self._salt, self.classes_ = bytes.fromhex(config["salt"]), np.array(config["classes"])
            self._net = self._filling(self.batch_size * 2, 1)
            self._params = from_arrays(self._net.skeleton(), under("net", arrays))
            if self.classes_.size:
                self._beliefs = Beliefs(self.shape_, self.classes_.size).take(under("beliefs", arrays))


def _apart(one: NDArray[np.uint8], other: NDArray[np.uint8], hidden: NDArray[np.bool_]) -> float:
    """Mean distance of hidden pixels, in grey levels."""
    return float(np.abs(one.astype(np.float32) - other)[hidden].mean())
