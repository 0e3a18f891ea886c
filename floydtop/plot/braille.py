"""Columns to rows of characters: the rasteriser of panels and gauges."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from floydtop.plot.canvas import BLANK_STYLE, NAN_STYLE, Canvas, Run
from floydtop.plot.columns import Column
from floydtop.plot.glyphs import GLYPHS, Glyphs, dots
from floydtop.plot.units import as_float

__all__ = ["BLANK_STYLE", "NAN_STYLE", "Layer", "Run", "dots", "draw", "sparkline"]


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
    canvas = Canvas(width, height, shape)
    marks: set[int] = set()
    for layer in sorted(layers, key=lambda layer: not layer.beneath):
        columns = layer.columns[: width * shape.across]
        masks = _masks(columns, height * shape.down, low, high)
        if layer.filled:
            masks = [(1 << mask.bit_length()) - 1 for mask in masks]
        canvas.paint(
            masks + [0] * (width * shape.across - len(masks)),
            layer.style,
            beneath=layer.beneath,
            filled=layer.filled,
        )
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
