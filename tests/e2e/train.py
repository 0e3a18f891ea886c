"""A small real training job: it fits a line to noisy points by gradient descent, and prints how that goes."""

from __future__ import annotations

import json
import random
import sys
import time


def main(batches_per_epoch: int = 10) -> None:
    """Train until somebody ends it."""
    noise = random.Random(7)
    points = [(x / 50, 3 * x / 50 - 1 + noise.gauss(0, 0.1)) for x in range(-50, 50)]
    held_out = [(x, 3 * x - 1) for x in (-0.9, -0.3, 0.3, 0.9)]
    slope, intercept, step = 0.0, 0.0, 0

    def error(data: list[tuple[float, float]]) -> float:
        return sum((slope * x + intercept - y) ** 2 for x, y in data) / len(data)

    for epoch in range(1, 100_000):
        print(f"Epoch {epoch}/100000")
        for _ in range(batches_per_epoch):
            step += 1
            batch = noise.sample(points, 10)
            residuals = [(slope * x + intercept - y, x) for x, y in batch]
            slope -= 0.02 * sum(2 * residual * x for residual, x in residuals) / len(batch)
            intercept -= 0.02 * sum(2 * residual for residual, _ in residuals) / len(batch)
            print(json.dumps({"metric": "batch_mse", "value": error(batch), "step": step}), flush=True)
            time.sleep(0.03)
        print(f"10/10 [==============] - 0s - loss: {error(points):.4f} - val_loss: {error(held_out):.4f}")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
