"""Lines out of pictures of a terminal, and GNU screen, of which only pictures can be had."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from floydtop.sources import descriptors
from floydtop.sources.chunks import Chunk, Idle, Item, Restart
from floydtop.sources.follow import follow
from floydtop.sources.output import find_output
from floydtop.sources.screenshots import Screenshot, added, follow_screenshots, unwrapped
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


@given(
    st.lists(st.text("abcxyz.=", max_size=70).filter(lambda text: "..." not in text and "==" not in text)),
    st.integers(12, 40),
)
def test_lines_broken_at_the_width_of_the_window_are_whole_again(tails: list[str], columns: int) -> None:
    lines = [f"line {number} {tail}".encode() for number, tail in enumerate(tails)]
    # Of one that just fills the window it cannot be known whether it goes on.
    lines = [line + b"!" if len(line) % columns == 0 else line for line in lines]
    rows = [line[start : start + columns] for line in lines for start in range(0, len(line), columns)]
    rows_that_look_like_rules = [row for row in rows if len(row) == columns and row[-2:] == b".."]
    if not rows_that_look_like_rules:
        assert unwrapped(rows, columns) == lines


@pytest.mark.parametrize(
    "rows",
    [
        ["epoch  1  loss 0.50", "epoch  2  loss 0.40", "epoch  3  loss 0.30"],
        ["━" * 20, "Layer         params", "=" * 20, "total"],
        ["short", "", "one more"],
    ],
)
def test_lines_that_just_have_the_width_of_the_window_are_left_alone(rows: list[str]) -> None:
    encoded = [row.encode() for row in rows]
    assert unwrapped(encoded, 20 if "━" in rows[0] else 19) == encoded


def test_a_wide_letter_that_did_not_fit_leaves_a_column_free() -> None:
    assert unwrapped(["损失损失损".encode(), "失 0.5".encode()], 11) == ["损失损失损失 0.5".encode()]


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


LONG = "a long row: " + ", ".join(f"metric_{number}: {number}.5" for number in range(20))
COUNTING = (
    f"LONG = {LONG!r}"
    + """
import os, time
open("pid.new", "w").write(str(os.getpid())); os.rename("pid.new", "pid")
print(LONG, flush=True)
for step in range(60):
    print(f"line {step:03}", flush=True)
    time.sleep(0.05)
time.sleep(100)
"""
)


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
async def test_long_lines_in_a_window_of_screen_come_whole(screen: int, jobs: Jobs) -> None:
    output = find_output(screen)
    assert output.terminal is not None
    text = b""
    async for item in follow(output.terminal, stop=asyncio.Event()):
        text += item.data if isinstance(item, Chunk) else b""
        if b"line 059" in text:
            break
    lines = [line.rpartition(b"\r")[2] for line in text.splitlines()]
    assert LONG.encode() in lines


@needs("screen")
@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_root_reads_the_window_of_somebody_else_s_screen(jobs: Jobs) -> None:
    sessions = tempfile.mkdtemp(prefix="floydtop-test-")
    os.chown(sessions, 65534, -1)
    nobody = {"user": 65534, "group": 65534, "extra_groups": ()}
    environment = {"PATH": os.environ["PATH"], "TERM": "xterm", "HOME": "/tmp", "SCREENDIR": sessions}
    name = f"theirs{os.getpid()}"
    loop = "while :; do echo the loss is 0.5; sleep 0.2; done"
    try:
        start = ["screen", "-dmS", name, "/bin/sh", "-c", loop]
        subprocess.run(start, cwd="/", env=environment, check=True, **nobody)  # type: ignore[call-overload]
        found: list[int] = []
        wait_until(lambda: found.extend(pids_of(loop)) or found)
        output = find_output(found[-1])
        assert output.terminal is not None, output.sentence
        shot: list[bytes] = []
        wait_until(lambda: shot.extend(asyncio.run(first_chunk(output.terminal or ""))) or shot)
        assert b"the loss is 0.5\n" in shot[0] + b"\n"
    finally:
        quit_ = ["screen", "-S", name, "-X", "quit"]
        subprocess.run(quit_, env=environment, check=False, capture_output=True, **nobody)  # type: ignore[call-overload]
        shutil.rmtree(sessions)


async def first_chunk(terminal: str) -> list[bytes]:
    async for item in follow(terminal, stop=lambda: True):
        if isinstance(item, Chunk):
            return [item.data]
    return []


def pids_of(words: str) -> list[int]:
    """Shells that run these words, and not screen, which has them in its command line too."""
    return [
        pid
        for pid, row in descriptors.process_table().items()
        if row.name == "sh" and words in descriptors.command(pid)
    ]


@needs("screen")
def test_a_job_that_left_screen_is_not_taken_for_its_window(screen: int, jobs: Jobs) -> None:
    (jobs.directory / "pid").unlink()
    pid = jobs.start("STY=1.fake.host WINDOW=0 script -q -f -c '$PY train.py' /dev/null", wait=True)
    wait_until(lambda: os.path.exists(f"/proc/{pid}"))
    assert find_output(pid).terminal is None
