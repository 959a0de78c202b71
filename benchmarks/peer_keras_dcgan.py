"""Worker: epochs of a conditional DCGAN in Keras on TensorFlow: `Model.fit` with a compiled step, its first epoch not counted.

The nets are those of `DCGAN`: fractionally strided convolutions of 5 by 5, batch normalisation, the class beside the noise and
as planes beside the picture; Adam at 2e-4 with beta 0.5; batches of 128; one update of each net a step.
"""

from __future__ import annotations

import argparse
import json
import time
from importlib.metadata import version
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from keras import layers

LATENT, CLASSES, WIDTH, BATCH = 100, 10, 128, 128


def generator() -> keras.Model:
    return keras.Sequential(
        [
            keras.Input((LATENT + CLASSES,)),
            layers.Dense(7 * 7 * WIDTH),
            layers.Reshape((7, 7, WIDTH)),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.Conv2DTranspose(WIDTH // 2, 5, strides=2, padding="same"),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.Conv2DTranspose(1, 5, strides=2, padding="same", activation="tanh"),
        ]
    )


def critic() -> keras.Model:
    return keras.Sequential(
        [
            keras.Input((28, 28, 1 + CLASSES)),
            layers.Conv2D(WIDTH // 2, 5, strides=2, padding="same"),
            layers.LeakyReLU(0.2),
            layers.Conv2D(WIDTH, 5, strides=2, padding="same"),
            layers.BatchNormalization(),
            layers.LeakyReLU(0.2),
            layers.Flatten(),
            layers.Dense(1),
        ]
    )


class DCGAN(keras.Model):
    """Both nets, and one step of training."""

    def __init__(self) -> None:
        super().__init__()
        self.generator, self.critic = generator(), critic()
        self.generator_optimizer, self.critic_optimizer = (keras.optimizers.Adam(2e-4, beta_1=0.5) for _ in range(2))
        self.entropy = keras.losses.BinaryCrossentropy(from_logits=True)

    def train_step(self, data: tuple[tf.Tensor, tf.Tensor]) -> dict[str, tf.Tensor]:
        real, labels = data
        hot = tf.one_hot(labels, CLASSES)
        planes = tf.broadcast_to(hot[:, None, None, :], (tf.shape(real)[0], 28, 28, CLASSES))
        count = tf.shape(real)[0]

        def scores(pictures: tf.Tensor) -> tf.Tensor:
            return self.critic(tf.concat([pictures, planes], axis=3), training=True)

        fake = self.generator(tf.concat([tf.random.normal((count, LATENT)), hot], axis=1), training=True)
        with tf.GradientTape() as tape:
            better, worse = scores(real), scores(fake)
            loss = self.entropy(tf.ones_like(better), better) + self.entropy(tf.zeros_like(worse), worse)
        weights = self.critic.trainable_variables
        self.critic_optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))
        noise = tf.concat([tf.random.normal((count, LATENT)), hot], axis=1)
        with tf.GradientTape() as tape:
            judged = scores(self.generator(noise, training=True))
            fooled = self.entropy(tf.ones_like(judged), judged)
        weights = self.generator.trainable_variables
        self.generator_optimizer.apply_gradients(zip(tape.gradient(fooled, weights), weights, strict=True))
        return {"critic": loss, "generator": fooled}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pictures", type=Path)
    parser.add_argument("--epochs", type=int, required=True)
    parser.add_argument("--json", type=Path, required=True)
    options = parser.parse_args()
    with np.load(options.pictures) as found:
        images, labels = found["images"].astype(np.float32) / 127.5 - 1, found["labels"].astype(np.int32)
    model = DCGAN()
    model.compile()
    batches = tf.data.Dataset.from_tensor_slices((images, labels)).cache().shuffle(len(images))
    batches = batches.batch(BATCH, drop_remainder=True).prefetch(tf.data.AUTOTUNE)
    model.fit(batches, epochs=1, verbose=0)
    began, cpu = time.perf_counter(), time.process_time()
    model.fit(batches, epochs=options.epochs, verbose=0)
    epoch = {
        "wall": (time.perf_counter() - began) / options.epochs,
        "cpu": (time.process_time() - cpu) / options.epochs,
        "weights": sum(int(np.prod(w.shape)) for w in (*model.generator.weights, *model.critic.weights)),
    }
    options.json.write_text(
        json.dumps({"tensorflow": version("tensorflow-cpu"), "keras": keras.__version__, "peer": epoch})
    )


if __name__ == "__main__":
    main()
