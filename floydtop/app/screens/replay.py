"""The dashboard over a recorded session, with a transport bar."""

from __future__ import annotations

import time

from textual.app import ComposeResult

from floydtop.app.keys import APP, REPLAY, bindings
from floydtop.app.screens.monitor import MonitorScreen
from floydtop.app.source import Replay
from floydtop.app.widgets.transport import Transport
from floydtop.session.player import Player

FRAME = 0.2
"""Seconds between two frames while playing."""

LOOK = 0.1
"""Seconds between two looks at how far a large session is loaded."""


class ReplayScreen(MonitorScreen):
    """The same dashboard; its clock is the player's."""

    KEYS = REPLAY
    BINDINGS = [*bindings(REPLAY), *bindings(APP)]  # noqa: RUF012 (Textual's way)
    INHERIT_BINDINGS = False

    def __init__(self, player: Player) -> None:
        super().__init__(Replay(player))
        self.player = player
        self._played_at = 0.0

    def compose_below(self) -> ComposeResult:
        yield Transport(id="transport")

    def on_mount(self) -> None:
        self._arrange()
        self._clock = self.set_interval(FRAME, self.play, pause=True)
        if self.player.loading is not None:
            self._loading = self.set_interval(LOOK, self.look_for_the_rest)
        self.redraw_soon()

    def look_for_the_rest(self) -> None:
        """Show how far a large session is loaded, and all of it once it is there."""
        if not self.source.poll():
            return
        if self.player.loading is None:
            self._loading.stop()
            self.redraw()
        elif self.is_current:
            self.draw_top(self.view())

    @property
    def activity(self) -> str:
        """The last word of what the status bar says."""
        return "replay"

    def redraw(self, *, hurried: bool = False) -> None:
        """Draw the dashboard and the transport bar."""
        super().redraw(hurried=hurried)
        if self.is_current:
            self.query_one(Transport).draw(self.player)

    def play(self) -> None:
        """Let the time since the last frame pass in the session."""
        now = time.monotonic()
        self.player.advance(now - self._played_at)
        self._played_at = now
        if not self.player.playing:
            self._clock.pause()
        self.redraw()

    def action_play(self) -> None:
        self.player.toggle()
        self._played_at = time.monotonic()
        if self.player.playing:
            self._clock.resume()
        else:
            self._clock.pause()
        self.redraw()

    def action_seek(self, steps: int) -> None:
        self.player.step(steps)
        self.redraw()

    def action_faster(self) -> None:
        self.player.change_speed(1)
        self.redraw()

    def action_slower(self) -> None:
        self.player.change_speed(-1)
        self.redraw()

    def action_seek_start(self) -> None:
        self.player.seek(self.player.start)
        self.redraw()

    def action_seek_end(self) -> None:
        self.player.seek(self.player.end)
        self.redraw()
