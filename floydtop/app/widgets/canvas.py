"""A widget that is drawn cell by cell, and sends only the cells that changed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from floydtop.app.glyphs import plain
from floydtop.app.palette import Palette, palette_of
from floydtop.app.safe import clean

JOIN = 6
"""Cells: two changes on a row that are closer than this are sent as one; a move costs about as much."""


_OURS = re.compile("[ -~\u00a1-\u00ac\u00ae-\u02ff\u2010-\u2027\u2030-\u205e\u2070-\u20cf\u2100-\u2bff]*")
"""ASCII, Latin letters, and the signs and braille that charts are made of: nothing in it needs cleaning."""


class Run(NamedTuple):
    """Some text in one style."""

    text: str
    style: Style


Row = list[Run]


def row_width(row: Row) -> int:
    """Cells that a row takes."""
    return sum(cell_len(run.text) for run in row)


def spread(left: Row, right: Row, width: int, style: Style) -> Row:
    """A row of `width` cells: `left` at its left edge, `right` at its right edge, dropped if it won't fit."""
    room = width - row_width(left) - row_width(right)
    if room < 1 and right:
        return left
    return [*left, Run(" " * max(0, room), style), *right]


def cropped(row: Row, width: int) -> Row:
    """As much of a row as `width` cells hold."""
    kept: Row = []
    for run in row:
        if cell_len(run.text) > width:
            kept.append(Run(set_cell_size(run.text, max(0, width)), run.style))
            break
        kept.append(run)
        width -= cell_len(run.text)
    return kept


class Canvas(Widget):
    """Shows rows of runs.

    Textual sends a whole widget again at each refresh, also when nothing changed. A canvas compares what
    it shows with what it showed and refreshes only the spans that differ; `tight` sends no more than them.
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self._shown: list[Row] = []
        self._paper = Style.null()

    @property
    def palette(self) -> Palette:
        """The colours of the present theme."""
        return palette_of(self.app.current_theme, grey=self.app.no_color)

    @property
    def glyphs(self) -> str:
        """What this terminal can show: braille, block or ascii."""
        return getattr(self.app, "glyphs", "braille")

    def on_resize(self) -> None:
        """Ask for a redraw: a widget that was just mounted has no size before, and nothing to show."""
        redraw_soon = getattr(self.screen, "redraw_soon", None)
        if redraw_soon is not None:
            redraw_soon()

    def show(self, rows: Sequence[Row]) -> None:
        """Show rows, top first; text that could do more than show is made harmless here."""
        fresh = [[_harmless(run) for run in row if run.text] for row in rows]
        if self.glyphs == "ascii":
            fresh = [[Run(plain(run.text), run.style) for run in row] for row in fresh]
        shown, self._shown = self._shown, fresh
        if len(fresh) != len(shown):
            self.refresh()
            return
        regions = [
            Region(start, y, end - start, 1)
            for y, (old, new) in enumerate(zip(shown, fresh, strict=True))
            if old != new
            for start, end in changed_spans(old, new)
        ]
        if regions:
            self.refresh(*regions)

    def render_lines(self, crop: Region) -> list[Strip]:
        """Rows as Textual wants them."""
        # A third of a millisecond, so once for all rows.
        self._paper = self.rich_style.background_style
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        """One row as Textual wants it."""
        width = self.size.width
        row = self._shown[y] if y < len(self._shown) else []
        strip = Strip(Segment(run.text, run.style) for run in row).adjust_cell_length(width)
        return strip.apply_style(self._paper)


def _harmless(run: Run) -> Run:
    return run if _OURS.fullmatch(run.text) else Run(clean(run.text), run.style)


def changed_spans(old: Row, new: Row) -> list[tuple[int, int]]:
    """The cell ranges [start, end) in which two rows differ, near ones joined."""
    before, after = _cells(old), _cells(new)
    width = max(len(before), len(after))
    if len(before) != len(after):
        blank = (" ", Style.null())
        before += [blank] * (width - len(before))
        after += [blank] * (width - len(after))
    spans: list[tuple[int, int]] = []
    for x, (a, b) in enumerate(zip(before, after, strict=True)):
        if a == b:
            continue
        if spans and x - spans[-1][1] < JOIN:
            spans[-1] = (spans[-1][0], x + 1)
        else:
            spans.append((x, x + 1))
    return spans


def _cells(row: Row) -> list[tuple[str, Style]]:
    cells: list[tuple[str, Style]] = []
    for text, style in row:
        if text.isascii() or cell_len(text) == len(text):
            cells += [(character, style) for character in text]
        else:
            for character in text:
                # A wide character counts as all of its cells; one of no width belongs to its neighbour.
                cells += [(character, style)] * cell_len(character)
    return cells
