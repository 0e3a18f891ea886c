"""The training job: `python -m floydtop.demo.train` teaches a small network to tell spiral arms apart.

It prints what training scripts print: Keras progress bars with loss and accuracy, and JSON metric
lines, those with a step while an epoch is under way, those with an epoch at its end.
"""

from __future__ import annotations

import argparse
import json
import math
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import TextIO

from floydtop.demo.data import ARMS, Points, batches, spirals, split
from floydtop.demo.network import (
    Adam,
    Matrix,
    Network,
    backward,
    cross_entropy,
    forward,
    initial,
    norm,
)
from floydtop.demo.progress import ProgressBar

TRAINING_POINTS = 800
"""Few enough for the network to learn their noise by heart, so that training and validation part."""
VALIDATION_POINTS = 400
BATCH_SIZE = 20
LAYERS = (2, 64, 64, ARMS)
PEAK_RATE = 0.003
WARM_UP = 0.05
"""Part of all steps in which the learning rate rises to its peak."""
REPORT_EVERY = 20
"""Steps between two reports of the running quantities."""


@dataclass
class Model:
    """A network on its way: its weights, and the optimiser with what it remembers."""

    network: Network
    optimiser: Adam = field(init=False)

    def __post_init__(self) -> None:
        self.optimiser = Adam(self.network)


@dataclass
class Average:
    """Loss and accuracy over the points seen so far in this epoch."""

    points: int = 0
    loss: float = 0.0
    correct: int = 0

    def add(self, probabilities: Matrix, labels: Sequence[int]) -> None:
        self.points += len(labels)
        self.loss += cross_entropy(probabilities, labels) * len(labels)
        self.correct += sum(p == label for p, label in zip(predictions(probabilities), labels, strict=True))

    def values(self, prefix: str = "") -> dict[str, float]:
        return {
            f"{prefix}loss": self.loss / self.points,
            f"{prefix}accuracy": self.correct / self.points,
        }


def main(arguments: Sequence[str] | None = None) -> int:
    """Train as the command line says; 0 when all epochs were done."""
    options = _parser().parse_args(arguments)
    started = time.monotonic()
    random = Random(options.seed)
    training, validation = split(spirals(TRAINING_POINTS + VALIDATION_POINTS, random), VALIDATION_POINTS)
    model = Model(initial(LAYERS, random))
    weights = sum(len(row) for matrix in model.network for row in matrix)
    shape = "-".join(map(str, LAYERS))
    print(f"Train on {len(training)} samples, validate on {len(validation)} samples")
    print(f"Spiral with {ARMS} arms, network {shape} with {weights} weights, seed {options.seed}", flush=True)
    epochs = options.epochs or epochs_within(options.seconds, training, validation)
    print(f"Planned: {epochs} epochs of {math.ceil(len(training) / BATCH_SIZE)} batches", flush=True)
    train(model, training, validation, epochs, random, sys.stdout)
    print(
        f"Training finished after {epochs} epochs and {time.monotonic() - started:.0f} seconds.", flush=True
    )
    return 0


def epochs_within(seconds: float, training: Points, validation: Points) -> int:
    """How many epochs take about `seconds` on this machine, at least one.

    A network of the same shape is trained for a fiftieth of the time (one second at most) and then
    thrown away; the first two batches, in which the interpreter still specialises its byte code, are
    not counted. The rest is the rule of three: batches and one validation make an epoch, and what the
    measurement took comes off the time.
    """
    random = Random(0)
    trial = Model(initial(LAYERS, random))
    started = time.monotonic()
    dealt = batches(training, BATCH_SIZE, random)
    for batch in dealt[:2]:
        learn(trial, batch, PEAK_RATE)
    counted_from = time.monotonic()
    counted = 0
    while counted == 0 or time.monotonic() - counted_from < min(seconds / 50, 1.0):
        learn(trial, dealt[counted % len(dealt)], PEAK_RATE)
        counted += 1
    batch_seconds = (time.monotonic() - counted_from) / counted
    validated_from = time.monotonic()
    evaluate(trial.network, validation)
    now = time.monotonic()
    epoch_seconds = batch_seconds * len(dealt) + now - validated_from
    return max(1, round((seconds - (now - started)) / epoch_seconds))


def train(
    model: Model, training: Points, validation: Points, epochs: int, random: Random, stream: TextIO
) -> None:
    """Train for so many epochs, reporting to the stream."""
    steps = epochs * math.ceil(len(training) / BATCH_SIZE)
    for epoch in range(1, epochs + 1):
        stream.write(f"Epoch {epoch}/{epochs}\n")
        dealt = batches(training, BATCH_SIZE, random)
        bar = ProgressBar(len(dealt), stream)
        seen = Average()
        for done, batch in enumerate(dealt, start=1):
            rate = learning_rate(model.optimiser.steps, steps)
            probabilities, gradient = learn(model, batch, rate)
            step = model.optimiser.steps
            seen.add(probabilities, batch.labels)
            bar.update(done, seen.values())
            if step % REPORT_EVERY == 0:
                bar.write(metric_line("grad_norm", norm(gradient), step=step))
                bar.write(metric_line("learning_rate", rate, step=step))
        validated, f1_score = evaluate(model.network, validation)
        bar.finish(seen.values() | validated.values("val_"))
        bar.write(metric_line("f1_score", f1_score, epoch=epoch))


def learn(model: Model, batch: Points, rate: float) -> tuple[Matrix, Network]:
    """Take one step on a batch: the class probabilities before the step, and the gradient."""
    activations = forward(model.network, batch.inputs)
    gradient = backward(model.network, activations, batch.labels)
    model.optimiser.step(model.network, gradient, rate)
    return activations[-1], gradient


def evaluate(network: Network, points: Points) -> tuple[Average, float]:
    """Loss and accuracy, and the F1 score, on points that are not trained on."""
    probabilities = forward(network, points.inputs)[-1]
    average = Average()
    average.add(probabilities, points.labels)
    return average, macro_f1(predictions(probabilities), points.labels)


def predictions(probabilities: Matrix) -> list[int]:
    """The likeliest class of each row."""
    return [max(range(len(row)), key=row.__getitem__) for row in probabilities]


def macro_f1(predicted: Sequence[int], labels: Sequence[int]) -> float:
    """Mean over the classes of F1 = 2 TP / (2 TP + FP + FN); 0 for a class neither there nor predicted."""
    scores = []
    for arm in range(ARMS):
        hits = sum(p == label == arm for p, label in zip(predicted, labels, strict=True))
        named = sum(p == arm for p in predicted) + sum(label == arm for label in labels)
        scores.append(2 * hits / named if named else 0.0)
    return sum(scores) / ARMS


def learning_rate(step: int, steps: int) -> float:
    """Linear warm-up to the peak, then half a cosine down to zero at the last step."""
    warm_up = max(1, round(steps * WARM_UP))
    if step < warm_up:
        return PEAK_RATE * (step + 1) / warm_up
    return PEAK_RATE * (1 + math.cos(math.pi * (step - warm_up) / max(1, steps - warm_up))) / 2


def metric_line(name: str, value: float, **position: int) -> str:
    """One metric value in FloydHub's format, `position` being its step or its epoch."""
    return json.dumps({"metric": name, "value": float(f"{value:.6g}"), **position})


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m floydtop.demo.train", description="Train a small network in plain Python."
    )
    parser.add_argument(
        "--seconds", type=_positive, default=120, help="about how long to train (default: 120)"
    )
    parser.add_argument(
        "--seed", type=int, default=1, help="seed of the data, the weights and the order (default: 1)"
    )
    parser.add_argument("--epochs", type=_count, help="train for so many epochs, however long that takes")
    return parser


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value < math.inf:
        raise ValueError(text)
    return value


def _count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise ValueError(text)
    return value


if __name__ == "__main__":
    # `... | head` ends the job quietly, as it ends other programs.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    try:
        raise SystemExit(main())
    except KeyboardInterrupt:
        raise SystemExit(130) from None
