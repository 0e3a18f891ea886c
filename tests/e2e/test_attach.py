"""Attaching to jobs that run already, in a real terminal: ranks, terminals, and what cannot be read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from floydtop.session.library import recordings
from tests.e2e.tmux import Terminal
from tests.sources.jobs import Jobs, jobs, needs, wait_until
from tests.sources.test_ranks import TORCHRUN, launch

__all__ = ["jobs"]

pytestmark = needs("tmux")


@pytest.fixture
def screen(tmp_path: Path, state_home: Path) -> Iterator[Terminal]:
    opened = Terminal(tmp_path, (120, 36))
    yield opened
    opened.close()


def test_a_launcher_shows_its_first_rank_and_the_others_one_key_away(screen: Terminal, jobs: Jobs) -> None:
    pid = launch(jobs, TORCHRUN)
    screen.run(f"floydtop {pid}")
    text = screen.wait("log 1/3")
    assert f"pid {pid}" in text
    screen.wait("3 in all: the key r shows the next")
    screen.press("r")
    screen.wait("log 2/3")
    screen.wait(f"Rank 1 of the job of process {pid}")
    screen.press("q")
    text = screen.wait("Also recorded: ")
    assert f"floydtop {pid}" in text
    logs = {one.header.log.path for one in recordings() if one.live and one.header.log is not None}
    assert logs == {str(jobs.directory / TORCHRUN.format(rank=rank, stream="out")) for rank in range(3)}


def test_a_launcher_that_is_watched_already_is_not_recorded_twice(screen: Terminal, jobs: Jobs) -> None:
    pid = launch(jobs, TORCHRUN)
    for _ in range(2):
        screen.run(f"clear; floydtop {pid}")
        screen.wait("log 1/3")
        screen.press("q")
        screen.wait("Also recorded: ")
        screen.until_prompt()
    assert len(list(recordings())) == 3


def test_two_logs_of_one_process_are_both_shown(screen: Terminal, jobs: Jobs, tmp_path: Path) -> None:
    program = jobs.program.read_text().replace(
        "flush=True)", "flush=True); print(f'val_loss: {step}', file=log)"
    )
    jobs.program.write_text("log = open('second.log', 'w', buffering=1)\n" + program)
    pid = jobs.start("$PY train.py > first.log")
    wait_until(lambda: (tmp_path / "second.log").exists() and (tmp_path / "second.log").stat().st_size)
    screen.run("floydtop first.log second.log")
    assert f"pid {pid}" in screen.wait("log 1/2")
    screen.press("r")
    assert "val_loss" in screen.wait("log 2/2")
    screen.press("q")
    screen.wait("Also recorded: ")
