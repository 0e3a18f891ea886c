"""Jobs whose output floydtop keeps: started for a test, and ended with it."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from floydtop.recorder import kept
from floydtop.recorder.launch import Launched, launch
from floydtop.sources import descriptors
from floydtop.sources.writers import KEEPER
from tests.recorder.jobs import until

Shell = Callable[[str], Launched]


@pytest.fixture
def shell(state_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shell]:
    """Launches a shell script in the test's folder, where `await NAME` waits for a file of that name."""
    monkeypatch.chdir(tmp_path)
    started: list[Launched] = []

    def start(script: str) -> Launched:
        wait = "await() { until [ -e $1 ]; do sleep 0.02; done; }; "
        started.append(launch(["sh", "-c", wait + script], "night run"))
        return started[-1]

    yield start
    for job in started:
        with suppress(ProcessLookupError):
            os.killpg(job.pid, signal.SIGKILL)


def status_of(job: Launched) -> int:
    """The wait status that the job's keeper tells, as soon as it does."""
    until(lambda: kept.exit_status(str(job.log))[1] is not None)
    status = kept.exit_status(str(job.log))[1]
    assert status is not None
    return status


def keepers_of(log: Path) -> list[int]:
    """The keepers that hold a log."""
    status = log.stat()
    holders, _ = descriptors.holders(status.st_dev, status.st_ino)
    rows = [descriptors.process(holder.pid) for holder in holders]
    return [row.pid for row in rows if row is not None and row.name == KEEPER]
