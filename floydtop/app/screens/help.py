"""The help page: every key, from the one table."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.screen import ModalScreen

from floydtop.app.keys import APP, FOCUS, HELP, Key, bindings, key_name
from floydtop.app.safe import safe
from floydtop.app.widgets.canvas import Canvas, Row, Run


class HelpScreen(ModalScreen[None]):
    """A card over the screen that asked for it."""

    BINDINGS = [*bindings(HELP), *bindings(APP[:1])]  # noqa: RUF012 (Textual's way)

    def __init__(self, keys: tuple[Key, ...]) -> None:
        super().__init__()
        self._keys = keys

    def compose(self) -> ComposeResult:
        yield HelpCard(self._keys)

    def action_close(self) -> None:
        self.dismiss()


class HelpCard(Canvas):
    """The rows of keys."""

    def __init__(self, keys: tuple[Key, ...]) -> None:
        super().__init__(id="help")
        self._keys = keys
        self.border_title = safe("keys")
        self.border_subtitle = safe("Esc closes")

    def on_mount(self) -> None:
        rows = [*self._table(self._keys), [], self._heading("in one large chart"), *self._table(FOCUS[:1])]
        rows += [[], *self._legend()]
        self.styles.height = len(rows) + 4
        self.show(rows)

    def _heading(self, text: str) -> Row:
        return [Run(text, self.palette.accent)]

    def _table(self, keys: tuple[Key, ...]) -> list[Row]:
        palette = self.palette
        return [
            [
                Run(f"{' '.join(key_name(name) for name in key.keys.split(',')):<20}", palette.accent),
                Run(key.help, palette.text),
            ]
            for key in keys
        ]

    def _legend(self) -> list[Row]:
        palette = self.palette
        return [
            [
                Run("▸0.41", palette.faded[0]),
                Run("  running value of a bar that is not finished", palette.dim),
            ],
            [Run("×", palette.bad), Run("      a value that is no number (NaN, inf)", palette.dim)],
            [Run("n/a", palette.faint), Run("    not known; never shown as zero", palette.dim)],
        ]
