"""Pictures from which a secret can no longer be told, while a label that is kept stays readable: `ImageDesensitizer`."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal, Self

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from masquerade import seeds
from masquerade.errors import MasqueradeWarning, SettingError, nearest
from masquerade.nets.loop import Compilation, Schedule, train
from masquerade.nets.picture_classifier import PictureClassifier
from masquerade.nets.picture_nets import PictureCritic, PictureGenerator, PictureNetFactory
from masquerade.nets.picture_veil import PictureVeil, VeilData, VeilSettings
from masquerade.nets.weights import from_arrays, to_arrays
from masquerade.pictures import Pictures
from masquerade.privacy.ledger import Ledger
from masquerade.progress import Callback, Progress
from masquerade.release.image_attackers import (
    accuracy_of_fresh,
    guessing,
    mixed,
    passes_for,
    share_that_tells_nothing,
)
from masquerade.release.image_release import PictureRelease, blocks, check_modelled
from masquerade.release.image_secrets import Groups
from masquerade.release.image_transport import Transport
from masquerade.synthesize.estimator import careful
from masquerade.synthesize.image_base import as_pictures
from masquerade.synthesize.settings import check_count, check_positive, check_share

__all__ = ["ImageDesensitizer"]

BLOCK = 250
"""Pictures in one compiled call."""

LEAST_PICTURES = 80
HELD_SHARE = 0.1
"""Share of the pictures that no net trains on, and attackers are tried on."""

STEPS = 2_500


class ImageDesensitizer(PictureRelease):
    """Redraws each picture so that it no longer tells a secret label, and still shows the label that is kept.

    G(x, s) → x̂ in three steps. An encoder, shown the secret s and what is kept, turns the picture into a code of what else
    there is to it. The code is made normal in each group of pictures (`masquerade.release.image_transport`) and mixed with
    as much noise as it takes until a support vector machine gains nothing by it. A decoder then paints the code as a picture
    with the same kept label and a *random* secret, drawn as often as it comes with what is kept. That is no bound: attackers
    on the painted pictures may find traces that the one on codes missed. How much they find is measured in `audit_`, and
    has to be read before a release.

    What is *not* hidden: whose picture it is (picture i stays picture i), the secret from somebody who knows the original, what
    the kept label tells of the secret. Labels but the kept one are left out of the release, for they may tell the secret.

    Args:
        hide: the label that is secret.
        keep: the label that stays readable; None: none.
        strength: share of the pictures whose secret is drawn anew, chosen at random; the others are painted with their own.
            At 0 pictures stay as they are.
        generator: None: a decoder trained against a critic of what it paints; `"vae"`: a plain variational autoencoder, quicker
            and softer; or a factory `(shape, latent_width, classes, *, key) -> equinox.Module` of another decoder.
        discriminator: likewise, a factory of another critic.
        epochs: passes over the pictures; None: as many as make 2,500 to 7,500 steps.
        batch_size: pictures a step.
        latent_width: numbers of a code.
        width: channels of the nets at a quarter of the pictures' size.
        learning_rate: of all nets.
        penalty: weight of the critic's gradient penalties; 0: none.
        max_minutes: wall-clock limit of training the generator; None: no limit.
        audit: whether a tenth of the pictures is kept out of training and fresh attackers are tried on it.
        verbose: whether to show a progress bar.
        callbacks: called with each `masquerade.progress.Progress`.
        random_state: seed; with an integer the same pictures are changed alike. None: afresh each time.

    Attributes after `fit`:
        code_share_: how much of the code is released beside noise, from 0 (none) to 1.
        audit_: how often nets are right on held-out pictures: `secret_before`, `secret_after` (a fresh one, trained on released
            pictures), `secret_guess` (the commonest secret, given what is kept), and of the kept label `keep_before`,
            `keep_after`, `keep_by_real` (a net trained on real pictures, shown released ones), `keep_guess`.

    For pictures without labels the secret and the kept label are told by a classifier that is part of the release.

    >>> random = np.random.default_rng(0)
    >>> tall, bright = np.arange(200) % 2, np.arange(200) // 2 % 2
    >>> pictures = random.integers(0, 60, (200, 8, 8)) + (100 * bright)[:, None, None]
    >>> pictures[tall == 1, :, 4:] //= 4
    >>> cleaner = ImageDesensitizer(hide="tall", keep="bright", generator="vae", epochs=5, audit=False, random_state=0)
    >>> cleaner.fit_transform(pictures.astype(np.uint8), {"tall": tall, "bright": bright}).images.shape
    (200, 8, 8, 1)
    """

    reference: ClassVar[str] = (
        "Sohn, Lee, Yan 2015 (conditional VAE); Larsen et al. 2015, arXiv 1512.09300; Gaussianisation: arXiv 1602.00229; "
        "the aim as in Edwards and Storkey 2016, arXiv 1511.05897"
    )

    def __init__(
        self,
        *,
        hide: str = "",
        keep: str | None = None,
        strength: float = 1.0,
        generator: Literal["vae"] | PictureNetFactory | None = None,
        discriminator: PictureNetFactory | None = None,
        epochs: int | None = None,
        batch_size: int = 64,
        latent_width: int = 16,
        width: int = 32,
        learning_rate: float = 1e-3,
        penalty: float = 2.0,
        max_minutes: float | None = None,
        audit: bool = True,
        verbose: bool = False,
        callbacks: Sequence[Callback] = (),
        random_state: int | None = None,
    ):
        self.hide = hide
        self.keep = keep
        self.strength = strength
        self.generator = generator
        self.discriminator = discriminator
        self.epochs = epochs
        self.batch_size = batch_size
        self.latent_width = latent_width
        self.width = width
        self.learning_rate = learning_rate
        self.penalty = penalty
        self.max_minutes = max_minutes
        self.audit = audit
        self.verbose = verbose
        self.callbacks = callbacks
        self.random_state = random_state

    def _check_settings(self) -> None:
        for name, label in (("hide", self.hide), ("keep", self.keep)):
            if (label is not None or name == "hide") and (type(label) is not str or not label):
                raise SettingError(f"{name}: got {label!r}, expected the name of one label.")
        if self.keep == self.hide:
            raise SettingError(f"keep: label {self.keep!r} is also to be hidden; name it in one of them.")
        check_share("strength", self.strength)
        if isinstance(self.generator, str) and self.generator != "vae":
            raise SettingError(f"generator: got {self.generator!r}, expected 'vae'{nearest(self.generator, ['vae'])}.")
        if self.generator == "vae" and self.discriminator is not None:
            raise SettingError("discriminator: a variational autoencoder has none; leave it out.")
        for name in ("batch_size", "latent_width"):
            check_count(name, getattr(self, name), least=2)
        check_count("width", self.width, least=4)
        if self.epochs is not None:
            check_count("epochs", self.epochs)
        check_positive("learning_rate", self.learning_rate)
        if self.penalty != 0:
            check_positive("penalty", self.penalty)
        if self.max_minutes is not None:
            check_positive("max_minutes", self.max_minutes)

    # ── learning ───────────────────────────────────────────────────────────────────────────────────────────────

    def fit(self, X: Any, labels: Any = None) -> Self:
        """Learn what pictures show beside the secret.

        Args:
            X: `Pictures` with the labels, the path of a picture set, or an array uint8 (n, height, width[, 3]); at least 80,
                height and width multiples of 4 from 8 to 64. They are not changed.
            labels: arrays (n,) by name, such as `{"parity": ..., "big": ...}`; None: those that `X` has.

        Raises:
            SettingError: a setting out of range, an unknown label, or a kept label that tells the secret.
            TableError: pictures that cannot be modelled, or a group of too few.
            InterruptedTraining: Ctrl-C before there was anything to keep.
        """
        seed = self._seed()
        self._check_settings()
        pictures = as_pictures(X, labels)
        check_modelled(pictures, LEAST_PICTURES)
        self.groups_, groups = Groups.fit(pictures, self.hide, self.keep)
        self.shape_ = (*pictures.size, pictures.channels)
        self.history_, self.interrupted_, self.audit_ = [], False, {}
        order = seeds.stream(seed, "held").permutation(len(pictures))
        count = round(HELD_SHARE * len(pictures)) if self.audit else 0
        held, kept = np.sort(order[:count]), np.sort(order[count:])
        self._learn(pictures.images[kept], groups[kept], seeds.integer(seed, "learn"))
        self.ledger_ = Ledger(
            unit="picture",
            mechanism="ImageDesensitizer",
            protections={"hide": self.hide, "keep": self.keep, "strength": self.strength},
            aligned=True,
            dropped=tuple(name for name in pictures.labels if name != self.keep),
        )
        if self.audit:
            self._try(pictures, groups, kept, held, seeds.integer(seed, "audit"))
        return self

    def fit_transform(self, X: Any, labels: Any = None) -> Pictures:
        """`fit`, and `transform` of the same pictures."""
        return self.fit(X, labels).transform(X, labels)

    def _veil(self, steps: int) -> PictureVeil:
        width = 4 * -(-self.width // 4)
        settings = VeilSettings(
            batch_size=self.batch_size,
            latent_width=self.latent_width,
            width=width,
            learning_rate=self.learning_rate,
            penalty=self.penalty,
            steps=steps,
        )
        own = self.generator
        decoder = functools.partial(PictureGenerator, width=width) if own is None or isinstance(own, str) else own
        critic = None if own == "vae" else self.discriminator or functools.partial(PictureCritic, width=width)
        return PictureVeil(self.shape_, len(self.groups_), settings, decoder, critic)

    def _learn(self, images: NDArray[np.uint8], groups: NDArray[np.int64], seed: int) -> None:
        steps = max(len(images) // self.batch_size, 1)  # of one epoch
        epochs = self.epochs or max(int(np.clip(8 * steps, STEPS, 3 * STEPS)) // steps, 1)
        self._classifier = PictureClassifier(self.shape_, len(self.groups_), seen=passes_for(len(images)))
        self._classifier.fit(
            images, groups, seed=seeds.integer(seed, "classifier"), callback=self._tell_apart("classifier")
        )
        self._net = net = self._veil(epochs * steps)
        self._forget()
        beginning = seeds.integer(seed, "train")

        def waiting(seconds: float) -> None:
            self._tell(Progress("compile", 0, epochs, seconds))

        state = Compilation(net.init, beginning).result(waiting)(beginning)
        outcome = train(
            net.step,
            state,
            VeilData(jnp.asarray(images), jnp.asarray(groups, jnp.int32)),
            Schedule(
                epochs,
                steps,
                None if self.max_minutes is None else 60 * self.max_minutes,
                validate_every=epochs,
                quick=True,
            ),
            snapshot=lambda state: state.average,
            callback=self._tell,
        )
        self.history_ = [{k: v for k, v in entry.items() if k != "score"} for entry in outcome.trail.history]
        self.interrupted_ = outcome.stopped == "interrupted"
        if outcome.stopped == "diverged":
            warnings.warn(
                "training left the finite numbers and was stopped; the nets before are kept. A smaller learning_rate usually "
                "helps.",
                MasqueradeWarning,
                stacklevel=3,
            )
        self._params = outcome.trail.best
        codes = self._codes(images, groups, seeds.integer(seed, "codes"))
        self._transport = Transport.fit(codes, groups, len(self.groups_), seed=seeds.integer(seed, "transport"))
        kept, secret = self.groups_.pairs[groups].T
        numbers = self._transport.normal(codes, groups)
        self.code_share_ = share_that_tells_nothing(numbers, secret, kept, seeds.integer(seed, "share"))

    def _tell_apart(self, stage: str) -> Callback:
        """Tells of a small net's training beside that of the generator, under a name of its own."""

        def told(progress: Progress) -> None:
            if progress.stage == "train":
                self._tell(Progress(stage, progress.done, progress.total, progress.seconds, finished=progress.finished))

        return told

    def _try(
        self,
        pictures: Pictures,
        groups: NDArray[np.int64],
        seen: NDArray[np.int64],
        held: NDArray[np.int64],
        seed: int,
    ) -> None:
        """Fresh attackers and readers on the release of pictures that no net has seen."""
        kept, secret = self.groups_.pairs[groups].T
        chances = self._classifier.probabilities(pictures.images[held])
        released, tried = (
            self._changed(pictures.images[part], groups[part], seeds.integer(seed, name))
            for name, part in (("seen", seen), ("held", held))
        )
        again = self._classifier.probabilities(tried)
        self.audit_ = {
            "secret_before": _right(chances, self.groups_.pairs[:, 1], secret[held]),
            "secret_after": accuracy_of_fresh(
                released,
                secret[seen],
                tried,
                secret[held],
                len(self.groups_.secrets),
                seeds.integer(seed, "attacker"),
                self._tell_apart("attack"),
            ),
            "secret_guess": guessing(secret[held], kept[held]),
        }
        if self.keep is not None:
            self.audit_ |= {
                "keep_before": _right(chances, self.groups_.pairs[:, 0], kept[held]),
                "keep_after": accuracy_of_fresh(
                    released,
                    kept[seen],
                    tried,
                    kept[held],
                    len(self.groups_.kept),
                    seeds.integer(seed, "reader"),
                    self._tell_apart("utility"),
                ),
                "keep_by_real": _right(again, self.groups_.pairs[:, 0], kept[held]),
                "keep_guess": guessing(kept[held], np.zeros(len(held), np.int64)),
            }

    # ── changing pictures ──────────────────────────────────────────────────────────────────────────────────────

    @careful
    def transform(self, X: Any, labels: Any = None, random_state: int | None = None) -> Pictures:
        """The pictures redrawn, in their order, with the kept label where they had it.

        Args:
            X: pictures of the fitted size, as for `fit`; they are not changed. Labels that they lack are told by the classifier
                of the release.
            labels: as for `fit`.
            random_state: seed of this draw; None: that of the setting. Repeated draws of a picture tell more about it than one.

        Raises:
            SchemaError: pictures of another size or mode.
            SettingError: a label with a value that was not fitted.
        """
        self._check_fitted()
        pictures = as_pictures(X, labels)
        self._check_same(pictures)
        told = all(name is None or name in pictures.labels for name in (self.hide, self.keep))
        chances = None if told or not len(pictures) else self._classifier.probabilities(pictures.images)
        groups = self.groups_.numbers(pictures, self.hide, self.keep, chances)
        made = self._changed(pictures.images, groups, self._transform_seed(random_state))
        kept = {name: values for name, values in pictures.labels.items() if name == self.keep}
        return Pictures(made, kept, pictures.files)

    def _changed(self, images: NDArray[np.uint8], groups: NDArray[np.int64], seed: int) -> NDArray[np.uint8]:
        if self.strength == 0:
            return images.copy()
        numbers = self._transport.normal(self._codes(images, groups, seeds.integer(seed, "codes")), groups)
        random = seeds.stream(seed, "secrets")
        drawn = self.groups_.redrawn(groups, self.strength, random)
        codes = self._transport.back(mixed(numbers, self.code_share_, random), drawn).astype(np.float32)
        made = np.empty_like(images)
        for block in blocks(len(images), BLOCK):
            made[block] = np.asarray(self._programs[1](self._params, codes[block], drawn[block].astype(np.int32)))
        return made

    def _codes(self, images: NDArray[np.uint8], groups: NDArray[np.int64], seed: int) -> NDArray[np.float32]:
        """A random code of each picture in its group, shape (n, latent_width)."""
        codes = np.empty((len(images), self.latent_width), np.float32)
        key = jax.random.key(seed)
        for number, block in enumerate(blocks(len(images), BLOCK)):
            found = self._programs[0](
                self._params, images[block], groups[block].astype(np.int32), key, jnp.int32(number)
            )
            codes[block] = np.asarray(found)
        return codes

    @property
    def _programs(self) -> tuple[Any, Any]:
        """The compiled encoder and decoder."""
        if not hasattr(self, "_compiled"):
            numbers, key = jnp.zeros(BLOCK, jnp.int32), jax.eval_shape(jax.random.key, 0)
            pictures, codes = jnp.zeros((BLOCK, *self.shape_), jnp.uint8), jnp.zeros((BLOCK, self.latent_width))
            block = jnp.int32(0)
            self._compiled = (
                Compilation(self._net.encode, self._params, pictures, numbers, key, block, quick=True).result(),
                Compilation(self._net.decode, self._params, codes, numbers, quick=True).result(),
            )
        return self._compiled

    def _forget(self) -> None:
        """What was compiled for other nets is of no use."""
        if hasattr(self, "_compiled"):
            del self._compiled

    # ── save and load ──────────────────────────────────────────────────────────────────────────────────────────

    def _to_state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        config = {
            "secrets": self.groups_.secrets.tolist(),
            "kept": self.groups_.kept.tolist(),
            "code_share": self.code_share_,
        }
        arrays: dict[str, NDArray[Any]] = {"pairs": self.groups_.pairs, "counts": self.groups_.counts}
        arrays |= {name: getattr(self._transport, name) for name in ("turns", "knots", "scores")}
        arrays |= {f"net{name}": array for name, array in to_arrays(self._params).items()}
        arrays |= {f"classifier{name}": array for name, array in to_arrays(self._classifier.weights).items()}
        return config, arrays

    def _from_state(self, config: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
        self._check_settings()
        self.groups_ = Groups(np.array(config["secrets"]), np.array(config["kept"]), arrays["pairs"], arrays["counts"])
        self.code_share_ = float(config["code_share"])
        self._transport = Transport(arrays["turns"], arrays["knots"], arrays["scores"])
        self._net = self._veil(1)
        self._params = from_arrays(self._net.skeleton(), _under("net", arrays))
        self._classifier = PictureClassifier(self.shape_, len(self.groups_))
        self._classifier.weights = from_arrays(self._classifier._net, _under("classifier", arrays))


def _under(name: str, arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    return {key.removeprefix(name): array for key, array in arrays.items() if key.startswith(name)}


def _right(chances: NDArray[np.floating], places: NDArray[np.int64], truth: NDArray[np.int64]) -> float:
    """How often the likeliest label is right, where each group has one of the labels."""
    summed = np.stack([chances[:, places == place].sum(axis=1) for place in range(int(places.max()) + 1)], axis=1)
    return float((summed.argmax(axis=1) == truth).mean())
