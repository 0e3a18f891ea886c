"""A terminal that reads slowly, or not at all: frames are dropped, not queued."""

from __future__ import annotations

from typing import Any

from rich.console import RenderableType
from textual._compositor import ChopsUpdate
from textual.geometry import Region
from textual.screen import Screen

from floydtop.app.crash import Guarded, Result
from floydtop.app.tight import TightUpdate

FRAMES_IN_FLIGHT = 2
"""Writes that may wait for the terminal before a frame is left out."""

CATCH_UP = 0.1
"""Seconds between two looks whether the terminal reads again."""


class Paced(Guarded[Result]):
    """Sends a frame only while the terminal takes what was sent before.

    Textual hands frames to a writer thread through a queue of thirty, and waits when that is full: on a link
    that stalls, keys would wait with it, and afterwards half a megabyte of old frames would come first. What
    a dropped frame would have changed is kept as dirty, and drawn once, as it is then, when the terminal
    reads again.
    """

    _catching_up = False

    def terminal_is_behind(self) -> bool:
        """Whether the terminal has not yet taken what was sent: a slow or stalled link."""
        queue = getattr(getattr(self._driver, "_writer_thread", None), "_queue", None)
        return queue is not None and queue.qsize() > FRAMES_IN_FLIGHT

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        if renderable is not None and self.terminal_is_behind():
            self._drop(screen, renderable)
            return
        if type(renderable) is ChopsUpdate:
            renderable = TightUpdate.of(renderable)
        super()._display(screen, renderable)

    def _drop(self, screen: Screen[Any], frame: RenderableType) -> None:
        if isinstance(frame, ChopsUpdate):
            dirty = {Region(start, y, end - start, 1) for y, start, end in frame.spans}
        else:
            dirty = {screen.size.region}
        screen._compositor._dirty_regions |= dirty
        if not self._catching_up:
            self._catching_up = True
            self.set_timer(CATCH_UP, self._catch_up)

    def _catch_up(self) -> None:
        self._catching_up = False
        # Drops again, and comes back, while the terminal is still behind.
        self.screen._compositor_refresh()
