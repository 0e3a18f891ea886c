"""Lines that bars have rewritten, and others that formats scan: frames and texts by shape, many at once.

A line is cut into frames, of which another one follows, and the text that it finally shows; glued to that
may be what another stream or rank wrote. Numbers are taken from all of one shape together; what is news in
them is told one by one, in order, since it hangs on the frames before.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import accumulate, compress, pairwise, repeat
from operator import itemgetter, not_
from typing import Any, Literal, cast

from floydtop.parse import RANKS, Event, Parser
from floydtop.parse.columns import batch_of
from floydtop.parse.essence import REWRITTEN
from floydtop.parse.lines import clean
from floydtop.parse.reading import Found, State
from floydtop.parse.recipes import BAR, loose_shapes, shape_of
from floydtop.parse.scan import OTHER, Point, Series, found, series
from floydtop.parse.scanned import Row, learned, scanned
from floydtop.parse.segments import odd, plain
from floydtop.parse.shapes import DIGITS, Plan
from floydtop.parse.telling import metrics

FEW = 4
"""Frames of a kind that are not worth to be looked at together."""

_RANK = re.compile(rb"[^\s]\[(?:rank|default)\d")
_VISIBLE = re.compile(rb"[!-~]")


def glued(raw: bytes) -> bool:
    """Whether two ranks wrote into one line."""
    return (b"[rank" in raw or b"[default" in raw) and _RANK.search(raw) is not None


class Sheet:
    """Some lines of a chunk, scanned; to be told in their order."""

    def __init__(self, parser: Parser, lines: Sequence[bytes]) -> None:
        self._parser = parser
        self._lines = lines
        joined = plain(b"\n".join(lines))
        flat = joined.replace(b"\n", b"\r")
        self._odd = odd(joined.split(b"\n"), flat)
        self._segments = flat.split(b"\r")
        self._shapes = loose_shapes(flat).split(b"\r")
        self._frames = self._shown(joined)
        """The segments of each line in which something is to be seen."""
        self._thinned = parser.state.late is not None
        """Frames that repeat a count are left out already."""
        if self._thinned:
            self._frames = [self._thin(frames) if len(frames) > 1 else frames for frames in self._frames]
        self._rows: list[Row | Literal[False] | None] = [False] * len(self._segments)
        """How each frame is read; None: it need not be; False: the long way."""
        self._scan_frames()
        self._texts: list[bytes] = []
        """What each line finally shows, then what is glued to it."""
        self._next: list[int] = []
        """The text that is glued to each of them; 0: none is."""
        self._text_rows: list[Row | Literal[False] | None] = []
        """How each text is read, likewise."""
        self._cut_texts()
        self._scan_texts()
        self.single = self._single()
        """How a line is read that is one text of a known shape; None: it need not be; False: other lines."""

    def _single(self) -> list[Row | Literal[False] | None]:
        single = self._text_rows[: len(self._frames)]
        for position, frames in enumerate(self._frames):
            if len(frames) > 1 or self._next[position]:
                single[position] = False
        for position in self._odd:
            single[position] = False
        return single

    def read(
        self, position: int, number: int, t: float | None = None, approximate: bool = False
    ) -> tuple[list[Point], list[Event] | None]:
        """The points of a line, or events in their stead; None for a line that is to be read by itself.

        Args:
            position: the line's among those of the sheet; each line is to be read once, in order.
            number: that of the line in its source.
            t: its session time, for events; `approximate` where that is an estimate.
        """
        if position in self._odd:
            return [], None
        state = self._parser.state
        frames = self._frames[position]
        if not frames:
            return [], []
        state.number, state.sole = number, False
        told: list[Point | Found] = []
        if len(frames) > 1:
            self._tell_frames(frames, told)
        if state.late:
            state.sole = REWRITTEN.search(self._lines[position]) is not None
        self._tell_text(position, told)
        points = _apart(told)
        if points is not None:
            return points, []
        merged = [one for each in told for one in (found(each) if isinstance(each, tuple) else [each])]
        return [], list(metrics(merged, number, t, approximate))

    def _shown(self, joined: bytes) -> list[list[int]]:
        segments, shapes = self._segments, self._shapes
        seen = list(map(bool, shapes))
        if b"".join(compress(segments, map(not_, seen))).strip(b" "):
            seen = [one or segment.strip(b" ") != b"" for segment, one in zip(segments, seen, strict=True)]
        doubtful = {shape for shape in set(shapes) if shape and not _VISIBLE.search(shape)}
        if doubtful:
            for index, shape in enumerate(shapes):
                if shape in doubtful and not clean(segments[index]).strip():
                    seen[index] = False
        if b"\r" not in joined:
            return [[index] if one else [] for index, one in enumerate(seen)]
        # How many segments are seen up to the end of each line, and so where its own are among these.
        ends = accumulate(map((1).__add__, map(bytes.count, joined.split(b"\n"), repeat(b"\r"))))
        upto = [0, *accumulate(seen)]
        visible = list(compress(range(len(segments)), seen))
        return [visible[start:end] for start, end in pairwise([0, *map(upto.__getitem__, ends)])]

    def _scan_frames(self) -> None:
        """Take the numbers out of the frames that another one follows."""
        shapes, segments = self._shapes, self._segments
        together: dict[bytes, list[int]] = {}
        for frames in self._frames:
            for index in frames[:-1]:
                shape = shapes[index]
                if shape in together:
                    together[shape].append(index)
                else:
                    together[shape] = [index]
        recipes, rows = self._parser.recipes, self._rows
        dull = recipes.dull
        for shape, indexes in together.items():
            for fitting, found_rows, _ in scanned(recipes.frames, shape, indexes, segments):
                for index, row in zip(fitting, found_rows, strict=True):
                    rows[index] = row
            if dull:
                for index in indexes:
                    if rows[index] is False and segments[index].translate(None, DIGITS) in dull:
                        rows[index] = None

    def _cut_texts(self) -> None:
        """Find what each line finally shows, ranks that wrote into one line apart."""
        segments = self._segments
        self._texts = [segments[frames[-1]] if frames else b"" for frames in self._frames]
        self._next = [0] * len(self._texts)
        joined = b"\r".join(self._texts)
        if b"[rank" not in joined and b"[default" not in joined:
            return
        for index in range(len(self._frames)):
            parts = RANKS.split(clean(self._texts[index])) if glued(self._texts[index]) else []
            if len(parts) > 1:
                self._texts[index] = parts[0].encode()
                before = index
                for part in parts[1:]:
                    before = self._glue(before, part.encode())

    def _glue(self, index: int, text: bytes) -> int:
        """Put a text behind another one."""
        new = len(self._texts)
        self._texts.append(text)
        self._next.append(self._next[index])
        self._next[index] = new
        return new

    def _scan_texts(self) -> None:
        """Take the numbers out of the texts, those of one shape together."""
        parser, texts, start = self._parser, self._texts, 0
        while start < len(texts):
            joined = b"\n".join(texts[start:])
            shapes = joined.translate(None, DIGITS).split(b"\n")
            loose = loose_shapes(joined).split(b"\n") if BAR in joined else shapes
            together: dict[bytes, list[int]] = {}
            for index, shape in enumerate(shapes, start):
                if BAR in shape:
                    shape = b"" if shape in parser.dull else loose[index - start]
                if shape in together:
                    together[shape].append(index)
                else:
                    together[shape] = [index]
            self._text_rows += [False] * len(shapes)
            rows, start = self._text_rows, len(texts)
            for shape, indexes in together.items():
                if not shape or (shape in parser.dull and BAR not in shape):
                    for index in indexes:
                        rows[index] = None
                    continue
                for fitting, found_rows, rests in scanned(parser.recipes.texts, shape, indexes, texts):
                    for index, row in zip(fitting, found_rows, strict=True):
                        rows[index] = row
                    if any(rests):
                        for index, rest in zip(fitting, rests, strict=True):
                            if rest and not rest.isspace():
                                self._glue(index, rest)
                for plan in parser.known.get(shape, ()):
                    left = [index for index in indexes if rows[index] is False]
                    if left:
                        self._plan(plan, left)

    def _plan(self, plan: Plan, indexes: list[int]) -> None:
        """Take the numbers out of texts of a known shape."""
        batch, _ = batch_of(plan, indexes, [self._texts[index] for index in indexes])
        tolds: Iterable[Any] = (
            zip(batch.steps, batch.epochs, strict=True) if plan.place is None else batch.tolds
        )
        columns = list(batch.columns())
        look = plan.place, series(tuple(name for _, name, _ in columns))
        rows = zip(*(values for _, _, values in columns), strict=True) if columns else repeat(())
        for index, told, values in zip(batch.indexes, tolds, rows, strict=False):
            self._text_rows[index] = (_placed, look, (told, values), None)

    def _tell_frames(self, frames: list[int], told: list[Point | Found]) -> None:
        """The frames but the last that have news: one of each count, the last if its values come late."""
        parser, segments, rows = self._parser, self._segments, self._rows
        state, before, expectations = parser.state, -1, parser.expectations
        late = state.late
        skip = patience = 0
        wait = FEW
        for position, (index, following) in enumerate(pairwise(frames)):
            if skip:
                skip -= 1
                continue
            if late is not None:
                other = following if late else before
                if not self._thinned and other >= 0 and self._repeats(index, other, late):
                    continue
                state.sole = late
                if position >= patience and parser.expectations == expectations:
                    run = self._run(frames, position)
                    if run:
                        points = run[0][3](state, run[0][1], [row[2] for row in run])
                        if points is not None:
                            told += points
                            skip = len(run) - 1
                            before = frames[position + skip]
                            continue
                        # To look ahead costs as much as there is: what fails is tried ever less.
                        patience, wait = position + wait, 2 * wait
            before = index
            row = rows[index]
            if row is None:
                continue
            segment, shape = segments[index], self._shapes[index]
            if row is False:
                row = learned(parser.recipes.frames, shape, segment, whole=False) or False
            if row is not False and parser.expectations == expectations:
                point = row[0](state, row[1], row[2])
                if point is not OTHER:
                    if point is not None:
                        told.append(point)
                    late = state.late
                    continue
            told += parser.frame(segment.decode(), segment, shape)
            late = state.late

    def _run(self, frames: list[int], position: int) -> list[Row]:
        """The frames from here on of one kind whose count rises, but the last of them; none if few."""
        rows = self._rows
        first = rows[frames[position]]
        if not first or first[3] is None or len(frames) - position <= FEW:
            return []
        look, n, run = first[1], -1.0, []
        for index in frames[position:-1]:
            row = rows[index]
            if not row or row[1] is not look or row[2][0] <= n:
                break
            n = row[2][0]
            run.append(row)
        return run[:-1] if len(run) > FEW else []

    def _thin(self, frames: list[int]) -> list[int]:
        """The frames of a line but those that repeat a count, of which no number need be taken."""
        segments, kept = self._segments, []
        if self._parser.state.late:
            for index, following in pairwise(frames):
                segment, next_one = segments[index], segments[following]
                head = _head(segment)
                if (
                    not next_one.startswith(head)
                    or not next_one.startswith(b" [", len(head))
                    or b"100%" in head
                    or b"{" in segment
                ):
                    kept.append(index)
        else:
            before = b""
            for index in frames[:-1]:
                segment = segments[index]
                head = _head(segment)
                if head != before or b"100%" in head or b"{" in segment:
                    before = head
                    kept.append(index)
        kept.append(frames[-1])
        return kept

    def _repeats(self, index: int, other: int, late: bool) -> bool:
        """Whether a frame shows the count of another one, and is not the last of its pass."""
        row, second = self._rows[index], self._rows[other]
        if row and second and row[2] and second[2] and row[2][0] != second[2][0]:
            return False
        segment, compared = self._segments[index], self._segments[other]
        head = _head(segment)
        if b"100%" in head or b"{" in segment:
            return False
        if late:
            return compared.startswith(b" [", len(head)) and compared.startswith(head)
        return _head(compared) == head

    def _is_idle(self, text: bytes) -> bool:
        """Whether a text is one that no format reads at this place."""
        conditions = self._parser.recipes.idle.get(text.translate(None, DIGITS))
        return conditions is not None and not any(holds(self._parser.state) for holds in conditions)

    def _tell_text(self, index: int, told: list[Point | Found]) -> None:
        """What a line finally shows, and what is glued to it."""
        parser = self._parser
        expectations = parser.expectations
        while True:
            row = self._text_rows[index]
            if row is False:
                text = self._texts[index]
                row = learned(parser.recipes.texts, shape_of(text), text, whole=True) or False
            if row is not None:
                point = (
                    OTHER
                    if row is False or parser.expectations != expectations
                    else row[0](parser.state, row[1], row[2])
                )
                if point is OTHER:
                    text = self._texts[index]
                    if parser.expectations != expectations or not self._is_idle(text):
                        told += parser.text(text.decode(), text)
                elif point is not None:
                    told.append(point)
            index = self._next[index]
            if not index:
                return


def _head(segment: bytes) -> bytes:
    """What stands before the clock of a frame."""
    end = segment.rfind(b" [")
    return segment[:end] if end >= 0 else segment.decode("utf-8", "replace")[:-1].encode()


_place_of = itemgetter(2, 3)


def _apart(told: list[Point | Found]) -> list[Point] | None:
    """The points of a line, those at one place of the x-axes as one; None where their order is another."""
    if not told:
        return []
    if len(told) == 1 and isinstance(told[0], tuple):
        return [told[0]]
    if len(told) > 1:
        try:
            if len(set(map(_place_of, cast("list[Point]", told)))) == len(told):
                return cast("list[Point]", told)
        except TypeError:
            # One was read the long way.
            pass
    places: dict[tuple[int | None, float | None], Point] = {}
    for one in told:
        if isinstance(one, tuple):
            point = one
        else:
            point = series(tuple(one.values)), tuple(one.values.values()), one.step, one.epoch
        place = point[2:]
        before = places.get(place)
        if before is not None:
            if not before[0].holds(point[0]) and next(reversed(places)) != place:
                return None
            values = dict(zip(before[0].given, before[1], strict=True))
            values |= zip(point[0].given, point[1], strict=True)
            point = series(tuple(values)), tuple(values.values()), *place
        places[place] = point
    return list(places.values())


def _placed(state: State, look: tuple[Any, Series], numbers: tuple[Any, tuple[float, ...]]) -> Point | None:
    """The point of a text that is read by a plan."""
    place, names = look
    told, values = numbers
    spot = told if place is None else place(state, told)
    if spot is None:
        return OTHER
    return (names, values, *spot) if values else None
