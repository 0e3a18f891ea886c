"""Columns to rows of characters: the rasteriser of panels and gauges."""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from floydtop.plot.columns import Column
from floydtop.plot.units import as_float

BLANK_STYLE = -1
NAN_STYLE = -2

Run = tuple[str, int]
"""A text and its style: the layer's number, BLANK_STYLE or NAN_STYLE."""


class Layer(NamedTuple):
    """One curve: its dot columns, the style of its runs, and whether the area under it is filled."""

    columns: Sequence[Column | None]
    style: int
    filled: bool = False


class Glyphs(NamedTuple):
    """How dots become characters: a cell is `across` x `down` dots."""

    across: int
    down: int
    table: tuple[str, ...]
    """Character by the cell's dots: the left column's bits, then the right's; bit 0 is the bottom dot."""
    mark: str
    """Shown where a value was NaN or infinite."""
    levels: str
    """Bars of a sparkline, lowest first."""


def _braille_table() -> tuple[str, ...]:
    # Unicode numbers the dots 1 2 3 down the left, 4 5 6 down the right, then 7 and 8 at the bottom.
    left, right = (0x40, 0x04, 0x02, 0x01), (0x80, 0x20, 0x10, 0x08)
    weights = (*left, *right)
    table = [
        chr(0x2800 + sum(weight for bit, weight in enumerate(weights) if dots >> bit & 1))
        for dots in range(256)
    ]
    # Some fonts draw the empty pattern as eight hollow circles.
    table[0] = " "
    return tuple(table)


_GLYPHS = {
    "braille": Glyphs(2, 4, _braille_table(), "×", "⢀⢠⢰⢸"),
    "block": Glyphs(2, 2, tuple(" ▖▘▌▗▄▚▙▝▞▀▛▐▟▜█"), "×", "▁▂▃▄▅▆▇█"),
    "ascii": Glyphs(1, 3, tuple(" .-|':||"), "x", "_.-=+*#"),
}


def dots(width: int, glyphs: str = "braille") -> int:
    """How many dot columns `width` cells have: the number of columns that `draw` wants."""
    return width * _GLYPHS[glyphs].across


def draw(
    layers: Sequence[Layer], width: int, height: int, low: float, high: float, *, glyphs: str = "braille"
) -> list[list[Run]]:
    """Draw the layers on `width` x `height` cells whose bottom is `low` and whose top is `high`.

    Each layer has `dots(width, glyphs)` columns. Neighbouring columns are joined, a stretch of empty ones
    is bridged by a straight line. A column with nothing but NaN or infinite values breaks the line; each
    column that holds one gets a mark in the bottom row, or all in the top row where only that hides no dot.
    What lies outside the range is drawn at the edge. A later layer takes the whole cell, so that crossing
    curves stay legible.

    Returns:
        `height` rows, top first, each a list of (text, style) whose widths sum to `width`. Blanks between
        two runs of a style belong to it: each change of style costs 20-40 bytes on the wire.
    """
    shape = _GLYPHS[glyphs]
    width, height = max(width, 0), max(height, 0)
    rows = [_Row(width) for _ in range(height)]
    marks: set[int] = set()
    for layer in layers:
        columns = layer.columns[: width * shape.across]
        masks = _masks(columns, height * shape.down, low, high)
        if layer.filled:
            masks = [(1 << mask.bit_length()) - 1 for mask in masks]
        masks += [0] * (width * shape.across - len(masks))
        for row, cells in zip(rows, _cells(masks, height, shape), strict=True):
            if cells:
                row.paint(cells, layer.style)
        marks.update(
            index // shape.across for index, column in enumerate(columns) if column is not None and column.bad
        )
    if height:
        row = rows[-1]
        if any(rows[-1].cells[cell] != " " for cell in marks) and all(
            rows[0].cells[cell] == " " for cell in marks
        ):
            row = rows[0]
        for cell in marks:
            row.mark(cell, shape.mark)
    return [row.runs() for row in rows]


def sparkline(
    values: Sequence[float | None], width: int, low: float, high: float, *, glyphs: str = "block"
) -> str:
    """The last values as one row of bars, newest at the right; exactly `width` columns.

    One value a cell, two with braille. None (not known) is blank, the lowest value is a low bar, NaN is a
    mark: unknown is not zero.
    """
    shape = _GLYPHS[glyphs]
    place = _placer(low, high, len(shape.levels) if glyphs != "braille" else 4)
    if glyphs == "braille":
        return _braille_sparkline(values, width, place, shape)
    shown = values[-width:] if width > 0 else []
    bars = [
        " "
        if value is None
        else shape.mark
        if not math.isfinite(as_float(value))
        else shape.levels[place(value)]
        for value in shown
    ]
    return "".join(bars).rjust(max(width, 0))


class _Row:
    """One row of cells while it is being painted; `_styles` stays empty while all of it has one style."""

    def __init__(self, width: int) -> None:
        self.cells = [" "] * width
        self._style = BLANK_STYLE
        self._styles: list[int] = []

    def paint(self, cells: list[str], style: int) -> None:
        """Lay a layer's cells over the row; blank ones show what is beneath."""
        if self._style == BLANK_STYLE:
            self.cells, self._style = cells, style
            return
        styles = self._own_styles()
        for index, cell in enumerate(cells):
            if cell != " ":
                self.cells[index], styles[index] = cell, style

    def mark(self, index: int, mark: str) -> None:
        self.cells[index], self._own_styles()[index] = mark, NAN_STYLE

    def _own_styles(self) -> list[int]:
        if not self._styles:
            self._styles = [self._style] * len(self.cells)
        return self._styles

    def runs(self) -> list[Run]:
        """The row as runs; inner blanks belong to the run on their left, outer ones are blank."""
        text = "".join(self.cells)
        begin, end = len(text) - len(text.lstrip(" ")), len(text.rstrip(" "))
        if begin >= end:
            return [(text, BLANK_STYLE)] if text else []
        runs = [(text[:begin], BLANK_STYLE)] if begin else []
        if self._styles:
            styles = self._styles
            start = begin
            for index in range(begin + 1, end):
                if styles[index] != styles[start] and text[index] != " ":
                    runs.append((text[start:index], styles[start]))
                    start = index
            runs.append((text[start:end], styles[start]))
        else:
            runs.append((text[begin:end], self._style))
        if end < len(text):
            runs.append((text[end:], BLANK_STYLE))
        return runs


def _cells(masks: list[int], height: int, shape: Glyphs) -> Iterator[list[str]]:
    """The rows of one layer, top first; an empty list where nothing is drawn."""
    table, down = shape.table, shape.down
    full = (1 << down) - 1
    drawn = functools.reduce(operator.or_, masks, 0)
    pairs = list(zip(masks[::2], masks[1::2], strict=True)) if shape.across == 2 else []
    for shift in range((height - 1) * down, -1, -down):
        if not drawn >> shift & full:
            yield []
        elif shape.across == 2:
            yield [table[left >> shift & full | (right >> shift & full) << down] for left, right in pairs]
        else:
            yield [table[mask >> shift & full] for mask in masks]


def _placer(low: float, high: float, levels: int) -> Callable[[float], int]:
    """value -> level 0 to `levels` - 1; values outside [low, high] are at its ends."""
    low, high = as_float(low), as_float(high)
    if not (math.isfinite(low) and math.isfinite(high)):
        low, high = 0.0, 1.0
    shrink = 1.0 if math.isfinite(high - low) else 0.25
    low, high = low * shrink, high * shrink
    span, top = high - low, levels - 1

    def place(value: float) -> int:
        value *= shrink
        if span <= 0:
            return top // 2
        if value <= low:
            return 0
        if value >= high:
            return top
        return int((value - low) / span * top + 0.5)

    return place


def _masks(columns: Sequence[Column | None], levels: int, low: float, high: float) -> list[int]:
    """The dots of each column as the bits of an int, bit 0 at the bottom."""
    masks = [0] * len(columns)
    if levels <= 0:
        return masks
    place = _placer(low, high, levels)
    previous, previous_level, joined = -1, 0, False
    for index, column in enumerate(columns):
        if column is None:
            continue
        first, last, lowest, highest, _ = column
        if lowest != lowest:
            _thicken_lone(masks, previous, joined, levels)
            previous = -1
            continue
        bottom = place(lowest)
        if lowest == highest:
            top = begin = end = bottom
        else:
            top, begin, end = place(highest), place(first), place(last)
        masks[index] |= (2 << top) - (1 << bottom)
        if previous >= 0:
            _join(masks, previous, previous_level, index, begin)
        joined = previous >= 0
        previous, previous_level = index, end
    _thicken_lone(masks, previous, joined, levels)
    return masks


def _join(masks: list[int], start: int, start_level: int, stop: int, stop_level: int) -> None:
    """A straight line between two points, half of each step in the column it leaves."""
    width = stop - start
    if width == 1:
        if start_level < stop_level:
            middle = (start_level + stop_level) // 2
            masks[start] |= (2 << middle) - (1 << start_level)
            masks[stop] |= (2 << stop_level) - (2 << middle)
        elif start_level > stop_level:
            middle = (start_level + stop_level + 1) // 2
            masks[start] |= (2 << start_level) - (1 << middle)
            masks[stop] |= (1 << middle) - (1 << stop_level)
        return
    slope = (stop_level - start_level) / width
    here = start_level
    for step in range(width + 1):
        there = int(start_level + slope * min(step + 0.5, width) + 0.5)
        masks[start + step] |= (2 << max(here, there)) - (1 << min(here, there))
        # The next column begins one dot further, or the line would look twice as thick where it is steep.
        here = there + (1 if slope > 0 else -1) if abs(slope) >= 1 and step < width - 1 else there


def _thicken_lone(masks: list[int], index: int, joined: bool, levels: int) -> None:
    """Make a point with no neighbour two dots high and two wide within its cell: one dot is overlooked."""
    if index < 0 or joined or masks[index].bit_count() != 1:
        return
    mask = masks[index]
    mask |= mask << 1 if mask.bit_length() < levels else mask >> 1
    masks[index] = mask
    sibling = index ^ 1
    if sibling < len(masks):
        masks[sibling] |= mask


def _braille_sparkline(
    values: Sequence[float | None], width: int, place: Callable[[float], int], shape: Glyphs
) -> str:
    shown = values[-2 * width :] if width > 0 else []
    shown = [*[None] * (2 * max(width, 0) - len(shown)), *shown]
    cells = []
    for pair in zip(shown[::2], shown[1::2], strict=True):
        if any(value is not None and not math.isfinite(as_float(value)) for value in pair):
            cells.append(shape.mark)
        else:
            left, right = (0 if value is None else (2 << place(value)) - 1 for value in pair)
            cells.append(shape.table[left | right << 4])
    return "".join(cells)
