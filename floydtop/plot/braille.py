"""Columns to rows of characters: the rasteriser of panels and gauges."""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Callable, Sequence
from typing import NamedTuple

from floydtop.plot.columns import Column
from floydtop.plot.glyphs import GLYPHS, Glyphs, dots
from floydtop.plot.units import as_float

__all__ = ["BLANK_STYLE", "NAN_STYLE", "Layer", "Run", "dots", "draw", "sparkline"]

BLANK_STYLE = -1
NAN_STYLE = -2

# Cells of one colour in a row where curves coincide: fewer look like a third colour, and cost more bytes.
_TURN = 3

Run = tuple[str, int]
"""A text and its style: the layer's number, BLANK_STYLE or NAN_STYLE."""


class Layer(NamedTuple):
    """One curve: its dot columns and the style of its runs."""

    columns: Sequence[Column | None]
    style: int
    filled: bool = False
    """The area under the curve is filled."""
    beneath: bool = False
    """Its dots give way in cells that another layer draws on: raw values under smoothed ones."""


def draw(
    layers: Sequence[Layer], width: int, height: int, low: float, high: float, *, glyphs: str = "braille"
) -> list[list[Run]]:
    """Draw the layers on `width` x `height` cells whose bottom is `low` and whose top is `high`.

    Each layer has `dots(width, glyphs)` columns. Neighbouring columns are joined, a stretch of empty ones
    is bridged by a straight line. A column with nothing but NaN or infinite values breaks the line; each
    column that holds one gets a mark in the bottom row, or all in the top row where that hides fewer dots.
    What lies outside the range is drawn at the edge. A later layer takes the cells that it crosses, except
    where an earlier curve would vanish: there the dots of both show, in the style of each by turns.

    Returns:
        `height` rows, top first, each a list of (text, style) whose widths sum to `width`. Blanks between
        two runs of a style belong to it: each change of style costs 20-40 bytes on the wire.
    """
    shape = GLYPHS[glyphs]
    width, height = max(width, 0), max(height, 0)
    canvas = _Canvas(width, height, shape)
    marks: set[int] = set()
    for layer in sorted(layers, key=lambda layer: not layer.beneath):
        columns = layer.columns[: width * shape.across]
        masks = _masks(columns, height * shape.down, low, high)
        if layer.filled:
            masks = [(1 << mask.bit_length()) - 1 for mask in masks]
        canvas.paint(masks + [0] * (width * shape.across - len(masks)), layer.style, beneath=layer.beneath)
        marks |= {
            index // shape.across for index, column in enumerate(columns) if column is not None and column.bad
        }
    if marks:
        canvas.mark(marks)
    return canvas.runs()


def sparkline(
    values: Sequence[float | None], width: int, low: float, high: float, *, glyphs: str = "block"
) -> str:
    """The last values as one row of bars, newest at the right; exactly `width` columns.

    One value a cell, two with braille. None (not known) is blank, the lowest value is a low bar, NaN is a
    mark: unknown is not zero.
    """
    shape = GLYPHS[glyphs]
    place = _placer(low, high, len(shape.levels) or shape.down)
    width = max(width, 0)
    bars = width if shape.levels else width * shape.across
    shown = values[max(0, len(values) - bars) :]
    shown = [*[None] * (bars - len(shown)), *shown]
    if shape.levels:
        return "".join(_bar(value, place, shape) for value in shown)
    return "".join(_bars(pair, place, shape) for pair in zip(shown[::2], shown[1::2], strict=True))


class _Canvas:
    """Rows of cells, top first: each cell's dots, and the style of the layer that drew last on it."""

    def __init__(self, width: int, height: int, shape: Glyphs) -> None:
        self._shape = shape
        self._cells = [[0] * width for _ in range(height)]
        self._styles = [[BLANK_STYLE] * width for _ in range(height)]
        self._beneath: set[int] = set()
        self._painted = 0
        self._marked_row = -1
        self._marks: set[int] = set()

    def paint(self, masks: list[int], style: int, *, beneath: bool) -> None:
        """Add a layer's dots, given as one int a dot column with bit 0 at the bottom."""
        if beneath:
            self._beneath.add(style)
        else:
            self._painted += 1
        down, height = self._shape.down, len(self._cells)
        drawn = functools.reduce(operator.or_, masks, 0)
        shifts = range((height - 1) * down, -1, -down)
        layer = [self._codes(masks, shift) if drawn >> shift & (1 << down) - 1 else [] for shift in shifts]
        for row, codes in enumerate(layer):
            if not codes:
                continue
            if any(self._cells[row]):
                self._paint_over(row, layer, style)
            else:
                self._cells[row], self._styles[row] = codes, [style] * len(codes)

    def mark(self, cells: set[int]) -> None:
        """Put marks in these cells of the bottom row, or of the top row where they hide fewer dots."""
        if self._cells:
            top, bottom = (sum(self._cells[row][cell] != 0 for cell in cells) for row in (0, -1))
            self._marked_row = 0 if top < bottom else len(self._cells) - 1
            self._marks = cells

    def runs(self) -> list[list[Run]]:
        """Each row as runs of one style."""
        table = self._shape.table
        rows = []
        for row, (cells, styles) in enumerate(zip(self._cells, self._styles, strict=True)):
            characters = [table[code] for code in cells]
            if row == self._marked_row:
                for cell in self._marks:
                    characters[cell], styles[cell] = self._shape.mark, NAN_STYLE
            rows.append(_runs("".join(characters), styles))
        return rows

    def _codes(self, masks: list[int], shift: int) -> list[int]:
        """One row of a layer: each cell's dots as an index into the table of glyphs."""
        down = self._shape.down
        full = (1 << down) - 1
        if self._shape.across == 1:
            return [mask >> shift & full for mask in masks]
        return [
            left >> shift & full | (right >> shift & full) << down
            for left, right in zip(masks[::2], masks[1::2], strict=True)
        ]

    def _paint_over(self, row: int, layer: list[list[int]], style: int) -> None:
        """Paint a row that others have drawn on.

        A cell has one colour. Where curves cross, the later one takes the cell for itself, which keeps its
        line thin. Where a curve would vanish from this column of cells altogether, its dots stay, and
        curves that coincide take turns with the colour.
        """
        cells, styles = self._cells[row], self._styles[row]
        for column, code in enumerate(layer[row]):
            if not code:
                continue
            there = styles[column]
            if there == style:
                cells[column] |= code
                continue
            gives_way = there in self._beneath and style not in self._beneath
            if not gives_way and cells[column] and not self._shows_elsewhere(column, there, layer):
                code |= cells[column]
                if column // _TURN % self._painted != self._painted - 1:
                    cells[column] = code
                    continue
            cells[column], styles[column] = code, style

    def _shows_elsewhere(self, column: int, style: int, layer: list[list[int]]) -> bool:
        """Whether this column of cells has dots of that style that the layer leaves alone."""
        return any(
            cells[column] and styles[column] == style and not (codes and codes[column])
            for cells, styles, codes in zip(self._cells, self._styles, layer, strict=True)
        )


def _runs(text: str, styles: list[int]) -> list[Run]:
    """The row as runs; inner blanks belong to the run on their left, outer ones are blank."""
    begin, end = len(text) - len(text.lstrip(" ")), len(text.rstrip(" "))
    if begin >= end:
        return [(text, BLANK_STYLE)] if text else []
    runs = [(text[:begin], BLANK_STYLE)] if begin else []
    if styles.count(styles[begin]) == len(styles):
        runs.append((text[begin:end], styles[begin]))
    else:
        start = begin
        for index in range(begin + 1, end):
            if styles[index] != styles[start] and text[index] != " ":
                runs.append((text[start:index], styles[start]))
                start = index
        runs.append((text[start:end], styles[start]))
    if end < len(text):
        runs.append((text[end:], BLANK_STYLE))
    return runs


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
    direction = 1 if start_level <= stop_level else -1
    rise = abs(stop_level - start_level)
    slope = rise / width
    for step in range(width + 1):
        begin = max(0, math.ceil(slope * (step - 0.5)))
        end = rise if step == width else math.ceil(slope * (step + 0.5)) - 1
        if end < begin:
            begin = end = int(slope * step + 0.5)
        levels = start_level + direction * begin, start_level + direction * end
        masks[start + step] |= (2 << max(levels)) - (1 << min(levels))


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


def _bar(value: float | None, place: Callable[[float], int], shape: Glyphs) -> str:
    if value is None:
        return " "
    value = as_float(value)
    return shape.levels[place(value)] if math.isfinite(value) else shape.mark


def _bars(pair: Sequence[float | None], place: Callable[[float], int], shape: Glyphs) -> str:
    """Two bars of dots in one cell."""
    values = [None if value is None else as_float(value) for value in pair]
    if any(value is not None and not math.isfinite(value) for value in values):
        return shape.mark
    left, right = (0 if value is None else (2 << place(value)) - 1 for value in values)
    return shape.table[left | right << shape.down]
