"""The dashboard over several runs, laid over each other."""

from __future__ import annotations

from textual.app import ComposeResult

from floydtop.app.keys import APP, COMPARE, bindings
from floydtop.app.match import matcher
from floydtop.app.panels import PanelSpec
from floydtop.app.runs import Comparison
from floydtop.app.screens.monitor import MonitorScreen
from floydtop.app.view import View
from floydtop.app.widgets.canvas import Run, spread
from floydtop.app.widgets.gauges import Gauges
from floydtop.app.widgets.runs_table import RunsTable
from floydtop.app.widgets.status import StatusBar, axis_words


class CompareScreen(MonitorScreen):
    """The same dashboard; a panel holds one metric of all runs."""

    KEYS = COMPARE
    BINDINGS = [*bindings(COMPARE), *bindings(APP)]  # noqa: RUF012 (Textual's way)
    INHERIT_BINDINGS = False

    def __init__(self, comparison: Comparison) -> None:
        super().__init__(comparison)
        self.comparison = comparison

    def compose_output(self) -> ComposeResult:
        yield RunsTable(self.comparison)

    def draw_top(self, view: View) -> None:
        """There is no one job whose state or readings could stand there."""
        status = self.query_one(StatusBar)
        self.query_one(Gauges).display = False
        palette = status.palette
        live = sum(run.source.live for run in self.comparison.runs)
        words = f"{self.mode}, {live} of them live" if live else self.mode
        left = [Run(" floydtop ", palette.accent), Run(f" {words} ", palette.text)]
        right = [Run(f" {axis_words(self.options)} ", palette.dim)]
        if self.pages > 1:
            right.append(Run(f" page {self.page + 1}/{self.pages} ", palette.text))
        status.show([spread(left, right, status.size.width, palette.dim)])

    @property
    def mode(self) -> str:
        """What the status bar says."""
        return f"{len(self.comparison.runs)} runs"

    def _panels(self) -> tuple[list[PanelSpec], list[PanelSpec]]:
        training, system = self.comparison.panels()
        if self.filter:
            matches = matcher(self.filter)
            training = [spec for spec in training if matches(spec.title)]
            system = [spec for spec in system if matches(spec.title)]
        return training, system

    def action_toggle_run(self, place: int) -> None:
        self.comparison.toggle(place)
        self.redraw()

    def action_highlight(self) -> None:
        """The next run stands out, after the last one all alike."""
        place = self.comparison.highlighted
        following = 0 if place is None else place + 1
        self.comparison.highlighted = following if following < len(self.comparison.runs) else None
        self.redraw()
