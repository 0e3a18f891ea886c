"""The keys of the output pane, and the way between a point of a chart and the line that told it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from floydtop.app.lines import cursor_of_line, line_at_cursor
from floydtop.app.options import Options
from floydtop.app.panels import PanelSpec
from floydtop.app.source import Source
from floydtop.app.view import View
from floydtop.app.widgets.log_view import LogView

if TYPE_CHECKING:
    from textual.screen import Screen

    Base = Screen[None]
else:
    Base = object


class OutputActions(Base):
    """Actions over the screen's `LogView`."""

    source: Source
    options: Options
    log_mode: str | None
    """How much of the output is shown: none, some, all; None leaves it to the size of the terminal."""

    if TYPE_CHECKING:

        def view(self) -> View: ...
        def redraw(self) -> None: ...
        def choose(self, options: Options) -> None: ...
        def specs(self) -> list[PanelSpec]: ...
        def selected(self) -> PanelSpec | None: ...
        def ask(self, label: str, before: str, changed: Callable[[str], None]) -> None: ...

    def action_toggle_log(self) -> None:
        shown = self.query_one(LogView).display
        if not shown:
            self.log_mode = "some"
        else:
            self.log_mode = "all" if self.query_one("#charts").display else "none"
        self.redraw()

    def action_toggle_malformed(self) -> None:
        log = self.query_one(LogView)
        log.toggle_malformed()
        if not log.display:
            self.log_mode = "some"
        self.redraw()

    def action_scroll_log(self, lines: int) -> None:
        log = self.query_one(LogView)
        log.scroll_lines(lines * max(1, log.size.height // 2))
        self.redraw()

    def action_find(self) -> None:
        """Type what to look for in the job's output."""
        log, session = self.query_one(LogView), self.source.session
        if not log.display:
            self.log_mode = "some"
            self.redraw()

        def search(text: str) -> None:
            log.search(text, session)
            self.redraw()

        self.ask("find in the output: text or regular expression", "", search)

    def action_find_on(self) -> None:
        if not self.query_one(LogView).search_on(self.source.session):
            self.notify("no older line matches")
        self.redraw()

    def action_go_to_line(self) -> None:
        """From the selected chart's point (under the cursor, else the newest) to the line that told it."""
        spec = self.selected()
        log = self.query_one(LogView)
        if not log.display:
            self.log_mode = "some"
            self.redraw()
        number = line_at_cursor(self.view(), spec) if spec is not None else 0
        if not number or not log.go_to(number, self.source.session):
            self.notify(f"line {number} is not kept here" if number else "no line is known for this point")
        self.redraw()

    def action_go_to_point(self) -> None:
        """From the marked line of the output back to its point in the charts."""
        number = self.query_one(LogView).marked
        place = cursor_of_line(self.view(), self.specs(), number) if number is not None else None
        if place is None:
            self.notify("no line with a metric is marked: f finds one, g goes to that of a chart's point")
        else:
            self.choose(self.options.with_cursor(place))
