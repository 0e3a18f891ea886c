"""One chart, as large as the terminal, framed, with axes, a legend and a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.screen import Screen

from floydtop.app.keys import APP, FOCUS, bindings
from floydtop.app.options import Options
from floydtop.app.panels import PanelSpec
from floydtop.app.screens.chart_actions import ChartActions
from floydtop.app.view import View
from floydtop.app.widgets.framed_chart import FramedChart
from floydtop.app.widgets.key_bar import KeyBar
from floydtop.app.widgets.table import Table

if TYPE_CHECKING:
    from floydtop.app.screens.monitor import MonitorScreen


class FocusScreen(ChartActions, Screen[None]):
    """A framed plotext chart of one panel's series; it lives on the dashboard's heartbeat."""

    BINDINGS = [*bindings(FOCUS), *bindings(APP)]  # noqa: RUF012 (Textual's way)
    KEYS = FOCUS

    def __init__(self, monitor: MonitorScreen, spec: PanelSpec) -> None:
        super().__init__()
        self.monitor = monitor
        self.options = monitor.options
        self._spec = spec

    def compose(self) -> ComposeResult:
        yield FramedChart(id="framed")
        yield Table(id="table")
        yield KeyBar((*APP, *FOCUS))

    def on_mount(self) -> None:
        self.redraw_soon()

    def redraw_soon(self) -> None:
        """Draw after the next layout."""
        self.call_after_refresh(self._draw_now)

    def _draw_now(self) -> None:
        self.draw(self.monitor.view())

    def draw(self, view: View) -> None:
        """Bring chart and table up to date."""
        specs = {spec.key: spec for spec in self.monitor.specs()}
        self._spec = specs.get(self._spec.key, self._spec)
        table = self.query_one(Table)
        table.styles.height = len(self._spec.names) + 2
        self.query_one(FramedChart).draw(view, self._spec)
        table.draw(view, self._spec)

    def _turn(self, by: int) -> None:
        specs = self.monitor.specs()
        keys = [spec.key for spec in specs]
        index = keys.index(self._spec.key) if self._spec.key in keys else 0
        self._spec = specs[(index + by) % len(specs)]
        self._draw_now()

    def action_next_chart(self) -> None:
        self._turn(1)

    def action_previous_chart(self) -> None:
        self._turn(-1)

    def newest_place(self) -> float:
        """Where the newest point is, as a share of what is in view."""
        return self.monitor.view().newest_place(self._spec)

    def choose(self, options: Options) -> None:
        """Show all charts another way, the dashboard's too."""
        self.monitor.chose_axis |= self.chose_axis
        self.monitor.choose(options)
        self.options = options

    def action_close(self) -> None:
        self.dismiss()
