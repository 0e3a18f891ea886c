"""What a benchmark finds: figures, and the machine that they are of."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Figure:
    """One number, its unit, and what it may be at most."""

    what: str
    value: float
    unit: str
    limit: float | None = None
    note: str = ""

    def row(self) -> str:
        """The figure as a row of a Markdown table."""
        limit, verdict = "", ""
        if self.limit is not None:
            limit = f"{_plain(self.limit)} {self.unit}"
            verdict = "yes" if self.value <= self.limit else "**no**"
        return f"| {self.what} | {_plain(self.value)} {self.unit} | {limit} | {verdict} | {self.note} |"


HEADING = "| what | figure | at most | kept | how it spread |\n| --- | --- | --- | --- | --- |"


def median_of(what: str, values: Sequence[float], unit: str, limit: float | None = None) -> Figure:
    """The median of some runs, with the smallest and the largest beside it."""
    spread = f"median of {len(values)}, {_plain(min(values))} to {_plain(max(values))}"
    return Figure(what, statistics.median(values), unit, limit, spread)


def machine() -> str:
    """The machine in one line, with its load: figures taken beside other work are worth less."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    hardware = f"{_processor()}, {os.cpu_count()} cores, {memory:.0f} GiB"
    software = f"{platform.system()} {platform.release()}, Python {platform.python_version()}"
    return f"{hardware}; {software}; load {os.getloadavg()[0]:.1f}"


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.machine()


def _plain(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.3g}"
