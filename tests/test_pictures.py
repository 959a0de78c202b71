"""`Pictures`: what fits together, selections, counts, joins, and classes too small to learn from."""

from __future__ import annotations

import numpy as np
import pytest

from masquerade.errors import TableError
from masquerade.pictures import Pictures, check_classes, join


@pytest.fixture
def pictures() -> Pictures:
    images = np.arange(4 * 2 * 3, dtype=np.uint8).reshape(4, 2, 3)
    return Pictures(images, {"label": np.array(["b", "a", "b", "b"]), "age": np.arange(4)}, ("w", "x", "y", "z"))


def test_selections(pictures: Pictures) -> None:
    one = pictures[2]
    assert one.images.shape == (1, 2, 3, 1)
    assert (one.images[0] == pictures.images[2]).all()
    assert one.files == ("y",)
    odd = pictures[pictures.labels["age"] % 2 == 1]
    assert odd.files == ("x", "z")
    assert odd.labels["label"].tolist() == ["a", "b"]
    images, labels = pictures[:3]
    assert images.shape == (3, 2, 3)
    assert labels.tolist() == ["b", "a", "b"]


def test_facts(pictures: Pictures) -> None:
    assert pictures.size == (2, 3)
    assert pictures.mode == "grey"
    assert Pictures(np.zeros((1, 2, 2, 3), np.uint8)).mode == "RGB"
    assert pictures.counts() == {"a": 1, "b": 3}
    assert pictures.counts("weight") == {}


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((2, 2), np.uint8), "shape"),
        (np.zeros((2, 2, 2, 2), np.uint8), "shape"),
        (np.zeros((2, 2, 2)), "float64"),
    ],
)
def test_arrays_that_are_no_pictures(images: np.ndarray, message: str) -> None:
    with pytest.raises(TableError, match=message):
        Pictures(images)


def test_labels_of_another_length(pictures: Pictures) -> None:
    with pytest.raises(TableError, match=r"'age': got \(3,\)"):
        Pictures(pictures.images, {"age": np.arange(3)})


def test_classes_too_small_to_learn_from(pictures: Pictures) -> None:
    check_classes(pictures, 1)
    with pytest.raises(TableError, match="class 'a' has 1 picture, expected at least 2"):
        check_classes(pictures)
    with pytest.raises(TableError, match=r"no such label \(did you mean 'age'\?\)"):
        check_classes(pictures, label="ages")


def test_joins(pictures: Pictures) -> None:
    both = join(pictures, Pictures(pictures.images[:1], {"label": np.array(["longer"])}))
    assert both.labels["label"].tolist() == ["b", "a", "b", "b", "longer"]
    assert list(both.labels) == ["label"]
    with pytest.raises(TableError, match=r"\(2, 2, 1\)"):
        join(pictures, Pictures(np.zeros((1, 2, 2), np.uint8)))
    with pytest.raises(TableError, match="'age': it is of integers in one set and of texts"):
        join(pictures, Pictures(pictures.images, {"age": np.array(list("abcd"))}))
