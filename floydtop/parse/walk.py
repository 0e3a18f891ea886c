"""The lines of a chunk that are not dull, in order: those of known shapes together, others one by one."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Container, Sequence
from itertools import accumulate

from floydtop.parse import Event, Parser
from floydtop.parse.columns import Batch, batch_of
from floydtop.parse.lines import Line, whole_line
from floydtop.parse.prefix import may_be_stamped

When = Callable[[Line], tuple[float | None, bool]]
"""Gives the time of a line, None where it is not known, and whether that is an estimate."""

FEW = 32
"""Lines that are read together at first: what the first ones teach is known to the next."""

MANY = 8192
"""Lines that are read together at most."""


class Walk:
    """Reads lines of a chunk; who asks for times is asked in the order of the lines."""

    def __init__(
        self,
        parser: Parser,
        raws: Sequence[bytes],
        lines: Sequence[bytes],
        shapes: Sequence[bytes],
        *,
        number: int,
        offset: int,
        when: When | None = None,
        stamps_only: bool = False,
    ) -> None:
        """Make it.

        Args:
            raws: the lines as they are in the log.
            lines: what there is to be read of each, see `essence`.
            shapes: those without their digits.
            number: that of the first line.
            offset: where that line starts.
            stamps_only: `when` knows a time only of a line with a stamp.
        """
        self.events: list[Event] = []
        """Of the lines that were read one by one."""
        self.batches: list[Batch] = []
        """Of the others."""
        self.times: dict[int, tuple[float | None, bool]] = {}
        """Those that were asked for, by index."""
        self._parser = parser
        self._raws = raws
        self._lines = lines
        self._shapes = shapes
        self._number = number
        self._when = when
        self._stamps_only = stamps_only
        self._dated: Container[int] = ()
        self._skipped: Container[int] = ()
        self._first_offset = offset
        self._offsets: list[int] = []

    def read(self, wanted: Sequence[int], only_dated: Container[int], skipped: Container[int]) -> None:
        """Read the lines of these indexes.

        Args:
            only_dated: lines that were read already, and whose times are wanted.
            skipped: lines that were read already.
        """
        self._dated, self._skipped = only_dated, skipped
        position, length = 0, FEW
        while position < len(wanted):
            expectations = self._parser.expectations
            run = wanted[position : position + length]
            count = self._run(run)
            position += count
            length = min(2 * length, MANY) if count == len(run) else FEW
            if self._parser.expectations != expectations:
                # What was dull may be wanted from now on.
                wanted, position = range(run[count - 1] + 1, len(self._shapes)), 0

    def _line(self, index: int) -> Line:
        offset = 0
        if self._when is not None:
            # Without times nobody asks where a line stands.
            if not self._offsets:
                self._offsets = list(accumulate(map(len, self._raws), initial=self._first_offset))
            offset = self._offsets[index] + index
        return whole_line(self._number + index, offset, self._raws[index])

    def _time(self, index: int) -> None:
        if self._when is not None and index not in self.times:
            self.times[index] = self._when(self._line(index))

    def _one(self, index: int) -> None:
        """Read a line by itself, unless it was or need not be."""
        if index in self._dated:
            self._time(index)
        elif self._shapes[index] not in self._parser.dull and index not in self._skipped:
            self._time(index)
            self.events += self._parser.read(self._line(index), *self.times.get(index, ()))

    def _run(self, run: Sequence[int]) -> int:
        """Read some lines; how many of them, as one may change what the next ones mean."""
        parser, first = self._parser, self._number
        state = parser.state
        if state.muted == first + run[0]:
            self._one(run[0])
            return 1
        batches = self._batches(run)
        self.batches += batches
        owner = {index: batch for batch in batches for index in batch.indexes}
        if len(owner) == len(run) and not any(batch.dated or batch.plan.place for batch in batches):
            return len(run)
        expectations, count = parser.expectations, len(run)
        for index in run:
            batch = owner.get(index)
            if batch is not None:
                if batch.dated:
                    self._time(index)
                place = batch.plan.place
                if place is None:
                    continue
                state.number = first + index
                spot = place(state, next(batch.tolds))
                batch.places.append(spot)
                if spot is not None:
                    continue
            self._one(index)
            if parser.expectations != expectations or state.muted > first + index:
                count = bisect_right(run, index)
                for batch in batches:
                    batch.cut(bisect_right(batch.indexes, index))
                break
        for batch in batches:
            batch.drop_unplaced()
        return count

    def _batches(self, run: Sequence[int]) -> list[Batch]:
        """The lines of a run by their shapes; those that fit no plan are in none."""
        shapes, lines, known = self._shapes, self._lines, self._parser.known
        together: dict[bytes, list[int]] = {}
        for index in run:
            shape = shapes[index]
            if shape in together:
                together[shape].append(index)
            elif shape in known:
                together[shape] = [index]
        batches: list[Batch] = []
        for shape, indexes in together.items():
            dated = self._when is not None and (not self._stamps_only or may_be_stamped(shape))
            for plan in known[shape]:
                batch, indexes = batch_of(plan, indexes, [lines[index] for index in indexes])
                if batch.indexes:
                    batch.dated = dated
                    batches.append(batch)
                if not indexes:
                    break
        return batches
