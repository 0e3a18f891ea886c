"""Attaching on a machine with a dead network mount: what hangs is named, and everything else goes on."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from floydtop.errors import FloydtopError
from floydtop.sources import sight, target
from floydtop.sources.output import find_output
from floydtop.sources.writers import find_writers
from tests.sources.jobs import Jobs, jobs, wait_until

__all__ = ["jobs"]

pytestmark = pytest.mark.skipif(
    os.getuid() != 0 or not os.access("/dev/fuse", os.R_OK | os.W_OK),
    reason="NOT TESTED WITH A DEAD MOUNT: only root can mount a file system, and /dev/fuse is needed",
)

SERVER = Path(__file__).with_name("silent_mount.py")
DETACH = 2  # MNT_DETACH, umount2(2)


@pytest.fixture
def log(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Path, subprocess.Popen[str]]]:
    """A log on a file system of its own, and the server of that, which can be stopped."""
    monkeypatch.setattr(sight, "PATIENCE", 0.5)
    monkeypatch.setattr(target, "PATIENCE", 0.5)
    sight._patient.cache_clear()
    mount_point = jobs.directory / "mount"
    mount_point.mkdir()
    server = subprocess.Popen(
        [sys.executable, "-S", str(SERVER), str(mount_point)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert server.stdout is not None
    said = server.stdout.readline()
    if said != "mounted\n":
        pytest.skip(f"NOT TESTED WITH A DEAD MOUNT: {said}")
    yield mount_point / "train.log", server
    # Whoever waits for it gets an error when the server is gone.
    server.kill()
    server.communicate()
    ctypes.CDLL(None).umount2(str(mount_point).encode(), DETACH)


def test_a_log_that_is_answered_for_is_found_there(
    jobs: Jobs, log: tuple[Path, subprocess.Popen[str]]
) -> None:
    path, _ = log
    pid = jobs.start("$PY train.py > mount/train.log; true")
    wait_until(lambda: path.stat().st_size > 300)
    output = find_output(pid)
    assert output.log is not None
    assert output.log.path == str(path)
    assert output.log.metric_words > 5
    assert find_writers(str(path)).pids == [pid]


def test_a_log_on_a_dead_mount_is_named_and_the_job_is_watched_without_it(
    jobs: Jobs, log: tuple[Path, subprocess.Popen[str]]
) -> None:
    path, server = log
    pid = jobs.start("$PY train.py > mount/train.log; true")
    wait_until(lambda: path.stat().st_size > 300)
    server.send_signal(signal.SIGSTOP)
    found = target.resolve(str(pid))
    assert (found.pid, found.log) == (pid, None)
    assert f"goes to {path}, but its file system has not answered" in found.notes[0]


def test_a_file_on_a_dead_mount_does_not_hold_up_the_search_for_another_log_s_job(
    jobs: Jobs, log: tuple[Path, subprocess.Popen[str]]
) -> None:
    path, server = log
    other = jobs.start("exec $PY train.py > mount/train.log", wait=False)
    wait_until(lambda: path.stat().st_size > 300)
    (jobs.directory / "pid").unlink()
    pid = jobs.start("$PY train.py > out.log; true")
    server.send_signal(signal.SIGSTOP)
    found = target.resolve(str(jobs.directory / "out.log"))
    assert found.pid == pid != other


def test_a_log_on_a_dead_mount_that_is_named_is_an_error_in_one_sentence(
    log: tuple[Path, subprocess.Popen[str]],
) -> None:
    path, server = log
    server.send_signal(signal.SIGSTOP)
    with pytest.raises(FloydtopError, match=r"its file system has not answered for"):
        target.resolve(str(path))
