"""Fewer bytes to the terminal: send the cells that changed, not the row from its widget's left edge."""

from __future__ import annotations

from rich.console import Console
from rich.control import Control
from textual._compositor import ChopsUpdate


class TightUpdate(ChopsUpdate):
    """A partial update whose spans are cropped on both sides.

    Textual 8.2 crops a changed span on its right side only (a TODO in its `ChopsUpdate` says so). On a live
    dashboard, where curves grow at their right ends, the rest of the rows is three quarters of all bytes.
    """

    @classmethod
    def of(cls, update: ChopsUpdate) -> TightUpdate:
        """The same update, to be rendered tightly."""
        return cls(update.chops, update.spans, update.chop_ends)

    def render_segments(self, console: Console) -> str:
        """The update as terminal sequences."""
        sequences: list[str] = []
        for y, x1, x2 in self.spans:
            for end, (x, strip) in zip(self.chop_ends[y], self.chops[y].items(), strict=False):
                if strip is None or x >= x2 or end <= x1:
                    continue
                first, last = max(x, x1), min(end, x2)
                sequences.append(Control.move_to(first, y).segment.text)
                sequences.append(strip.crop(first - x, last - x).render(console))
        return "".join(sequences)
