"""Picture sets larger than what is held in memory: read once, learned in shards."""

from __future__ import annotations

from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest

from masquerade.errors import FileError
from masquerade.nets.loop import Schedule, train
from masquerade.picture_files import read_pictures
from masquerade.synthesize import image_source
from masquerade.synthesize.image_source import largest_shard, open_pictures
from masquerade.synthesize.imagegan import ImageGAN


@pytest.fixture
def path(tmp_path: Path) -> Path:
    images = np.random.default_rng(0).integers(0, 256, (120, 8, 8), dtype=np.uint8)
    np.savez(tmp_path / "set.npz", images=images, labels=np.arange(120) % 2, hand=np.array(["l", "r"] * 60))
    return tmp_path / "set.npz"


def test_a_large_set_reads_as_a_small_one(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = read_pictures(path)
    for limit, batch in ((64 * 50, 7), (64 * 50, 120), (64 * 120, 50)):
        monkeypatch.setattr(image_source, "SHARD_BYTES", limit)
        monkeypatch.setattr(image_source, "BATCH", batch)
        found = open_pictures(path)
        assert isinstance(found.images.base, np.memmap) == (limit < 64 * 120)
        assert (found.images == whole.images).all()
        assert found.labels.keys() == whole.labels.keys()
        for name, values in whole.labels.items():
            assert (found.labels[name] == values).all()
    assert open_pictures(path, size=(4, 4)).size == (4, 4)
    with pytest.raises(FileError, match="no such file"):
        open_pictures(path.with_name("none.npz"))


def test_training_in_shards_holds_no_more_at_a_time(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_source, "SHARD_BYTES", 64 * 40)
    assert largest_shard((8, 8, 1)) == 40
    model = ImageGAN(epochs=2, width=4, latent_width=4, batch_size=20, patience=None, random_state=0).fit(path)
    # 108 train (12 are held out): three shards of 40 a pass, which are judged one by one.
    assert [entry["epoch"] for entry in model.history_] == [1, 2, 3, 4, 5, 6]
    assert len(model.sample(3)) == 3


def test_the_loop_asks_for_the_data_of_each_epoch() -> None:
    asked = []

    def data(epoch: int) -> jnp.ndarray:
        asked.append(epoch)
        return jnp.full(2, float(10**epoch))

    outcome = train(
        lambda state, data: (state + data.sum(), {"loss": state * 0}),
        jnp.zeros(()),
        data,
        Schedule(3, 4),
        snapshot=lambda state: state,
    )
    assert asked == [0, 1, 2]
    assert float(outcome.state) == 4 * 2 * 111
