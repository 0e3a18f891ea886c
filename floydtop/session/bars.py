"""What the counters of a job mean: which bar is the run's, which an epoch's or a validation's."""

from __future__ import annotations

from copy import copy
from typing import NamedTuple

from floydtop.events import Progress

PASSES = 3
"""Other bars that run to their end while one stands still: that one was given up."""

BARS_KEPT = 64
MOST = 10**15


class Place(NamedTuple):
    """How far a run is."""

    done: float
    """Epochs or steps."""
    total: float
    restarted: bool = False
    """It is another run, or counted otherwise: earlier places do not compare."""


class Bars:
    """Reads 'Epoch 3/10' and '120/500' as places in one run.

    Attributes:
        latest: the newest place, None while the whole is not known.
        in_epochs: places are counted in epochs, else in steps.
        step: training's steps since the run's start; None when the newest words are about another bar.
        breaks: how often work of another kind came in between so far: an epoch's end, a validation.
        epoch_told: the epoch of the newest metrics that told no step: it is over.
    """

    def __init__(self) -> None:
        self.latest: Place | None = None
        self.step: int | None = None
        self.breaks = 0
        self.epoch_told: float | None = None
        self.in_epochs = False
        self._from_zero = False
        self._epoch: int | None = None
        self._steps: int | None = None
        self._done = 0.0
        self._count = 0
        self._full: set[int] = set()
        self._each_epoch = False
        self._spans_epochs = False
        self._others = 0

    def copy(self) -> Bars:
        """The same state, which goes its own way from here."""
        twin = copy(self)
        twin._full = set(self._full)
        return twin

    def place(self, progress: Progress) -> Place | None:
        """The place that the newest words mean; None when they do not tell the whole."""
        self.step = None
        epoch, step = _credible(progress.epoch), _credible(progress.step)
        epochs, steps = _credible(progress.epochs), _credible(progress.steps)
        if epoch is not None and epochs:
            self.latest = self._among_epochs(epoch, epochs, step, steps)
        elif step is not None and steps:
            self.latest = self._among_steps(epoch, step, steps)
        else:
            self.latest = None
        return self.latest

    def _among_epochs(self, epoch: int, epochs: int, step: int | None, steps: int | None) -> Place:
        restarted = not self.in_epochs or (self._epoch is not None and epoch < self._epoch)
        if restarted:
            self.in_epochs, self._from_zero, self._done = True, False, 0.0
        if epoch != self._epoch or restarted:
            self._epoch, self._steps, self._count = epoch, None, 0
            self.breaks += 1
        # Some count epochs from 0, and bars over epochs show those that are over.
        self._from_zero |= epoch == 0
        before = epoch - (0 if self._from_zero else 1)
        within = 0.0
        if step is not None and steps:
            self._steps = self._steps or steps
            # Another total, or a count that falls, is a validation's bar.
            if steps == self._steps and step >= self._count:
                self._count = step
                self.step = before * steps + step
            else:
                self.breaks += 1
            within = min(1.0, self._count / self._steps)
        elif self.epoch_told == epoch:
            within = 1.0
        self._done = max(self._done, min(float(epochs), before + within))
        return Place(self._done, epochs, restarted)

    def _among_steps(self, epoch: int | None, step: int, steps: int) -> Place | None:
        if self.in_epochs or self._steps is None:
            self.in_epochs = False
            return self._begin(epoch, step, steps)
        if steps != self._steps:
            self.breaks += 1
            self._others += step >= steps
            if self._count >= self._steps or self._others >= PASSES:
                return self._begin(epoch, step, steps)
            # A validation's bar while training's waits.
            return self._whole()
        if step < self._count:
            return self._begin(epoch, step, steps)
        if epoch is not None and self._epoch is not None and epoch > self._epoch:
            self._spans_epochs = True
        if self._epoch is None:
            self._epoch = epoch
        self._advance(step, steps)
        return self._whole()

    def _begin(self, epoch: int | None, step: int, steps: int) -> Place | None:
        """Another bar is training's now, or the same one from its start."""
        self._each_epoch = steps in self._full
        self._spans_epochs = False
        self._epoch, self._steps = epoch, steps
        self._advance(step, steps)
        return self._whole(restarted=True)

    def _advance(self, step: int, steps: int) -> None:
        self._count = self.step = step
        self._others = 0
        if step >= steps and len(self._full) < BARS_KEPT:
            self._full.add(steps)

    def _whole(self, *, restarted: bool = False) -> Place | None:
        """The bar as the whole run's; None where it is one an epoch, or may be."""
        may_be_one_an_epoch = self._epoch is not None and not self._spans_epochs
        if self._each_epoch or may_be_one_an_epoch or self._steps is None:
            return None
        return Place(self._count, self._steps, restarted)


def _credible(number: int | None) -> int | None:
    """The number, if it may count something."""
    return number if number is not None and 0 <= number <= MOST else None
