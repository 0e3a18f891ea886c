"""The app: Textual lives in this room and nowhere else."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from textual.app import SystemCommand
from textual.binding import Binding
from textual.screen import Screen
from textual.theme import Theme

from floydtop.app.commands import MetricAxes
from floydtop.app.crash import sentence
from floydtop.app.feed import Feed
from floydtop.app.glyphs import usable_glyphs
from floydtop.app.keys import APP, bindings, key_name
from floydtop.app.link import Paced
from floydtop.app.palette import THEMES
from floydtop.app.safe import clean
from floydtop.app.screens.monitor import MonitorScreen
from floydtop.app.screens.replay import ReplayScreen
from floydtop.session.player import Player
from floydtop.settings import Settings

LAST_DRAIN = 3.0
"""Seconds that quitting waits for a recording inside the app to write its end."""

FAILURE_SHOWN = 60.0
"""Seconds that a failure beside the screen stays in view."""

if TYPE_CHECKING:
    from floydtop.app.runs import Comparison


class Recorder(Protocol):
    """A recording that runs inside the app (`--no-detach`)."""

    async def run(self, spawn: Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]) -> None:
        """Record until the job ends; `spawn` starts a worker."""

    def stop(self, why: str) -> None:
        """Ask it to end soon."""


class FloydtopApp(Paced[None]):
    """Shows one session: a live one through a feed, a recorded one through a player.

    Args:
        others: more sessions like the first, one key away: the ranks of one job.
        recorder: recorded with inside the app, its workers being the app's; it ends with the app.
    """

    CSS_PATH = "app.tcss"
    TITLE = "floydtop"
    COMMANDS = Paced.COMMANDS | {MetricAxes}
    BINDINGS: ClassVar[list[Binding]] = bindings(APP)  # type: ignore[assignment]  # invariance

    def __init__(
        self,
        source: Feed | Player | Comparison,
        recorder: Recorder | None = None,
        settings: Settings | None = None,
        others: Sequence[Feed] = (),
    ) -> None:
        super().__init__()
        self._source = source
        self._others = others
        self.settings = settings if settings is not None else Settings()
        self.glyphs = usable_glyphs(self.settings["glyphs"])
        self._recorder = recorder
        self._recording: asyncio.Task[None] | None = None
        self.recording_failed = False
        self._screens: list[MonitorScreen] = []
        self._at = 0
        for theme in THEMES:
            self.register_theme(theme)
        wanted = os.environ.get("TEXTUAL_THEME", self.settings["theme"])
        wanted = wanted if wanted in self.available_themes else THEMES[0].name
        if wanted == self.theme:
            # Textual took TEXTUAL_THEME before ours were known; only a change has it look again.
            self.theme = "textual-dark"
        self.theme = wanted

    def get_default_screen(self) -> MonitorScreen:
        """The first screen is ours: an empty one of Textual's below it costs 20 ms at the start."""
        if isinstance(self._source, Player):
            screen: MonitorScreen = ReplayScreen(self._source)
        elif isinstance(self._source, Feed):
            screen = MonitorScreen(self._source)
        else:
            # 45 ms that nobody who watches one job is to wait for.
            from floydtop.app.screens.compare import CompareScreen

            screen = CompareScreen(self._source)
        self._screens = [screen, *map(MonitorScreen, self._others)]
        for place, one in enumerate(self._screens):
            one.options = replace(
                one.options, smoothing=float(self.settings["smoothing"]), log=self.settings["log_scale"]
            )
            one.set_class(self.glyphs == "ascii", "ascii")
            one.place = f"log {place + 1}/{len(self._screens)}" if self._others else ""
            self.install_screen(one, f"log {place}")
        # `switch_screen` takes away one from whatever it leaves, and Textual gives its first screen none.
        screen._push_result_callback(screen, None)
        return screen

    def on_mount(self) -> None:
        self.theme_changed_signal.subscribe(self, self._remember_theme)
        if self._recorder is not None:
            self._recording = asyncio.create_task(self._recorder.run(self._spawn))
            self._recording.add_done_callback(self._recording_over)
        self.listen_to_signals()

    def on_ready(self) -> None:
        """What was drawn while the app was put together is shown now."""
        self.screen._compositor_refresh()

    def next_log(self) -> None:
        """The next of several logs: rank 1 after rank 0."""
        if self._others:
            self._at = (self._at + 1) % len(self._screens)
            self.switch_screen(f"log {self._at}")

    def _remember_theme(self, theme: Theme) -> None:
        self.settings.remember("theme", theme.name)

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """What the command palette offers: every key of the screen; `MetricAxes` adds the metrics."""
        for command in super().get_system_commands(screen):
            if command.title != "Screenshot":
                # Ours says where it went, and needs no font from the network.
                yield command
        for key in (*getattr(screen, "KEYS", ()), *(key for key in APP if key.action == "picture")):
            yield SystemCommand(
                key.help, f"key {key_name(key.keys.split(',')[0])}", partial(self._act, key.action)
            )

    def _act(self, action: str) -> None:
        namespace = self if hasattr(self, f"action_{action}") else self.screen
        self.call_later(self.run_action, action, namespace)

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

    def action_picture(self) -> None:
        """Save what is on the screen, without the notifications over it."""
        self.clear_notifications()
        self.call_after_refresh(self._save_picture)

    async def _save_picture(self) -> None:
        from floydtop.app.picture import save, subject_of

        svg = self.export_screenshot(title="floydtop")
        subject = subject_of(self._screens[self._at].source.session)
        try:
            # A PNG takes a second to draw.
            said = await asyncio.to_thread(save, svg, self.size.width, subject)
        except Exception as error:
            # Whatever a picture of hostile text can do to a library: the job is still watched.
            self.tell_failure(error, "picture")
        else:
            self.notify(clean(said), markup=False)

    def tell_failure(self, error: BaseException, what: str) -> None:
        """Something beside the screen failed: say it, and where the report is."""
        words = sentence(error, what).removeprefix("floydtop: ")
        self.notify(words, severity="error", markup=False, timeout=FAILURE_SHOWN)

    def _recording_over(self, recording: asyncio.Task[None]) -> None:
        if not recording.cancelled() and (error := recording.exception()) is not None:
            self.recording_failed = True
            self.tell_failure(error, "recording")

    async def action_quit(self) -> None:
        if self._recorder is not None and self._recording is not None:
            self._recorder.stop("floydtop was quit")
            await asyncio.wait([self._recording], timeout=LAST_DRAIN)
        self.exit(return_code=1 if self.recording_failed else 0)
