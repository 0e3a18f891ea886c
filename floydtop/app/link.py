"""A terminal that reads slowly, or not at all: frames are dropped, not queued."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from typing import Any

from rich.console import RenderableType
from textual._compositor import ChopsUpdate
from textual.driver import Driver
from textual.geometry import Region
from textual.screen import Screen

from floydtop.app.crash import Guarded, Result
from floydtop.app.keyboard import patient
from floydtop.app.tight import tight

PROMPT = 0.03
"""Seconds in which a terminal that keeps up has taken a frame; frames that follow each other faster are all
sent."""

BURST = 6
"""Writes that may wait however young they are."""

CATCH_UP = 0.1
"""Seconds between two looks whether the terminal reads again."""

LAST_WORD = 6.0
"""Seconds after a signal in which the app leaves the terminal as it found it, and closes a recording."""


class Paced(Guarded[Result]):
    """Sends a frame only while the terminal takes what was sent before.

    Textual hands frames to a writer thread through a queue of thirty, and waits when that is full: on a link
    that stalls, keys would wait with it, and afterwards half a megabyte of old frames would come first. What
    a dropped frame would have changed is kept as dirty, and drawn once, as it is then, when the terminal
    reads again.
    """

    _catching_up = False
    _sent_at = 0.0

    def get_driver_class(self) -> type[Driver]:
        """Textual's choice, as a driver that does not look for keys while there are none."""
        return patient(super().get_driver_class())

    def terminal_is_behind(self) -> bool:
        """Whether the terminal has not yet taken what was sent: a slow or stalled link."""
        queue = getattr(getattr(self._driver, "_writer_thread", None), "_queue", None)
        waiting = queue.qsize() if queue is not None else 0
        return waiting > BURST or (waiting > 0 and time.monotonic() - self._sent_at > PROMPT)

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        if renderable is not None and self.terminal_is_behind():
            self._drop(screen, renderable)
            return
        self._sent_at = time.monotonic()
        super()._display(screen, tight(renderable))

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

    def listen_to_signals(self) -> None:
        """SIGTERM and SIGHUP end the app as `q` does; Textual alone would leave the terminal as it is."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._end, number)

    def _end(self, number: int) -> None:
        self.call_later(self.action_quit)
        # A terminal that reads nothing does not take the last words either, and Textual waits until it does.
        last = threading.Timer(LAST_WORD, os._exit, [128 + number])
        last.daemon = True
        last.start()
