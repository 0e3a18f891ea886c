"""Two viewers that start at the same moment get one recorder between them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from floydtop.recorder.detach import stop
from floydtop.session.library import look_at, recordings
from tests.recorder.jobs import job

VIEWER = """
import sys, time
from floydtop.commands.watch import recording_of
from floydtop.sources.target import resolve
target = resolve(sys.argv[1])
while time.time() < float(sys.argv[2]):
    pass
print(recording_of(target, interval=60))
"""


@pytest.mark.parametrize("by_log", [False, True])
def test_viewers_of_the_same_moment_share_a_recorder(tmp_path: Path, by_log: bool) -> None:
    for number in range(3):
        with job(tmp_path / f"{number}.log") as running:
            running.metric("loss", 1.0, number)
            at = str(time.time() + 0.8)
            names = [str(running.pid), str(running.log) if by_log else str(running.pid)]
            viewers = [
                subprocess.Popen(
                    [sys.executable, "-c", VIEWER, name, at],
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    env=os.environ | {"PYTHONPATH": os.getcwd()},
                    text=True,
                )
                for name in names
            ]
            said = [viewer.communicate(timeout=60) for viewer in viewers]
            assert [viewer.returncode for viewer in viewers] == [0, 0], said
            assert len({output for output, _ in said}) == 1, said
            assert len(list(recordings())) == number + 1
            recording = look_at(Path(said[0][0].strip()))
            assert recording is not None
            assert recording.live
            stop(recording)
