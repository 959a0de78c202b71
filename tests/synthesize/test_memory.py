"""Memory that will not suffice is told before training."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from masquerade.codec.arrays import Layout
from masquerade.errors import TableError
from masquerade.machine import available_bytes
from masquerade.nets.autoregressive import AutoregressiveNet, NetSettings
from masquerade.nets.slots import Slots
from masquerade.synthesize.memory import check_memory, training_bytes


def net(columns: int = 4, **settings: int) -> AutoregressiveNet:
    frequencies = (np.full(5, 0.2),) * columns
    layout = Layout(
        tuple(f"c{i}" for i in range(columns)),
        (5,) * columns,
        ((False,) * 5,) * columns,
        (True,) * columns,
        frequencies,
        (None,) * columns,
    )
    return AutoregressiveNet(Slots(layout), NetSettings(**settings))  # type: ignore[arg-type]


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_the_estimate_grows_with_all_that_takes_memory() -> None:
    least = training_bytes(net(), 1_000, 100)
    assert training_bytes(net(columns=40), 1_000, 100) > least
    assert training_bytes(net(hidden=64), 1_000, 100) > least
    assert training_bytes(net(batch_size=4_096), 1_000, 100) > least
    assert training_bytes(net(), 1_000, 100_000) > least
    # Each further row costs its codes twice, four bytes each.
    assert training_bytes(net(), 1_001_000, 100) == least + 1_000_000 * 4 * 4 * 2


def test_too_little_is_refused_with_both_numbers_and_the_remedy() -> None:
    check_memory(net(), 1_000, 100, available=10**10)
    with pytest.raises(
        TableError, match=r"takes about .* of memory, and 25 MB are free; give fewer columns .*batch_size"
    ):
        check_memory(net(), 1_000, 100, available=25_000_000)


def test_this_machine_says_what_it_has() -> None:
    available = available_bytes()
    assert available is None or 10**6 < available < 10**15
    check_memory(net(), 1_000, 100)


def test_a_containers_limit_counts_before_the_machines_memory(tmp_path: Path) -> None:
    proc, groups = tmp_path / "proc", tmp_path / "groups"
    write(proc / "meminfo", "MemTotal: 2000000 kB\nMemAvailable: 1000000 kB\n")
    assert available_bytes(proc, groups) == 1_024_000_000
    write(proc / "self" / "cgroup", "0::/job/step\n")
    write(groups / "job" / "memory.max", "500000000\n")
    write(groups / "job" / "memory.current", "200000000\n")
    write(groups / "job" / "memory.stat", "anon 1\ninactive_file 50000000\n")
    write(groups / "job" / "step" / "memory.max", "max\n")
    assert available_bytes(proc, groups) == 350_000_000


def test_the_older_control_groups_are_read_too(tmp_path: Path) -> None:
    proc, groups = tmp_path / "proc", tmp_path / "groups"
    write(proc / "meminfo", "MemAvailable: 1000000 kB\n")
    write(proc / "self" / "cgroup", "5:memory:/host/path\n3:cpu,cpuacct:/\n")
    write(groups / "memory" / "memory.limit_in_bytes", "9223372036854771712\n")
    write(groups / "memory" / "memory.usage_in_bytes", "5\n")
    assert available_bytes(proc, groups) == 1_024_000_000
    write(groups / "memory" / "memory.limit_in_bytes", "300000000\n")
    write(groups / "memory" / "memory.usage_in_bytes", "100000000\n")
    assert available_bytes(proc, groups) == 200_000_000
