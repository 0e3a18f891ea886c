"""What a writer has acknowledged is in the file, at whatever moment it is killed."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

import pytest

from floydtop.events import Metrics
from floydtop.session.format import Reader
from floydtop.session.writer import SessionWriter

KILLS = 200


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_no_acknowledged_event_is_lost_in_200_kills(tmp_path: Path) -> None:
    chance = random.Random(200)
    path = tmp_path / "run.jsonl"
    acknowledged, torn = 0, 0
    expected: list[int] = []
    for kill in range(KILLS):
        read_end, write_end = os.pipe()
        pid = os.fork()
        if pid == 0:
            _write_until_killed(path, kill, write_end)
        os.close(write_end)
        os.read(read_end, 1)
        time.sleep(chance.random() * 0.02)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        with open(read_end, "rb") as pipe:
            count = 1 + len(pipe.read())
        acknowledged += count
        expected += [kill * 1_000_000 + number for number in range(count)]
        torn += path.read_bytes()[-1:] != b"\n"
    reader = Reader()
    steps = {event.step for event in reader.feed(path.read_bytes()) if isinstance(event, Metrics)}
    lost = [step for step in expected if step not in steps]
    print(f"{KILLS} kills, {acknowledged} acknowledged events, {len(lost)} lost, {torn} torn lines")
    assert not lost
    assert reader.damaged <= torn


def _write_until_killed(path: Path, kill: int, pipe: int) -> None:
    """In the child: one event, then a byte that acknowledges it, for ever."""
    try:
        writer = SessionWriter(path)
        for number in range(1_000_000):
            writer.append([Metrics(values={"loss": 1.0}, step=kill * 1_000_000 + number)], now=0.0)
            os.write(pipe, b"x")
    finally:
        os._exit(1)
