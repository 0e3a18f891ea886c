"""Killed while it packs or deletes: a session is there whole, or was to go."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

from floydtop.session.files import read_events
from floydtop.session.format import Reader
from floydtop.session.library import look_at, recordings, sessions_dir
from floydtop.session.tidy import delete, pack
from tests.app.stage import whole, write

KILLS = 40


def _count(path: Path) -> int:
    return sum(len(events) for events in read_events(path, Reader()))


def _killed_while(work: list[Path], action: str, after: float) -> None:
    """Do it in a child, and kill that."""
    child = os.fork()
    if child == 0:
        try:
            for path in work:
                if action == "pack":
                    pack(path)
                elif (recording := look_at(path)) is not None:
                    delete(recording, list(recordings()))
        finally:
            os._exit(0)
    time.sleep(after)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def test_a_session_survives_kills_while_it_is_packed() -> None:
    chance = random.Random(7)
    sessions_dir().mkdir(parents=True, mode=0o700)
    packed = 0
    for kill in range(KILLS):
        path = write(sessions_dir(), whole() * 20, f"20260101T000000Z-host-1-{kill:06d}.jsonl")
        events = _count(path)
        _killed_while([path], "pack", chance.uniform(0, 0.02))
        (recording,) = recordings()
        assert _count(recording.path) == events
        packed += recording.packed
        if not recording.packed:
            pack(recording.path)
        (recording,) = recordings()
        assert recording.packed
        assert _count(recording.path) == events
        if path.exists():
            # Both are there when it was killed between the two steps; the next one that tidies packs again.
            assert pack(path) is not None
        assert [entry.name for entry in sessions_dir().glob("*~")] == []
        delete(recording, [])
        assert not list(recordings())
    print(f"{KILLS} kills, {packed} after it was packed")


def test_a_library_survives_kills_while_sessions_are_deleted() -> None:
    chance = random.Random(8)
    sessions_dir().mkdir(parents=True, mode=0o700)
    paths = [
        write(sessions_dir(), whole(), f"20260101T000000Z-host-1-{number:06d}.jsonl") for number in range(60)
    ]
    events = _count(paths[0])
    while remaining := [path for path in paths if path.exists()]:
        _killed_while(remaining[:3], "delete", chance.uniform(0.001, 0.02))
        for recording in recordings():
            assert _count(recording.path) == events
    assert not list(recordings())
