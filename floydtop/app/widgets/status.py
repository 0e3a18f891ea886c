"""The top line: which job, how it is, how far it is, and whether it is recorded."""

from __future__ import annotations

import os
import re

from rich.cells import cell_len, set_cell_size

from floydtop.app.loading import loading_words
from floydtop.app.options import Options
from floydtop.app.palette import Palette
from floydtop.app.safe import clean
from floydtop.app.view import View
from floydtop.app.widgets.canvas import Canvas, Row, Run, row_width, spread
from floydtop.app.words import job_state
from floydtop.events import Progress
from floydtop.plot.units import format_duration, format_value
from floydtop.session.session import Session

BAR = 12


NAME = 12
"""Cells that the job's name takes at least, when it is shown."""


ROOMY = 120
"""Columns of the terminal from which the line has room for whole sentences."""


class StatusBar(Canvas):
    """One row; what matters least is left out first when it is narrow."""

    def draw(self, view: View, mode: str) -> None:
        """Show the state of the view; `mode` is what the screen itself is doing: recording, replay..."""
        palette = self.palette
        session = view.session
        sign, words, mood = job_state(session, view.live)
        style = {"good": palette.good, "warning": palette.warning, "bad": palette.bad, "dim": palette.dim}[
            mood
        ]
        job = session.header.job if session.header else None
        progress = session.progress.latest
        elapsed = format_duration(max(0.0, session.now - session.origin))
        axis = axis_words(view.options)
        usual = axis == axis_words(Options())
        # From what is left out first to what stays to the last.
        parts: dict[str, Row] = {
            "brand": [Run(" floydtop ", palette.accent)],
            "bar": progress_bar(session.progress.share, palette),
            "rate": rate_words(session, palette),
            "usual axis": [Run(f" {axis} ", palette.dim)] if usual else [],
            "pid": [Run(f" pid {job.pid} ", palette.dim)] if job is not None else [],
            "axis": [] if usual else [Run(f" {axis} ", palette.dim)],
            "progress": progress_words(progress, palette),
            "eta": eta_words(session, palette),
            "loading": loading_words(session, palette),
            "elapsed": [Run(f" {elapsed:>6} ", palette.text)] if job is not None else [],
            "mode": self._mode(mode),
            "state": [Run(f" {sign} {words} ", style)],
        }
        width = self.size.width
        if width < ROOMY and parts["loading"]:
            # The charts say `sampled`, too.
            words, style = parts["loading"][0]
            parts["loading"] = [Run(f"{words.partition(',')[0].rstrip()} ", style)]
        left_for_parts = width - min(NAME, cell_len(short_command(session.name)) + 3)
        for part in reversed(parts):
            if row_width(parts[part]) > left_for_parts:
                parts[part] = []
            left_for_parts -= row_width(parts[part])
        room = width - sum(map(row_width, parts.values())) - 3
        left = [*parts["brand"], *parts["state"], *self._job_name(session.name, room)]
        left += [*parts["pid"], *parts["elapsed"], *parts["loading"]]
        right = [*parts["progress"], *parts["bar"], *parts["rate"], *parts["eta"]]
        right += [*parts["usual axis"], *parts["axis"], *parts["mode"]]
        self.show([spread(left, right, width, palette.dim)])

    def _job_name(self, command: str, room: int) -> Row:
        name = clean(short_command(command))
        if cell_len(name) > room:
            name = set_cell_size(name, max(0, room - 1)).rstrip() + "…"
        return [Run(f" {name} ", self.palette.strong)] if room > 2 else []

    def _mode(self, mode: str) -> Row:
        palette = self.palette
        state = mode.rpartition("  ")[2]
        style = {"recording": palette.bad, "paused": palette.warning}.get(state, palette.dim)
        sign = {"recording": "● ", "paused": "‖ "}.get(state, "")
        return [Run(f" {mode[: -len(state)]}", palette.text), Run(f"{sign}{state} ", style)]


def axis_words(options: Options) -> str:
    """How the charts are drawn, as far as it is not as usual."""
    words = [f"x: {clean(options.x_metric) if options.axis == 'metric' else options.axis}"]
    words += ["log"] if options.log else []
    words += [f"smooth {options.smoothing:g}"] if options.smoothing else []
    words += ["no outliers"] if options.without_outliers else []
    words += ["one scale"] if options.shared_scale else []
    words += ["no pauses"] if options.without_pauses else []
    words += ["zoomed"] if options.zoomed else []
    return "  ".join(words)


def progress_words(progress: Progress | None, palette: Palette) -> Row:
    """`epoch 3/10`, as far as the job tells."""
    if progress is None:
        return []
    if progress.epoch is not None:
        of = f"/{progress.epochs}" if progress.epochs else ""
        return [Run(f" epoch {progress.epoch}{of} ", palette.text)]
    if progress.step is not None:
        of = f"/{progress.steps}" if progress.steps else ""
        return [Run(f" step {progress.step}{of} ", palette.text)]
    return []


def progress_bar(share: float | None, palette: Palette) -> Row:
    """How much of the run is done."""
    if share is None:
        return []
    full = round(share * BAR)
    done, left = Run("━" * full, palette.accent), Run("━" * (BAR - full), palette.track)
    return [done, left, Run(f" {share:4.0%} ", palette.dim)]


def rate_words(session: Session, palette: Palette) -> Row:
    """How fast it goes."""
    rate = session.progress.steps_per_second
    return [Run(f" {format_value(rate)}/s ", palette.dim)] if rate is not None else []


def eta_words(session: Session, palette: Palette) -> Row:
    """How long it will still take."""
    eta = session.progress.eta_seconds(session.now)
    return [Run(f" {format_duration(eta)} left ", palette.text)] if eta is not None else []


_INTERPRETER = re.compile(r"python[\d.]*$")


def short_command(command: str) -> str:
    """A command line without folders, and without the interpreter where a script or module follows it."""
    first, *others = command.split(" ")
    words = [os.path.basename(first) or first]
    words += [os.path.basename(word) if word.startswith("/") else word for word in others]
    place = 1
    if _INTERPRETER.match(words[0]):
        while place < len(words) and words[place].startswith("-") and words[place] not in ("-c", "-m"):
            place += 2 if words[place] in ("-W", "-X") else 1
        place += words[place : place + 1] == ["-m"]
        if place < len(words) and words[place] != "-c":
            return " ".join(words[place:])
    return " ".join(words)
