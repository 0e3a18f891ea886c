"""A pipe or a FIFO becomes a log that is complete whatever becomes of floydtop."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from floydtop.errors import FloydtopError
from floydtop.events import End, JobState, Metrics
from floydtop.recorder import kept
from floydtop.recorder.assignment import Assignment
from floydtop.recorder.recording import Recording
from floydtop.recorder.spool import spool_fifo, spool_pipe, writer_of
from floydtop.sources.writers import find_writers
from tests.recorder.jobs import events, until
from tests.recorder.keepers import keepers_of

PRINTER = """
import os, sys, time
for step in range(1000000):
    print('{"metric": "loss", "value": 1, "step": %d}' % step, flush=True)
    if os.path.exists("end"):
        sys.exit(step == 0)
    time.sleep(0.01)
"""


class Pipe:
    """A real pipe with jobs that print into it; `reader` is what floydtop would have as stdin."""

    def __init__(self, folder: Path) -> None:
        self.reader, self._writer = os.pipe()
        self._folder = folder
        self._jobs: list[subprocess.Popen[bytes]] = []

    def start(self, command: list[str]) -> subprocess.Popen[bytes]:
        job = subprocess.Popen(command, stdout=self._writer, cwd=self._folder, start_new_session=True)
        self._jobs.append(job)
        return job

    def hand_over(self) -> Path:
        """Let a keeper read it, and let go of both ends as a shell and a floydtop that was quit do."""
        os.close(self._writer)
        log = spool_pipe(self.reader)
        os.close(self.reader)
        return log

    def end(self) -> None:
        for job in self._jobs:
            with suppress(ProcessLookupError):
                os.killpg(job.pid, signal.SIGKILL)
            job.wait()


@pytest.fixture
def pipe(tmp_path: Path) -> Iterator[Pipe]:
    made = Pipe(tmp_path)
    yield made
    made.end()


@pytest.fixture
def fifo(tmp_path: Path) -> Path:
    path = tmp_path / "metrics"
    os.mkfifo(path)
    return path


def silent() -> None:
    """What is called when nobody writes to a FIFO yet; nothing here."""


def refuse_to_wait() -> None:
    raise AssertionError("there was a writer")


def test_a_job_in_a_pipe_does_not_notice_that_floydtop_has_gone(pipe: Pipe, tmp_path: Path) -> None:
    job = pipe.start([sys.executable, "-S", "-c", PRINTER])
    log = pipe.hand_over()
    until(lambda: log.read_text().count("\n") > 20)
    (tmp_path / "end").touch()
    assert job.wait() == 0
    until(lambda: not kept.is_held(str(log)))
    lines = log.read_text().splitlines()
    assert [f'"step": {step}' in line for step, line in enumerate(lines)] == [True] * len(lines)


def test_a_job_that_has_already_ended_leaves_all_of_its_output(pipe: Pipe) -> None:
    pipe.start(["seq", "10000"])
    log = pipe.hand_over()
    until(lambda: not kept.is_held(str(log)))
    assert log.read_text().split() == [str(number) for number in range(1, 10001)]


def test_the_job_behind_the_pipe_is_found(pipe: Pipe) -> None:
    job = pipe.start([sys.executable, "-S", "-c", PRINTER])
    log = pipe.hand_over()
    assert writer_of(log) == job.pid


def test_the_job_before_a_filter_is_found(pipe: Pipe, tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(PRINTER)
    shell = pipe.start(["sh", "-c", f"exec 3>&1; {sys.executable} -S train.py 3>&- | exec grep . "])
    log = pipe.hand_over()
    until(lambda: log.stat().st_size)
    until(lambda: find_writers(str(log)).pids == [shell.pid])


def test_a_writer_that_has_gone_is_not_known(pipe: Pipe) -> None:
    pipe.start(["true"]).wait()
    assert writer_of(pipe.hand_over()) is None


async def test_a_recording_of_a_pipe_without_a_known_job_ends_with_the_pipe(
    pipe: Pipe, tmp_path: Path
) -> None:
    job = pipe.start([sys.executable, "-S", "-c", PRINTER])
    log = pipe.hand_over()
    until(lambda: log.stat().st_size)
    ender = threading.Timer(0.5, (tmp_path / "end").touch)
    ender.start()
    session = tmp_path / "session.jsonl"
    await Recording(Assignment(session, None, str(log))).run()
    ender.join()
    assert job.wait() == 0
    found = events(session)
    steps = [event.step for event in found if isinstance(event, Metrics)]
    assert steps == list(range(log.read_text().count("\n")))
    assert [event.state for event in found if isinstance(event, JobState)] == ["no-process"]
    assert isinstance(found[-1], End)
    assert found[-1].offset == log.stat().st_size


async def test_an_empty_pipe_is_an_empty_recording(pipe: Pipe, tmp_path: Path) -> None:
    pipe.start(["true"])
    log = pipe.hand_over()
    session = tmp_path / "session.jsonl"
    await Recording(Assignment(session, None, str(log))).run()
    assert isinstance(events(session)[-1], End)


def test_a_fifo_without_a_writer_is_waited_for(fifo: Path) -> None:
    said: list[str] = []
    writer = threading.Thread(target=lambda: fifo.write_text("loss: 1\n"))

    def waiting() -> None:
        said.append("nobody writes")
        writer.start()

    log = spool_fifo(str(fifo), waiting)
    writer.join()
    assert said == ["nobody writes"]
    until(lambda: log.read_text() == "loss: 1\n")
    fifo.unlink()


def test_a_fifo_may_have_one_writer_after_the_other(fifo: Path) -> None:
    first = subprocess.Popen(["sh", "-c", f"echo first > {fifo}; echo second > {fifo}; seq 1000 > {fifo}"])
    log = spool_fifo(str(fifo), silent)
    assert first.wait(timeout=20) == 0
    expected = "first\nsecond\n" + "".join(f"{number}\n" for number in range(1, 1001))
    until(lambda: log.read_text() == expected)
    assert kept.is_held(str(log))
    fifo.unlink()
    until(lambda: not kept.is_held(str(log)))


def test_the_job_behind_a_fifo_is_found(fifo: Path, tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(PRINTER)
    job = subprocess.Popen(
        ["sh", "-c", f"exec {sys.executable} -S train.py > {fifo}"], cwd=tmp_path, start_new_session=True
    )
    try:
        log = spool_fifo(str(fifo), silent)
        assert writer_of(log) == job.pid
        assert spool_fifo(str(fifo), refuse_to_wait) == log, "a second reader would take half of it"
        assert len(keepers_of(log)) == 1
    finally:
        job.kill()
        job.wait()
        fifo.unlink()
    until(lambda: not kept.is_held(str(log)))


def test_a_fifo_that_another_program_reads_is_left_alone(fifo: Path) -> None:
    reader = subprocess.Popen(["cat", str(fifo)], stdout=subprocess.DEVNULL)
    writer = os.open(fifo, os.O_WRONLY)
    try:
        # The kernel opens both ends before the reader has its descriptor.
        descriptors = Path(f"/proc/{reader.pid}/fd")
        until(lambda: any(os.path.realpath(one) == str(fifo) for one in descriptors.iterdir()))
        with pytest.raises(FloydtopError, match=rf"cat \(process {reader.pid}\) already reads "):
            spool_fifo(str(fifo), refuse_to_wait)
    finally:
        os.close(writer)
        reader.wait()


def test_a_fifo_that_is_gone_is_said(fifo: Path) -> None:
    fifo.unlink()
    with pytest.raises(FloydtopError, match="cannot be read: No such file or directory"):
        spool_fifo(str(fifo), silent)
