"""Which charts are in view, how many of them side by side, and how much of the output below them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from textual.geometry import Size

from floydtop.app.panels import PanelSpec

MOST_COLUMNS = 6

PANEL_WIDTH, PANEL_HEIGHT = 38, 9
SIDE_WIDTH = 44
SIDE_FROM = 120
"""Columns of the terminal from which the system charts have a place of their own."""

LOG_FROM = 30
"""Rows of the terminal from which the output is shown without asking."""


class Plan(NamedTuple):
    """What stands where on a dashboard of one size."""

    size: Size
    columns: int
    rows: int
    """Of charts, in the grid."""
    log_mode: str
    """How much of the output is shown: none, some, all."""
    log_height: int
    page: int
    pages: int
    shown: tuple[PanelSpec, ...]
    """The charts of this page."""
    side: tuple[PanelSpec, ...]
    """The system charts beside them."""


def plan(
    training: Sequence[PanelSpec], system: Sequence[PanelSpec], size: Size, log_mode: str | None, page: int
) -> Plan:
    """Give each chart its place; `log_mode` None leaves it to the size of the terminal."""
    log_mode = log_mode or ("some" if size.height >= LOG_FROM or not training else "none")
    side_count = 0
    if size.width >= SIDE_FROM and system and log_mode != "all":
        side_count = min(len(system), max(1, (size.height - 4) // 8))
    side, rest = system[:side_count], system[side_count:]
    wanted = [*training, *rest]
    room_width = size.width - (SIDE_WIDTH if side else 0)
    log_height = {"none": 0, "all": size.height, "some": max(6, size.height // 4)}[log_mode]
    room_height = size.height - 4 - log_height
    columns, rows = grid(len(wanted), room_width // PANEL_WIDTH, room_height // PANEL_HEIGHT)
    per_page = columns * rows
    pages = max(1, -(-len(wanted) // per_page))
    page = min(page, pages - 1)
    shown = wanted[page * per_page : (page + 1) * per_page]
    return Plan(size, columns, rows, log_mode, log_height, page, pages, tuple(shown), tuple(side))


def grid(panels: int, most_columns: int, most_rows: int) -> tuple[int, int]:
    """Columns and rows for a page: as many as fit, with the fewest holes when all panels do."""
    most_columns, most_rows = max(1, min(most_columns, MOST_COLUMNS)), max(1, most_rows)
    fitting = [
        columns
        for columns in range(1, min(most_columns, max(1, panels)) + 1)
        if -(-panels // columns) <= most_rows and columns > most_columns // 2
    ]
    if not fitting:
        columns = min(most_columns, max(1, panels))
        return columns, max(1, min(most_rows, -(-panels // columns)))
    columns = min(fitting, key=lambda columns: (-panels % columns, -columns))
    return columns, max(1, -(-panels // columns))
