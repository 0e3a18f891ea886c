"""The demo's network: its gradient is that of its loss, and descending it lowers the loss."""

from __future__ import annotations

from random import Random

import pytest

from floydtop.demo.data import Points, batches, spirals, split
from floydtop.demo.network import (
    Adam,
    Network,
    backward,
    cross_entropy,
    forward,
    initial,
    norm,
    zeros_like,
)


def loss_of(network: Network, points: Points) -> float:
    return cross_entropy(forward(network, points.inputs)[-1], points.labels)


@pytest.mark.parametrize("sizes", [(2, 3), (2, 4, 3), (2, 4, 5, 3)])
def test_backpropagation_agrees_with_finite_differences(sizes: tuple[int, ...]) -> None:
    random = Random(3)
    points = spirals(7, random)
    network = initial(sizes, random)
    gradient = backward(network, forward(network, points.inputs), points.labels)
    nudge = 1e-5
    for weights, slopes in zip(network, gradient, strict=True):
        for row, slope_row in zip(weights, slopes, strict=True):
            for column, slope in enumerate(slope_row):
                kept = row[column]
                row[column] = kept + nudge
                above = loss_of(network, points)
                row[column] = kept - nudge
                below = loss_of(network, points)
                row[column] = kept
                assert slope == pytest.approx((above - below) / (2 * nudge), abs=1e-8, rel=1e-5)


def test_probabilities_of_each_point_add_up_to_one_even_for_huge_scores() -> None:
    network = [[[1e3, -1e3, 0.0], [-1e3, 1e3, 0.0], [0.0, 0.0, 0.0]]]
    for row in forward(network, [[5.0, -5.0], [0.0, 0.0]])[-1]:
        assert sum(row) == pytest.approx(1)


def test_an_untrained_network_of_zeros_has_the_loss_of_guessing() -> None:
    points = spirals(30, Random(0))
    network = zeros_like(initial((2, 4, 3), Random(0)))
    assert loss_of(network, points) == pytest.approx(1.0986122886681098)  # log 3


def test_first_step_of_adam_is_the_rate_against_the_sign_of_the_gradient() -> None:
    network = [[[1.0, 2.0, 3.0]]]
    Adam(network).step(network, [[[1.0, -1e-3, 0.0]]], rate=0.1)
    assert network[0][0] == pytest.approx([0.9, 2.1, 3.0], abs=1e-4)


def test_adam_finds_the_bottom_of_a_bowl() -> None:
    network = [[[5.0]]]
    optimiser = Adam(network)
    for _ in range(500):
        optimiser.step(network, [[[2 * (network[0][0][0] - 1)]]], rate=0.05)
    assert network[0][0][0] == pytest.approx(1, abs=0.01)


def test_norm_is_the_length_of_all_weights_together() -> None:
    assert norm([[[3.0, 0.0]], [[0.0, 4.0]]]) == pytest.approx(5)


def test_loss_falls_when_trained_on_points_that_no_line_parts() -> None:
    random = Random(5)
    corners = [[random.choice((-1.0, 1.0)), random.choice((-1.0, 1.0))] for _ in range(60)]
    points = Points(corners, [int(x == y) for x, y in corners])
    network = initial((2, 8, 2), random)
    optimiser = Adam(network)
    before = loss_of(network, points)
    for _ in range(30):
        for batch in batches(points, 15, random):
            gradient = backward(network, forward(network, batch.inputs), batch.labels)
            optimiser.step(network, gradient, rate=0.05)
    assert loss_of(network, points) < 0.1 * before


def test_the_same_seed_draws_the_same_points() -> None:
    assert spirals(50, Random(9)) == spirals(50, Random(9))
    assert spirals(50, Random(9)) != spirals(50, Random(10))


def test_arms_have_equally_many_points() -> None:
    assert sorted(spirals(12, Random(1)).labels) == [0] * 4 + [1] * 4 + [2] * 4


def test_split_and_batches_lose_no_point() -> None:
    points = spirals(25, Random(2))
    training, validation = split(points, 5)
    assert training.inputs + validation.inputs == points.inputs
    dealt = batches(training, 6, Random(4))
    assert [len(batch) for batch in dealt] == [6, 6, 6, 2]
    pairs = [pair for batch in dealt for pair in zip(batch.inputs, batch.labels, strict=True)]
    assert sorted(pairs) == sorted(zip(training.inputs, training.labels, strict=True))
