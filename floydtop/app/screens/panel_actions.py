"""The keys that select a chart, turn pages and copy a value."""

from __future__ import annotations

from typing import TYPE_CHECKING

from floydtop.app.lines import value_at_cursor
from floydtop.app.panels import PanelSpec
from floydtop.app.view import View
from floydtop.app.widgets.panel import Panel

if TYPE_CHECKING:
    from textual.screen import Screen

    Base = Screen[None]
else:
    Base = object


class PanelActions(Base):
    """Actions over the panels that a screen shows."""

    page: int

    if TYPE_CHECKING:

        def view(self) -> View: ...
        def redraw(self) -> None: ...
        def specs(self) -> list[PanelSpec]: ...
        def shown_panels(self) -> list[Panel]: ...

    def _move(self, by: int) -> None:
        panels = self.shown_panels()
        if not panels:
            return
        focused = self.focused
        if isinstance(focused, Panel) and focused in panels:
            panels[(panels.index(focused) + by) % len(panels)].focus()
        else:
            panels[0 if by > 0 else -1].focus()

    def action_next_panel(self) -> None:
        self._move(1)

    def action_previous_panel(self) -> None:
        self._move(-1)

    def action_next_page(self) -> None:
        self.page += 1
        self.redraw()

    def action_previous_page(self) -> None:
        self.page = max(0, self.page - 1)
        self.redraw()

    def selected(self) -> PanelSpec | None:
        """The selected chart, the first one when none is."""
        specs = self.specs()
        if isinstance(self.focused, Panel) and self.focused.spec:
            return self.focused.spec
        return specs[0] if specs else None

    def newest_place(self) -> float:
        """Where the newest point of the selected chart is, as a share of what is in view."""
        spec = self.selected()
        return self.view().newest_place(spec) if spec is not None else 1.0

    def action_copy(self) -> None:
        """To the terminal's clipboard (OSC 52), and only because a key was pressed."""
        spec = self.selected()
        text = value_at_cursor(self.view(), spec) if spec is not None else ""
        if text:
            self.app.copy_to_clipboard(text)
            self.notify(f"copied {text}", markup=False)
