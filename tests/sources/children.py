"""Real child processes to watch: Python programs that a test starts, talks to and ends."""

from __future__ import annotations

import os
import platform
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from floydtop.events import Reading

KERNEL = tuple(int(part) for part in platform.release().split("-")[0].split(".")[:2])
"""Major and minor version of the kernel."""

BUSY = "def busy(seconds):\n    import time\n    while time.process_time() < seconds: pass\n"
"""Source of a function that burns CPU until its process has used so many seconds."""


@contextmanager
def program(source: str, **options: object) -> Iterator[subprocess.Popen[bytes]]:
    """Runs Python source in a process group of its own, with pipes to and from it; kills it in the end."""
    child: subprocess.Popen[bytes] = subprocess.Popen(  # type: ignore[call-overload]  # options are passed on
        [sys.executable, "-S", "-c", source],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
        **options,
    )
    try:
        yield child
    finally:
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                with suppress(BrokenPipeError):
                    pipe.close()


def line(child: subprocess.Popen[bytes]) -> str:
    """The next line that the child prints; the way it tells that it has come so far."""
    assert child.stdout is not None
    return child.stdout.readline().decode().strip()


def tell(child: subprocess.Popen[bytes]) -> None:
    """Sends the child a line, for which it waits with input()."""
    assert child.stdin is not None
    child.stdin.write(b"\n")
    child.stdin.flush()


@contextmanager
def stranger(pid: int, source: str) -> Iterator[subprocess.Popen[bytes]]:
    """Runs Python source as a process that gets `pid`, which must be free; skips where that can't be had."""
    last_pid = Path("/proc/sys/kernel/ns_last_pid")
    for _ in range(200):
        try:
            last_pid.write_text(str(pid - 1))
        except OSError as error:
            pytest.skip(f"no right to say which pid comes next ({last_pid}: {error.strerror})")
        with program(source) as child:
            if child.pid == pid:
                yield child
                return
    pytest.skip("other processes took the pid again and again")


class Stopwatch:
    """Turns a rate between two readings into an amount, however long the readings themselves took."""

    def __init__(self, read: Callable[[], Reading]) -> None:
        """Takes the first reading."""
        self._read = read
        self._bounds = [time.monotonic()]
        read()
        self._bounds.append(time.monotonic())

    def amount(self, name: str) -> tuple[float, float]:
        """Takes the second reading; the least and the most that the rate can stand for."""
        before = time.monotonic()
        rate = self._read().values[name]
        after = time.monotonic()
        return rate * (before - self._bounds[1]), rate * (after - self._bounds[0])


def until(condition: Callable[[], bool], patience: float = 10.0) -> None:
    """Waits until the condition holds; fails the test when it never does."""
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)
