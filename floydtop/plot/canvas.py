"""Cells that several curves draw on, and the runs of one style that they make."""

from __future__ import annotations

import functools
import operator

from floydtop.plot.glyphs import Glyphs

BLANK_STYLE = -1
NAN_STYLE = -2

# Cells of one colour in a row where curves coincide: fewer look like a third colour, and cost more bytes.
_TURN = 3

Run = tuple[str, int]
"""A text and its style: the layer's number, BLANK_STYLE or NAN_STYLE."""


class Canvas:
    """Rows of cells, top first: each cell's dots, and the style of the layer that drew last on it."""

    def __init__(self, width: int, height: int, shape: Glyphs) -> None:
        self._shape = shape
        self._cells = [[0] * width for _ in range(height)]
        self._styles = [[BLANK_STYLE] * width for _ in range(height)]
        self._beneath: set[int] = set()
        self._filled: set[int] = set()
        self._painted = 0
        self._marked_row = -1
        self._marks: set[int] = set()

    def paint(self, masks: list[int], style: int, *, beneath: bool, filled: bool = False) -> None:
        """Add a layer's dots, given as one int a dot column with bit 0 at the bottom."""
        if filled:
            self._filled.add(style)
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
            if there in self._filled:
                # An area reaches up to the line that bounds it: without its dots a gap would show.
                code |= cells[column]
            gives_way = there in self._beneath and style not in self._beneath
            if not gives_way and cells[column] and not self._shows_elsewhere(column, there, layer):
                code |= cells[column]
                curves = self._painted or len(self._beneath)
                if column // _TURN % curves != curves - 1:
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
