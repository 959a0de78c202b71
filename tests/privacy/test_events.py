"""Events are plain data: what they say goes through JSON unchanged."""

from __future__ import annotations

import json

import pytest

from masquerade.privacy.events import (
    STAGES,
    Event,
    discrete_gaussian,
    exponential,
    gaussian,
    merged,
    poisson_gaussian,
    threshold,
)

ALL = [
    gaussian(1, stage="training", what="sum"),
    discrete_gaussian(2, stage="marginals", what="counts", count=3, sensitivity=2),
    poisson_gaussian(0.01, 1, 100, what="steps"),
    exponential(1, what="pair", adaptive=True),
    threshold(3, 1e-7, what="levels of job"),
]


@pytest.mark.parametrize("event", ALL, ids=lambda event: event["kind"])
def test_an_event_is_plain_and_says_what_it_was(event: Event) -> None:
    assert json.loads(json.dumps(event)) == event
    assert event["stage"] in STAGES
    assert event["what"]
    assert event["count"] >= 1
    assert all(type(event[name]) is float for name in ("sigma", "epsilon", "rate", "delta") if name in event)


def test_only_what_depends_on_noised_results_is_marked() -> None:
    assert [event.get("adaptive", False) for event in ALL] == [False, False, False, True, False]
    assert discrete_gaussian(1, stage="marginals", what="x", adaptive=True)["adaptive"] is True


def test_neighbours_alike_are_merged_and_order_stays() -> None:
    step, other = exponential(0.1, what="pair"), gaussian(1, stage="marginals", what="sum", count=2)
    events = [step, step, other, step, other, other]
    assert [(event["kind"], event["count"]) for event in merged(events)] == [
        ("exponential", 2),
        ("gaussian", 2),
        ("exponential", 1),
        ("gaussian", 4),
    ]
    assert step["count"] == 1
    assert merged([]) == []
