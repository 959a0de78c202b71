"""Worker: the steps of a private GAN in PyTorch, with the same nets and batch. It knows nothing of Masquerade.

`loop` is what per-example gradients are without further help: one row forward and backward at a time, its gradient clipped and
added up. `vmap` is PyTorch's own way to have them at once (`torch.func`).
"""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap
from torch.nn import functional

POOL, BATCH, NOISE, TEMPERATURE = 512, 500, 128, 0.2


class Residual(nn.Module):
    """A block of CTGAN's generator."""

    def __init__(self, inside: int, outside: int):
        super().__init__()
        self.linear, self.norm = nn.Linear(inside, outside), nn.BatchNorm1d(outside)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([functional.relu(self.norm(self.linear(x))), x], dim=1)


class Gan:
    """The nets, and one step of each.

    Args:
        table: codes, sizes of the columns, which are discrete, and the step's figures.
    """

    def __init__(self, table: dict[str, Any]):
        self.codes = torch.from_numpy(table["codes"]).long()
        self.sizes = [int(size) for size in table["sizes"]]
        self.starts = np.concatenate([[0], np.cumsum(self.sizes)])
        self.width = int(self.starts[-1])
        self.rate, self.deviation, self.clip = float(table["rate"]), float(table["deviation"]), float(table["clip"])
        self.divisor = self.rate * len(self.codes)
        inside, blocks = NOISE + self.width, []
        for width in table["generator"]:
            blocks.append(Residual(inside, int(width)))
            inside += int(width)
        self.generator = nn.Sequential(*blocks, nn.Linear(inside, self.width))
        layers: list[nn.Module] = []
        inside = self.width
        for width in table["critic"]:
            layers += [nn.Linear(inside, int(width)), nn.LeakyReLU(0.2)]
            inside = int(width)
        self.critic = nn.Sequential(*layers, nn.Linear(inside, 1))
        self.optimizers = [
            torch.optim.Adam(net.parameters(), 1e-3, (0.0, 0.99)) for net in (self.generator, self.critic)
        ]

    def made(self, count: int) -> Tensor:
        """Made rows, soft."""
        asked = functional.one_hot(torch.randint(self.width, (count,)), self.width)
        logits = self.generator(torch.cat([torch.randn(count, NOISE), asked], dim=1))
        spans = [
            functional.gumbel_softmax(logits[:, start:end], tau=TEMPERATURE)
            for start, end in zip(self.starts[:-1], self.starts[1:], strict=True)
        ]
        return torch.cat(spans, dim=1)

    def pairs(self) -> tuple[Tensor, Tensor]:
        """A Poisson sample of rows, and a made one for each."""
        with torch.no_grad():
            pool = self.made(POOL)
        drawn = torch.nonzero(torch.rand(len(self.codes)) < self.rate)[:, 0]
        rows = self.codes[drawn] + torch.from_numpy(self.starts[:-1])
        real = torch.zeros(len(drawn), self.width).scatter_(1, rows, 1.0)
        return real, pool[torch.randint(POOL, (len(drawn),))]

    def loop(self) -> list[Tensor]:
        """Clipped gradients, one row after another, added up."""
        parameters = list(self.critic.parameters())
        sums = [torch.zeros_like(p) for p in parameters]
        for real, made in zip(*self.pairs(), strict=True):
            scores = self.critic(torch.stack([real, made]))
            found = torch.autograd.grad(functional.softplus(scores[1, 0] - scores[0, 0]), parameters)
            norm = torch.sqrt(sum((g.square().sum() for g in found), torch.zeros(())))
            factor = torch.clamp(self.clip / (norm + 1e-12), max=1.0)
            for total, one in zip(sums, found, strict=True):
                total.add_(one * factor)
        return sums

    def vmap(self) -> list[Tensor]:
        """The same, all rows at once."""
        weights = {name: p.detach() for name, p in self.critic.named_parameters()}

        def loss(weights: dict[str, Tensor], real: Tensor, made: Tensor) -> Tensor:
            scores = functional_call(self.critic, weights, (torch.stack([real, made]),))
            return functional.softplus(scores[1, 0] - scores[0, 0])

        found = vmap(grad(loss), in_dims=(None, 0, 0))(weights, *self.pairs())
        squares = [g.flatten(1).square().sum(dim=1) for g in found.values()]
        factor = torch.clamp(self.clip / (torch.stack(squares).sum(dim=0).sqrt() + 1e-12), max=1.0)
        return [torch.tensordot(factor, g, dims=1) for g in found.values()]

    def step(self, way: str) -> None:
        """One update of the critic and one of the generator."""
        for p, total in zip(self.critic.parameters(), getattr(self, way)(), strict=True):
            p.grad = (total + self.deviation * torch.randn_like(total)) / self.divisor
        self.optimizers[1].step()
        scores = self.critic(self.made(BATCH))[:, 0]
        self.optimizers[0].zero_grad()
        functional.softplus(scores.mean().detach() - scores).mean().backward()
        self.optimizers[0].step()


def timed(gan: Gan, way: str, threads: int, seconds: float) -> dict[str, float]:
    """Seconds of a step, on the wall and of the processor."""
    torch.set_num_threads(threads)
    gan.step(way)
    steps, began, cpu = 0, time.perf_counter(), time.process_time()
    while time.perf_counter() - began < seconds:
        gan.step(way)
        steps += 1
    wall, cpu = time.perf_counter() - began, time.process_time() - cpu
    return {"wall": wall / steps, "cpu": cpu / steps, "steps": steps, "threads": threads}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("table", type=Path)
    parser.add_argument(
        "--seconds", type=float, required=True, help="of each way and number of threads; the quicker number counts"
    )
    parser.add_argument("--json", type=Path, required=True)
    options = parser.parse_args()
    with np.load(options.table) as table:
        gan = Gan(dict(table))
    found: dict[str, Any] = {"torch": torch.__version__}
    for way in ("loop", "vmap"):
        tries = [timed(gan, way, threads, options.seconds) for threads in sorted({1, len(os.sched_getaffinity(0))})]
        found[way] = min(tries, key=lambda one: one["wall"])
    options.json.write_text(json.dumps(found))


if __name__ == "__main__":
    main()
