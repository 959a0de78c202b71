"""`ImageGAN`: a small conditional generative adversarial net of pictures."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from masquerade.errors import SettingError
from masquerade.interrupts import keeping_model
from masquerade.nets.picture_critic_private import PrivateCritic
from masquerade.nets.picture_gan import PictureGAN, PictureSettings
from masquerade.nets.picture_gan_private import Recipe
from masquerade.nets.picture_nets import PictureCritic, PictureGenerator, PictureNetFactory
from masquerade.privacy.budget import Privacy
from masquerade.progress import Callback
from masquerade.synthesize.image_adversarial import AdversarialImages, inherited
from masquerade.synthesize.image_base import as_pictures
from masquerade.synthesize.image_guarantee import check_guarantee, class_numbers, count_classes, declared_classes
from masquerade.synthesize.image_private import learn_privately
from masquerade.synthesize.settings import check_positive, refuse_changed

__all__ = ["ImageGAN"]

FEW_PICTURES = 5_000
"""Below so many pictures the critic sees augmented ones."""


WIDTH = 32
"""Of the nets where nothing is asked for: many small steps teach more in the same time than few large ones."""

SEEN, MOST_SEEN = 250_000, 1_600_000
"""Pictures that training sees at least, beside `PASSES`, and at most."""

PASSES = 10
"""Passes over the pictures, beside those that a small set needs."""


class ImageGAN(AdversarialImages):
    """A small conditional GAN with the relativistic loss and zero-centred gradient penalties of R3GAN.

    No batch statistics, averaged generator weights; below 5,000 pictures the critic sees shifted and partly covered ones.

    With `privacy` only the critic sees the pictures, and is trained by DP-SGD: each step draws pictures at random, clips the
    gradient of each with a made one beside it, and adds noise. A part of the budget goes to noised mean embeddings of the
    classes, which the generator begins at and is held to, as `DPMERF` does; the rest it learns from the critic, which costs
    nothing more: to be taken for real, and for its class. There is no referee then, no early stop, no penalty (clipping and
    noise do its work, and in the gradient of each picture it would double the time), no augmentation (noise keeps the critic
    from learning pictures by heart) and no seed; neither critic nor losses are kept, and `history_` tells steps and ε. All
    pictures are in memory.

    Formal guarantees:
        With `privacy`, adding or removing one picture with its class changes the probability of any fitted model, and so of
        its file, its ledger and its pictures, by no more than the ledger says. Public are: the pictures' size and channels,
        the `classes`, the settings, and a model to start from. A picture of a class that is not declared is left out.

    Args:
        privacy: the guarantee, such as `mq.Privacy(epsilon=10.0, delta=1e-5)`, for each picture; None: none.
        classes: with `privacy`, the classes that there may be, which is public knowledge; None: pictures without classes.
        epochs: passes over the pictures; None: 14 for 60,000 pictures, 189 for 1,400, at most 2,500; under a guarantee 25 for
            60,000 and 40 for few.
        batch_size: pictures a step; None: 64. Under a guarantee, pictures a step of the critic draws on average, and a
            hundredth of all, from 64 to 4,096.
        latent_width: numbers of noise behind a picture.
        width: channels of both nets at a quarter of the pictures' size; None: 32.
        learning_rate: of both nets; the generator's half of it under a guarantee.
        penalty: weight of the gradient penalties, which falls to a tenth by half of the training, but for few pictures;
            not under a guarantee.
        patience: judgements without a better score before training stops, one each epoch (each 150 steps on small sets);
            None: never. The score is less the Fréchet distance to
            held-out pictures, and far below any where drawn pictures lie nearer to training pictures than to those. Not under
            a guarantee: it would be a look at them.
        max_minutes: wall-clock limit of training; None: no limit. Under a guarantee the steps that fit in are planned
            beforehand, on pictures of nothing, so that it holds about.
        watch: a folder for a grid of drawn pictures per epoch; None: none.
        keep_epochs: a folder for the model as it stands after each epoch; None: only the best is kept. Not under a guarantee:
            each file would claim a part of the same budget.
        generator: factory `(shape, latent_width, classes, *, key) -> equinox.Module` of another generator net.
        discriminator: likewise, of another critic. Under a guarantee it must judge each picture on its own, and is quick where
            all of its weights are in `masquerade.nets.convolution.Conv` and `Dense`.
        verbose: whether to show a progress bar.
        callbacks: called with each `masquerade.progress.Progress`.
        random_state: seed of everything random; None: fresh. Must be None with `privacy`: a known seed would undo the noise.

    >>> import numpy as np
    >>> images = np.random.default_rng(0).integers(0, 255, (40, 8, 8), dtype=np.uint8)
    >>> model = ImageGAN(epochs=1, width=8, random_state=0).fit(images, np.arange(40) % 4)
    >>> made, classes = model.sample(4, given={"label": 3})
    >>> made.shape, classes.tolist()
    ((4, 8, 8), [3, 3, 3, 3])
    """

    reference: ClassVar[str] = "Huang et al., The GAN is dead; long live the GAN! (R3GAN), 2024, arXiv 2501.05441"

    noised_rows_: int
    """With `privacy`: the number of pictures, counted with noise."""

    def __init__(
        self,
        *,
        privacy: Privacy | None = None,
        classes: Sequence[Any] | None = None,
        epochs: int | None = None,
        batch_size: int | None = None,
        latent_width: int = 64,
        width: int | None = None,
        learning_rate: float = 1e-3,
        penalty: float = 2.0,
        patience: int | None = 10,
        max_minutes: float | None = None,
        watch: str | Path | None = None,
        keep_epochs: str | Path | None = None,
        generator: PictureNetFactory | None = None,
        discriminator: PictureNetFactory | None = None,
        verbose: bool = False,
        callbacks: Sequence[Callback] = (),
        random_state: int | None = None,
    ):
        self.privacy = privacy
        self.classes = classes
        self.epochs = epochs
        self.batch_size = batch_size
        self.latent_width = latent_width
        self.width = width
        self.learning_rate = learning_rate
        self.penalty = penalty
        self.patience = patience
        self.max_minutes = max_minutes
        self.watch = watch
        self.keep_epochs = keep_epochs
        self.generator = generator
        self.discriminator = discriminator
        self.verbose = verbose
        self.callbacks = callbacks
        self.random_state = random_state

    def _check_settings(self) -> None:
        super()._check_settings()
        if self.penalty != 0:
            check_positive("penalty", self.penalty)
        if self.privacy is None:
            if self.classes is not None:
                raise SettingError("classes: got a list without privacy, where the pictures say it; leave it out.")
            return
        check_guarantee(self.privacy, self.random_state)
        declared_classes(self.classes)
        refuse_changed(self, ("penalty", "patience", "keep_epochs"), "under a guarantee")

    def _gan(self, count: int, steps: int) -> PictureGAN:
        settings = PictureSettings(
            batch_size=self._batch(count),
            latent_width=self.latent_width,
            generator_lr=self.learning_rate,
            critic_lr=self.learning_rate,
            penalty=self.penalty,
            augment=count < FEW_PICTURES,
            steps=steps,
        )
        usual = PictureCritic if self.privacy is None else PrivateCritic
        critic = self.discriminator or functools.partial(usual, width=self._width)
        return PictureGAN(self.shape_, self.classes_.size, settings, self._factory, critic)

    @property
    def _width(self) -> int:
        wanted = self.width or WIDTH
        return 4 * -(-wanted // 4)

    @property
    def _factory(self) -> PictureNetFactory:
        return self.generator or functools.partial(PictureGenerator, width=self._width)

    def _epochs(self, count: int) -> int:
        return self.epochs or int(np.clip(min(SEEN + PASSES * count, MOST_SEEN) / count, 2, 2_500))

    # ── under a guarantee ──────────────────────────────────────────────────────────────────────────────────────

    def fit(self, X: Any, y: Any = None, start_from: Any = None, freeze: Sequence[str] = ()) -> Self:
        """Learn from pictures; with `privacy` under a guarantee.

        Args:
            X: an array uint8 of shape (n, height, width) or (n, height, width, 3), `Pictures`, or the path of a picture set;
                at least 10 pictures, height and width multiples of 4 from 8 to 64. It is not changed.
            y: the class of each picture, shape (n,); None: what `X` says, and without any the model is not conditional.
            start_from: a fitted model of the same class and settings to go on from, or its file: one trained on public pictures
                needs fewer private ones. What is told of the classes starts afresh where the classes differ. With `privacy` it
                must be one without a guarantee, all of whose pictures are public: nothing of it is paid for.
            freeze: names of the generator's layers that stay as they are in `start_from`, see `DCGAN.fit`; not with `privacy`.

        Raises:
            TableError: pictures that cannot be modelled (the message says why and what to do).
            FileError: the path cannot be read.
            SettingError: a setting out of range, or a model that does not fit. With `privacy` also: a seed, classes that are
                not declared, or δ above 1 / pictures (counted with noise).
            InterruptedTraining: Ctrl-C before there was anything to keep. With `privacy` the budget is spent all the same.
        """
        if self.privacy is None:
            return super().fit(X, y, start_from, freeze)
        self._check_settings()
        start = self._beginning(start_from)
        if start is not None and start.ledger_.guarantee != "none":
            raise SettingError(
                "start_from: got a model with a guarantee of its own, whose budget would not be in this ledger; start from one "
                "of public pictures."
            )
        if freeze:
            raise SettingError("freeze: all layers learn under a guarantee; leave it out.")
        pictures = as_pictures(X, y)
        self.classes_ = declared_classes(self.classes)
        numbers = class_numbers(pictures, self.classes_)
        self._take_shape(pictures)
        self.interrupted_, self._calls, self.history_ = False, 0, []
        known = numbers >= 0
        images, numbers = (pictures.images, numbers) if known.all() else (pictures.images[known], numbers[known])
        with keeping_model(self):
            self._learn_privately(images, numbers, start)
        return self

    def _learn_privately(self, images: NDArray[np.uint8], numbers: NDArray[np.int32], start: Any) -> None:
        assert self.privacy is not None, "a guarantee was asked for"
        counted = count_classes(self.privacy, numbers, max(self.classes_.size, 1))
        self._net = self._gan(1, 1)
        self._forget()
        shown: list[int] = []

        def show(params: Any) -> None:
            self._params = params
            shown.append(len(shown) + 1)
            self._show_grid(shown[-1])

        learned = learn_privately(
            images,
            numbers,
            counted,
            self._net,
            self._factory,
            Recipe(generator_lr=self.learning_rate / 2, critic_lr=self.learning_rate),
            batch_size=self.batch_size,
            epochs=self.epochs,
            begin_at=lambda fresh: fresh if start is None else inherited(start._params, fresh),
            max_minutes=self.max_minutes,
            tell=self._tell,
            show=show,
        )
        self._params, self.history_, self.interrupted_ = learned.params, learned.history, learned.interrupted
        self._shares, self.noised_rows_ = counted.shares, round(counted.total)
        self.ledger_ = counted.accountant.ledger(type(self).__name__)

    def _settings(self) -> dict[str, Any]:
        classes = None if self.classes is None else self.classes_.tolist()
        return super()._settings() | {"classes": classes}

    def _to_state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        config = {} if self.privacy is None else {"noised_rows": self.noised_rows_}
        return config, super()._to_state()[1]

    def _from_state(self, config: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
        super()._from_state(config, arrays)
        if self.privacy is not None:
            self.noised_rows_ = int(config["noised_rows"])
