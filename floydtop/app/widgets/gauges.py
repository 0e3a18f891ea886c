"""The gauges: the present reading of each system metric, in one or two rows."""

from __future__ import annotations

from typing import Literal

from floydtop.app.safe import clean
from floydtop.app.view import View
from floydtop.app.widgets.canvas import Canvas, Row, Run, row_width
from floydtop.app.words import cpu_text, disk_text, memory_text
from floydtop.events import gpu_index
from floydtop.plot.braille import sparkline
from floydtop.plot.units import format_bytes
from floydtop.session.session import Session

BAR = 8
MOST_ROWS = 2
SPARK = 8
SPARK_FROM = 150
"""Columns of the terminal from which each gauge has a sparkline of its last recorded samples."""

GAP = 3

Detail = Literal["full", "short", "bars", "bare"]
FULL: Detail = "full"
SHORT: Detail = "short"
"""Bars of half the length, and of the words the memory."""
BARS: Detail = "bars"
"""Without words."""
BARE: Detail = "bare"
"""Nothing but percentages."""

GETTING_FULL = ("memory.percent", "disk.percent")
"""Gauges that are better low; a busy GPU or CPU is no warning."""


class Gauges(Canvas):
    """CPU, memory, disk and GPUs of the job; a reading that is not known says n/a, and why if it fits."""

    _over = False
    """The job has ended: what is shown was the last reading."""
    _session: Session | None = None
    _detail: Detail = FULL

    def draw(self, view: View) -> None:
        """Show the present reading, or the last recorded sample of a session that is over."""
        width = self.size.width
        rows = self._rows(view, width)
        self.styles.height = len(rows)
        self.show(rows)

    def _rows(self, view: View, width: int) -> list[Row]:
        """All gauges, in the fullest of the ways in which they fit."""
        for self._detail in (FULL, SHORT, BARS, BARE):
            items = self._items(view)
            rows, left_out = self._laid_out(items, width)
            if not left_out:
                return rows
        rows, left_out = self._laid_out(items, width - len(f"+{left_out}"))
        return [*rows[:-1], [*rows[-1], Run(f"+{left_out}", self.palette.faint)]]

    def _laid_out(self, items: list[Row], width: int) -> tuple[list[Row], int]:
        """Items in rows, and how many found no place."""
        rows: list[Row] = [[Run(" ", self.palette.dim)]]
        left_out = 0
        for item in items:
            if len(rows[-1]) > 1 and row_width(rows[-1]) + row_width(item) > width:
                if len(rows) == MOST_ROWS:
                    left_out += 1
                    continue
                rows.append([Run(" ", self.palette.dim)])
            rows[-1] += [*item, Run(" " * (GAP if self._detail is FULL else GAP - 1), self.palette.dim)]
        return rows, left_out

    def _items(self, view: View) -> list[Row]:
        session = view.session
        values, unknown = readings(session)
        self._session = session
        self._over = session.state == "exited"
        if session.state == "no-process":
            text = "no process on this machine writes this log: no system metrics"
            return [[Run(text, self.palette.faint)]]
        may_use = session.facts.cpu_cores if session.facts else None
        source = session.facts.notes.get("memory", "") if session.facts else ""
        items = [
            self._gauge("CPU", "cpu.percent", values, unknown, cpu_text(values, may_use)),
            self._gauge(
                "MEM",
                "memory.percent",
                values,
                unknown,
                memory_text(values, source),
                brief=format_bytes(values["memory.bytes"]) if "memory.bytes" in values else "",
            ),
        ]
        items += self._gpus(session, values, unknown)
        if view.options.every_gpu:
            items += self._other_gpus(session)
        items.append(self._gauge("DISK", "disk.percent", values, unknown, disk_text(values)))
        return items

    def _gpus(self, session: Session, values: dict[str, float], unknown: dict[str, str]) -> list[Row]:
        palette = self.palette
        gpus = {gpu.index: gpu for gpu in (session.facts.gpus if session.facts else []) if gpu.of_job}
        indices = sorted({index for index in map(gpu_index, values) if index is not None} | gpus.keys())
        if not indices:
            note = session.facts.notes.get("gpu", "") if session.facts else ""
            text = unknown.get("gpu") or note or "none seen"
            return [[Run("GPU ", palette.faint), Run(clean(text), palette.faint)]]
        items = []
        for index in indices:
            name = f"gpu.{index}"
            used = values.get(f"{name}.memory_bytes")
            total = gpus[index].memory_bytes if index in gpus else None
            text = brief = format_bytes(used) if used is not None else "memory n/a"
            if used is not None and total:
                text += f"/{format_bytes(total)}"
            items.append(self._gauge(f"GPU{index}", f"{name}.utilization", values, unknown, text, brief))
        return items

    def _other_gpus(self, session: Session) -> list[Row]:
        """The GPUs of the machine that the job does not use."""
        others = session.present.others if session.present is not None else {}
        indices = sorted({index for index in map(gpu_index, others) if index is not None})
        if not indices:
            return [[Run("no other GPU is seen", self.palette.faint)]]
        items = []
        for index in indices:
            used = others.get(f"gpu.{index}.memory_bytes")
            text = "(not the job's) " + (format_bytes(used) if used is not None else "memory n/a")
            items.append(self._gauge(f"GPU{index}", f"gpu.{index}.utilization", others, {}, text))
        return items

    def _spark(self, name: str) -> str:
        """The last recorded samples: it moves with them only, not with each present reading."""
        series = self._session.system.get(name) if self._session is not None else None
        means = list(series.means[-SPARK:]) if series is not None else []
        return sparkline(means, SPARK, 0.0, 100.0, glyphs="ascii" if self.glyphs == "ascii" else "block")

    def _gauge(
        self,
        label: str,
        name: str,
        values: dict[str, float],
        unknown: dict[str, str],
        text: str,
        brief: str = "",
    ) -> Row:
        palette = self.palette
        row: Row = [Run(f"{label} ", palette.dim)]
        percent = values.get(name)
        if percent is None:
            row.append(Run(f"n/a {clean(unknown.get(name, ''))}"[:40].rstrip(), palette.faint))
        else:
            warned = name in GETTING_FULL and percent >= 85
            style = palette.faint if self._over else palette.warning if warned else palette.good
            if self._detail is not BARE:
                full, empty = bar(percent, BAR if self._detail is FULL else BAR // 2)
                row += [Run(full, style), Run(empty, palette.track), Run(" ", palette.dim)]
                if self.size.width >= SPARK_FROM:
                    row.append(Run(self._spark(name) + " ", style))
            row.append(Run(f"{percent:3.0f}%", palette.strong))
        words = {FULL: text, SHORT: brief}.get(self._detail, "")
        return [*row, Run(f" {words}", palette.dim)] if words else row


def bar(percent: float, cells: int) -> tuple[str, str]:
    """The filled and the empty part of a bar, to half a cell: less moves less often."""
    halves = round(max(0.0, min(100.0, percent)) / 100 * cells * 2)
    full = "█" * (halves // 2) + "▌" * (halves % 2)
    return full, "░" * (cells - len(full))


def readings(session: Session) -> tuple[dict[str, float], dict[str, str]]:
    """The newest reading of each system metric, and why others are missing."""
    if session.present is not None and session.present.values:
        return session.present.values, session.present.unknown
    return {name: series.means[-1] for name, series in session.system.items()}, session.unknown
