"""Lines of one shape, many at once: their numbers become columns, by one expression for the whole line.

A line by itself costs 5 us even when its shape is known; among others of its shape it costs 1 us.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import compress, repeat

from floydtop.events import MetricGroup
from floydtop.parse.reading import Place, Told, scaled
from floydtop.parse.shapes import LARGEST, Plan, as_float

WORTH = 100
"""Lines of a shape before an expression is made for it, which costs as much as 100 lines save."""


@dataclass(slots=True)
class Batch:
    """Lines of one shape that fit its plan, in the order of the log."""

    plan: Plan
    indexes: list[int]
    """Where in the chunk they stand."""
    numbers: dict[int, list[float]]
    """Index of a token -> its number in each line, for those that the plan uses."""
    places: list[Place | None] = field(default_factory=list)
    """Where on the x-axes each point stands; None for a line that meant something else at its place."""

    def tolds(self) -> Iterator[Told]:
        """The place that each line itself tells."""
        plan, size = self.plan, len(self.indexes)
        steps, stepses, epochses = (
            repeat(None, size) if token is None else map(int, self.numbers[token])
            for token in (plan.step, plan.steps, plan.epochs)
        )
        epochs = repeat(None, size) if plan.epoch is None else self.numbers[plan.epoch]
        rest = (repeat(plan.place), repeat(plan.section), repeat(None), repeat(None))
        return map(Told._make, zip(steps, stepses, epochs, epochses, *rest, strict=False))

    def cut(self, size: int) -> None:
        """Leave the first so many lines."""
        del self.indexes[size:], self.places[size:]
        for column in self.numbers.values():
            del column[size:]

    def drop_unplaced(self) -> None:
        """Leave those lines that have a place."""
        if None in self.places:
            placed = [place is not None for place in self.places]
            self.indexes = list(compress(self.indexes, placed))
            self.places = list(compress(self.places, placed))
            for token, column in self.numbers.items():
                self.numbers[token] = list(compress(column, placed))

    def columns(self) -> Iterator[tuple[MetricGroup, str, list[float]]]:
        """Group, name and values of each metric."""
        for group, items in self.plan.groups:
            for name, token, factor in items:
                column = self.numbers[token]
                yield group, name, column if factor == 1.0 else [scaled(one, factor) for one in column]


def batch_of(plan: Plan, indexes: list[int], raws: list[bytes]) -> tuple[Batch, list[int]]:
    """The lines of one shape as columns, and the indexes of those that do not fit the plan."""
    odd: list[int] = []
    numbers = _together(plan, raws)
    if numbers is None:
        rows = {index: plan.numbers(raw) for index, raw in zip(indexes, raws, strict=True)}
        odd = [index for index, row in rows.items() if row is None]
        fitting = [row for row in rows.values() if row is not None]
        indexes = [index for index, row in rows.items() if row is not None]
        numbers = {token: [row[token] for row in fitting] for token in plan.used}
    batch = Batch(plan, indexes, numbers)
    if plan.place is None:
        size = len(indexes)
        steps = repeat(None, size) if plan.step is None else map(int, numbers[plan.step])
        epochs = repeat(None, size) if plan.epoch is None else numbers[plan.epoch]
        batch.places = list(zip(steps, epochs, strict=True))
    return batch, odd


def _together(plan: Plan, raws: list[bytes]) -> dict[int, list[float]] | None:
    """The numbers of all lines at once, None when one of the lines may not fit."""
    if plan.met >= 0:
        plan.met += len(raws)
    if plan.met < WORTH or len(raws) < 2:
        return None
    if plan.line is None:
        plan.line = plan.expression(raws[0])
        if plan.line is None:
            plan.met = -1
            return None
    found = plan.line.findall(b"\n".join(raws))
    if len(found) != len(raws):
        return None
    columns = [found] if len(plan.used) == 1 else list(zip(*found, strict=True)) if plan.used else []
    try:
        numbers = {token: _floats(column) for token, column in zip(plan.used, columns, strict=True)}
        for token in plan.wholes:
            column = numbers[token]
            whole = list(map(int, column))
            if whole != column or max(whole) > LARGEST or min(whole) < -LARGEST:
                return None
    except (ValueError, OverflowError):
        return None
    return numbers


def _floats(column: Sequence[bytes]) -> list[float]:
    try:
        return list(map(float, column))
    except ValueError:
        return list(map(as_float, column))
