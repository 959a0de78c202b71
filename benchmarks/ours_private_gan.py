"""Worker: the steps of `CTGAN(privacy=...)`, in their compiled loop, compiling not counted."""

from __future__ import annotations

import argparse
import json
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jax
import numpy as np

import masquerade as mq
from masquerade.codec.arrays import Layout
from masquerade.nets.autoregressive_private import grouped
from masquerade.nets.gan_private import PrivateGAN, PrivateGANTraining
from masquerade.privacy.dpsgd import WORDS, Plan

CHUNK = 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("table", type=Path)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--json", type=Path, required=True)
    options = parser.parse_args()
    with np.load(options.table) as table:
        training, codes = made(dict(table)), table["codes"]
    data, state = grouped(codes, None), training.begin(training.gan.init(0))
    run = jax.jit(lambda state, data: jax.lax.fori_loop(0, CHUNK, lambda _, s: training.step(s, data)[0], state))
    state = jax.block_until_ready(run(state, data))
    steps, began, cpu = 0, time.perf_counter(), time.process_time()
    while time.perf_counter() - began < options.seconds:
        state = jax.block_until_ready(run(state, data))
        steps += CHUNK
    found = {
        "wall": (time.perf_counter() - began) / steps,
        "cpu": (time.process_time() - cpu) / steps,
        "steps": steps,
    }
    options.json.write_text(json.dumps({"masquerade": version("masquerade"), "jax": version("jax"), "ours": found}))


def made(table: dict[str, Any]) -> PrivateGANTraining:
    """The training of `CTGAN(privacy=...)` on codes of these columns."""
    sizes = tuple(int(size) for size in table["sizes"])
    layout = Layout(
        tuple(map(str, range(len(sizes)))),
        sizes,
        tuple((False,) * size for size in sizes),
        tuple(bool(flag) for flag in table["discrete"]),
        tuple(np.full(size, 1 / size) for size in sizes),
        (None,) * len(sizes),
    )
    gan = mq.CTGAN(privacy=mq.Privacy(1.0))._net(layout, 0)
    assert isinstance(gan, PrivateGAN)
    rate, clip = float(table["rate"]), float(table["clip"])
    plan = Plan(
        round(rate * WORDS), clip, float(table["deviation"]) / clip, 10_000, rate * len(table["codes"]), "steps"
    )
    return PrivateGANTraining(gan, plan, 256)


if __name__ == "__main__":
    main()
