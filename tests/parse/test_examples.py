"""What FloydHub's three integrations print under the real frameworks: tests/data/examples.

The logs are the standard output of the programs beside them, which ran once: TensorFlow 2.15 in its
version 1 manner, Keras 3 on PyTorch, PyTorch 2.13.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from floydtop.events import Malformed, Metrics
from tests.parse.reading import Point, events, points

EXAMPLES = Path(__file__).parents[1] / "data" / "examples"


def log(name: str) -> bytes:
    return (EXAMPLES / f"{name}.log").read_bytes()


def printed(name: str) -> list[Point]:
    """The metric lines of a log that holds nothing else of the kind, by the standard library's JSON."""
    rows = [json.loads(line) for line in log(name).splitlines() if line.startswith(b"{")]
    return [(row["metric"], row["value"], row["step"], None) for row in rows]


@pytest.mark.parametrize("name", ["tensorflow_session_hook", "pytorch_nll"])
def test_every_metric_line_of_a_loop_is_a_point_at_its_step(name: str) -> None:
    assert points(log(name)) == printed(name)
    assert len(printed(name)) >= 6


def test_a_callback_that_prints_none_gives_no_value_and_its_later_values_at_their_epochs() -> None:
    found = events(log("keras_f1_callback"))
    bad = [event for event in found if isinstance(event, Malformed)]
    assert [event.text for event in bad] == [
        '{"metric": "F1Score", "value": None, "epoch": 0}',
        '{"metric": "F1Score", "value": None, "epoch": 1}',
    ]
    exact = [
        (one.values["F1Score"], one.epoch)
        for one in found
        if isinstance(one, Metrics) and list(one.values) == ["F1Score"]
    ]
    assert exact == [(0.8, 2.0), (0.8387096774193549, 3.0), (0.8571428571428571, 4.0)]


def test_the_bars_that_metric_lines_are_glued_to_are_read_too() -> None:
    losses = [(value, epoch) for name, value, _, epoch in points(log("keras_f1_callback")) if name == "loss"]
    assert losses == [(0.5144, 1.0), (0.4657, 2.0), (0.4217, 3.0), (0.3828, 4.0), (0.3486, 5.0)]
