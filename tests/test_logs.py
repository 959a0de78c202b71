"""Trainings as TensorBoard and Weights & Biases show them: what is in the files."""

from __future__ import annotations

import copy
import io
import struct
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import masquerade as mq
from masquerade.errors import SettingError
from masquerade.logs import Epoch, TensorBoard, WeightsAndBiases
from masquerade.picture_files import contact_sheet
from masquerade.progress import Progress

TRAINING = [
    Progress("compile", 1, 1, 4.0, finished=True),
    Progress("train", 1, 10, 2.0, {"generator": 0.5, "critic": -1.25}),
    Progress("train", 2, 10, 4.0, {"generator": 0.4, "critic": -1.0}, score=0.875),
    Progress("train", 2.5, 10, 4.0, {"generator": 0.3, "critic": -1.0}, score=0.875),
    Progress("train", 10, 10, 20.0, {"generator": 0.1, "critic": -0.5}, score=0.9, finished=True),
]
DRAWN = np.random.default_rng(0).integers(0, 255, (20, 8, 8, 1), dtype=np.uint8)
EPOCH = Epoch(
    2, {"score": -0.5, "memorisation": 0.5}, DRAWN, {"start.weight": np.linspace(-1, 1, 40, dtype=np.float32)}
)


def events(folder: Path) -> dict[str, list[tuple[int, Any]]]:
    """What the event file of a folder holds, by tag: steps and values, in the order they were written."""
    from tensorboardX.proto.event_pb2 import Event

    (path,) = folder.glob("events.out.tfevents.*")
    content, found = path.read_bytes(), defaultdict(list)
    while content:  # each record: its length (8 bytes) and a checksum (4), itself, a checksum (4)
        (length,) = struct.unpack("<Q", content[:8])
        event = Event.FromString(content[12 : 12 + length])
        content = content[16 + length :]
        for value in event.summary.value:
            kind = value.WhichOneof("value")
            found[value.tag].append((event.step, getattr(value, kind)))
    return dict(found)


def test_one_point_an_epoch(tmp_path: Path) -> None:
    pytest.importorskip("tensorboardX")
    board = TensorBoard(tmp_path)
    for progress in TRAINING:
        copy.deepcopy(board)(progress)
    board.close()
    found = events(tmp_path)
    assert [step for step, _ in found["loss/critic"]] == [1, 2, 10]
    assert [value for _, value in found["loss/generator"]] == pytest.approx([0.5, 0.4, 0.1])
    assert found["score"] == [(2, pytest.approx(0.875)), (10, pytest.approx(0.9))]
    assert set(found) == {"loss/critic", "loss/generator", "score"}


def test_grids_and_histograms_of_an_epoch(tmp_path: Path) -> None:
    pytest.importorskip("tensorboardX")
    board = TensorBoard(tmp_path)
    board.epoch(EPOCH)
    board.close()
    found = events(tmp_path)
    assert found["memorisation"] == [(2, pytest.approx(0.5))]
    ((step, shown),) = found["drawn"]
    sheet = contact_sheet(DRAWN, 10)
    assert step == 2
    assert (shown.height, shown.width) == sheet.shape[:2]
    pixels = np.asarray(Image.open(io.BytesIO(shown.encoded_image_string)).convert("L"))
    assert (pixels == sheet[:, :, 0]).all()
    ((step, histogram),) = found["weights/start.weight"]
    assert (step, histogram.num, histogram.min, histogram.max) == (2, 40, -1, 1)


def test_a_gan_of_pictures_tells_its_epochs(tmp_path: Path) -> None:
    pytest.importorskip("tensorboardX")
    board = TensorBoard(tmp_path)
    images = np.random.default_rng(0).integers(0, 255, (40, 8, 8), dtype=np.uint8)
    model = mq.ImageGAN(epochs=2, width=4, latent_width=4, batch_size=16, callbacks=(board,), random_state=3)
    model.fit(images, np.arange(40) % 2)
    board.close()
    found = events(tmp_path)
    for tag in ("drawn", "weights/start.weight", "weights/paint.bias"):
        assert [step for step, _ in found[tag]] == [1, 2]
    judged = [(entry["epoch"], entry["frechet_distance"]) for entry in model.history_ if "frechet_distance" in entry]
    assert judged
    assert found["frechet_distance"] == [(step, pytest.approx(value)) for step, value in judged]
    assert "memorisation" in found
    assert {"loss/generator", "loss/critic", "score"} <= found.keys()


@pytest.mark.parametrize(("log", "module"), [(TensorBoard, "tensorboardX"), (WeightsAndBiases, "wandb")])
def test_without_its_extra_it_names_it(log: type, module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    extra = "tensorboard" if log is TensorBoard else "wandb"
    with pytest.raises(SettingError, match=rf"pip install 'masquerade\[{extra}\]'"):
        log(tmp_path / "logs")
    assert not list(tmp_path.iterdir())


@pytest.mark.filterwarnings("default")  # of wandb's own
def test_an_offline_run_of_weights_and_biases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("wandb")
    monkeypatch.setenv("WANDB_ERROR_REPORTING", "false")
    log = WeightsAndBiases(tmp_path / "logs")
    for progress in TRAINING:
        copy.deepcopy(log)(progress)
    log.epoch(EPOCH)
    log.close()
    (run,) = (tmp_path / "logs" / "wandb").glob("offline-run-*")
    (file,) = run.glob("*.wandb")
    names = (b"loss/critic", b"score", b"memorisation", b"weights/start.weight", b"drawn")
    for _ in range(100):  # another process writes it, a moment later
        if all(name in file.read_bytes() for name in names):
            break
        time.sleep(0.1)
    content = file.read_bytes()
    assert [name for name in names if name not in content] == []
    assert len(list(run.rglob("*.png"))) == 1
