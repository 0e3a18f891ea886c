"""What a bar has drawn is recorded while it runs, and once, whatever happens to the recorder."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from floydtop.events import Metrics, OutputLine
from floydtop.recorder.assignment import Assignment
from floydtop.recorder.recording import Recording
from tests.recorder.jobs import events, until

FRAMES = [
    f"\r{n:3d}%|###       | {n}/100 [00:01<00:02, 9.50it/s, loss={1 / n:.3f}]".encode() for n in range(1, 101)
]


def steps(session: Path) -> list[int | None]:
    return [one.step for one in events(session) if isinstance(one, Metrics) and "loss" in one.values]


def finish(session: Path, log: Path) -> None:
    """Record a log that nobody writes to its end, or go on with that."""
    os.utime(log, (1e9, 1e9))
    asyncio.run(Recording(Assignment(session, None, str(log))).run())


@pytest.mark.parametrize("killed", [False, True])
def test_each_count_of_a_bar_is_a_point_before_the_bar_ends_and_only_once(
    tmp_path: Path, killed: bool
) -> None:
    log, session = tmp_path / "train.log", tmp_path / "sessions" / "run.jsonl"
    with log.open("ab", buffering=0) as output:
        output.write(b"".join(FRAMES[:40]))
        recorder = subprocess.Popen([sys.executable, "-m", "floydtop", "record", session, "--log", log])
        until(lambda: len(steps(session)) >= 38)
        output.write(b"".join(FRAMES[40:70]))
        until(lambda: len(steps(session)) >= 68)
        assert steps(session) == list(range(1, 69))
        if killed:
            recorder.kill()
            recorder.wait()
        output.write(b"".join(FRAMES[70:]) + b"\nepoch 1: val_loss 0.25\n")
        if not killed:
            until(lambda: len(steps(session)) >= 100)
            recorder.terminate()
            recorder.wait()
    if killed:
        finish(session, log)
    assert steps(session) == list(range(1, 101))
    texts = [(one.line, one.offset) for one in events(session) if isinstance(one, OutputLine)]
    assert texts == [(1, 0), (2, len(b"".join(FRAMES)) + 1)]
