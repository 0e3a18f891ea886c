"""How old what is on the screen is: from a line that a job writes to its value in view."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

from tests.benchmarks.figures import Figure
from tests.benchmarks.terminal import CHART, POLL, Terminal

FLOYDTOP = [str(Path(sys.executable).with_name("floydtop"))]

RATES = {1.0: 30, 10.0: 300, 200.0: 4000}
"""Lines a second, and how many are written."""

FIRST_LOOK = 6.0
"""Seconds after the first chart that do not count: the start is another figure."""

COUNTING_JOB = """
import json, sys, time
rate, count, stamps = float(sys.argv[1]), int(sys.argv[2]), open(sys.argv[3], "w", buffering=1)
start = time.monotonic()
for n in range(1, count + 1):
    time.sleep(max(0.0, start + n / rate - time.monotonic()))
    now = time.monotonic()
    print(json.dumps({"metric": "count", "value": n, "step": n}), flush=True)
    stamps.write(f"{now}\\n")
time.sleep(600)
"""
"""A job whose metric is the number of its line; when it wrote each stands in a file."""


def freshness(folder: Path) -> list[Figure]:
    """Age of each line when its value, or a later one, stands in the chart's legend: `floydtop PID`, 200x50.

    A real job and a real recorder at all defaults; the screen is looked at every 10 ms.
    """
    figures = []
    for rate, count in RATES.items():
        place = folder / f"{rate:g}"
        place.mkdir()
        stamps = place / "stamps"
        with (place / "count.log").open("wb") as output:
            command = [sys.executable, "-c", COUNTING_JOB, str(rate), str(count), str(stamps)]
            job = subprocess.Popen(command, stdout=output, cwd=place)
        try:
            with Terminal([*FLOYDTOP, str(job.pid)], {"XDG_STATE_HOME": str(place)}) as terminal:
                terminal.go()
                terminal.wait_for(CHART)
                shown = watch(terminal, newest_count, count / rate)
                written = list(map(float, stamps.read_text().split()))
        finally:
            job.kill()
            job.wait()
        figures += ages(f"line to screen at {rate:g} lines/s", written, shown, limit=1.0)
    return figures


def watch(terminal: Terminal, newest: Callable[[str], int | None], seconds: float) -> list[tuple[float, int]]:
    """The moments at which a new count came into view."""
    shown: list[tuple[float, int]] = []
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        count = newest(terminal.screen())
        if count is not None and (not shown or count > shown[-1][1]):
            shown.append((time.monotonic(), count))
        time.sleep(POLL)
    return shown


def newest_count(screen: str) -> int | None:
    """The newest value in the legend of the chart `count`."""
    rows = screen.split("\n")
    for row, legend in pairwise(rows):
        if (title := row.find("─ count ─")) >= 0:
            found = re.search(r"● (\d+)", legend[title - 1 :])
            return int(found[1]) if found else None
    return None


def ages(
    what: str, written: list[float], shown: list[tuple[float, int]], limit: float | None = None
) -> list[Figure]:
    """The 95th percentile and the median of how long lines waited to be seen.

    Args:
        written: when each line was written, the first one's count being 1.
        shown: when which count was seen, rising.
    """
    waits = []
    seen = iter(shown)
    moment, count = next(seen)
    begin = moment + FIRST_LOOK
    for number, stamp in enumerate(written, 1):
        while count < number:
            try:
                moment, count = next(seen)
            except StopIteration:
                break
        if count >= number and stamp >= begin:
            waits.append(moment - stamp)
    waits.sort()
    note = f"of {len(waits)} lines, at most {waits[-1]:.2f} s"
    return [
        Figure(f"{what}: 95 of 100 within", waits[int(len(waits) * 0.95)], "s", limit, note),
        Figure(f"{what}: half within", waits[len(waits) // 2], "s"),
    ]
