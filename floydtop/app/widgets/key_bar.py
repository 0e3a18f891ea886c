"""The footer: the keys of the screen, from the one table."""

from __future__ import annotations

from floydtop.app.keys import Key, key_name
from floydtop.app.widgets.canvas import Canvas, Row, Run, row_width


class KeyBar(Canvas):
    """One row of keys and what they do; what does not fit is left to the help screen."""

    def __init__(self, keys: tuple[Key, ...]) -> None:
        super().__init__(id="keys")
        self._keys = [key for key in keys if key.footer]

    def on_resize(self) -> None:
        self.draw()

    def draw(self) -> None:
        """Show as many keys as fit."""
        palette = self.palette
        row: Row = []
        for key in self._keys:
            name = "/".join(key_name(name) for name in key.keys.split(",")[:2] if "+" not in name)
            entry = [Run(f" {name} ", palette.accent), Run(f"{key.label} ", palette.dim)]
            if row_width(row) + row_width(entry) > self.size.width:
                break
            row += entry
        self.show([row])
