"""A recording while clocks are moved: its time only grows, its labels are those of the clock on the wall."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from floydtop.app.options import Options
from floydtop.app.view import View
from floydtop.events import Clock, Metrics
from floydtop.recorder import recording as recorder
from floydtop.recorder.assignment import Assignment
from floydtop.recorder.clock import SessionClock
from floydtop.recorder.recording import Recording
from floydtop.session.session import Session
from tests.recorder.jobs import events

HOUR = 3600.0
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture(autouse=True)
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    monkeypatch.setattr(recorder, "SYNC_EVERY", 0.05)
    yield
    monkeypatch.undo()
    time.tzset()


class Lab:
    """A log, its recording, and the two clocks of the machine, set by hand."""

    def __init__(self, folder: Path, wall: float) -> None:
        self.wall, self.up = wall, 5_000.0
        self.log, self.session = folder / "train.log", folder / "run.jsonl"
        self.log.write_text("")
        self.steps = 0

    def start(self) -> Recording:
        clock = SessionClock(uptime=lambda: self.up, wall=lambda: self.wall)
        return Recording(Assignment(self.session, None, str(self.log)), clock)

    def pass_time(self, seconds: float, jump: float = 0.0) -> None:
        self.up += seconds
        self.wall += seconds + jump

    async def print(self, form: str = "step {step} loss: 0.5\n") -> None:
        """Let the job print a line, and wait until it is recorded."""
        self.steps += 1
        local = datetime.fromtimestamp(self.wall, BERLIN).strftime("%Y-%m-%d %H:%M:%S,%f")[:-3]
        with self.log.open("a") as file:
            file.write(form.format(step=self.steps, local=local))
        os.utime(self.log, (self.wall, self.wall))
        while len(self.points()) < self.steps:
            await asyncio.sleep(0.01)

    def points(self) -> list[Metrics]:
        """What was printed while the recorder looked on."""
        return [
            event for event in events(self.session) if isinstance(event, Metrics) and event.step is not None
        ]

    async def be_followed(self) -> None:
        """Print until a line is read when it is printed, and not as one that was there before."""
        while not any(isinstance(event, Metrics) and event.t == 0.0 for event in events(self.session)):
            with self.log.open("a") as file:
                file.write("loss: 0.5\n")
            await asyncio.sleep(0.1)

    def times(self) -> list[float | None]:
        return [event.t for event in self.points()]

    async def anchors(self, count: int) -> list[Clock]:
        """The clock anchors, once there are so many."""
        while True:
            found = [event for event in events(self.session) if isinstance(event, Clock)]
            if len(found) >= count:
                return found
            await asyncio.sleep(0.01)


@asynccontextmanager
async def recorded(lab: Lab) -> AsyncIterator[None]:
    recording = lab.start()
    task = asyncio.create_task(recording.run())
    async with asyncio.timeout(30):
        while not (lab.session.exists() and lab.session.stat().st_size):
            await asyncio.sleep(0.01)
        await lab.be_followed()
        yield
        recording.stop("seen")
        await task


SPRING = datetime(2026, 3, 29, 1, tzinfo=UTC).timestamp()
AUTUMN = datetime(2026, 10, 25, 1, tzinfo=UTC).timestamp()


@pytest.mark.parametrize("form", ["step {step} loss: 0.5\n", "{local} step {step} loss: 0.5\n"])
@pytest.mark.parametrize("change", [SPRING, AUTUMN])
async def test_a_change_of_summer_time_moves_neither_axis_nor_labels(
    tmp_path: Path, change: float, form: str
) -> None:
    lab = Lab(tmp_path, change - 2 * HOUR)
    async with recorded(lab):
        for _ in range(9):
            lab.pass_time(HOUR / 2)
            await lab.print(form)
        differences = {anchor.wall - anchor.t for anchor in await lab.anchors(2)}
        assert differences == {change - 2 * HOUR}, "no clock was moved: only what it is called changed"
    assert lab.times() == pytest.approx([HOUR / 2 * step for step in range(1, 10)])
    session = Session()
    session.apply_all(events(lab.session))
    ticks = View(session, (), False, Options(axis="clock")).ticks(0.0, 4.5 * HOUR, 12)
    places = [x for x, _ in ticks]
    assert places == sorted(set(places))
    assert places[0] < change - lab.wall + 4.5 * HOUR < places[-1]
    for x, label in ticks:
        assert label == datetime.fromtimestamp(change - 2 * HOUR + x, BERLIN).strftime("%H:%M")
    said = [label for _, label in ticks]
    assert said.count("02:30") == (0 if change == SPRING else 2)


@pytest.mark.parametrize("jump", [HOUR, -HOUR, -1e9])
async def test_a_clock_that_is_set_leaves_an_anchor_and_the_axis_as_it_was(
    tmp_path: Path, jump: float
) -> None:
    lab = Lab(tmp_path, SPRING)
    async with recorded(lab):
        lab.pass_time(10.0)
        await lab.print()
        lab.pass_time(10.0, jump)
        first, second, *_ = await lab.anchors(2)
        await lab.print()
    assert lab.times() == [10.0, 20.0]
    assert second.wall - first.wall - (second.t - first.t) == pytest.approx(jump)


async def test_a_suspended_machine_leaves_a_pause_in_the_axis(tmp_path: Path) -> None:
    lab = Lab(tmp_path, SPRING)
    async with recorded(lab):
        lab.pass_time(10.0)
        await lab.print()
        lab.pass_time(8 * HOUR)
        await lab.print()
        lab.pass_time(10.0)
        await lab.print()
    assert lab.times() == [10.0, 10.0 + 8 * HOUR, 20.0 + 8 * HOUR]
