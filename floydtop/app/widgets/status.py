"""The top line: which job, how it is, how far it is, and whether it is recorded."""

from __future__ import annotations

import os

from rich.cells import set_cell_size

from floydtop.app.safe import clean
from floydtop.app.view import View
from floydtop.app.widgets.canvas import Canvas, Row, Run, row_width, spread
from floydtop.app.words import job_state
from floydtop.events import Progress
from floydtop.plot.units import format_duration

BAR = 12


class StatusBar(Canvas):
    """One row; what matters least is dropped first when it is narrow."""

    def draw(self, view: View, mode: str) -> None:
        """Show the state of the view; `mode` is what the screen itself is doing: recording, replay..."""
        palette = self.palette
        session = view.session
        sign, words, mood = job_state(session, view.live)
        style = {"good": palette.good, "warning": palette.warning, "bad": palette.bad, "dim": palette.dim}[
            mood
        ]
        left: Row = [Run(" floydtop ", palette.accent), Run(f" {sign} {words} ", style)]
        right: Row = [*self._progress(view), Run(f"x: {view.axis}  ", palette.dim), *self._mode(mode)]
        middle: Row = []
        job = session.header.job if session.header else None
        if job is not None:
            elapsed = format_duration(max(0.0, session.now - session.origin))
            middle = [Run(f" pid {job.pid}  ", palette.dim), Run(f"{elapsed:>7} ", palette.text)]
        room = self.size.width - row_width(left) - row_width(middle) - row_width(right) - 3
        name = clean(short_command(session.name))
        if room >= 8:
            name = name if len(name) <= room else name[: room - 1] + "…"
            left.append(Run(f" {set_cell_size(name, min(room, len(name)))} ", palette.strong))
        elif room < 0:
            right = self._mode(mode)
        self.show([spread(left + middle, right, self.size.width, palette.dim)])

    def _mode(self, mode: str) -> Row:
        palette = self.palette
        style = {"recording": palette.bad, "paused": palette.warning}.get(mode, palette.dim)
        sign = {"recording": "● ", "paused": "‖ "}.get(mode, "")
        return [Run(f"{sign}{mode} ", style)]

    def _progress(self, view: View) -> Row:
        present = view.session.present
        if present is None or present.progress is None:
            return []
        return progress_row(present.progress, self)


def progress_row(progress: Progress, canvas: Canvas) -> Row:
    """`epoch 3/10 ━━━━╸─────`, as far as the job tells."""
    palette = canvas.palette
    row: Row = []
    if progress.epoch is not None:
        of = f"/{progress.epochs}" if progress.epochs else ""
        row.append(Run(f"epoch {progress.epoch}{of} ", palette.text))
    elif progress.step is not None:
        of = f"/{progress.steps}" if progress.steps else ""
        row.append(Run(f"step {progress.step}{of} ", palette.text))
    share = done_share(progress)
    if share is not None:
        full = round(share * BAR)
        row += [
            Run("━" * full, palette.accent),
            Run("━" * (BAR - full), palette.track),
            Run("  ", palette.dim),
        ]
    elif row:
        row.append(Run(" ", palette.dim))
    return row


def done_share(progress: Progress) -> float | None:
    """How much of the run is done, 0 to 1, where the job tells it."""
    within = 0.0
    if progress.step is not None and progress.steps:
        within = min(1.0, progress.step / progress.steps)
    if progress.epoch is not None and progress.epochs:
        return max(0.0, min(1.0, (progress.epoch - 1 + within) / progress.epochs))
    return within if progress.steps else None


def short_command(command: str) -> str:
    """A command line without the folders of its interpreter and script."""
    words = command.split(" ")
    return " ".join(os.path.basename(word) if word.startswith("/") else word for word in words)
