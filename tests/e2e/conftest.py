"""Real terminals and real jobs for the end-to-end tests."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.tmux import Terminal

TRAIN = Path(__file__).with_name("train.py")


@pytest.fixture
def terminal(tmp_path: Path, state_home: Path) -> Iterator[Callable[..., Terminal]]:
    """Opens terminals of a size; they are closed in the end."""
    if shutil.which("tmux") is None:
        pytest.skip("NOT TESTED END TO END: tmux is not installed")
    opened: list[Terminal] = []

    def open_terminal(columns: int = 200, rows: int = 50) -> Terminal:
        opened.append(Terminal(tmp_path, (columns, rows)))
        return opened[-1]

    yield open_terminal
    for one in opened:
        one.close()


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """The log of the training job."""
    return tmp_path / "train.log"


@pytest.fixture
def training(log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A job that trains, its output in `log`."""
    with log.open("wb") as output:
        job = subprocess.Popen([sys.executable, "-u", TRAIN], stdout=output, stderr=output, cwd=log.parent)
    yield job
    job.kill()
    job.wait()
