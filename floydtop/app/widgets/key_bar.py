"""The footer: the keys of the screen, from the one table."""

from __future__ import annotations

from floydtop.app.keys import FOOTER, Key, key_name
from floydtop.app.widgets.canvas import Canvas, Row, Run, row_width


class KeyBar(Canvas):
    """One row of keys and what they do; what does not fit is left to the help screen."""

    def __init__(self, keys: tuple[Key, ...]) -> None:
        super().__init__(id="keys")
        self._keys = sorted((key for key in keys if key.action in FOOTER), key=_rank)
        self._useless = ""
        self._asked = ""

    def on_resize(self) -> None:
        self.draw()

    def leave_out(self, action: str) -> None:
        """An action that can do nothing now takes no place."""
        self._useless = action
        self.draw()

    def explain(self, asked: str) -> None:
        """Say what is being typed, and the keys that end that; nothing is typed any more: an empty text."""
        self._asked = asked
        self.draw()

    def draw(self) -> None:
        """Show as many keys as fit."""
        palette = self.palette
        row: Row = []
        if self._asked:
            for name, label in (("Enter", "Keep"), ("Esc", "Undo"), ("", self._asked)):
                row += [Run(f" {name} " if name else " ", palette.accent), Run(f"{label} ", palette.dim)]
            self.show([row])
            return
        shown: set[str] = {self._useless}
        for key in self._keys:
            entry = [Run(f" {_name(key)} ", palette.accent), Run(f"{key.label} ", palette.dim)]
            if key.action not in shown and row_width(row) + row_width(entry) <= self.size.width:
                shown.add(key.action)
                row += entry
        self.show([row])


def _rank(key: Key) -> int:
    return FOOTER.index(key.action)


def _name(key: Key) -> str:
    """The key, or both where two letters are meant to be known: x and t."""
    first, second, *_ = *map(key_name, key.keys.split(",")), ""
    return f"{first}/{second}" if len(first) == len(second) == 1 and (first + second).isalnum() else first
