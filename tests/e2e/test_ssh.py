"""A dropped SSH link: the recording goes on, and whoever comes back sees what was printed in between."""

from __future__ import annotations

import os
import shlex
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from floydtop.events import Metrics
from floydtop.session.library import recordings
from tests.e2e.sshd import WHY_NOT, ssh_server
from tests.e2e.tmux import Terminal
from tests.recorder.jobs import events, job, until

pytestmark = pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)


def test_after_a_dropped_link_the_screen_shows_what_was_printed_in_between(
    terminal: Callable[..., Terminal], tmp_path: Path, state_home: Path
) -> None:
    variables = {name: os.environ[name] for name in ("XDG_RUNTIME_DIR", "XDG_CACHE_HOME")}
    variables |= {"XDG_STATE_HOME": str(state_home), "LC_ALL": "C.UTF-8"}
    variables |= {"PYTHONPATH": os.environ.get("PYTHONPATH", os.getcwd())}
    with job(tmp_path / "train.log") as child, ssh_server(tmp_path) as ssh:
        words = ["env", *(f"{name}={value}" for name, value in variables.items())]
        words += [sys.executable, "-m", "floydtop", str(child.pid)]
        (tmp_path / "there.sh").write_text(f"echo $$ > {tmp_path}/remote.pid\nexec {shlex.join(words)}\n")
        command = f"{ssh} sh {tmp_path}/there.sh"
        child.metric("loss", 0.9375, 1)

        screen = terminal(120, 36)
        screen.run(command)
        screen.wait("● recording")
        screen.wait("0.9375")
        remote = int((tmp_path / "remote.pid").read_text())
        [recording] = recordings()
        os.kill(screen.pid_of("ssh -tt"), signal.SIGKILL)
        until(lambda: not Path(f"/proc/{remote}").exists())

        # Nobody is attached now.
        child.metric("loss", 0.8125, 2)
        child.metric("loss", 0.6875, 3)
        child.print("said while nobody was there")
        until(lambda: [one.step for one in events(recording.path) if isinstance(one, Metrics)] == [1, 2, 3])

        again = terminal(120, 36)
        again.run(command)
        again.wait("● recording")
        again.wait("said while nobody was there")
        text = again.wait("0.6875")
        assert "0.8125" in text, "a line of the log between the two"
        assert [one.path for one in recordings()] == [recording.path], "the same recording"
        again.press("q")
        again.wait("Still recording")
        os.kill(recording.header.recorder, 0)
