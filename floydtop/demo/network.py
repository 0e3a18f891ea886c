"""A multi-layer perceptron in plain Python: forward pass, backpropagation and the Adam optimiser.

A matrix is a list of rows. A layer's weights have one row per output unit, with its bias as last
column, so that a network and its gradient are the same thing: a list of matrices.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from operator import mul
from random import Random

Matrix = list[list[float]]
Network = list[Matrix]


def initial(sizes: Sequence[int], random: Random) -> Network:
    """Draw weights for layers of the given sizes (inputs first), biases zero.

    Glorot's uniform initialisation: the limit is sqrt(6 / (inputs + outputs)).
    """
    network = []
    for inputs, outputs in pairwise(sizes):
        limit = math.sqrt(6 / (inputs + outputs))
        network.append(
            [[*(random.uniform(-limit, limit) for _ in range(inputs)), 0.0] for _ in range(outputs)]
        )
    return network


def zeros_like(network: Network) -> Network:
    """A network of the same shape whose every weight is zero."""
    return [[[0.0] * len(row) for row in weights] for weights in network]


def forward(network: Network, inputs: Matrix) -> list[Matrix]:
    """Run a batch through the network: the activations of every layer, the inputs first.

    Each is batch x units. Hidden units are tanh; the last layer is a softmax, so that its rows are
    class probabilities.
    """
    activations = [inputs]
    for weights in network[:-1]:
        sums = _rows_times_rows(_with_one(activations[-1]), weights)
        activations.append([list(map(math.tanh, row)) for row in sums])
    scores = _rows_times_rows(_with_one(activations[-1]), network[-1])
    activations.append([_softmax(row) for row in scores])
    return activations


def cross_entropy(probabilities: Matrix, labels: Sequence[int]) -> float:
    """Mean of -log p(label) over the batch, in nats; p is kept above 1e-12 so that the loss stays finite."""
    losses = [-math.log(max(row[label], 1e-12)) for row, label in zip(probabilities, labels, strict=True)]
    return math.fsum(losses) / len(losses)


def backward(network: Network, activations: list[Matrix], labels: Sequence[int]) -> Network:
    """Gradient of the batch's cross-entropy for every weight, by backpropagation.

    The derivative of softmax and cross-entropy together is (probabilities - one-hot labels) / batch size.
    """
    errors = [[p / len(labels) for p in row] for row in activations[-1]]
    for row, label in zip(errors, labels, strict=True):
        row[label] -= 1 / len(labels)
    gradient: Network = []
    for depth in reversed(range(len(network))):
        gradient.append(_rows_times_rows(_transposed(errors), _transposed(_with_one(activations[depth]))))
        if depth:
            without_bias = _transposed(network[depth])[:-1]
            passed_back = _rows_times_rows(errors, without_bias)
            errors = [
                [error * (1 - unit * unit) for error, unit in zip(error_row, unit_row, strict=True)]
                for error_row, unit_row in zip(passed_back, activations[depth], strict=True)
            ]
    return gradient[::-1]


def norm(gradient: Network) -> float:
    """Euclidean length of all the weights taken as one vector."""
    return math.sqrt(math.fsum(value * value for weights in gradient for row in weights for value in row))


class Adam:
    """Adam (Kingma and Ba, 2015, algorithm 1): steps scaled by running means of the gradient and its square.

    Momentum alone stayed at the loss of guessing for 150 epochs of this problem; with Adam it falls
    all along.
    """

    MEAN_DECAY = 0.9
    SQUARE_DECAY = 0.999

    def __init__(self, network: Network) -> None:
        self._mean = zeros_like(network)
        self._square = zeros_like(network)
        self.steps = 0

    def step(self, network: Network, gradient: Network, rate: float) -> None:
        """Move the network's weights against the gradient."""
        self.steps += 1
        keep, add = self.MEAN_DECAY, 1 - self.MEAN_DECAY
        keep_square, add_square = self.SQUARE_DECAY, 1 - self.SQUARE_DECAY
        unbiased = rate * math.sqrt(1 - keep_square**self.steps) / (1 - keep**self.steps)
        layers = zip(network, gradient, self._mean, self._square, strict=True)
        for weights, slopes, means, squares in layers:
            for number, slope in enumerate(slopes):
                mean = [keep * m + add * g for m, g in zip(means[number], slope, strict=True)]
                square = [
                    keep_square * s + add_square * g * g for s, g in zip(squares[number], slope, strict=True)
                ]
                means[number], squares[number] = mean, square
                weights[number] = [
                    w - unbiased * m / (math.sqrt(s) + 1e-8)
                    for w, m, s in zip(weights[number], mean, square, strict=True)
                ]


def _rows_times_rows(left: Sequence[Sequence[float]], right: Sequence[Sequence[float]]) -> Matrix:
    """Dot product of every row of `left` with every row of `right`.

    sum(map(mul)) keeps the inner loop in C: 3 times as fast as a generator expression.
    """
    return [[sum(map(mul, row, other)) for other in right] for row in left]


def _transposed(matrix: Matrix) -> list[tuple[float, ...]]:
    return list(zip(*matrix, strict=True))


def _with_one(rows: Matrix) -> Matrix:
    """Append the constant input that the bias column multiplies."""
    return [[*row, 1.0] for row in rows]


def _softmax(scores: list[float]) -> list[float]:
    highest = max(scores)
    weights = [math.exp(score - highest) for score in scores]
    total = sum(weights)
    return [weight / total for weight in weights]
