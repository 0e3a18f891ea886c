"""A session on a network mount that dies under the screen: keys are answered, and it is said."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from floydtop.app.feed import Feed
from floydtop.events import Log, Position
from floydtop.session import pulse
from floydtop.session.logtext import lines_before
from floydtop.session.pulse import Pulse, is_remote
from tests.app.stage import whole, write
from tests.recorder.jobs import until
from tests.recorder.test_dead_mount import Mount, mount, pytestmark

__all__ = ["mount", "pytestmark"]


@pytest.fixture
def feed(mount: Mount, tmp_path: Path) -> Iterator[Feed]:
    """The session lies where that file system has its one file."""
    mount.log.write_bytes(write(tmp_path, whole(), "session.jsonl").read_bytes())
    feed = Feed(mount.log)
    until(feed.poll)
    yield feed
    feed.close()


def test_only_a_session_on_a_network_mount_is_watched_over(mount: Mount, tmp_path: Path) -> None:
    mount.log.touch()
    assert is_remote(mount.log)
    assert not is_remote(tmp_path)
    assert not is_remote(tmp_path / "none")


def test_a_session_that_no_longer_answers_is_told_and_nothing_waits_for_it(mount: Mount, feed: Feed) -> None:
    known = feed.session.applied
    assert known
    mount.tell(signal.SIGSTOP)
    time.sleep(0.2)
    slowest, changes = 0.0, 0
    for _ in range(20):
        began = time.monotonic()
        changes += feed.poll()
        assert not feed.behind
        assert not feed.check_recorder()
        slowest = max(slowest, time.monotonic() - began)
        time.sleep(0.02)
    assert feed.silent
    assert changes == 1
    assert slowest < 2
    mount.tell(signal.SIGCONT)
    until(lambda: (feed.poll(), not feed.silent)[1])
    assert feed.session.applied == known


def test_a_stuck_asker_does_not_hold_us_up(mount: Mount) -> None:
    mount.log.touch()
    asking = Pulse(mount.log)
    assert asking.beats()
    mount.tell(signal.SIGSTOP)
    time.sleep(0.2)
    assert not asking.beats()
    assert asking.silence > 0
    began = time.monotonic()
    asking.close()
    assert time.monotonic() - began < 1


def test_an_asker_ends_with_whoever_asks(tmp_path: Path) -> None:
    asking = Pulse(tmp_path)
    assert asking.beats()
    asker = asking._asker
    assert asker.stdin is not None
    asker.stdin.close()
    assert asker.wait(timeout=10) == 0
    asker.stdin = None
    asking.close()
    assert not os.path.exists(f"/proc/{asker.pid}/fd/0")


def test_text_that_only_a_log_on_a_dead_mount_has_is_left_out(mount: Mount) -> None:
    """A session of a long log holds little of its text: the rest is read from the log, when that answers."""
    mount.prints(0, 10)
    data = mount.log.read_bytes()
    log = Log(path=str(mount.log), device=0, inode=0)
    position = Position(t=0.0, offset=len(data), line=11, check=zlib.crc32(data[-64:]))
    try:
        assert len(lines_before(log, position, 100)) == 10
        mount.tell(signal.SIGSTOP)
        time.sleep(0.2)
        began = time.monotonic()
        assert lines_before(log, position, 100) == []
        assert lines_before(log, position, 100) == []
        assert time.monotonic() - began < 5
        mount.tell(signal.SIGCONT)
        until(lambda: len(lines_before(log, position, 100)) == 10)
    finally:
        pulse._pulse_of(str(mount.log)).close()
        pulse._pulse_of.cache_clear()


@pytest.mark.parametrize("words", [["sessions"], ["stop"], ["replay"], ["status"], ["stop", "123"]])
def test_a_library_on_a_dead_mount_is_told_in_a_sentence(mount: Mount, words: list[str]) -> None:
    mount.tell(signal.SIGSTOP)
    done = subprocess.run(
        [sys.executable, "-m", "floydtop", *words],
        env=os.environ | {"XDG_STATE_HOME": str(mount.point)},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith(f"floydtop: {mount.point}/floydtop/sessions does not answer, as on a dead")
    assert done.stderr.count("\n") == 1


def test_a_log_on_a_local_disk_is_not_asked(tmp_path: Path) -> None:
    assert pulse.answers(str(tmp_path / "none"))
    assert pulse._pulse_of.cache_info().currsize == 0
