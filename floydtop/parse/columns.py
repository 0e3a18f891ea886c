"""Lines of one shape, many at once: their numbers become columns, by one expression for the whole line.

A line by itself costs 5 us even when its shape is known; among others of its shape it costs 1 us.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import compress, repeat
from operator import not_
from typing import Any

import msgspec

from floydtop.events import MetricGroup
from floydtop.parse.reading import NEVER, Told, scaled
from floydtop.parse.shapes import LARGEST, Plan, as_float

WORTH = 100
"""Lines of a shape before an expression is made for it, which costs as much as 100 lines save."""


_REST = (repeat(None),) * (len(Told._fields) - 6)
_decode_floats = msgspec.json.Decoder(list[float]).decode


@dataclass(slots=True, eq=False)
class Batch:
    """Lines of one shape that fit its plan, in the order of the log."""

    plan: Plan
    indexes: list[int]
    """Where in the chunk they stand."""
    numbers: dict[int, list[float]]
    """Index of a token -> its number in each line, for those that the plan uses."""
    steps: list[int | None] = field(default_factory=list)
    """Where on the x-axes the points of the first lines stand, of as many as have been placed."""
    epochs: list[float | None] = field(default_factory=list)
    unplaced: list[int] = field(default_factory=list)
    """Positions of lines that meant something else at their place."""
    dated: bool = False
    """Whether its lines are asked for their times."""
    breaks: list[int] | None = None
    """Positions of lines that do not go on from the one before; None where the plan cannot tell."""
    tolds: list[Told] = field(default_factory=list)
    """The place that each line itself tells, where that of its point hangs on other lines."""

    def __post_init__(self) -> None:
        plan = self.plan
        if plan.place is None:
            self.stand(len(self.indexes))
            return
        self.tolds = self._told()
        if plan.breaks is not None:
            self.breaks = plan.breaks(self.numbers[plan.step] if plan.step is not None else (), self.indexes)

    def _told(self) -> list[Told]:
        plan, size = self.plan, len(self.indexes)
        steps, stepses, epochses = (
            repeat(None, size) if token is None else map(int, self.numbers[token])
            for token in (plan.step, plan.steps, plan.epochs)
        )
        epochs = repeat(None, size) if plan.epoch is None else self.numbers[plan.epoch]
        alike = (repeat(plan.place), repeat(plan.section), *_REST)
        # As Told._make does, at a third of its price.
        return list(
            map(tuple.__new__, repeat(Told), zip(steps, stepses, epochs, epochses, *alike, strict=False))
        )

    def unbroken(self, at: int) -> int:
        """How many lines from `at` on go on, each from the one before."""
        assert self.breaks is not None
        broken = bisect_left(self.breaks, at)
        return (self.breaks[broken] if broken < len(self.breaks) else len(self.indexes)) - at

    def stand(self, count: int, epoch: float | None = None) -> None:
        """Place the next lines where they tell, at this epoch where they tell none."""
        plan, start = self.plan, len(self.steps)
        if plan.step is None:
            self.steps += [None] * count
        else:
            self.steps += map(int, self.numbers[plan.step][start : start + count])
        if plan.epoch is None:
            self.epochs += [epoch] * count
        else:
            self.epochs += self.numbers[plan.epoch][start : start + count]

    def skip(self) -> None:
        """The next line means something else."""
        self.unplaced.append(len(self.steps))
        self.steps.append(None)
        self.epochs.append(None)

    def cut(self, size: int) -> None:
        """Leave the first so many lines."""
        del self.indexes[size:], self.steps[size:], self.epochs[size:]
        for column in self.numbers.values():
            del column[size:]

    def drop_unplaced(self) -> None:
        """Leave those lines that have a place."""
        if self.unplaced:
            placed = bytearray(b"\1") * len(self.indexes)
            for at in self.unplaced:
                placed[at] = 0
            self.indexes = list(compress(self.indexes, placed))
            self.steps = list(compress(self.steps, placed))
            self.epochs = list(compress(self.epochs, placed))
            for token, column in self.numbers.items():
                self.numbers[token] = list(compress(column, placed))
            self.unplaced.clear()

    def columns(self) -> Iterator[tuple[MetricGroup, str, list[float]]]:
        """Group, name and values of each metric."""
        for group, items in self.plan.groups:
            for name, token, factor in items:
                column = self.numbers[token]
                yield group, name, column if factor == 1.0 else [scaled(one, factor) for one in column]


def batch_of(plan: Plan, indexes: list[int], raws: list[bytes]) -> tuple[Batch, list[int]]:
    """The lines of one shape as columns, and the indexes of those that do not fit the plan."""
    if plan.head:
        own = [raw.startswith(plan.head) for raw in raws]
        if False in own and True in own:
            return _of_own(plan, indexes, raws, own)
    plan.met += len(raws)
    if plan.line is None and plan.met >= WORTH:
        plan.line = plan.expression(raws[0])
        if plan.line is None:
            plan.met = NEVER
    joined = b"\n".join(raws)
    if plan.line is not None and (plan.valid is None or plan.valid(joined)):
        found = plan.line.findall(joined)
        odd: list[int] = []
        fitting = indexes
        if len(found) != len(raws):
            matches = list(map(plan.line.match, raws))
            odd = [index for index, match in zip(indexes, matches, strict=True) if match is None]
            fitting = [index for index, match in zip(indexes, matches, strict=True) if match is not None]
            several = len(plan.used) > 1
            found = [match.groups() if several else match[len(plan.used)] for match in matches if match]
        numbers = _numbers(plan, found)
        if numbers is not None:
            return Batch(plan, fitting, numbers), odd
    rows = {index: plan.numbers(raw) for index, raw in zip(indexes, raws, strict=True)}
    odd = [index for index, row in rows.items() if row is None]
    good = {index: row for index, row in rows.items() if row is not None}
    columns = {token: [row[token] for row in good.values()] for token in plan.used}
    return Batch(plan, list(good), columns), odd


def _of_own(plan: Plan, indexes: list[int], raws: list[bytes], own: list[bool]) -> tuple[Batch, list[int]]:
    """The same where some lines begin as those of another plan do, as ranks that take turns."""
    batch, odd = batch_of(plan, list(compress(indexes, own)), list(compress(raws, own)))
    return batch, sorted(odd + list(compress(indexes, map(not_, own))))


def _numbers(plan: Plan, found: list[Any]) -> dict[int, list[float]] | None:
    """The numbers of what an expression of whole lines has found, None when one of them is none."""
    columns = [found] if len(plan.used) == 1 else list(zip(*found, strict=True)) if plan.used else []
    if not found:
        return {token: [] for token in plan.used}
    try:
        numbers = {token: floats(column) for token, column in zip(plan.used, columns, strict=True)}
        for token in plan.wholes:
            column = numbers[token]
            whole = list(map(int, column))
            if whole != column or max(whole) > LARGEST or min(whole) < -LARGEST:
                return None
    except (ValueError, OverflowError):
        return None
    return numbers


def floats(column: Sequence[bytes]) -> list[float]:
    """Printed numbers; those that are JSON's are read together, 0.05 us each where `float` takes 0.2."""
    text = b"[%b]" % b",".join(column)
    try:
        numbers = _decode_floats(text)
        # A token with a comma in it would be two, and -0 is an integer to JSON.
        if len(numbers) == len(column) and b"-0," not in text and not text.endswith(b"-0]"):
            return numbers
    except (msgspec.DecodeError, UnicodeError):
        pass
    try:
        return list(map(float, column))
    except ValueError:
        return list(map(as_float, column))
