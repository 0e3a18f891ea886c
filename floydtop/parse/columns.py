"""Lines of one shape, many at once: their numbers become columns, by one expression for the whole line.

A line by itself costs 5 us even when its shape is known; among others of its shape it costs 1 us.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import compress, repeat
from typing import Any

import msgspec

from floydtop.events import MetricGroup
from floydtop.parse.reading import NEVER, Place, Told, scaled
from floydtop.parse.shapes import LARGEST, Plan, as_float

WORTH = 100
"""Lines of a shape before an expression is made for it, which costs as much as 100 lines save."""


_decode_floats = msgspec.json.Decoder(list[float]).decode


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
    tolds: Iterator[Told] = field(default_factory=lambda: iter(()))
    """The place that each line itself tells, where that of its point hangs on other lines."""
    dated: bool = False
    """Whether its lines are asked for their times."""

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
            return _placed(Batch(plan, fitting, numbers)), odd
    rows = {index: plan.numbers(raw) for index, raw in zip(indexes, raws, strict=True)}
    odd = [index for index, row in rows.items() if row is None]
    good = {index: row for index, row in rows.items() if row is not None}
    columns = {token: [row[token] for row in good.values()] for token in plan.used}
    return _placed(Batch(plan, list(good), columns)), odd


def _placed(batch: Batch) -> Batch:
    """The same, with the places of its points where these hang on no other line."""
    plan, size = batch.plan, len(batch.indexes)
    if plan.place is None:
        steps = repeat(None, size) if plan.step is None else map(int, batch.numbers[plan.step])
        epochs = repeat(None, size) if plan.epoch is None else batch.numbers[plan.epoch]
        batch.places = list(zip(steps, epochs, strict=False))
    else:
        batch.tolds = _tolds(batch)
    return batch


def _tolds(batch: Batch) -> Iterator[Told]:
    plan, size = batch.plan, len(batch.indexes)
    steps, stepses, epochses = (
        repeat(None, size) if token is None else map(int, batch.numbers[token])
        for token in (plan.step, plan.steps, plan.epochs)
    )
    epochs = repeat(None, size) if plan.epoch is None else batch.numbers[plan.epoch]
    rest = (repeat(plan.place), repeat(plan.section), repeat(None), repeat(None), repeat(None))
    # As Told._make does, at a third of its price.
    return map(tuple.__new__, repeat(Told), zip(steps, stepses, epochs, epochses, *rest, strict=False))


def _numbers(plan: Plan, found: list[Any]) -> dict[int, list[float]] | None:
    """The numbers of what an expression of whole lines has found, None when one of them is none."""
    columns = [found] if len(plan.used) == 1 else list(zip(*found, strict=True)) if plan.used else []
    if not found:
        return {token: [] for token in plan.used}
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
