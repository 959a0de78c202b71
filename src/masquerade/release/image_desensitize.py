"""Pictures from which a secret can no longer be told, while a label that is kept stays readable: `ImageDesensitizer`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal, Self

import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from masquerade import seeds
from masquerade.nets.loop import Schedule
from masquerade.nets.picture_classifier import PictureClassifier
from masquerade.nets.picture_nets import PictureNetFactory
from masquerade.nets.picture_veil import VeilData
from masquerade.nets.weights import from_arrays, to_arrays
from masquerade.pictures import Pictures
from masquerade.privacy.ledger import Ledger
from masquerade.progress import Callback
from masquerade.release.image_attackers import passes_for
from masquerade.release.image_audit import audited, warn_of
from masquerade.release.image_painter import Painter
from masquerade.release.image_release import PictureRelease, check_modelled, under
from masquerade.release.image_secrets import Groups, check_labels
from masquerade.release.image_share import safe_share
from masquerade.release.image_transport import Transport
from masquerade.release.image_veil import check_nets, veil_of
from masquerade.synthesize.estimator import careful
from masquerade.synthesize.image_base import as_pictures
from masquerade.synthesize.settings import check_count, check_positive, check_share

__all__ = ["ImageDesensitizer"]

LEAST_PICTURES = 80
UNSEEN_SHARE, HELD_SHARE = 0.2, 0.1
"""Shares of the pictures that no net trains on: those that tell how much of a code may be kept, and those of the audit."""
MOST_HELD = 6_000
"""Pictures of each of these parts at most."""

STEPS, MOST_STEPS = 2_500, 4_000
"""Steps of the generator, unless `epochs` says otherwise."""


class ImageDesensitizer(PictureRelease):
    """Redraws each picture so that it no longer tells a secret label, and still shows the label that is kept.

    G(x, s) → x̂ in three steps. An encoder, shown the secret s and what is kept, turns the picture into a code of what else
    there is to it. The code is made normal in each group of pictures (`masquerade.release.image_transport`) and mixed with
    noise. A decoder then paints it as a picture with the same kept label and a *random* secret, drawn as often as it comes with
    what is kept. How much noise, attackers say (`masquerade.release.image_share`): fresh ones learn the secret from released
    pictures and are tried on the release of pictures that no net has seen, and as much of the code is kept as lets none of
    them be right more often than the kept label alone makes it, by more than a percentage point at the upper end of the
    interval, or five where all secrets count alike. Where that holds for no share, nothing of a picture is kept but its kept
    label; such a release tells no more of the secret than that label by construction. Any other share is measured, not
    proven: `audit_` tries fresh attackers again on pictures set aside, and has to be read before a release.

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
        epochs: passes over the pictures; None: as many as make 2,500 to 4,000 steps.
        batch_size: pictures a step.
        latent_width: numbers of a code.
        width: channels of the nets at a quarter of the pictures' size.
        learning_rate: of all nets.
        penalty: weight of the critic's gradient penalties; 0: none.
        max_minutes: wall-clock limit of training the generator; None: no limit.
        audit: whether a tenth of the pictures (at most 6,000) is kept out and fresh attackers are tried on it.
        verbose: whether to show a progress bar.
        callbacks: called with each `masquerade.progress.Progress`.
        random_state: seed; with an integer the same pictures are changed alike. None: afresh each time.

    Attributes after `fit`:
        code_share_: how much of the code is released beside noise, from 0 (none) to 1.
        audit_: how often attackers and readers are right on held-out pictures: `secret_before`, `secret_after` (the best of a
            fresh net and support vector machines that learned from released pictures and their true labels), `secret_guess`
            (the commonest secret, given what is kept), `secret_gain_lower` and `secret_gain_upper` (ends of the one-sided 95 %
            intervals of how much more often they are right than guessing), `secret_even_after` and `secret_even_guess` (the
            same rates where all secrets count alike); of the kept label `keep_before`, `keep_after`,
            `keep_by_real` (a net of real pictures, shown released ones), `keep_guess`; and `code_share`.

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
        check_labels(self.hide, self.keep)
        check_share("strength", self.strength)
        check_nets(self)
        if self.epochs is not None:
            check_count("epochs", self.epochs)
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
        held = min(round(HELD_SHARE * len(pictures)), MOST_HELD) if self.audit else 0
        unseen = min(round(UNSEEN_SHARE * len(pictures)), MOST_HELD)
        audited_on, trial, learned = np.split(order, [held, held + unseen])
        learned = np.sort(learned)
        self._learn(pictures.images[learned], groups[learned], seeds.integer(seed, "learn"))
        everything = pictures.images, groups
        chance, told = seeds.integer(seed, "share"), self._tell_apart("attack")
        self.code_share_ = safe_share(self._painter, *everything, learned, trial, chance, told)
        self.ledger_ = Ledger(
            unit="picture",
            mechanism="ImageDesensitizer",
            protections={"hide": self.hide, "keep": self.keep, "strength": self.strength},
            aligned=True,
            dropped=tuple(name for name in pictures.labels if name != self.keep),
        )
        if self.audit:
            self.audit_ = audited(
                self._painter,
                self._classifier,
                *everything,
                order[held:][: len(learned)],
                audited_on,
                self.code_share_,
                self.strength,
                seeds.integer(seed, "audit"),
                self._tell_apart("audit"),
            )
            if self.strength == 1:
                warn_of(self.audit_, self.hide)
        return self

    def fit_transform(self, X: Any, labels: Any = None) -> Pictures:
        """`fit`, and `transform` of the same pictures."""
        return self.fit(X, labels).transform(X, labels)

    def _learn(self, images: NDArray[np.uint8], groups: NDArray[np.int64], seed: int) -> None:
        steps = max(len(images) // self.batch_size, 1)  # of one epoch
        epochs = self.epochs or max(int(np.clip(8 * steps, STEPS, MOST_STEPS)) // steps, 1)
        self._classifier = PictureClassifier(self.shape_, len(self.groups_), seen=passes_for(len(images)))
        self._classifier.fit(
            images, groups, seed=seeds.integer(seed, "classifier"), callback=self._tell_apart("classifier")
        )
        net = veil_of(self, self.shape_, len(self.groups_), epochs * steps)
        limit = None if self.max_minutes is None else 60 * self.max_minutes
        params = self._train(
            net,
            VeilData(jnp.asarray(images), jnp.asarray(groups, jnp.int32)),
            Schedule(epochs, steps, limit, validate_every=epochs, quick=True),
            seeds.integer(seed, "train"),
        )
        self._painter = Painter(net, params, self.groups_).fit(images, groups, seeds.integer(seed, "transport"))

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
        known = all(name is None or name in pictures.labels for name in (self.hide, self.keep))
        chances = None if known or not len(pictures) else self._classifier.probabilities(pictures.images)
        groups = self.groups_.numbers(pictures, self.hide, self.keep, chances)
        kept = {name: values for name, values in pictures.labels.items() if name == self.keep}
        return Pictures(
            self._changed(pictures.images, groups, self._transform_seed(random_state)), kept, pictures.files
        )

    def _changed(self, images: NDArray[np.uint8], groups: NDArray[np.int64], seed: int) -> NDArray[np.uint8]:
        if self.strength == 0:
            return images.copy()
        return self._painter.redrawn(images, groups, self.code_share_, self.strength, seed)

    # ── save and load ──────────────────────────────────────────────────────────────────────────────────────────

    def _to_state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        config = {
            "secrets": self.groups_.secrets.tolist(),
            "kept": self.groups_.kept.tolist(),
            "code_share": self.code_share_,
        }
        arrays: dict[str, NDArray[Any]] = {"pairs": self.groups_.pairs, "counts": self.groups_.counts}
        arrays |= {name: getattr(self._painter.transport, name) for name in ("turns", "knots", "scores")}
        arrays |= {f"net{name}": array for name, array in to_arrays(self._painter.params).items()}
        arrays |= {f"classifier{name}": array for name, array in to_arrays(self._classifier.weights).items()}
        return config, arrays

    def _from_state(self, config: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
        self._check_settings()
        self.groups_ = Groups(np.array(config["secrets"]), np.array(config["kept"]), arrays["pairs"], arrays["counts"])
        self.code_share_ = float(config["code_share"])
        net = veil_of(self, self.shape_, len(self.groups_), 1)
        params = from_arrays(net.skeleton(), under("net", arrays))
        transport = Transport(arrays["turns"], arrays["knots"], arrays["scores"])
        self._painter = Painter(net, params, self.groups_, transport)
        self._classifier = PictureClassifier(self.shape_, len(self.groups_))
        self._classifier.weights = from_arrays(self._classifier.skeleton(), under("classifier", arrays))
