"""Worker: epochs of `DCGAN`, in its compiled loop, compiling not counted."""

from __future__ import annotations

import argparse
import json
import time
from importlib.metadata import version
from pathlib import Path

import jax
import numpy as np

import masquerade as mq
from masquerade.nets.picture_gan import PictureData

CHUNK = 25
"""Steps in one compiled call; training chooses about a quarter of a second's worth."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pictures", type=Path)
    parser.add_argument("--epochs", type=int, required=True)
    parser.add_argument("--json", type=Path, required=True)
    options = parser.parse_args()
    with np.load(options.pictures) as found:
        images, labels = found["images"], found["labels"]
    model = mq.DCGAN()
    model.shape_, model.classes_ = images.shape[1:], np.arange(10)
    chunks = len(images) // model.batch_size // CHUNK
    gan = model._gan(len(images), chunks * CHUNK * (options.epochs + 1))
    data, state = PictureData(jax.numpy.asarray(images), jax.numpy.asarray(labels, "int32")), gan.init(0)
    run = jax.jit(lambda state, data: jax.lax.fori_loop(0, CHUNK, lambda _, s: gan.step(s, data)[0], state))
    state = jax.block_until_ready(run(state, data))
    began, cpu = time.perf_counter(), time.process_time()
    for _ in range(options.epochs * chunks):
        state = jax.block_until_ready(run(state, data))
    epoch = {
        "wall": (time.perf_counter() - began) / options.epochs,
        "cpu": (time.process_time() - cpu) / options.epochs,
        "weights": sum(leaf.size for leaf in jax.tree.leaves((state.generator, state.critic))),
    }
    options.json.write_text(json.dumps({"masquerade": version("masquerade"), "jax": version("jax"), "ours": epoch}))


if __name__ == "__main__":
    main()
