from __future__ import annotations

import re
from pathlib import Path

from rich.ansi import AnsiDecoder
from rich.console import Console
from rich.style import Style
from textual._compositor import ChopsUpdate, LayoutUpdate

from floydtop.app.tight import tight
from tests.app.stage import MEDIUM, replaying, whole

Cells = dict[tuple[int, int], tuple[object, ...]]

CONSOLE = Console(color_system="truecolor", force_terminal=True, width=MEDIUM[0])


def look(style: Style) -> tuple[object, ...]:
    """Colours and attributes; none of them is as good as one that is off."""
    colors = [color.triplet if color is not None else None for color in (style.color, style.bgcolor)]
    attributes = (style.bold, style.dim, style.italic, style.underline, style.reverse)
    return (*colors, *map(bool, attributes))


def painted(sequence: str) -> Cells:
    """The cells that terminal sequences leave: moves, colours and text of one cell a character."""
    cells: Cells = {}
    decoder = AnsiDecoder()
    for row, column, text in re.findall(r"\x1b\[(\d+);(\d+)H(.*?)(?=\x1b\[\d+;\d+H|$)", sequence, re.DOTALL):
        line = decoder.decode_line(text.strip("\n"))
        for x, character in enumerate(line.plain):
            cells[int(column) - 1 + x, int(row) - 1] = (
                character,
                *look(line.get_style_at_offset(CONSOLE, x)),
            )
    return cells


async def test_a_whole_screen_shows_the_same_in_less_than_two_thirds_of_the_bytes(tmp_path: Path) -> None:
    async with replaying(tmp_path, whole()) as stage:
        for key in ("y", "tab", "enter"):
            await stage.press(key)
            frame = stage.app.screen._compositor.render_full_update()
            assert type(frame) is LayoutUpdate
            plain, fewer = frame.render_segments(CONSOLE), tight(frame).render_segments(CONSOLE)
            assert painted(fewer) == painted(plain)
            assert len(fewer) < len(plain) * 2 / 3


async def test_an_update_paints_of_the_same_cells_those_that_changed(tmp_path: Path) -> None:
    async with replaying(tmp_path, whole()) as stage:
        compositor = stage.app.screen._compositor
        for panel in stage.app.screen.query(".panel"):
            region = panel.region
            compositor._dirty_regions = {region.shrink((2, 5, 2, 9)), region.shrink((4, 1, 1, 20))}
            update = compositor.render_partial_update()
            assert type(update) is ChopsUpdate
            plain, fewer = update.render_segments(CONSOLE), tight(update).render_segments(CONSOLE)
            assert painted(fewer).items() <= painted(plain).items()
            wanted = {(x, y) for y, start, end in update.spans for x in range(start, end)}
            assert painted(fewer).keys() == wanted
