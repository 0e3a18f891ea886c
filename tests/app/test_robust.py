"""Nothing that a terminal or a session does stops the screen."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from floydtop.app import FloydtopApp
from floydtop.app.feed import Feed
from floydtop.app.picker import PickerApp
from floydtop.app.runs import Comparison
from floydtop.app.source import Still
from floydtop.events import Event, Exit, Facts, Gpu, JobState, Malformed, Metrics, Note, OutputLine, Sample
from floydtop.session.format import Reader, encode
from floydtop.session.player import Player
from floydtop.session.session import Session
from tests.app.stage import MEDIUM, Stage, ending, header, opening, running, training, whole, write
from tests.app.test_picker import choices

SIZES = int(os.environ.get("FLOYDTOP_TEST_SIZES", "5"))
"""Random sizes; run by hand with 1000."""

EXTREME_SIZES = ((1, 1), (2, 1), (1, 2), (3, 3), (12, 2), (2, 60), (19, 5), (500, 1), (500, 150), (80, 24))


async def storm(stage: Stage, times: int) -> None:
    """Many sizes at once, as a window that is dragged has; now and then time to draw."""
    chance = random.Random(7)
    sizes = [*EXTREME_SIZES, *((chance.randint(1, 220), chance.randint(1, 60)) for _ in range(times))]
    for number, (columns, rows) in enumerate(sizes):
        await stage.pilot.resize_terminal(columns, rows)
        if number % 10 == 0:
            await stage.settle()
    await stage.pilot.resize_terminal(*MEDIUM)
    await stage.settle()


async def test_a_storm_of_sizes_leaves_the_dashboard_whole(tmp_path: Path) -> None:
    async with running(FloydtopApp(Player(write(tmp_path, whole())))) as stage:
        await stage.see("─ loss ─")
        await storm(stage, SIZES)
        text = await stage.see("─ loss ─", "─ accuracy ─", "step 60 ")
        assert len(text.splitlines()) == MEDIUM[1]


async def test_a_storm_of_sizes_leaves_the_other_screens_whole(tmp_path: Path) -> None:
    async with running(FloydtopApp(Player(write(tmp_path, whole())))) as stage:
        await stage.press("enter", "comma")
        await storm(stage, 2)
        await stage.see("┌──")
        await stage.press("escape", "question_mark")
        await storm(stage, 2)
        await stage.see("─ keys ─")
        await stage.press("escape", "slash")
        await storm(stage, 2)
        await stage.press("escape")
        await stage.see("─ loss ─")
    session = Session()
    session.apply_all(whole())
    async with running(FloydtopApp(Comparison([("a", Still(session)), ("b", Still(session))]))) as stage:
        await storm(stage, 2)
        await stage.see("2 runs")
    async with running(PickerApp(choices(), "heading")) as stage:
        await storm(stage, 2)
        await stage.see("train_0.py")


HUGE = 1.7e308

ODD_EVENTS: list[list[Event]] = [
    [header(t0=1e300), Metrics(values={"loss": 1.0}, t=1.0, step=1)],
    [header(t0=-1e18, interval=0.0)],
    [*opening(), Metrics(values={"loss": HUGE, "b": -HUGE}, t=HUGE, step=1)],
    [*opening(), Metrics(values={"loss": HUGE}, t=-HUGE), Metrics(values={"loss": -HUGE}, t=HUGE)],
    [*opening(), Metrics(values={"loss": 5e-324}, t=0.0, step=0), Metrics(values={"loss": 1e-323}, t=1e-9)],
    [*opening(), *(Metrics(values={"loss": 1.0}, t=float(n), step=2**62 * (n % 2)) for n in range(4))],
    [*opening(), *(Metrics(values={"loss": 1.0}, t=1.0, step=-n, epoch=-HUGE) for n in range(4))],
    [*opening(), Metrics(values={"": 1.0, " ": 2.0, "/": 3.0, "train/": 4.0, "val_": 5.0}, t=1.0, step=1)],
    [*opening(), Metrics(values={"x" * 70_000: 1.0}, t=1.0, step=1)],
    [*opening(), Facts(t=1.0, cpu_cores=0.0, memory_bytes=0, gpus=[Gpu(-5), Gpu(10**15, "")])],
    [*opening(), Sample(t=1.0, values={"gpu.0.utilization": (-1e300, -1e300, 1e300)})],
    [*opening(), Sample(t=1.0, values={"gpu.x.utilization": (1.0, 1.0, 1.0), "gpu.": (1.0, 1.0, 1.0)})],
    [*opening(), Sample(t=1.0, values={"disk.read_bytes_per_s": (-1.0,) * 3, "memory.bytes": (-5.0,) * 3})],
    [*opening(), JobState(t=1.0, state="exited", exit=Exit(code=-(2**62), signal=""))],
    [*opening(), OutputLine(text="", line=-1, t=-5.0), OutputLine(text="x" * 1_000_000, line=2**62, t=1.0)],
    [*opening(), Malformed(text="", why="", line=-1), Note(t=1.0, text="", level="error")],
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(ODD_EVENTS)))
async def test_odd_numbers_in_a_session_do_not_stop_the_screen(tmp_path: Path, number: int) -> None:
    path = write(tmp_path, [*ODD_EVENTS[number], *ending(2.0)])
    async with running(FloydtopApp(Player(path))) as stage:
        for key in (
            "x",
            "x",
            "X",
            "y",
            "s",
            "o",
            "e",
            "c",
            "comma",
            "z",
            "enter",
            "y",
            "x",
            "escape",
            "g",
            "G",
        ):
            await stage.press(key)
        await stage.press("home", "right", "Y", "f", "a", "enter", "m", "d")
        assert stage.app.is_running


RAW_LINES = [
    b'{"k":"m","v":{"loss":1},"n":9223372036854775808,"t":1}',
    b'{"k":"m","v":{"loss":1},"s":' + b"9" * 400 + b',"t":1}',
    b'{"k":"m","v":{"loss":' + b"9" * 400 + b'},"t":1}',
    b'{"k":"m","v":{"loss":1e999},"t":1e999}',
    b'{"k":"l","x":"big","n":' + b"9" * 400 + b',"t":2}',
    b'{"k":"l","x":"\\ud800 lone","n":1,"t":2}',
    b'{"k":"bad","x":"b","why":"w","n":' + b"9" * 30 + b"}",
    b'{"k":"j","t":1,"state":"exited","exit":{"code":' + b"9" * 4999 + b"}}",
    b'{"k":"j","t":1,"state":"melted"}',
    b'{"k":"prog","epoch":' + b"9" * 400 + b',"epochs":1}',
    b'{"k":"prog","epoch":3,"epochs":0,"step":5,"steps":0}',
    b'{"k":"gap","t":1,"lost":' + b"9" * 400 + b',"why":"w"}',
    b'{"k":"p","t":1,"o":' + b"9" * 30 + b',"n":-3,"d":' + b"9" * 30 + b"}",
    b'{"k":"s","t":1,"v":{"cpu.percent":[1,2]}}',
    b'{"k":"i","t":1,"gpus":[{"index":' + b"9" * 30 + b',"memory_bytes":' + b"9" * 400 + b"}]}",
    b"[" * 5000,
    b'{"k":' * 5000,
]


async def test_lines_that_no_recorder_writes_do_not_stop_the_screen(tmp_path: Path) -> None:
    path = tmp_path / "session.jsonl"
    odd = b"".join(line + b"\n" for line in RAW_LINES)
    path.write_bytes(
        b"".join(map(encode, [*opening(), *training(5)])) + odd + b"".join(map(encode, ending(9.0)))
    )
    async with running(FloydtopApp(Feed(path))) as stage:
        await stage.see("✓ exited 0")
        await stage.press("x", "enter", "escape", "g", "m")
        assert stage.app.is_running


def test_whatever_the_reader_takes_the_session_takes() -> None:
    for line in RAW_LINES:
        session = Session()
        session.apply_all(Reader().feed(line + b"\n"))
