"""What the command palette offers beside the keys: each metric as the x-axis."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from textual.command import Hit, Hits, Provider

from floydtop.app.safe import clean, safe
from floydtop.app.screens.chart_actions import ChartActions
from floydtop.app.screens.monitor import MonitorScreen

HELP = "any metric as x"

LAST = -1.0
"""A score below that of everything which is shown before anything is typed: Textual's commands have 0."""


class MetricAxes(Provider):
    """Names of metrics come from the job, and Textual would read a plain string as markup."""

    async def discover(self) -> Hits:
        """All of them, before anything is typed, below what there is else: there may be a thousand."""
        for label, command in self._commands():
            yield Hit(LAST, safe(label), command, text=label, help=HELP)

    async def search(self, query: str) -> Hits:
        """Those that match what is typed."""
        matcher = self.matcher(query)
        for label, command in self._commands():
            score = matcher.match(label)
            if score > 0:
                yield Hit(score, safe(label), command, text=label, help=HELP)

    def _commands(self) -> Iterator[tuple[str, Callable[[], None]]]:
        from floydtop.app.screens.focus import FocusScreen

        screen = self.screen
        monitor = screen.monitor if isinstance(screen, FocusScreen) else screen
        if isinstance(screen, ChartActions) and isinstance(monitor, MonitorScreen):
            for name in monitor.source.session.metrics:
                yield f"x-axis: {clean(name)}", partial(screen.use_metric_as_x, name)
