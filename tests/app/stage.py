"""A stage for the app: sessions made up for a test, and the app over them without a terminal."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import msgspec
from textual.pilot import Pilot

from floydtop.app import FloydtopApp
from floydtop.app.feed import Feed
from floydtop.app.picker import PickerApp
from floydtop.app.widgets.canvas import Canvas
from floydtop.events import (
    Clock,
    End,
    Event,
    Exit,
    Facts,
    Gpu,
    Header,
    Job,
    JobState,
    Log,
    Malformed,
    Metrics,
    OutputLine,
    Sample,
)
from floydtop.session.format import FORMAT, VERSION, encode
from floydtop.session.player import Player
from floydtop.session.writer import SessionWriter

PATIENCE = 8.0
"""Seconds that a test waits for something to appear on the screen."""

SMALL, MEDIUM, LARGE = (80, 24), (120, 40), (200, 50)


def header(**changes: object) -> Header:
    """The header of a recording of pid 4711 and its log."""
    plain = Header(
        format=FORMAT,
        v=VERSION,
        id="5f0c",
        t0=1_795_437_653.0,
        boot="b007",
        host="node1",
        interval=60.0,
        by="floydtop 0.1.0",
        recorder=4712,
        job=Job(pid=4711, start=123456, command=["python", "train.py"], cwd="/home/ada", user="ada", t=0.0),
        log=Log(path="/home/ada/train.log", device=1, inode=9),
    )
    return msgspec.structs.replace(plain, **changes)


def opening(**changes: object) -> list[Event]:
    """What a recording of a job with one GPU begins with."""
    return [
        header(**changes),
        Clock(t=0.0, wall=1_795_437_653.0),
        Facts(t=0.0, cpu_cores=4.0, memory_bytes=8 << 30, gpus=[Gpu(0, "H200", memory_bytes=80 << 30)]),
        JobState(t=0.0, state="running"),
    ]


def sample(t: float, share: float = 50.0) -> Sample:
    """One sample of a job on a machine with one GPU."""
    readings = {
        "cpu.percent": share,
        "cpu.cores": share / 25,
        "memory.bytes": share * 2**26,
        "memory.percent": share,
        "disk.percent": 37.0,
        "disk.read_bytes_per_s": 1e6,
        "disk.write_bytes_per_s": 2e5,
        "gpu.0.utilization": share,
        "gpu.0.memory_bytes": share * 2**29,
    }
    return Sample(t=t, values={name: (value, value, value) for name, value in readings.items()})


def training(steps: int = 60, *, timed: bool = True, stepped: bool = True) -> list[Event]:
    """Losses that fall and an accuracy that rises, a line each second, a sample every ten seconds."""
    found: list[Event] = []
    for step in range(1, steps + 1):
        t = float(step) if timed else None
        values = {"loss": 2.0 / step, "accuracy": 1 - 1 / (step + 1)}
        if step % 5 == 0:
            values["val_loss"] = 2.5 / step
        text = "step {} {}".format(step, " ".join(f"{name}: {value:.4f}" for name, value in values.items()))
        found.append(OutputLine(text=text, line=step, t=t))
        found.append(Metrics(values=values, t=t, step=step if stepped else None, line=step))
        if step % 10 == 0 and timed:
            found.append(sample(float(step), 40.0 + step % 50))
    return found


def malformed(t: float = 61.0) -> list[Event]:
    """Two lines that claim to be metrics."""
    return [
        Malformed(text='{"metric": "loss", "value": }', why="no JSON", line=901, t=t),
        Malformed(text='{"metric": "loss", "value": "high"}', why="the value is no number", line=902, t=t),
    ]


def ending(t: float = 62.0) -> list[Event]:
    """The job exits well and the recording is closed."""
    return [JobState(t=t, state="exited", exit=Exit(code=0, how="told")), End(t=t, why="the job ended")]


def whole() -> list[Event]:
    """A complete small recording."""
    return [*opening(), *training(), *malformed(), *ending()]


def write(folder: Path, events: Iterable[Event], name: str = "session.jsonl") -> Path:
    """A session file of these events."""
    path = folder / name
    path.write_bytes(b"".join(map(encode, events)))
    return path


@contextmanager
def live(folder: Path, events: Iterable[Event]) -> Iterator[tuple[Feed, SessionWriter]]:
    """A recording that goes on: what is appended to the writer comes to the feed."""
    writer = SessionWriter(folder / "live.jsonl")
    writer.append(list(events), now=0.0)
    try:
        yield Feed(writer.path), writer
    finally:
        writer.close()


class Stage:
    """The running app, as a person sees it."""

    def __init__(self, app: FloydtopApp | PickerApp, pilot: Pilot[object]) -> None:
        self.app = app
        self.pilot = pilot

    def rows(self) -> list[str]:
        """The rows of the screen."""
        return [strip.text for strip in self.app.screen._compositor.render_strips()]

    def text(self) -> str:
        """What is on the screen."""
        return "\n".join(self.rows())

    def words(self, selector: str) -> str:
        """What one of our widgets shows, without its borders."""
        shown = self.app.screen.query_one(selector, Canvas)._shown
        return "\n".join("".join(run.text for run in row) for row in shown)

    async def settle(self) -> None:
        """Let all that was asked for happen: a layout, and the drawing after it."""
        for _ in range(3):
            await self.pilot.pause()

    async def press(self, *keys: str) -> str:
        """Press keys by Textual's names; what is on the screen then."""
        for key in keys:
            await self.pilot.press(key)
        await self.settle()
        return self.text()

    async def type(self, text: str) -> str:
        """Type text, key by key."""
        names = {" ": "space", "/": "slash", "|": "vertical_line", "[": "left_square_bracket"}
        return await self.press(*(names.get(character, character) for character in text))

    async def until(self, condition: Callable[[str], object]) -> str:
        """Wait until the screen's text fulfils a condition; that text."""
        deadline = time.monotonic() + PATIENCE
        while True:
            text = self.text()
            if condition(text):
                return text
            assert time.monotonic() < deadline, f"it never came; on the screen is:\n{text}"
            await self.pilot.pause(0.02)

    async def see(self, *parts: str) -> str:
        """Wait until all of these words are on the screen."""
        return await self.until(lambda text: all(part in text for part in parts))


@asynccontextmanager
async def running(app: FloydtopApp | PickerApp, size: tuple[int, int] = MEDIUM) -> AsyncIterator[Stage]:
    """An app on the stage, at rest."""
    async with app.run_test(size=size, notifications=True) as pilot:
        stage = Stage(app, pilot)
        await stage.settle()
        yield stage


@asynccontextmanager
async def replaying(
    folder: Path, events: Iterable[Event], size: tuple[int, int] = MEDIUM
) -> AsyncIterator[Stage]:
    """A replay of these events, at its end."""
    async with running(FloydtopApp(Player(write(folder, events))), size) as stage:
        yield stage


@asynccontextmanager
async def watching(
    folder: Path, events: Iterable[Event], size: tuple[int, int] = MEDIUM
) -> AsyncIterator[tuple[Stage, SessionWriter]]:
    """A live recording that begins with these events, and its writer."""
    with live(folder, events) as (feed, writer):
        async with running(FloydtopApp(feed), size) as stage:
            yield stage, writer
