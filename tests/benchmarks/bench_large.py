"""What large sessions cost: until they show, until they are complete, in memory, and at each key.

python -m tests.benchmarks.bench_large [PARTS]: some of `open`, `log`, `memory`, `huge`, `keys`; else all.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import re
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from floydtop.app import FloydtopApp
from floydtop.app.screens.monitor import MonitorScreen
from floydtop.events import (
    Clock,
    End,
    Event,
    Exit,
    Header,
    Job,
    JobState,
    Metrics,
    OutputLine,
    Position,
    Progress,
    Sample,
)
from floydtop.session.format import FORMAT, VERSION, Reader
from floydtop.session.player import Player
from tests.benchmarks.data import METRICS, values
from tests.benchmarks.figures import HEADING, Figure, machine, median_of
from tests.benchmarks.screen import FLOYDTOP
from tests.benchmarks.terminal import CHART, POLL, Terminal
from tests.benchmarks.usage import cpu_seconds, family, resident_mebibytes

RUNS = 5
TEXT_LINES = 40_000
"""Lines whose text a session holds: the first megabytes of the output, the log has the rest."""

LOOK_EVERY = 0.05
"""Seconds between two looks whether it still loads."""

LOADING = re.compile(r" loading +\d")
READING = re.compile(r"% of the log read| loading +\d|sampled ")
HUGE_STEPS = 690_000
"""Steps of 20 metrics that make a session of 1 GB."""

WORST = (200, 50)

KEYS = {
    "more smoothing": "s",
    "less smoothing": "S",
    "logarithmic": "y",
    "linear again": "y",
    "axis: step": "x",
    "axis: epoch": "X",
    "axis: time": "X",
    "outliers left out": "o",
    "outliers again": "o",
    "one scale": "e",
    "zoom in": "z",
    "zoom further": "z",
    "all again": "0",
    "back by a fiftieth": "left",
    "on by a fiftieth": "right",
    "to the start": "home",
    "to the end": "end",
}


def write_session(path: Path, steps: int) -> Path:
    """A finished session of 20 metrics, each value printed as a line of its own, ten steps a second."""
    encode = msgspec.json.Encoder().encode_lines
    with path.open("wb") as file:
        for events in _events(steps):
            file.write(encode(events))
    return path


def _events(steps: int) -> Iterator[list[Event]]:
    job = Job(pid=4711, start=1, command=["python", "train.py"], t=0.0)
    common = {"format": FORMAT, "v": VERSION, "id": "0" * 32, "t0": 1.7e9, "boot": "", "host": "benchmark"}
    yield [
        Header(**common, interval=60.0, by="floydtop", recorder=1, job=job),  # type: ignore[arg-type]  # words
        Clock(t=0.0, wall=1.7e9),
        JobState(t=0.0, state="running"),
    ]
    noise, number = random.Random(1), 0
    drawn = [values(step, 1000, noise) for step in range(1000)]
    for first in range(0, steps, 1000):
        events: list[Event] = []
        for step in range(first, min(first + 1000, steps)):
            t, now = step / 10, drawn[step * 1000 // steps if step % 7 else step % 1000]
            for name in METRICS:
                number += 1
                if number < TEXT_LINES:
                    text = f'{{"metric": "{name}", "value": {now[name]}, "step": {step}}}'
                    events.append(OutputLine(text=text, line=number, t=t))
                events.append(Metrics(values={name: now[name]}, t=t, step=step, line=number))
            if step % 50 == 0:
                events.append(Position(t=t, offset=number * 60, line=number + 1))
            if step % 600 == 0:
                reading = (50.0 + step % 30, 40.0, 90.0)
                events.append(Sample(t=t, values={"cpu.percent": reading, "memory.percent": reading}))
            if step % 1000 == 0:
                events.append(Progress(epoch=step * 100 // steps + 1, epochs=100, t=t))
        yield events
    end = steps / 10
    yield [JobState(t=end, state="exited", exit=Exit(code=0)), End(t=end, why="the job ended")]


class Opening:
    """One start of floydtop on a session, until all of it is on the screen."""

    def __init__(self, session: Path, folder: Path) -> None:
        places = {"XDG_STATE_HOME": str(folder), "XDG_CACHE_HOME": str(folder / "cache")}
        with Terminal([*FLOYDTOP, str(session)], places, *WORST) as terminal:
            time.sleep(0.2)
            started = terminal.go()
            self.first = terminal.wait_for(CHART) - started
            """Seconds until there is a chart."""
            highest, looks = 0.0, 0
            while LOADING.search(terminal.screen()):
                # Each look takes CPU from what is measured: some 5 ms of tmux, 10 ms of psutil.
                time.sleep(LOOK_EVERY)
                looks += 1
                if looks % 5 == 0:
                    highest = max(highest, _memory(terminal.pid, "VmRSS"))
            self.complete = time.monotonic() - started
            """Seconds until nothing is being loaded any more."""
            self.cpu = cpu_seconds([terminal.pid])
            time.sleep(1.0)
            self.sent = terminal.bytes_sent()
            """Bytes to the terminal."""
            self.memory = max(highest, _memory(terminal.pid, "VmHWM"))
            """Mebibytes at the highest of all its processes together, four looks a second while it loads."""


def _memory(pid: int, field: str) -> float:
    """Mebibytes of a process and its descendants."""
    found = 0.0
    for one in family([pid]):
        with contextlib.suppress(OSError, ValueError):
            found += resident_mebibytes(one.pid, field)
    return found


def opening(folder: Path) -> Iterator[Figure]:
    """A session of 20 metrics x 100,000 points, with no index and then with one."""
    session = write_session(folder / "two-million.jsonl", 100_000)
    first = [_without_index(session, folder) for _ in range(RUNS)]
    again = [Opening(session, folder) for _ in range(RUNS)]
    yield from _figures("20 x 100,000 points", first, 1.0, 2.0)
    yield from _figures("the same from its index", again, 1.0, 2.0)


def _without_index(session: Path, folder: Path) -> Opening:
    for one in (folder / "cache").rglob("*.idx"):
        one.unlink()
    return Opening(session, folder)


def _figures(what: str, found: list[Opening], first: float, complete: float) -> Iterator[Figure]:
    yield median_of(f"{what}: first chart", [one.first for one in found], "s", first)
    yield median_of(f"{what}: complete", [one.complete for one in found], "s", complete)
    yield median_of(f"{what}: CPU until then", [one.cpu for one in found], "s")
    yield median_of(f"{what}: to the terminal", [one.sent / 1000 for one in found], "kB", 200)
    yield median_of(f"{what}: memory at its highest", [one.memory for one in found], "MiB", 120)


class Following:
    """One start of floydtop on a log that nobody has recorded yet, until it has been read."""

    def __init__(self, log: Path, state: Path) -> None:
        places = {name: str(state) for name in ("XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME")}
        # As if it had just been written: the recorder waits for more of it.
        os.utime(log)
        with Terminal([*FLOYDTOP, str(log)], places, *WORST) as terminal:
            time.sleep(0.2)
            started = terminal.go()
            self.first = terminal.wait_for(CHART) - started
            """Seconds until there is a chart."""
            self.first_cpu = cpu_seconds([terminal.pid])
            """CPU seconds of the screen until then."""
            while READING.search(terminal.screen()):
                time.sleep(POLL)
            self.complete = time.monotonic() - started
            """Seconds until all of the log is on the screen."""
            session = next((state / "floydtop" / "sessions").glob("*.jsonl"))
            with session.open("rb") as file:
                header = Reader().feed(file.readline())[0]
            assert isinstance(header, Header)
            pids = [terminal.pid, header.recorder]
            self.cpu = cpu_seconds(pids)
            time.sleep(1.0)
            self.sent = terminal.bytes_sent()
            """Bytes to the terminal."""
            self.memory = sum(resident_mebibytes(one.pid, "VmHWM") for one in family(pids))
            """Mebibytes at the highest, of all processes; pages that they share count for each."""
            os.kill(header.recorder, signal.SIGTERM)


def following(folder: Path) -> Iterator[Figure]:
    """The log of 2 million values itself, a JSON line each."""
    log = folder / "train.log"
    noise = random.Random(1)
    drawn = [values(step, 1000, noise) for step in range(1000)]
    with log.open("w") as file:
        for step in range(100_000):
            now = drawn[step // 100 if step % 7 else step % 1000]
            for name in METRICS:
                file.write(f'{{"metric": "{name}", "value": {now[name]}, "step": {step}}}\n')
    found = [Following(log, folder / f"state-{number}") for number in range(RUNS)]
    what = "the log of 2 M JSON lines"
    yield median_of(f"{what}: first chart", [one.first for one in found], "s", 1.0)
    yield median_of(f"{what}: CPU of the app until then", [one.first_cpu for one in found], "s")
    yield median_of(f"{what}: complete", [one.complete for one in found], "s", 4.0)
    yield median_of(f"{what}: CPU of app and recorder until then", [one.cpu for one in found], "s", 5.0)
    yield median_of(f"{what}: to the terminal", [one.sent / 1000 for one in found], "kB", 200)
    yield median_of(f"{what}: memory of all processes", [one.memory for one in found], "MiB", 120)


def memory(folder: Path) -> Iterator[Figure]:
    """The same with 1 million and 10 million points: memory stays as it is."""
    for millions in (1, 10):
        session = write_session(folder / "points.jsonl", millions * 50_000)
        seen = Opening(session, folder)
        yield Figure(f"{millions} million points: memory at its highest", seen.memory, "MiB", 120)
        yield Figure(
            f"{millions} million points: complete", seen.complete, "s", None, f"CPU {seen.cpu:.1f} s"
        )


def huge(folder: Path) -> Iterator[Figure]:
    """A session of 1 GB: its newest part, all of it, and the second time."""
    session = write_session(folder / "huge.jsonl", HUGE_STEPS)
    size = f"{session.stat().st_size / 1e9:.2f} GB"
    yield from _figures(size, [Opening(session, folder)], 1.0, 15.0)
    yield from _figures(f"{size} from its index", [Opening(session, folder)], 1.0, 2.0)


def keys(folder: Path) -> Iterator[Figure]:
    """From a key to the drawn rows, with 2 million points loaded, at 200x50, in this process."""
    os.environ["XDG_CONFIG_HOME"] = os.environ["XDG_CACHE_HOME"] = str(folder / "ours")
    player = Player(write_session(folder / "keys.jsonl", 100_000))
    while player.loading is not None:
        player.poll()
        time.sleep(0.05)
    for what, (wall, cpu) in asyncio.run(_press(player)).items():
        yield Figure(f"{what}: until drawn", wall * 1000, "ms", 100, f"CPU {cpu * 1000:.0f} ms")


async def _press(player: Player) -> dict[str, tuple[float, float]]:
    """Wall and CPU seconds of the drawing that each key asks for."""
    spent = [0.0, 0.0]
    draw = MonitorScreen.redraw

    def timed(screen: MonitorScreen, *, hurried: bool = False) -> None:
        wall, cpu = time.monotonic(), time.process_time()
        draw(screen, hurried=hurried)
        spent[0] += time.monotonic() - wall
        spent[1] += time.process_time() - cpu

    MonitorScreen.redraw = timed  # type: ignore[assignment]  # to measure it
    found = {}
    app = FloydtopApp(player)
    async with app.run_test(size=WORST) as pilot:
        await pilot.pause()
        for what, key in KEYS.items():
            spent[:] = [0.0, 0.0]
            await pilot.press(key)
            await pilot.pause()
            found[what] = (spent[0], spent[1])
    return found


PARTS: dict[str, Callable[[Path], Iterator[Figure]]] = {
    "open": opening,
    "log": following,
    "memory": memory,
    "huge": huge,
    "keys": keys,
}


def main(names: list[str] | None = None) -> None:
    """Print the figures as a table."""
    print(f"{machine()}\n\n{HEADING}")
    for name in names or list(PARTS):
        with tempfile.TemporaryDirectory(prefix="floydtop-benchmark-") as folder:
            for figure in PARTS[name](Path(folder)):
                print(figure.row(), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
