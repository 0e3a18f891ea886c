"""Real child processes to watch: Python programs that a test starts, talks to and ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

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
        child.communicate()


def line(child: subprocess.Popen[bytes]) -> str:
    """The next line that the child prints; the way it tells that it has come so far."""
    assert child.stdout is not None
    return child.stdout.readline().decode().strip()


def tell(child: subprocess.Popen[bytes]) -> None:
    """Sends the child a line, for which it waits with input()."""
    assert child.stdin is not None
    child.stdin.write(b"\n")
    child.stdin.flush()


def until(condition: Callable[[], bool], patience: float = 10.0) -> None:
    """Waits until the condition holds; fails the test when it never does."""
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)
