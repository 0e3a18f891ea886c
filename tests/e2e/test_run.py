"""Jobs that floydtop starts or that are piped into it, driven in a real terminal."""

from __future__ import annotations

import os
import re
import signal
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from floydtop.recorder import kept
from floydtop.session.library import Recording, recordings
from tests.e2e.tmux import Terminal
from tests.recorder.jobs import until
from tests.sources.jobs import needs

pytestmark = needs("tmux")

STEPS = "i=0; until [ -e end ]; do i=$((i+1)); echo step $i loss: $((1000/i)); sleep 0.05; done; exit 7"


@pytest.fixture
def terminal(tmp_path: Path, state_home: Path) -> Iterator[Terminal]:
    (tmp_path / "train.sh").write_text(STEPS)
    opened = Terminal(tmp_path, (110, 36))
    yield opened
    (tmp_path / "end").touch()
    opened.close()


def pid_on(text: str) -> int:
    found = re.search(r"pid (\d+)", text)
    assert found is not None, text
    return int(found[1])


def closed_recording() -> Recording:
    until(lambda: [recording.live for recording in recordings()] == [False])
    return next(recordings())


def test_a_run_job_is_watched_and_survives_quitting_and_the_terminal(
    terminal: Terminal, tmp_path: Path
) -> None:
    terminal.run("floydtop run --name night -- sh train.sh")
    terminal.wait("● recording")
    pid = pid_on(terminal.wait("step 1"))
    terminal.press("q")
    text = terminal.wait("The job goes on too")
    assert f"`kill {pid}` ends the job" in " ".join(text.split())
    assert terminal.is_clean()
    terminal.run(f"floydtop {pid}")
    terminal.wait("● recording")
    terminal.hang_up()
    os.kill(pid, 0)
    (tmp_path / "end").touch()
    recording = closed_recording()
    assert recording.header.job is not None
    assert recording.header.job.pid == pid
    assert recording.state is not None
    assert recording.state.exit is not None
    assert recording.state.exit.code == 7


def test_ctrl_c_in_floydtop_does_not_reach_the_job(terminal: Terminal) -> None:
    terminal.run("floydtop run -- sh train.sh")
    pid = pid_on(terminal.wait("step 1"))
    terminal.press("C-c")
    terminal.press("q")
    terminal.wait("Still recording")
    try:
        os.kill(pid, 0)
    finally:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def test_a_pipe_is_watched_with_keys_from_the_terminal_and_its_job_survives_quitting(
    terminal: Terminal, tmp_path: Path
) -> None:
    terminal.run("sh train.sh | floydtop -; echo the pipe has ended")
    pid = pid_on(terminal.wait("step 1"))
    terminal.wait("● recording")
    terminal.press("q")
    terminal.wait("Still recording")
    [recording] = recordings()
    assert recording.header.log is not None
    log = Path(recording.header.log.path)
    size = log.stat().st_size
    until(lambda: log.stat().st_size > size)
    os.kill(pid, 0)
    assert "the pipe has ended" not in terminal.text().splitlines()
    (tmp_path / "end").touch()
    terminal.until(lambda text: "the pipe has ended" in text.splitlines())
    until(lambda: not kept.is_held(str(log)))
    lines = log.read_text().splitlines()
    assert [line.split()[1] for line in lines] == [str(step) for step in range(1, len(lines) + 1)]
    closed_recording()


def test_the_jobs_of_a_shells_loop_are_one_job(terminal: Terminal, tmp_path: Path) -> None:
    terminal.run("exec bash --norc -i")
    terminal.run(f'floydtop() {{ {sys.executable} -m floydtop "$@"; }}; clear')
    terminal.run("for seed in 1 2; do sh -c 'echo step '$seed' loss: 1; sleep 2'; done | floydtop -")
    terminal.wait("step 2")
    terminal.wait("recorded")
    terminal.press("q")
    assert closed_recording().state is not None
