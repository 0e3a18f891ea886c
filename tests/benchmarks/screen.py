"""What the screen costs: until the first chart, at rest, and beside a job that prints nothing."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from floydtop.events import Header
from floydtop.session.format import Reader
from tests.benchmarks.data import busy_job, silent_job, write_session
from tests.benchmarks.figures import Figure, median_of
from tests.benchmarks.terminal import CHART, CHARTS, Terminal
from tests.benchmarks.usage import Rest, cpu_seconds, family, over, resident_mebibytes

RUNS = 5
SETTLE = 8.0
"""Seconds after the first chart before anything is counted."""

FLOYDTOP = [str(Path(sys.executable).with_name("floydtop"))]


def first_chart(folder: Path) -> list[Figure]:
    """From Enter on `exec floydtop SESSION` to three braille cells in a row on the screen (200x50).

    The session has 20 metrics x 1,000 points. The shell that execs it already runs, and so does tmux; the
    screen is polled every 10 ms. CPU time up to then stands beside it: other work on the machine, which
    makes the wait longer, changes that little.
    """
    figures = []
    for name, split, limit in (("in 1,000 lines", False, 0.5), ("in 20,000 lines", True, None)):
        session = write_session(folder / f"start-{split}.jsonl", one_metric_a_line=split)
        waits, used = zip(*(_until_chart(session, folder) for _ in range(RUNS)), strict=True)
        figures.append(median_of(f"first chart, 20 x 1,000 points {name}", waits, "s", limit))
        figures.append(median_of(f"CPU until the first chart, {name}", used, "s"))
    return figures


def _until_chart(session: Path, folder: Path) -> tuple[float, float]:
    with Terminal([*FLOYDTOP, str(session)], {"XDG_STATE_HOME": str(folder)}) as terminal:
        time.sleep(0.2)
        started = terminal.go()
        shown = terminal.wait_for(CHART)
        return shown - started, cpu_seconds([terminal.pid])


def finished_session_at_rest(folder: Path, seconds: float = 60.0) -> list[Figure]:
    """Bytes to the terminal and CPU time of a replay that nobody touches, 8 s after its first chart."""
    session = write_session(folder / "rest.jsonl")
    with Terminal([*FLOYDTOP, str(session)], {"XDG_STATE_HOME": str(folder)}) as terminal:
        terminal.go()
        terminal.wait_for(CHART)
        time.sleep(SETTLE)
        rest = over(seconds, [terminal.pid], terminal.bytes_sent)
        memory = resident_mebibytes(terminal.pid, "VmHWM")
    note = f"over {seconds:.0f} s"
    return [
        Figure("finished session at rest: to the terminal", rest.bytes_per_minute, "B/min", 0, note),
        Figure("finished session at rest: CPU", rest.cpu_per_minute, "s/min", 0.08, note),
        Figure("finished session: memory of the app", memory, "MiB", None, "highest"),
    ]


def silent_live_job(folder: Path, seconds: float = 120.0) -> list[Figure]:
    """Bytes and CPU time of `floydtop PID` on a live job that prints nothing while its gauges move.

    CPU is that of the app, the recorder and the recorder's GPU helper together, at the default interval of
    60 s with the present reading every 2 s.
    """
    live = _live(folder, silent_job(), CHART, seconds)
    return [
        *_rates("silent live job", live, 8, 0.5, seconds),
        Figure("recorder: memory", live.memory["VmRSS"], "MiB", 40, f"highest {live.memory['VmHWM']:.0f}"),
        Figure(
            "GPU helper: memory",
            live.helpers,
            "MiB",
            None,
            "" if live.helpers else "none runs: no NVIDIA driver",
        ),
    ]


def busy_live_job(folder: Path, seconds: float = 60.0) -> list[Figure]:
    """The same of a live job that prints 20 metrics ten times a second: all charts in view move."""
    live = _live(folder, busy_job(), CHARTS, seconds)
    return _rates("live job, 20 metrics x 10 steps/s", live, 200, 4, seconds)


def busy_live_job_on_a_slow_link(folder: Path, seconds: float = 60.0) -> list[Figure]:
    """The same with `--slow-link`: fewer frames, fewer colours."""
    live = _live(folder, busy_job(), CHARTS, seconds, "--slow-link")
    return _rates("the same with --slow-link", live, 40, None, seconds)


@dataclass(frozen=True)
class Live:
    """What `floydtop PID` cost."""

    rest: Rest
    """Of the app, the recorder and its GPU helper together."""
    app_cpu: float
    """CPU seconds a minute of the app alone."""
    memory: dict[str, float]
    """MiB of the recorder, as the kernel calls them."""
    helpers: float
    """MiB of the recorder's helpers."""


def _live(folder: Path, command: list[str], shown: re.Pattern[str], seconds: float, *options: str) -> Live:
    root = Path(__file__).parents[2]
    with (folder / "job.log").open("wb") as output:
        job = subprocess.Popen(command, stdout=output, cwd=folder, env=os.environ | {"PYTHONPATH": str(root)})
    recorder = None
    try:
        with Terminal([*FLOYDTOP, *options, str(job.pid)], {"XDG_STATE_HOME": str(folder)}) as terminal:
            terminal.go()
            terminal.wait_for(shown)
            time.sleep(SETTLE)
            recorder = _recorder(folder, job.pid)
            before = cpu_seconds([terminal.pid])
            rest = over(seconds, [terminal.pid, recorder], terminal.bytes_sent)
            app_cpu = (cpu_seconds([terminal.pid]) - before) / (seconds / 60)
            memory = {name: resident_mebibytes(recorder, name) for name in ("VmRSS", "VmHWM")}
            helpers = sum(resident_mebibytes(one.pid) for one in family([recorder])[1:])
            # Whatever it says in the end: with these words, or others, the pane is dead.
            terminal.press("q")
            terminal.wait_for(re.compile("Still recording|Pane is dead"))
    finally:
        job.kill()
        job.wait()
        if recorder is not None:
            family_gone([recorder])
    return Live(rest, app_cpu, memory, helpers)


def _rates(what: str, live: Live, kilobytes: float, cpu: float | None, seconds: float) -> list[Figure]:
    note = f"over {seconds:.0f} s"
    return [
        Figure(f"{what}: to the terminal", live.rest.bytes_per_minute / 1000, "kB/min", kilobytes, note),
        Figure(f"{what}: CPU of app, recorder and GPU helper", live.rest.cpu_per_minute, "s/min", cpu, note),
        Figure(f"{what}: CPU of the app alone", live.app_cpu, "s/min", None, note),
    ]


def _recorder(state: Path, pid: int) -> int:
    """The pid of the recorder that writes the session of a job."""
    for session in (state / "floydtop" / "sessions").glob(f"*-{pid}-*.jsonl"):
        header = Reader().feed(session.read_bytes().splitlines(keepends=True)[0])[0]
        assert isinstance(header, Header)
        return header.recorder
    raise LookupError(f"No session of job {pid} under {state}.")


def family_gone(pids: list[int], within: float = 10.0) -> None:
    """Wait until processes have ended: the recorder ends by itself after its job."""
    deadline = time.monotonic() + within
    while family(pids) and time.monotonic() < deadline:
        time.sleep(0.1)
