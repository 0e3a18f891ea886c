"""The app: Textual lives in this room and nowhere else."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Coroutine
from typing import Any, ClassVar, Protocol

from rich.console import RenderableType
from textual._compositor import ChopsUpdate
from textual.app import App
from textual.binding import Binding
from textual.screen import Screen

from floydtop.app.feed import Feed
from floydtop.app.keys import APP, bindings
from floydtop.app.palette import FLOYDTOP
from floydtop.app.screens.monitor import MonitorScreen
from floydtop.app.screens.replay import ReplayScreen
from floydtop.app.tight import TightUpdate
from floydtop.session.player import Player

LAST_DRAIN = 3.0
"""Seconds that quitting waits for a recording inside the app to write its end."""


class Recorder(Protocol):
    """A recording that runs inside the app (`--no-detach`)."""

    async def run(self, spawn: Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]) -> None:
        """Record until the job ends; `spawn` starts a worker."""

    def stop(self, why: str) -> None:
        """Ask it to end soon."""


class FloydtopApp(App[None]):
    """Shows one session: a live one through a feed, a recorded one through a player.

    Args:
        recorder: recorded with inside the app, its workers being the app's; it ends with the app.
    """

    CSS_PATH = "app.tcss"
    TITLE = "floydtop"
    BINDINGS: ClassVar[list[Binding]] = bindings(APP)  # type: ignore[assignment]  # invariance

    def __init__(self, source: Feed | Player, recorder: Recorder | None = None) -> None:
        super().__init__()
        self._source = source
        self._recorder = recorder
        self._recording: asyncio.Task[None] | None = None
        self.register_theme(FLOYDTOP)
        self.theme = os.environ.get("TEXTUAL_THEME", FLOYDTOP.name)

    def on_mount(self) -> None:
        if self._recorder is not None:
            self._recording = asyncio.create_task(self._recorder.run(self._spawn))
        if isinstance(self._source, Player):
            self.push_screen(ReplayScreen(self._source))
        else:
            self.push_screen(MonitorScreen(self._source))
        self._listen_to_signals()

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        if type(renderable) is ChopsUpdate:
            renderable = TightUpdate.of(renderable)
        super()._display(screen, renderable)

    def _listen_to_signals(self) -> None:
        """SIGTERM and SIGHUP end the app as `q` does; Textual alone would leave the terminal as it is."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, lambda: asyncio.ensure_future(self.action_quit()))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run one of the recorder's two workers as a worker of the app."""
        task = asyncio.create_task(work)

        async def watch() -> None:
            await asyncio.wait([task])

        self.run_worker(watch(), name="recorder")
        return task

    def action_help(self) -> None:
        from floydtop.app.screens.help import HelpScreen

        keys = getattr(self.screen, "KEYS", ())
        self.push_screen(HelpScreen((*keys, *APP)))

    async def action_quit(self) -> None:
        if self._recorder is not None and self._recording is not None:
            self._recorder.stop("floydtop was quit")
            await asyncio.wait([self._recording], timeout=LAST_DRAIN)
        self.exit()
