"""The keys that change how charts are drawn, for every screen that shows some."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from floydtop.app.options import Options

CURSOR_DOTS = 160
"""Moves of the cursor by one dot from one end of a chart to the other, about as many as a chart has dots."""


class ChartActions:
    """Actions over `options`; the screen says in `choose` what becomes of new ones."""

    options: Options
    chose_axis = False
    """A person picked the x-axis: it is not picked for them any more."""

    if TYPE_CHECKING:

        def choose(self, options: Options) -> None:
            """Show the charts another way."""

        def newest_place(self) -> float:
            """Where the newest point is, as a share of what is in view."""

    def action_toggle_axis(self) -> None:
        self.chose_axis = True
        self.choose(self.options.toggled_axis())

    def action_next_axis(self) -> None:
        self.chose_axis = True
        self.choose(self.options.next_axis())

    def use_metric_as_x(self, name: str) -> None:
        """Draw all against the values of that metric."""
        self.chose_axis = True
        self.choose(replace(self.options, axis="metric", x_metric=name, window=(0.0, 1.0)))

    def action_smooth(self, notches: int) -> None:
        self.choose(self.options.smoothed(notches))

    def action_log_scale(self) -> None:
        self.choose(replace(self.options, log=not self.options.log))

    def action_outliers(self) -> None:
        self.choose(replace(self.options, without_outliers=not self.options.without_outliers))

    def action_shared_scale(self) -> None:
        self.choose(replace(self.options, shared_scale=not self.options.shared_scale))

    def action_pauses(self) -> None:
        self.choose(replace(self.options, without_pauses=not self.options.without_pauses))

    def action_zoom(self, factor: float) -> None:
        self.choose(self.options.zoom(factor))

    def action_pan(self, share: float) -> None:
        self.choose(self.options.pan(share))

    def action_reset_zoom(self) -> None:
        self.choose(self.options.unzoomed().with_cursor(None))

    def action_cursor(self, dots: int) -> None:
        """Move the cursor; it appears at the newest point."""
        place = self.options.cursor
        place = self.newest_place() if place is None else place + dots / CURSOR_DOTS
        self.choose(self.options.with_cursor(place))
