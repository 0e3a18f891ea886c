"""The progress bar of tf.keras 2, byte for byte: what `model.fit(verbose=1)` writes for each epoch.

Format as seen in the output of TensorFlow 2: a frame goes back over the one before with
backspaces and a carriage return, and is padded with blanks when it is shorter.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TextIO

BAR_WIDTH = 30
REDRAW_SECONDS = 0.1
"""Keras redraws 20 times a second; half of that keeps a two-minute log near 300 kB."""


class ProgressBar:
    """The bar of one epoch: `update` after each batch, `finish` after validation."""

    def __init__(self, total: int, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._total = total
        self._stream = stream
        self._clock = clock
        self._started = clock()
        self._first_done: float | None = None
        self._drawn_at: float | None = None
        self._width = 0

    def update(self, done: int, values: Mapping[str, float]) -> None:
        """Redraw with `done` batches behind us, unless the last frame is younger than `REDRAW_SECONDS`."""
        now = self._clock()
        if self._first_done is None:
            self._first_done = now
        if self._drawn_at is not None and now - self._drawn_at < REDRAW_SECONDS:
            return
        self._drawn_at = now
        remaining = self._seconds_per_step(done, now) * (self._total - done)
        self._draw(f"{bar(done, self._total)} - ETA: {eta(remaining)}{metrics(values)}")

    def finish(self, values: Mapping[str, float]) -> None:
        """Draw the last frame, with the time that the epoch took, and end the line."""
        now = self._clock()
        timing = f"{now - self._started:.0f}s {per_step(self._seconds_per_step(self._total, now))}"
        self._draw(f"{bar(self._total, self._total)} - {timing}{metrics(values)}", end="\n")
        self._width = 0

    def write(self, line: str) -> None:
        """Print a line of its own under way: wipe the frame, which the next update redraws."""
        wipe = f"\r{' ' * self._width}\r" if self._width else ""
        self._width = 0
        self._drawn_at = None
        self._stream.write(f"{wipe}{line}\n")
        self._stream.flush()

    def _draw(self, frame: str, end: str = "") -> None:
        self._stream.write("\b" * self._width + "\r" + frame.ljust(self._width) + end)
        self._stream.flush()
        self._width = len(frame)

    def _seconds_per_step(self, done: int, now: float) -> float:
        """The first batch is left out, as Keras does, since there it includes building the graph."""
        if self._first_done is not None and done > 1:
            return (now - self._first_done) / (done - 1)
        return (now - self._started) / max(done, 1)


def bar(done: int, total: int) -> str:
    """` 12/40 [========>.....................]`: the count right-aligned to the width of the total."""
    filled = BAR_WIDTH * done // total
    head = "=" if done >= total else ">"
    drawn = "=" * (filled - 1) + head if filled else ""
    return f"{done:{len(str(total))}d}/{total} [{drawn:.<{BAR_WIDTH}}]"


def eta(seconds: float) -> str:
    """`3s`, `1:05` or `2:00:07`."""
    whole = int(seconds)
    hours, minutes, rest = whole // 3600, whole % 3600 // 60, whole % 60
    if whole > 3600:
        return f"{hours}:{minutes:02d}:{rest:02d}"
    return f"{minutes}:{rest:02d}" if whole > 60 else f"{whole}s"


def per_step(seconds: float) -> str:
    """`2s/step`, `39ms/step` or `917us/step`."""
    if seconds >= 1 or seconds == 0:
        return f"{seconds:.0f}s/step"
    return f"{seconds * 1e3:.0f}ms/step" if seconds >= 1e-3 else f"{seconds * 1e6:.0f}us/step"


def metrics(values: Mapping[str, float]) -> str:
    """` - loss: 0.4097 - accuracy: 0.8078`; values of at most 0.001 in exponent form, as Keras has it."""
    return "".join(
        f" - {name}: {value:.4f}" if abs(value) > 1e-3 else f" - {name}: {value:.4e}"
        for name, value in values.items()
    )
