"""A session on a network mount that dies under the screen: keys are answered, and it is said."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from floydtop.app.feed import Feed
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
    pulse = Pulse(mount.log)
    assert pulse.beats()
    mount.tell(signal.SIGSTOP)
    time.sleep(0.2)
    assert not pulse.beats()
    assert pulse.silence > 0
    began = time.monotonic()
    pulse.close()
    assert time.monotonic() - began < 1


def test_an_asker_ends_with_whoever_asks(tmp_path: Path) -> None:
    pulse = Pulse(tmp_path)
    assert pulse.beats()
    asker = pulse._asker
    assert asker.stdin is not None
    asker.stdin.close()
    assert asker.wait(timeout=10) == 0
    asker.stdin = None
    pulse.close()
    assert not os.path.exists(f"/proc/{asker.pid}/fd/0")
