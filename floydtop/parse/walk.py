"""The lines of a chunk that are not dull, in order: those of known shapes together, others one by one."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Container, Mapping, Sequence
from itertools import accumulate
from typing import Literal

from floydtop.parse import Event, Parser
from floydtop.parse.columns import Batch, batch_of
from floydtop.parse.essence import REWRITTEN
from floydtop.parse.frames import Sheet, glued
from floydtop.parse.lines import LIMIT, Line, whole_line
from floydtop.parse.prefix import BEGINNINGS, may_be_stamped
from floydtop.parse.reading import Place, falls
from floydtop.parse.scan import OTHER, Point
from floydtop.parse.scanned import Row

When = Callable[[Line], tuple[float | None, bool]]
"""Gives the time of a line, None where it is not known, and whether that is an estimate."""

FRAMED = b"\r"
"""Stands for a line with frames, all of which may tell something: no essence of a line is that."""

FEW = 32
"""Lines that are read together at first: what the first ones teach is known to the next."""

FEW_ON = 3
"""Lines that go on from each other and are as cheap one by one."""

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
        self.points: list[tuple[int, Point]] = []
        """Of lines with frames and of those that formats scan: index of the line and point."""
        self._framed: dict[int, int] = {}
        """Such lines of the present run: index -> position in the sheet."""
        self._sheet: Sheet | None = None
        self._known: Mapping[int, Row | Literal[False] | None] = {}
        """How those are read that are one text of a known shape."""
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
        framed = self._framed = self._find_framed(run)
        rest = [index for index in run if index not in framed] if framed else run
        batches = self._batches(rest) if rest else []
        self.batches += batches
        owner: dict[int, Batch] = {}
        for batch in batches:
            owner.update(dict.fromkeys(batch.indexes, batch))
        if any(batch.dated for batch in batches) or (framed and self._when is not None):
            self._date(run, owner)
        if len(owner) == len(run) and not any(batch.plan.place for batch in batches):
            return len(run)
        self._known = {}
        if framed:
            self._sheet = Sheet(parser, [self._framed_line(index) for index in framed])
            self._known = dict(zip(framed, self._sheet.single, strict=True))
        count = self._place(run, owner)
        for batch in batches:
            if count < len(run):
                batch.cut(bisect_right(batch.indexes, run[count - 1]))
            batch.drop_unplaced()
        return count

    def _date(self, run: Sequence[int], owner: Mapping[int, Batch]) -> None:
        """Ask for the times of lines in their order, before one of them is read."""
        dull, framed, raws, every = self._parser.dull, self._framed, self._raws, not self._stamps_only
        for index in run:
            batch = owner.get(index)
            if batch is not None:
                dated = batch.dated
            elif index in framed:
                dated = every or raws[index][:1] in BEGINNINGS
            else:
                dated = self._shapes[index] not in dull
            if dated:
                self._time(index)

    def _place(self, run: Sequence[int], owner: Mapping[int, Batch]) -> int:
        """Let lines see what those before have told; how many, as one may change what the next ones mean."""
        state, number = self._parser.state, self._number
        position, size = 0, len(run)
        known, points = self._known, self.points
        while position < size:
            index = run[position]
            batch = owner.get(index)
            position += 1
            if batch is None:
                row = known.get(index, False)
                if row is None:
                    continue
                if row:
                    state.number = number + index
                    state.sole = bool(state.late) and REWRITTEN.search(self._raws[index]) is not None
                    point = row[0](state, row[1], row[2])
                    if point is None:
                        continue
                    if point is not OTHER:
                        points.append((index, point))
                        continue
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
            if batch.breaks is None:
                continue
            if (
                position + FEW_ON < size
                and owner.get(run[position]) is batch
                and owner.get(run[position + FEW_ON]) is batch
            ):
                on = min(batch.unbroken(at + 1), _joined(run, position, batch.indexes, at + 1))
                if on:
                    batch.stand(on, place[1])
                    position += on
                    state.number = number + run[position - 1]
                    ask(state, batch.tolds[at + on])
            elif batch.plan.breaks is falls:
                position = self._weave(run, position, owner, batch, place)
        return size

    def _weave(
        self, run: Sequence[int], position: int, owner: Mapping[int, Batch], batch: Batch, place: Place
    ) -> int:
        """Place lines of several shapes that go on from each other, as ranks take turns; where they end."""
        ask, section = batch.plan.place, batch.plan.section
        step, epoch = place
        assert ask is not None
        told, size = None, len(run)
        while position < size and step is not None:
            other = owner.get(run[position])
            if other is None:
                break
            plan = other.plan
            if plan.place is not ask or plan.breaks is not falls or plan.section != section:
                break
            following = other.tolds[len(other.steps)]
            if following.step is None or following.step < step:
                break
            told, step = following, following.step
            other.steps.append(step)
            other.epochs.append(epoch)
            position += 1
        if told is not None:
            # As in a stretch of one shape, only the last of them need be seen.
            self._parser.state.number = self._number + run[position - 1]
            ask(self._parser.state, told)
        return position

    def _changes(self, index: int) -> bool:
        """Read a line by itself; whether it changes what the next ones mean."""
        parser = self._parser
        expectations = parser.expectations
        position = self._framed.get(index)
        if position is None or self._sheet is None:
            self._one(index)
        else:
            self._tell(self._sheet, position, index)
        return parser.expectations != expectations or parser.state.muted > self._number + index

    def _find_framed(self, run: Sequence[int]) -> dict[int, int]:
        """The lines of a run that are to be read as frames or are scanned: index -> place in a sheet."""
        shapes, lines, parser = self._shapes, self._lines, self._parser
        scanned, idle, known = parser.recipes.texts.known, parser.recipes.idle, parser.known
        here = set(map(shapes.__getitem__, run))
        special = {shape for shape in here if shape == FRAMED or shape in scanned or shape in idle}
        if not special and known.keys() >= here:
            return {}
        dated, skipped = self._dated, self._skipped
        indexes = [
            index
            for index in run
            if ((shape := shapes[index]) in special or (shape not in known and glued(lines[index])))
            and index not in dated
            and index not in skipped
        ]
        return {index: position for position, index in enumerate(indexes)}

    def _framed_line(self, index: int) -> bytes:
        if self._shapes[index] != FRAMED:
            return self._lines[index]
        raw = self._raws[index]
        return raw if len(raw) <= LIMIT else self._line(index).raw

    def _tell(self, sheet: Sheet, position: int, index: int) -> None:
        """Read a line of a sheet."""
        points, events = sheet.read(position, self._number + index, *self.times.get(index, ()))
        if points:
            self.points += [(index, point) for point in points]
        if events is None:
            self._one(index)
        else:
            self.events += events

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
