"""A log or a session that is there is read once, and one look at a job tells what it is doing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from floydtop.errors import FloydtopError
from floydtop.events import Malformed, Metrics
from floydtop.recorder.glance import glance
from floydtop.recorder.reading import last_lines, read_log, read_session
from tests.recorder.jobs import job
from tests.session import samples


def test_a_log_is_read_to_its_last_line_even_without_a_newline(tmp_path: Path) -> None:
    log = tmp_path / "train.log"
    log.write_bytes(
        b'{"metric": "loss", "value": 2}\nnoise\n{"metric": "loss"}\n{"metric": "loss", "value": NaN}'
    )
    first, bad, last = read_log(str(log))
    assert isinstance(first, Metrics)
    assert isinstance(bad, Malformed)
    assert isinstance(last, Metrics)
    assert (first.line, bad.line, last.line) == (1, 3, 4)
    assert (first.t, repr(last.values)) == (None, "{'loss': nan}")


def test_a_missing_log_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FloydtopError, match="cannot be read"):
        list(read_log(str(tmp_path / "none.log")))


def test_a_session_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    path.write_bytes(samples.as_bytes(samples.run()))
    assert repr(list(read_session(str(path)))) == repr(samples.run())


def test_a_missing_session_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FloydtopError, match="Cannot read the session"):
        list(read_session(str(tmp_path / "none.jsonl")))


def test_one_look_at_a_running_job_tells_its_state_readings_and_metrics(tmp_path: Path) -> None:
    with job(tmp_path / "train.log") as child:
        child.metric("loss", 0.5, 3)
        session = glance(child.pid, str(child.log))
    assert session.state == "running"
    assert session.header is not None
    assert session.header.job is not None
    assert session.header.job.pid == child.pid
    assert session.system["memory.bytes"].means[-1] > 1e6
    assert session.system.keys() | session.unknown.keys() >= {"cpu.percent", "cpu.cores", "disk.percent"}
    assert session.metrics["loss"].last == 0.5
    assert session.origin <= 0.0


def test_one_look_at_a_log_that_nobody_writes(tmp_path: Path) -> None:
    log = tmp_path / "train.log"
    log.write_text('{"metric": "loss", "value": 2}\n')
    session = glance(None, str(log))
    assert session.state == "no-process"
    assert session.metrics["loss"].last == 2.0
    assert not session.system


def test_one_look_at_a_process_that_is_gone_is_refused() -> None:
    gone = subprocess.Popen([sys.executable, "-S", "-c", ""])
    gone.wait()
    with pytest.raises(FloydtopError, match=str(gone.pid)):
        glance(gone.pid, None)


@pytest.mark.parametrize("width", [1, 500, 60_000])
def test_the_last_lines_of_a_log_have_their_own_numbers(tmp_path: Path, width: int) -> None:
    log = tmp_path / "train.log"
    whole = [f"{n} {'x' * width}" for n in range(1, 3_000_000 // width + 2 if width > 1 else 300_000)]
    log.write_text("\n".join(whole))
    last = last_lines(str(log), 20)
    assert [line.number for line in last] == list(range(len(whole) - len(last) + 1, len(whole) + 1))
    assert [line.raw.decode().split()[0] for line in last] == [str(line.number) for line in last]
    with log.open("rb") as file:
        for line in last:
            file.seek(line.offset)
            assert file.read(4) == line.raw[:4]


def test_the_last_line_of_a_log_may_be_larger_than_memory_should_hold(tmp_path: Path) -> None:
    log = tmp_path / "train.log"
    log.write_bytes(b"first\n" + b"x" * 9_000_000)
    (line,) = last_lines(str(log), 20)
    assert line.raw
