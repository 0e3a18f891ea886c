"""Jobs for a recorder to watch: real Python processes that do what a test tells them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from floydtop.events import Event
from floydtop.session.format import Reader

OBEDIENT = "import os, signal, sys, time\nfor line in sys.stdin:\n    exec(line)\n"
"""A job that executes each line it is given."""


@dataclass
class Job:
    """One such job."""

    process: subprocess.Popen[bytes]
    log: Path

    @property
    def pid(self) -> int:
        return self.process.pid

    def do(self, statement: str) -> None:
        """Execute one line of Python, some time soon."""
        assert self.process.stdin is not None
        self.process.stdin.write(statement.encode() + b"\n")
        self.process.stdin.flush()

    def print(self, text: str, end: str = "\n") -> None:
        """Let it print, and wait until that is in the log."""
        wanted = self.log.stat().st_size + len((text + end).encode())
        self.do(f"sys.stdout.write({text + end!r}); sys.stdout.flush()")
        until(lambda: self.log.stat().st_size >= wanted)

    def metric(self, name: str, value: float, step: int) -> None:
        """Let it print one metric as FloydHub's JSON."""
        self.print(f'{{"metric": "{name}", "value": {value}, "step": {step}}}')


@contextmanager
def job(log: Path) -> Iterator[Job]:
    """Runs a job whose output is appended to `log`; kills it in the end."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-S", "-c", OBEDIENT],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            start_new_session=True,
            cwd=log.parent,
        )
    try:
        yield Job(process, log)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        assert process.stdin is not None
        with suppress(BrokenPipeError):
            process.stdin.close()
        process.wait()


def until(condition: Callable[[], object], patience: float = 20.0) -> None:
    """Waits until the condition holds; fails the test when it never does."""
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def events(session: Path) -> list[Event]:
    """All events of a session file so far; none may be damaged."""
    reader = Reader()
    found = reader.feed(session.read_bytes() if session.exists() else b"")
    assert reader.damaged == 0
    return found
