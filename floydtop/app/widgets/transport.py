"""The transport bar of a replay: position, speed, and what the keys do."""

from __future__ import annotations

from floydtop.app.widgets.canvas import Canvas, Row, Run, row_width, spread
from floydtop.plot.units import format_clock, format_duration
from floydtop.session.player import Player


class Transport(Canvas):
    """One row: play or pause, elapsed time, a track with the position, the length, the speed, the clock."""

    def draw(self, player: Player) -> None:
        """Show where the player is."""
        palette = self.palette
        header = player.session.header
        sign = "▶" if player.playing else "‖"
        left: Row = [
            Run(f" {sign} ", palette.accent),
            Run(f"{format_duration(player.position - player.start):>7} ", palette.strong),
        ]
        right: Row = [
            Run(f" {format_duration(player.end - player.start)}  ", palette.dim),
            Run(f"{player.speed:g}x ", palette.text),
        ]
        if header is not None:
            right.append(Run(f" {format_clock(header.t0 + player.position, 86_400)} ", palette.dim))
        track = self.size.width - row_width(left) - row_width(right)
        if track > 4:
            span = player.end - player.start
            place = round((player.position - player.start) / span * (track - 1)) if span else track - 1
            left += [
                Run("━" * place, palette.accent),
                Run("●", palette.strong),
                Run("─" * (track - 1 - place), palette.track),
            ]
        self.show([spread(left, right, self.size.width, palette.dim) if track <= 4 else left + right])
