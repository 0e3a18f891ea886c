"""A network mount that dies while its log is recorded: that is said, nothing hangs, and nothing is lost."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.recorder.jobs import until

pytestmark = pytest.mark.skipif(
    os.getuid() != 0 or not os.access("/dev/fuse", os.R_OK | os.W_OK),
    reason="NOT TESTED WITH A DEAD MOUNT: only root can mount a file system, and /dev/fuse is needed",
)

SERVER = Path(__file__).parents[1] / "sources" / "silent_mount.py"
DETACH = 2  # MNT_DETACH, umount2(2)
RECORDER = """
import sys
from floydtop.cli import main
from floydtop.recorder import silence
silence.PATIENCE = silence.LOOK_EVERY = 0.3
sys.exit(main(["record", *sys.argv[1:]]))
"""


class Mount:
    """A file system with one log on it, whose server can be stopped, killed and started anew."""

    def __init__(self, point: Path) -> None:
        self.point = point
        self.log = point / "train.log"
        self.server: subprocess.Popen[str] | None = None

    def up(self) -> None:
        self.server = subprocess.Popen(
            [sys.executable, "-S", str(SERVER), str(self.point)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self.server.stdout is not None
        said = self.server.stdout.readline()
        if said != "mounted\n":
            pytest.skip(f"NOT TESTED WITH A DEAD MOUNT: {said}")

    def down(self) -> None:
        if self.server is not None:
            self.server.kill()
            self.server.communicate()
        self.server = None

    def away(self) -> None:
        ctypes.CDLL(None).umount2(str(self.point).encode(), DETACH)

    def tell(self, signal_number: int) -> None:
        assert self.server is not None
        self.server.send_signal(signal_number)

    def prints(self, first: int, last: int) -> None:
        with self.log.open("a") as file:
            file.writelines(
                f'{{"metric": "loss", "value": 1, "step": {step}}}\n' for step in range(first, last)
            )


@pytest.fixture
def mount(tmp_path: Path) -> Iterator[Mount]:
    (tmp_path / "mount").mkdir()
    mount = Mount(tmp_path / "mount")
    mount.up()
    yield mount
    mount.down()
    mount.away()


class Recorder:
    """A recorder that asks more often than usual whether its log answers."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.session = folder / "session.jsonl"
        self.process = subprocess.Popen(
            [sys.executable, "-c", RECORDER, str(self.session), *options], stderr=subprocess.PIPE
        )

    def events(self, kind: str) -> list[dict[str, object]]:
        if not self.session.exists():
            return []
        lines = self.session.read_text().splitlines()
        return [event for event in map(json.loads, lines) if event["k"] == kind]

    def says(self, words: str) -> bool:
        return any(words in str(event["x"]) for event in self.events("a"))

    def steps(self) -> list[object]:
        return [event["s"] for event in self.events("m")]

    def end(self) -> None:
        """End it as `floydtop stop` does, which waits for the session to be closed.

        The kernel keeps the process itself until the mount answers or is gone.
        """
        self.process.send_signal(signal.SIGTERM)
        until(lambda: self.events("end"), 8)


@pytest.fixture
def recorder(mount: Mount, tmp_path: Path) -> Iterator[Recorder]:
    mount.prints(1, 11)
    started = Recorder(tmp_path, "--log", str(mount.log))
    until(lambda: len(started.steps()) == 10)
    yield started
    mount.down()
    started.process.kill()
    started.process.communicate()


def test_a_mount_that_no_longer_answers_is_told_and_so_is_its_return(
    mount: Mount, recorder: Recorder
) -> None:
    mount.tell(signal.SIGSTOP)
    until(lambda: recorder.says("is not read: its file system has not answered for"))
    mount.tell(signal.SIGCONT)
    until(lambda: recorder.says("is read again"))
    mount.prints(11, 21)
    until(lambda: len(recorder.steps()) == 20)
    recorder.end()
    assert recorder.steps() == list(range(1, 21))
    assert len([event for event in recorder.events("a") if "not read" in str(event["x"])]) == 1


def test_a_recorder_ends_though_the_mount_does_not_answer(mount: Mount, recorder: Recorder) -> None:
    mount.tell(signal.SIGSTOP)
    until(lambda: recorder.says("has not answered"))
    recorder.end()
    (gap,) = recorder.events("gap")
    assert "the end of the log was not read" in str(gap["why"])
    assert [event["why"] for event in recorder.events("end")] == ["stopped"]


def test_a_recorder_ends_with_its_job_though_the_mount_does_not_answer(mount: Mount, tmp_path: Path) -> None:
    mount.prints(1, 11)
    job = subprocess.Popen(["sleep", "600"])
    recorder = Recorder(tmp_path, "--log", str(mount.log), "--pid", str(job.pid))
    until(lambda: len(recorder.steps()) == 10)
    mount.tell(signal.SIGSTOP)
    job.kill()
    job.wait()
    until(lambda: recorder.events("end"), 10)
    mount.down()
    recorder.process.communicate()
    assert [event["state"] for event in recorder.events("j")][-1] == "exited"
    assert [event["why"] for event in recorder.events("end")] == ["the job ended"]


def test_a_log_goes_on_where_it_stopped_when_its_mount_is_made_anew(mount: Mount, recorder: Recorder) -> None:
    mount.down()
    until(lambda: recorder.says("cannot be read: "))
    mount.away()
    mount.up()
    mount.prints(1, 16)
    until(lambda: recorder.says("can be read again"))
    until(lambda: len(recorder.steps()) == 15)
    recorder.end()
    assert recorder.steps() == list(range(1, 16))


def test_another_log_on_the_new_mount_is_read_from_its_start(mount: Mount, recorder: Recorder) -> None:
    mount.down()
    until(lambda: recorder.says("cannot be read: "))
    mount.away()
    mount.up()
    mount.prints(101, 131)
    until(lambda: len(recorder.steps()) == 40)
    recorder.end()
    assert recorder.steps() == [*range(1, 11), *range(101, 131)]
    assert recorder.says("rewritten")
