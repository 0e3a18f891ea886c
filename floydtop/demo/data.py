"""The toy problem of the demo: tell the arms of a noisy spiral apart."""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random

ARMS = 3
"""Arms of the spiral; each is one class."""

TURNS = 1.1
"""Turns that an arm makes from the centre to the rim."""

NOISE = 0.08
"""Standard deviation of the Gaussian noise on both coordinates; arms are about 0.30 apart (1 / (3 * 1.1)).

Near the centre the arms overlap, so that no network can get everything right: the curves end on a
plateau that differs between training and validation, as those of real data do.
"""


@dataclass(frozen=True)
class Points:
    """Labelled points of the plane; `inputs` and `labels` have the same length."""

    inputs: list[list[float]]
    """One [x, y] a point, mostly within the unit circle."""
    labels: list[int]
    """The arm that each point belongs to, from 0."""

    def __len__(self) -> int:
        return len(self.labels)


def spirals(count: int, random: Random) -> Points:
    """Draw `count` points, spread evenly over the arms and along them, in random order."""
    drawn = []
    for number in range(count):
        arm = number % ARMS
        radius = random.uniform(0.05, 1.0)
        angle = 2 * math.pi * (arm / ARMS + TURNS * radius)
        x = radius * math.cos(angle) + random.gauss(0, NOISE)
        y = radius * math.sin(angle) + random.gauss(0, NOISE)
        drawn.append(([x, y], arm))
    random.shuffle(drawn)
    return Points([point for point, _ in drawn], [arm for _, arm in drawn])


def split(points: Points, validation: int) -> tuple[Points, Points]:
    """Cut off the last `validation` points: (training, validation)."""
    cut = len(points) - validation
    return (
        Points(points.inputs[:cut], points.labels[:cut]),
        Points(points.inputs[cut:], points.labels[cut:]),
    )


def batches(points: Points, size: int, random: Random) -> list[Points]:
    """Shuffle the points and deal them out; the last batch holds what is left."""
    order = list(range(len(points)))
    random.shuffle(order)
    return [
        Points([points.inputs[i] for i in chosen], [points.labels[i] for i in chosen])
        for chosen in (order[start : start + size] for start in range(0, len(order), size))
    ]
