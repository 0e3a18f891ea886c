"""The framed chart with axes and a legend; the one module that knows plotext."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple
from unicodedata import combining, east_asian_width

from floydtop.plot.columns import Column

Color = tuple[int, int, int]
"""Red, green and blue, 0-255."""
Tick = tuple[float, str]
"""A position on an axis, and its label."""

_MARKERS = {"braille": "braille", "block": "hd"}
# Where there is no colour and one character a cell, the curves differ by their character.
_ASCII_MARKERS = "*o+#x%@&"
_ASCII_FRAME = str.maketrans("┌┐└┘├┤┬┴┼─│×", "+++++++++-|!")
_NAN_COLOR: Color = (255, 80, 80)


class Curve(NamedTuple):
    """One line of a framed chart: its columns as `ColumnCache` bins them over the x-range."""

    name: str
    columns: Sequence[Column | None]
    color: Color
    letter: str = ""
    """One character drawn at the curve's end and in the legend, for those who see no colours."""


def framed_chart(
    curves: Sequence[Curve],
    width: int,
    height: int,
    *,
    x_range: tuple[float, float],
    y_range: tuple[float, float],
    x_ticks: Sequence[Tick],
    y_ticks: Sequence[Tick],
    title: str = "",
    x_label: str = "",
    axes_color: Color | None = None,
    nan_color: Color = _NAN_COLOR,
    glyphs: str = "braille",
    color: bool = True,
) -> str:
    """Draw curves in a frame of `width` x `height` cells, as lines with ANSI colours.

    The first row holds the title and the legend; it stays empty without them. Two columns a cell of the
    canvas are enough; more cost time only. plotext gets positions between 0 and 1 and our own labels: its
    own ones are longer than the canvas for 1e300, and equal for close numbers.

    Args:
        x_range: What the curves' columns cover.
        y_range: Bottom and top of the frame; what lies outside is drawn at the edge.
        glyphs: braille, block or ascii.
        color: False for no escape sequences at all.
    """
    import plotext  # 64 ms, so not before somebody looks at a framed chart

    plot: Any = plotext  # it has no annotations
    plot.clear_figure()
    # Without it plotext cuts the chart to the size of the terminal that it believes to be in.
    plot.limit_size(False, False)
    plot.plotsize(width, height - 1)
    plot.canvas_color("default")
    plot.axes_color("default")
    plot.ticks_color(axes_color or "default")
    plot.xlim(0, 1)
    plot.ylim(0, 1)
    # plotext leaves out the ticks of a chart without points.
    plot.scatter([0.0], [0.0], marker=" ")
    markers = [_marker(index, glyphs) for index in range(len(curves))]
    for curve, marker in zip(curves, markers, strict=True):
        for xs, ys in _strokes(curve.columns, y_range):
            plot.plot(xs, ys, marker=marker, color=curve.color)
    for index, curve in enumerate(curves):
        end = _end(curve.columns, back=4 * index)
        if curve.letter and end is not None:
            x, value = end
            plot.scatter([x], [_position(value, y_range)], marker=curve.letter[0], color=curve.color)
    marks = _marks(curves)
    if marks:
        plot.scatter(marks, [0.0] * len(marks), marker="×", color=nan_color)
    _ticks(plot.xticks, x_ticks, x_range)
    _ticks(plot.yticks, y_ticks, y_range)
    if x_label:
        plot.xlabel(x_label)
    text: str = plot.build().rstrip("\n")
    plot.clear_figure()
    if glyphs == "ascii":
        text = text.translate(_ASCII_FRAME)
    if not color:
        text = plot.uncolorize(text)
    samples = ["━━" if marker in _MARKERS.values() else marker * 2 for marker in markers]
    return f"{_header(title, curves, samples, width, color=color)}\n{text}"


def _marker(index: int, glyphs: str) -> str:
    return _MARKERS.get(glyphs) or _ASCII_MARKERS[index % len(_ASCII_MARKERS)]


def _header(title: str, curves: Sequence[Curve], samples: Sequence[str], width: int, *, color: bool) -> str:
    """Title and legend in one row of `width` columns; plotext's own legend hides how a loss begins."""
    entries: list[tuple[str, Color | None]] = [(f" {title}" if title else "", None)]
    for curve, sample in zip(curves, samples, strict=True):
        if not curve.name and not curve.letter:
            continue
        entries.append((f"  {sample} {curve.name} {curve.letter[:1]}".rstrip(), curve.color))
    header, room = "", width
    for text, paint in entries:
        shown, columns = _clip(text, room)
        room -= columns
        header += "\x1b[38;2;{};{};{}m{}\x1b[0m".format(*paint, shown) if color and paint else shown
    return header + " " * room


def _clip(text: str, room: int) -> tuple[str, int]:
    """As much of the text as `room` columns hold, and its width; control characters become `?`.

    Names come from the job's output: they may hold escape sequences, or characters two columns wide.
    """
    shown, columns = [], 0
    for character in text:
        character = character if character.isprintable() else "?"
        width = 0 if combining(character) else 2 if east_asian_width(character) in "WF" else 1
        if columns + width > room:
            break
        shown.append(character)
        columns += width
    return "".join(shown), columns


def _end(columns: Sequence[Column | None], *, back: int) -> tuple[float, float] | None:
    """The last point of a curve, `back` columns before its end so that several letters stand side by side."""
    ends = [
        (index, column.last)
        for index, column in enumerate(columns)
        if column is not None and column.low == column.low
    ]
    if not ends:
        return None
    at, value = next((end for end in reversed(ends) if end[0] <= ends[-1][0] - back), ends[0])
    return (at + 0.5) / len(columns), value


def _strokes(
    columns: Sequence[Column | None], y_range: tuple[float, float]
) -> Iterator[tuple[list[float], list[float]]]:
    """The curve as unbroken lines in positions from 0 to 1; a column of only NaN ends a line."""
    xs: list[float] = []
    ys: list[float] = []
    for index, column in enumerate(columns):
        if column is None:
            continue
        if column.low != column.low:
            if xs:
                yield xs, ys
            xs, ys = [], []
            continue
        x = (index + 0.5) / len(columns)
        # Two points a column, in the order that the values went: each one more costs plotext 20 µs.
        extremes = (column.low, column.high) if column.first <= column.last else (column.high, column.low)
        for value in dict.fromkeys(extremes):
            xs.append(x)
            ys.append(_position(value, y_range))
    if xs:
        yield xs, ys


def _marks(curves: Sequence[Curve]) -> list[float]:
    """Where NaN and infinite values are, on any curve."""
    return sorted(
        {
            (index + 0.5) / len(curve.columns)
            for curve in curves
            for index, column in enumerate(curve.columns)
            if column is not None and column.bad
        }
    )


def _position(value: float, limits: tuple[float, float]) -> float:
    """Where between the limits the value is, as 0 to 1; halfway where they leave no room."""
    low, high = limits
    if not (math.isfinite(low) and math.isfinite(high)) or low >= high:
        return 0.5
    span = high / 4 - low / 4  # quarters: the span of the largest floats is itself infinite
    place = (value / 4 - low / 4) / span if span else (value - low) / (high - low)
    return min(1.0, max(0.0, place))


def _ticks(
    put: Callable[[list[float], list[str]], object], ticks: Sequence[Tick], limits: tuple[float, float]
) -> None:
    put([_position(value, limits) for value, _ in ticks], [label for _, label in ticks])
