"""Real jobs for the tests: a Python process that prints metrics, started the ways that people start them."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

PROGRAM = """
import os, sys, time
open(os.environ["JOB_PID_FILE"] + ".new", "w").write(str(os.getpid()))
os.rename(os.environ["JOB_PID_FILE"] + ".new", os.environ["JOB_PID_FILE"])
for step in range(100000):
    print('{"metric": "loss", "value": %.3f, "step": %d}' % (1 / (1 + step), step), flush=True)
    time.sleep(0.02)
"""


def wait_until(condition: Callable[[], object], seconds: float = 20) -> None:
    """Poll until `condition` holds; fail after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true in time"
        time.sleep(0.01)


class Jobs:
    """Starts jobs by a shell command in one directory, and ends them all."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.program = directory / "train.py"
        self.program.write_text(PROGRAM)
        self._started: list[subprocess.Popen[bytes]] = []

    @property
    def environment(self) -> dict[str, str]:
        names = {"PATH": os.environ["PATH"], "HOME": str(self.directory), "TERM": "xterm", "LANG": "C.UTF-8"}
        return names | {"JOB_PID_FILE": str(self.directory / "pid"), "PY": sys.executable}

    def start(self, command: str, wait: bool = True) -> int:
        """Run a bash command in which `$PY train.py` is the job; its pid.

        The shell's own output is closed off, so that what the command itself redirects is all there is.
        """
        job = subprocess.Popen(
            ["bash", "-c", command],
            cwd=self.directory,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._started.append(job)
        return self.pid() if wait else job.pid

    def pid(self) -> int:
        """The pid that the job wrote down itself."""
        file = self.directory / "pid"
        wait_until(file.exists)
        return int(file.read_text())

    def end(self) -> None:
        for job in self._started:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(job.pid, signal.SIGKILL)
            job.wait()
        with contextlib.suppress(FileNotFoundError, ProcessLookupError, ValueError):
            os.kill(int((self.directory / "pid").read_text()), signal.SIGKILL)


@pytest.fixture
def jobs(tmp_path: Path) -> Iterator[Jobs]:
    started = Jobs(tmp_path)
    yield started
    started.end()


def needs(*commands: str) -> pytest.MarkDecorator:
    """Skip, and say so, where a program that the test runs is not installed."""
    missing = [command for command in commands if shutil.which(command) is None]
    return pytest.mark.skipif(bool(missing), reason=f"not installed here: {', '.join(missing)}")
