"""The dashboard: status, gauges, charts, the system beside them, the job's output below."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from textual import events
from textual.app import ComposeResult
from textual.containers import Grid, Horizontal, Vertical
from textual.screen import Screen

from floydtop.app.abscissa import Abscissa
from floydtop.app.arrangement import Plan, plan
from floydtop.app.keys import APP, MONITOR, Key, bindings
from floydtop.app.match import matcher
from floydtop.app.options import Options
from floydtop.app.panels import PanelSpec, system_panels, training_panels
from floydtop.app.screens.chart_actions import ChartActions
from floydtop.app.screens.output_actions import OutputActions
from floydtop.app.screens.panel_actions import PanelActions
from floydtop.app.source import Source
from floydtop.app.view import View
from floydtop.app.widgets.gauges import Gauges
from floydtop.app.widgets.key_bar import KeyBar
from floydtop.app.widgets.log_view import LogView
from floydtop.app.widgets.panel import Panel
from floydtop.app.widgets.prompt import Prompt
from floydtop.app.widgets.status import StatusBar
from floydtop.events import Metrics
from floydtop.settings import Settings

POLL = 0.4
"""Seconds between two looks at the session file: a stat and a short read."""

FRAME = 0.75
"""Seconds between two frames at least while data come fast; after a quiet moment a line shows at once.

Two looks at the file apart: a line is on the screen after 0.9 s at the latest, where 1.0 made it 1.3."""

SLOW_FRAME = 6.0
"""The same on a slow link: 37 KB a minute for a dashboard in full motion."""

TURN = 0.01
"""Seconds of reading at a time, and of leaving it to keys, while there is much to read."""

EAGER, EAGER_POLL = 3.0, 0.05
"""For so many seconds, and that often, the first metric is waited for: a recorder that has just begun reads
the end of a huge log in 0.1 s."""

DRAW_SHARE = 0.05
"""Part of the time that drawing may take. While the past of a huge log comes in all of it is drawn each time
anew, 100 ms: a key would often have to wait for that."""

RECORDER_CHECK = 2.0
QUIET_FRAME = 30.0
"""Seconds between two drawings of the charts when only the present reading of the system moved: each sends
some 400 bytes, and a job that prints nothing is to cost less than 8 KB a minute."""

YOUNG_FRAME = 3.0
"""The same while the recording is younger than `YOUNG`, when the charts are still empty."""

YOUNG = 20.0

LOOKS, NEXT_LOOK = 40, 0.05
"""How often, and after how many seconds, it is looked again whether new charts have got their places."""


class MonitorScreen(ChartActions, OutputActions, PanelActions, Screen[None]):
    """Draws a source, when it changed or somebody asked.

    Attributes:
        options: how the charts are wanted.
        place: which of several logs this is, in words.
        page: which of the charts are shown when they do not all fit.
    """

    KEYS: tuple[Key, ...] = MONITOR
    BINDINGS = [*bindings(MONITOR), *bindings(APP)]  # noqa: RUF012 (Textual's way)
    AUTO_FOCUS = ""
    """No chart is selected before somebody selects one."""

    def __init__(self, source: Source) -> None:
        super().__init__()
        self.source = source
        self.options = Options()
        self.abscissa = Abscissa()
        self.page = 0
        self.pages = 1
        self.paused = False
        self.filter = ""
        self.place = ""
        self.system_panels = True
        self.log_mode: str | None = None
        self._drawn_at = 0.0
        self._seen_first = False
        self._frame = FRAME
        self._draw_seconds = 0.0
        self._hurrying = False
        self._made_at = time.monotonic()
        self._empty = True
        self._checked_at = 0.0
        self._stale = True
        self._top_stale = False
        self._redraw_pending = False
        self._looks_left = 0
        self._seen: tuple[int, list[Metrics]] = (0, [])
        self._plan: Plan | None = None
        self._pool: list[Panel] = []
        self._side_pool: list[Panel] = []

    def compose(self) -> ComposeResult:
        self.system_panels = bool(self.app.settings["system_panels"])  # type: ignore[attr-defined]
        self.take_in()
        # Charts that are there at the first layout save the next two: 60 ms of the first half second.
        first = self._make_plan()
        self._pool = [Panel() for _ in first.shown]
        self._side_pool = [Panel() for _ in first.side]
        yield StatusBar(id="status")
        yield Gauges(id="gauges")
        with Horizontal(id="body"):
            with Vertical(id="main"):
                yield Grid(*self._pool, id="charts")
                yield from self.compose_output()
            yield Vertical(*self._side_pool, id="side")
        yield from self.compose_below()
        yield KeyBar((*APP, *self.KEYS))

    def compose_output(self) -> ComposeResult:
        """What stands below the charts."""
        yield LogView(id="log")

    def compose_below(self) -> ComposeResult:
        """What stands between the body and the keys."""
        yield from ()

    def on_mount(self) -> None:
        self.abscissa.thrifty = bool(self.app.settings["slow_link"])  # type: ignore[attr-defined]
        self._frame = SLOW_FRAME if self.abscissa.thrifty else FRAME
        self._arrange()
        self._timer = self.set_interval(POLL, self.tick)
        self.redraw_soon()
        # Not only after the first 0.4 s: what is not known yet is waited for from now on.
        self.tick()

    def on_resize(self, event: events.Resize) -> None:
        self.redraw_soon()

    def on_screen_resume(self) -> None:
        self.redraw_soon()

    # -- taking in what is new -------------------------------------------------------------------

    def take_in(self, seconds: float = 0.1) -> bool:
        """Poll the source; a large session is read in slices, so that keys are answered in between."""
        changed = self.source.poll()
        deadline = time.monotonic() + seconds
        while self.source.behind and time.monotonic() < deadline:
            changed |= self.source.poll()
        return changed

    def tick(self) -> None:
        """The heartbeat: take in, and draw at most once a `FRAME`."""
        if self.take_in(TURN):
            self._stale |= self._charts_changed()
            self._top_stale = True
        now = time.monotonic()
        empty = not self.source.session.metrics
        eager = empty and now - self._made_at < EAGER
        if (self.source.behind or eager) and not self._hurrying:
            self._hurrying = True
            self.set_timer(TURN if self.source.behind else EAGER_POLL, self._hurry)
        if now - self._checked_at >= RECORDER_CHECK:
            self._checked_at = now
            self._stale |= self._recorder_gone()
        quiet = YOUNG_FRAME if self.source.session.now < YOUNG else QUIET_FRAME
        if self._top_stale and now - self._drawn_at >= quiet:
            self._stale = True
        if self.paused or self.app.terminal_is_behind():  # type: ignore[attr-defined]  # our app tells
            return
        rest = max(self._frame, self._draw_seconds / DRAW_SHARE)
        if self._stale and (now - self._drawn_at >= rest or (self._empty and not empty)):
            # The first chart waits for no frame.
            self.redraw(hurried=True)
            self._draw_seconds = time.monotonic() - now
        elif self._top_stale and self.app.screen is self:
            self._top_stale = False
            self.draw_top(self.view())
        over = self.source.session.finished or not self.source.grows
        if over and not self.source.live and not self.source.behind:
            # Nothing will ever come again: a finished session at rest costs nothing.
            self.redraw()
            self._timer.stop()

    def _hurry(self) -> None:
        self._hurrying = False
        self.tick()

    def _charts_changed(self) -> bool:
        """Whether more than the present reading of the system is new."""
        session = self.source.session
        running = session.present.metrics if session.present is not None else []
        seen, self._seen = self._seen, (session.applied, running)
        return seen != self._seen

    def _recorder_gone(self) -> bool:
        check = getattr(self.source, "check_recorder", None)
        return bool(check and check())

    def redraw_soon(self) -> None:
        """Redraw after the next layout, once: mounting and resizing ask for it several times over."""
        if not self._redraw_pending:
            self._redraw_pending = True
            self.call_after_refresh(self._redraw_pended)

    def _redraw_pended(self) -> None:
        self._redraw_pending = False
        self.redraw()
        if self._looks_left and not all(panel.size for panel in self.shown_panels()):
            # A chart that is new is not always told its size: Textual forgets it when it has looked up the
            # place of a widget meanwhile.
            self._looks_left -= 1
            self.set_timer(NEXT_LOOK, self.redraw_soon)

    def _compositor_refresh(self) -> None:
        # Not before there is something to see: four blank frames took 50 KB and as many milliseconds.
        if self._seen_first or (self._drawn_at and not self.app._batch_count):
            self._seen_first = True
            super()._compositor_refresh()

    # -- drawing -----------------------------------------------------------------------------------

    def view(self) -> View:
        """The present moment."""
        session = self.source.session
        if not self.chose_axis and self.options.axis == "time" and session.metrics:
            # A finished log tells steps and no times: an empty time axis would help nobody.
            series = session.metrics.values()
            if not any(one.has_times for one in series) and any(one.has_steps for one in series):
                self.options = self.options.toggled_axis()
        glyphs = self.query_one(StatusBar).glyphs
        trace = list(self.source.trace)
        return View(session, trace, self.source.live, self.options, self.abscissa, glyphs)

    def choose(self, options: Options) -> None:
        """Show the charts another way, and remember what is worth it for the next time."""
        self.options = options
        settings: Settings = self.app.settings  # type: ignore[attr-defined]  # our app has some
        settings.remember("smoothing", options.smoothing)
        settings.remember("log_scale", options.log)
        self.redraw()

    @property
    def mode(self) -> str:
        """What the screen is doing, for the status bar."""
        dropped = self.source.session.metric_names_dropped
        words = (
            self.place,
            f"page {self.page + 1}/{self.pages}" if self.pages > 1 else "",
            f"{dropped} further metrics not kept" if dropped else "",
            self.activity,
        )
        return "  ".join(filter(None, words))

    @property
    def activity(self) -> str:
        """The last word of `mode`."""
        if self.paused:
            return "paused"
        if self.source.live:
            return "session does not answer" if getattr(self.source, "silent", False) else "recording"
        return "recorded" if self.source.session.finished else "recorder gone"

    def redraw(self, *, hurried: bool = False) -> None:
        """Bring the screen that is shown up to date; `hurried` by data, not by a person."""
        if not self.is_mounted:
            return
        self._drawn_at = time.monotonic()
        self._stale = self._top_stale = False
        self._empty = not self.source.session.metrics
        view = self.view()
        # A screen right below another one counts as current, too.
        follow = None if self.app.screen is self else getattr(self.app.screen, "draw", None)
        if follow is not None:
            follow(view)
            return
        if not self.is_current or (hurried and self.app.screen is not self):
            # Under a page of keys each new point would send all of both screens again: 50 KB.
            return
        self._arrange()
        self.draw_top(view)
        for panel in self.shown_panels():
            panel.draw(view)
        log = self.query_one(LogView)
        if log.display:
            log.draw(view, hurried=hurried)

    def draw_top(self, view: View) -> None:
        """Draw the status line and the gauges."""
        self.query_one(StatusBar).draw(view, self.mode)
        self.query_one(Gauges).draw(view)

    def shown_panels(self) -> list[Panel]:
        """The panels that are in view."""
        return [panel for panel in (*self._pool, *self._side_pool) if panel.display and panel.spec]

    def specs(self) -> list[PanelSpec]:
        """All charts there are, in order, but for those that the filter leaves out."""
        training, system = self._panels()
        return [*training, *system]

    def _panels(self) -> tuple[list[PanelSpec], list[PanelSpec]]:
        session = self.source.session
        training, system = training_panels(session), system_panels(session)
        if self.filter:
            matches = matcher(self.filter)
            training = [spec for spec in training if any(map(matches, (spec.title, *spec.names)))]
            system = [spec for spec in system if any(map(matches, (spec.title, *spec.names)))]
        return training, system

    def _make_plan(self) -> Plan:
        training, system = self._panels()
        if not self.system_panels and training:
            system = []
        made = plan(training, system, self.app.size, self.log_mode, self.page)
        self.page, self.pages = made.page, made.pages
        return made

    def _arrange(self) -> None:
        """Give each chart its place; widgets are only touched when the arrangement changed."""
        made = self._make_plan()
        if made == self._plan:
            return
        self._plan, self._looks_left = made, LOOKS
        self.query_one(KeyBar).leave_out("" if made.pages > 1 else "next_page")
        charts, log = self.query_one("#charts", Grid), self.query_one(LogView)
        charts.display = made.log_mode != "all"
        charts.styles.grid_size_columns = made.columns
        charts.styles.grid_size_rows = made.rows
        log.display = made.log_mode != "none"
        log.styles.height = made.log_height if made.log_mode == "some" else "1fr"
        self.query_one("#side").display = bool(made.side)
        self._fill(charts, self._pool, made.shown)
        self._fill(self.query_one("#side", Vertical), self._side_pool, made.side)
        # The new sizes are known after the next layout.
        self.redraw_soon()

    def _fill(self, place: Grid | Vertical, pool: list[Panel], specs: Sequence[PanelSpec]) -> None:
        while len(pool) < len(specs):
            panel = Panel()
            pool.append(panel)
            place.mount(panel)
        for index, panel in enumerate(pool):
            panel.display = index < len(specs)
            if index < len(specs):
                panel.assign(specs[index])

    def on_panel_pointed(self, event: Panel.Pointed) -> None:
        """What the keys do, with the mouse: a click puts the cursor, the wheel zooms about it."""
        options = self.options.with_cursor(event.place)
        self.choose(options if event.zoom == 1.0 else options.zoom(event.zoom))

    # -- actions -----------------------------------------------------------------------------------

    def action_filter(self) -> None:
        """Type a filter for the charts; they follow while it is typed."""
        self.ask("filter metrics: text or regular expression", self.filter, self._set_filter)

    def _set_filter(self, text: str) -> None:
        self.filter, self.page = text, 0
        self.redraw()

    def ask(self, label: str, before: str, changed: Callable[[str], None]) -> None:
        """Let the person type something; `changed` follows each key."""
        if not self.query(Prompt):
            self.mount(Prompt(label, before, changed), before="#keys")

    def action_toggle_system(self) -> None:
        self.system_panels = not self.system_panels
        settings: Settings = self.app.settings  # type: ignore[attr-defined]  # our app has some
        settings.remember("system_panels", self.system_panels)
        self.redraw()

    def action_every_gpu(self) -> None:
        self.choose(replace(self.options, every_gpu=not self.options.every_gpu))

    def action_next_log(self) -> None:
        self.app.next_log()  # type: ignore[attr-defined]  # our app has several

    def action_pause(self) -> None:
        self.paused = not self.paused
        self.redraw()

    def action_focus_chart(self) -> None:
        from floydtop.app.screens.focus import FocusScreen

        spec = self.selected()
        if spec is not None:
            self.app.push_screen(FocusScreen(self, spec))
