"""The lines of a chunk that are not dull, in order: those of known shapes together, others one by one."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Container, Mapping, Sequence
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
        owner: dict[int, Batch] = {}
        for batch in batches:
            owner.update(dict.fromkeys(batch.indexes, batch))
        if any(batch.dated for batch in batches):
            self._date(run, owner)
        if len(owner) == len(run) and not any(batch.plan.place for batch in batches):
            return len(run)
        count = self._place(run, owner)
        for batch in batches:
            if count < len(run):
                batch.cut(bisect_right(batch.indexes, run[count - 1]))
            batch.drop_unplaced()
        return count

    def _date(self, run: Sequence[int], owner: Mapping[int, Batch]) -> None:
        """Ask for the times of lines in their order, before one of them is read."""
        dull = self._parser.dull
        for index in run:
            batch = owner.get(index)
            if batch.dated if batch is not None else self._shapes[index] not in dull:
                self._time(index)

    def _place(self, run: Sequence[int], owner: Mapping[int, Batch]) -> int:
        """Let lines see what those before have told; how many, as one may change what the next ones mean."""
        state, number = self._parser.state, self._number
        position, size = 0, len(run)
        while position < size:
            index = run[position]
            batch = owner.get(index)
            position += 1
            if batch is None:
                if self._changes(index):
                    return position
                continue
            ask = batch.plan.place
            if ask is None:
                continue
            at = len(batch.steps)
            state.number = number + index
            place = ask(state, batch.tolds[at])
            if place is None:
                batch.skip()
                if self._changes(index):
                    return position
                continue
            batch.steps.append(place[0])
            batch.epochs.append(place[1])
            if batch.breaks is not None and position < size and owner.get(run[position]) is batch:
                on = min(batch.unbroken(at + 1), _joined(run, position, batch.indexes, at + 1))
                if on:
                    batch.stand(on, place[1])
                    position += on
                    state.number = number + run[position - 1]
                    ask(state, batch.tolds[at + on])
        return size

    def _changes(self, index: int) -> bool:
        """Read a line by itself; whether it changes what the next ones mean."""
        parser = self._parser
        expectations = parser.expectations
        self._one(index)
        return parser.expectations != expectations or parser.state.muted > self._number + index

    def _batches(self, run: Sequence[int]) -> list[Batch]:
        """The lines of a run by their shapes; those that fit no plan are in none."""
        shapes, lines, known = self._shapes, self._lines, self._parser.known
        own = [shapes[index] for index in run]
        together: dict[bytes, list[int]] = {shape: [] for shape in dict.fromkeys(own) if shape in known}
        if own.count(own[0]) == len(own):
            # Thousands of lines of one shape are what most of a log is.
            together = {shape: list(run) for shape in together}
        else:
            for index, shape in zip(run, own, strict=True):
                if shape in together:
                    together[shape].append(index)
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


def _joined(run: Sequence[int], position: int, indexes: Sequence[int], at: int) -> int:
    """How many lines of a run from a position on are those of a batch from `at` on, none between them."""
    most = min(len(run) - position, len(indexes) - at)
    known, tried = 0, 1
    while tried <= most and run[position + tried - 1] == indexes[at + tried - 1]:
        known, tried = tried, 2 * tried
    tried = min(tried, most + 1)
    while tried - known > 1:
        middle = (known + tried) // 2
        if run[position + middle - 1] == indexes[at + middle - 1]:
            known = middle
        else:
            tried = middle
    return known
