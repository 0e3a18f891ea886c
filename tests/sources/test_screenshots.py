"""Lines out of pictures of a terminal, and GNU screen, of which only pictures can be had."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from floydtop.sources.chunks import Chunk, Idle, Item, Restart
from floydtop.sources.follow import follow
from floydtop.sources.output import find_output
from floydtop.sources.screenshots import Screenshot, added, follow_screenshots
from tests.sources.jobs import Jobs, jobs, needs, wait_until

__all__ = ["jobs"]


@given(lines=st.lists(st.binary(max_size=3), max_size=30, unique=True), data=st.data())
def test_lines_that_scroll_are_each_found_once(lines: list[bytes], data: st.DataObject) -> None:
    gone = data.draw(st.integers(0, max(0, len(lines) - 1)))
    seen = data.draw(st.integers(min(gone + 1, len(lines)), len(lines)))
    assert added(lines[:seen], lines[gone:]) == lines[seen:]


def test_bars_of_several_lines_that_were_printed_over_come_again_and_nothing_else() -> None:
    before = [b"a", b"b", b"c", b"bar 1: 10%", b"bar 2: 20%"]
    after = [b"b", b"c", b"bar 1: 15%", b"bar 2: 30%", b"new"]
    assert added(before, after) == [b"bar 1: 15%", b"bar 2: 30%", b"new"]


def test_pictures_with_nothing_in_common_are_not_joined() -> None:
    assert added([b"a", b"b"], [b"x", b"y"]) is None


async def items_of(*shots: Screenshot | None) -> list[Item]:
    left = list(shots)
    stopped = False

    async def take() -> Screenshot | None:
        nonlocal stopped
        shot = left.pop(0)
        stopped = len(left) <= 1
        return shot

    return [item async for item in follow_screenshots(take, stop=lambda: stopped)]


@pytest.fixture
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("floydtop.sources.screenshots._STEP_SECONDS", 0)


@pytest.mark.usefixtures("no_pause")
async def test_a_bar_is_printed_over_until_its_line_is_finished() -> None:
    items = await items_of(
        ([b"a"], b"10%"), ([b"a"], b"20%"), ([b"a", b"100%"], b"next"), ([b"a", b"100%"], b"next")
    )
    assert [item.data for item in items if isinstance(item, Chunk)] == [b"\r20%", b"\r100%\nnext"]


@pytest.mark.usefixtures("no_pause")
async def test_lines_that_scrolled_away_unseen_are_reported() -> None:
    items = await items_of(([b"a"], b""), ([b"x", b"y"], b""), ([b"x", b"y"], b""))
    assert isinstance(items[0], Restart)
    assert items[1] == Chunk(b"x\ny\n", 0)


@pytest.mark.usefixtures("no_pause")
async def test_a_terminal_that_is_gone_ends_the_following() -> None:
    assert await items_of(([b"a"], b""), None) == [Idle(missing=True)]


COUNTING = """
import os, time
open("pid.new", "w").write(str(os.getpid())); os.rename("pid.new", "pid")
for step in range(60):
    print(f"line {step:03}", flush=True)
    time.sleep(0.05)
time.sleep(100)
"""


@pytest.fixture
def screen(jobs: Jobs) -> Iterator[int]:
    """A job in a detached session of GNU screen, with a history long enough."""
    (jobs.directory / "count.py").write_text(COUNTING)
    (jobs.directory / "screenrc").write_text("defscrollback 1000\n")
    name = f"floydtop{os.getpid()}"
    subprocess.run(
        ["screen", "-c", "screenrc", "-dmS", name, sys.executable, "count.py"],
        cwd=jobs.directory,
        env=jobs.environment,
        check=True,
    )
    yield jobs.pid()
    subprocess.run(["screen", "-S", name, "-X", "quit"], check=False, stdout=subprocess.DEVNULL)


@needs("screen")
async def test_a_job_in_screen_is_read_from_its_window(screen: int) -> None:
    output = find_output(screen)
    assert output.terminal is not None, output.sentence
    assert output.terminal.startswith("screen:0:")
    text = b""
    async for item in follow(output.terminal, stop=asyncio.Event()):
        assert not isinstance(item, Restart)
        if isinstance(item, Chunk):
            text += item.data
        if b"line 059" in text:
            break
    lines = [line.rpartition(b"\r")[2] for line in text.splitlines() if b"line" in line]
    assert list(dict.fromkeys(lines)) == [b"line %03d" % step for step in range(60)]


@needs("screen")
def test_a_job_that_left_screen_is_not_taken_for_its_window(screen: int, jobs: Jobs) -> None:
    (jobs.directory / "pid").unlink()
    pid = jobs.start("STY=1.fake.host WINDOW=0 script -q -f -c '$PY train.py' /dev/null", wait=True)
    wait_until(lambda: os.path.exists(f"/proc/{pid}"))
    assert find_output(pid).terminal is None
