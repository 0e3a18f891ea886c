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

    def on_mount(self) -> None:
        self.set_class(getattr(self.app, "glyphs", "") == "ascii", "ascii")

    def action_close(self) -> None:
        self.dismiss()

    async def action_quit(self) -> None:
        """The app's keys do not reach it through a modal screen."""
        await self.app.action_quit()

    def action_scroll(self, rows: int) -> None:
        self.query_one(HelpCard).scroll_rows(rows)


class HelpCard(Canvas):
    """The rows of keys; where they do not fit, they scroll."""

    def __init__(self, keys: tuple[Key, ...]) -> None:
        super().__init__(id="help")
        self._keys = keys
        self._first = 0
        self.border_title = safe("keys")
        self.border_subtitle = safe("Esc closes")

    def on_mount(self) -> None:
        self.styles.height = len(self._rows()) + 4

    def on_resize(self) -> None:
        self.scroll_rows(0)

    def scroll_rows(self, rows: int) -> None:
        """Move by rows, negative for back."""
        everything, height = self._rows(), self.size.height
        self._first = max(0, min(self._first + rows, len(everything) - height))
        if height < len(everything):
            self.border_subtitle = safe("j k scroll, Esc closes")
        self.show(everything[self._first : self._first + height])

    def _rows(self) -> list[Row]:
        rows = [*self._table(self._keys), [], self._heading("in one large chart"), *self._table(FOCUS[:1])]
        return [*rows, [], *self._legend()]

    def _heading(self, text: str) -> Row:
        return [Run(text, self.palette.accent)]

    def _table(self, keys: tuple[Key, ...]) -> list[Row]:
        palette = self.palette
        return [
            [
                Run(f"{' '.join(key_name(name) for name in key.keys.split(',')):<17}", palette.accent),
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
