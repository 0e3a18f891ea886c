"""A recording of a real job: its lines, its metrics, its readings and its end."""

from __future__ import annotations

import asyncio
import math
import os
import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import TypeVar

import pytest

from floydtop.events import (
    Clock,
    End,
    Event,
    Exit,
    Facts,
    Header,
    JobState,
    Metrics,
    Note,
    OutputLine,
    Sample,
)
from floydtop.recorder import recording as recording_room
from floydtop.recorder.assignment import Assignment
from floydtop.recorder.recording import Recording, boot_id
from floydtop.session.writer import is_being_recorded, present_path, read_present
from tests.recorder.jobs import events, job

Kind = TypeVar("Kind", bound=Event)


@pytest.fixture
def session(tmp_path: Path) -> Path:
    return tmp_path / "sessions" / "run.jsonl"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "train.log"


@asynccontextmanager
async def recorded(
    session: Path, pid: int | None, log: Path | None, interval: float = 60.0
) -> AsyncIterator[asyncio.Task[None]]:
    """A recording that goes on; it is stopped in the end, if it has not ended by itself."""
    recording = Recording(Assignment(session, pid, str(log) if log else None, interval))
    task = asyncio.create_task(recording.run())
    try:
        await until(lambda: of(session, JobState) or task.done())
        yield task
    finally:
        recording.stop("stopped")
        await asyncio.wait_for(task, 20)


async def until(condition: Callable[[], object], patience: float = 20.0) -> None:
    async with asyncio.timeout(patience):
        while not condition():
            await asyncio.sleep(0.02)


def of(session: Path, kind: type[Kind]) -> list[Kind]:
    return [event for event in events(session) if isinstance(event, kind)]


def losses(session: Path) -> list[float]:
    return [event.values["loss"] for event in of(session, Metrics) if "loss" in event.values]


async def test_a_recording_begins_with_who_and_when(session: Path, log: Path) -> None:
    with job(log) as child:
        async with recorded(session, child.pid, log):
            header, clock, *_ = events(session)
    assert isinstance(header, Header)
    assert header.job is not None
    assert header.log is not None
    assert (header.job.pid, header.recorder, header.boot) == (child.pid, os.getpid(), boot_id())
    assert header.job.command[-1].startswith("import os")
    assert header.job.t is not None
    assert -60 < header.job.t <= 0
    assert (header.log.path, header.log.inode) == (str(log), log.stat().st_ino)
    assert isinstance(clock, Clock)
    assert abs(header.t0 - time.time()) < 60


async def test_every_line_is_recorded_in_order(session: Path, log: Path) -> None:
    with job(log) as child:
        async with recorded(session, child.pid, log):
            child.do("[print('line', n, flush=n % 7 == 0) for n in range(500)]; sys.stdout.flush()")
            await until(lambda: len(of(session, OutputLine)) == 500)
    lines = of(session, OutputLine)
    assert [line.text for line in lines] == [f"line {n}" for n in range(500)]
    assert [line.line for line in lines] == list(range(1, 501))
    content = log.read_bytes()
    assert all(content[line.offset :].startswith(line.text.encode() + b"\n") for line in lines)


@pytest.mark.parametrize(
    ("ending", "code", "killer"),
    [("os._exit(0)", 0, None), ("os._exit(7)", 7, None), ("os.kill(os.getpid(), 9)", None, "SIGKILL")],
)
async def test_the_end_is_noticed_within_two_seconds(
    session: Path, log: Path, ending: str, code: int | None, killer: str | None
) -> None:
    with job(log) as child:
        async with recorded(session, child.pid, log) as task:
            child.metric("loss", 0.5, 1)
            child.do(f"print(time.time(), flush=True); {ending}")
            await asyncio.wait_for(asyncio.shield(task), 20)
    last = of(session, JobState)[-1]
    assert last.state == "exited"
    assert last.exit is not None
    assert (last.exit.code, last.exit.signal, last.exit.oom) == (code, killer, False)
    (header,) = of(session, Header)
    died = float(of(session, OutputLine)[-1].text) - header.t0
    assert last.t - died < 2.0
    end = events(session)[-1]
    assert end == End(t=end.t, why="the job ended", offset=log.stat().st_size)  # type: ignore[union-attr]


async def test_the_last_words_of_a_job_are_recorded_even_without_a_newline(session: Path, log: Path) -> None:
    with job(log) as child:
        async with recorded(session, child.pid, log) as task:
            child.do(
                'sys.stdout.write(\'{"metric": "loss", "value": 0.125}\'); sys.stdout.flush(); os._exit(1)'
            )
            await asyncio.wait_for(asyncio.shield(task), 20)
    assert losses(session) == [0.125]


async def test_history_has_estimated_times_and_live_lines_exact_ones(session: Path, log: Path) -> None:
    with job(log) as child:
        for step in range(10):
            child.metric("loss", 1.0, step)
        async with recorded(session, child.pid, log):
            await until(lambda: len(losses(session)) == 10)
            child.metric("loss", 0.5, 10)
            await until(lambda: len(losses(session)) == 11)
    *history, live = of(session, Metrics)
    (header,) = of(session, Header)
    assert header.job is not None
    start = header.job.t
    assert start is not None
    assert all(event.approximate for event in history)
    times = [event.t for event in history]
    assert times == sorted(times, key=lambda t: t if t is not None else math.nan)
    assert all(t is not None and start - 0.01 <= t <= 0.0 for t in times)
    assert not live.approximate
    assert live.t is not None
    assert live.t > 0.0


async def test_a_log_without_writer_is_read_to_its_end_and_closed(session: Path, log: Path) -> None:
    log.write_text('{"metric": "loss", "value": 2, "step": 1}\n{"metric": "loss", "value": 1, "step": 2}\n')
    os.utime(log, (1e9, 1e9))
    async with recorded(session, None, log) as task:
        await asyncio.wait_for(asyncio.shield(task), 20)
    assert losses(session) == [2.0, 1.0]
    assert [state.state for state in of(session, JobState)] == ["no-process"]
    assert {event.t for event in of(session, Metrics)} == {None}, "nobody knows when it was printed"
    (end,) = of(session, End)
    assert (end.why, end.offset) == ("the log was read to its end", log.stat().st_size)
    assert not is_being_recorded(session)


async def test_a_log_that_changed_just_now_is_waited_for(session: Path, log: Path) -> None:
    log.write_text('{"metric": "loss", "value": 2}\n')
    async with recorded(session, None, log) as task:
        await until(lambda: losses(session) == [2.0])
        with log.open("a") as file:
            file.write('{"metric": "loss", "value": 1}\n')
        await until(lambda: losses(session) == [2.0, 1.0])
        assert not task.done()
    assert of(session, End)[0].why == "stopped"


async def test_an_empty_log_waits_for_its_first_line(session: Path, log: Path) -> None:
    log.touch()
    os.utime(log, (1e9, 1e9))
    async with recorded(session, None, log) as task:
        with log.open("a") as file:
            file.write('{"metric": "loss", "value": 3}\n')
        await until(lambda: losses(session) == [3.0])
        assert not task.done()


async def test_a_truncated_log_is_noted_and_read_on(session: Path, log: Path) -> None:
    with job(log) as child:
        async with recorded(session, child.pid, log):
            child.print("x" * 100)
            child.metric("loss", 2.0, 1)
            await until(lambda: losses(session) == [2.0])
            os.truncate(log, 0)
            await until(lambda: of(session, Note))
            child.metric("loss", 1.0, 2)
            await until(lambda: losses(session) == [2.0, 1.0])
    assert "truncated" in of(session, Note)[0].text


async def test_the_running_values_of_a_bar_are_present_and_only_its_end_is_recorded(
    session: Path, log: Path
) -> None:
    def running() -> dict[str, float]:
        present = read_present(session)
        return {} if present is None or not present.metrics else present.metrics[0].values

    with job(log) as child:
        async with recorded(session, child.pid, log):
            child.print("Epoch 2/5")
            for count, loss in ((10, 0.9), (40, 0.7), (70, 0.6)):
                child.print(f"{count:3}/100 [====>.....] - ETA: 3s - loss: {loss}\r", end="")
                await until(lambda loss=loss: running().get("loss") == loss)
            present = read_present(session)
            assert present is not None
            assert present.progress is not None
            assert (present.progress.epoch, present.progress.epochs) == (2, 5)
            assert losses(session) == []
            child.print("100/100 [==========] - 5s - loss: 0.5 - val_loss: 0.55")
            await until(lambda: losses(session))
            await until(lambda: running() == {})
    (metrics,) = [event for event in of(session, Metrics) if event.group == "training"]
    assert (metrics.values["loss"], metrics.values["val_loss"], metrics.epoch) == (0.5, 0.55, 2)


async def test_a_tick_of_a_second_holds_the_mean_and_the_extremes_of_its_readings(
    session: Path, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording_room, "PRESENT_EVERY", 0.2)
    with job(log) as child:
        # Half a second of work, half a second of rest: no single reading tells the truth of it.
        child.do("busy = lambda end: [0 for _ in iter(lambda: time.time() < end, False)]")
        child.do("[(busy(time.time() + 0.5), time.sleep(0.5)) for _ in range(99)]")
        async with recorded(session, child.pid, log, interval=1.0):
            await until(lambda: len(of(session, Sample)) >= 3)
    times = [sample.t for sample in of(session, Sample)]
    assert all(0.4 < later - earlier < 5.0 for earlier, later in pairwise(times))
    samples = of(session, Sample)[1:]
    assert all(low <= mean <= high for sample in samples for mean, low, high in sample.values.values())
    assert any(high - low > 0.2 for _, low, high in (sample.values["cpu.cores"] for sample in samples))
    assert any(low < mean < high for mean, low, high in (sample.values["cpu.cores"] for sample in samples))


async def test_the_present_moves_and_the_session_does_not_grow(
    session: Path, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording_room, "PRESENT_EVERY", 0.1)

    def present_time() -> float:
        present = read_present(session)
        return 0.0 if present is None else present.t

    with job(log) as child:
        async with recorded(session, child.pid, log):
            await until(lambda: of(session, Sample) and of(session, Facts))
            # A late fact may still come (the GPU helper takes its time): wait for a quiet second.
            size, since = session.stat().st_size, present_time()
            while present_time() < since + 1.0:
                await asyncio.sleep(0.05)
                if session.stat().st_size != size:
                    size, since = session.stat().st_size, present_time()
            assert len(of(session, Sample)) == 1


async def test_the_first_sample_is_taken_at_once(session: Path, log: Path) -> None:
    with job(log) as child:
        async with recorded(session, child.pid, log):
            await until(lambda: of(session, Sample))
    first = of(session, Sample)[0]
    assert first.t < 10.0
    assert first.values["memory.bytes"][0] > 1e6
    assert {
        "cpu.percent",
        "cpu.cores",
        "memory.percent",
        "disk.percent",
    } <= first.values.keys() | first.unknown.keys()


async def test_a_job_that_is_held_is_told(session: Path, log: Path) -> None:
    with job(log) as child:
        async with recorded(session, child.pid, log, interval=1.0):
            os.kill(child.pid, signal.SIGSTOP)
            await until(lambda: of(session, JobState)[-1].state == "stopped")
            os.kill(child.pid, signal.SIGCONT)
            await until(lambda: of(session, JobState)[-1].state == "running")


async def test_stopping_closes_the_session_and_leaves_the_job_alone(session: Path, log: Path) -> None:
    with job(log) as child:
        async with recorded(session, child.pid, log):
            child.metric("loss", 1.0, 1)
            await until(lambda: losses(session))
            assert present_path(session).exists()
        assert child.process.poll() is None
    assert not is_being_recorded(session)
    assert not present_path(session).exists()
    end = of(session, End)[0]
    assert (end.why, end.offset) == ("stopped", log.stat().st_size)
    assert of(session, JobState)[-1].exit is None


async def test_a_job_without_a_log_is_recorded_all_the_same(session: Path, log: Path) -> None:
    with job(log) as child:
        async with recorded(session, child.pid, None) as task:
            await until(lambda: of(session, Sample))
            child.do("os._exit(3)")
            await asyncio.wait_for(asyncio.shield(task), 20)
    assert of(session, Header)[0].log is None
    assert of(session, JobState)[-1].exit == Exit(code=3, how=of(session, JobState)[-1].exit.how)  # type: ignore[union-attr]


async def test_a_deleted_log_is_read_through_the_process_that_holds_it(session: Path, log: Path) -> None:
    with job(log) as child:
        child.metric("loss", 2.0, 1)
        log.unlink()
        assignment = Assignment(session, child.pid, str(log), reopen=f"/proc/{child.pid}/fd/1")
        recording = Recording(assignment)
        task = asyncio.create_task(recording.run())
        await until(lambda: losses(session) == [2.0])
        child.do("""print('{"metric": "loss", "value": 1.0}', flush=True)""")
        await until(lambda: losses(session) == [2.0, 1.0])
        recording.stop("stopped")
        await asyncio.wait_for(task, 20)


async def test_a_worker_that_fails_is_noted_at_once_and_the_other_goes_on(session: Path, log: Path) -> None:
    with job(log) as child:
        recording = Recording(Assignment(session, child.pid, str(log.parent), interval=1.0))
        task = asyncio.create_task(recording.run())
        await until(lambda: of(session, Note))
        await until(lambda: of(session, Sample))
        assert not task.done()
        recording.stop("stopped")
        with pytest.raises(Exception, match=r"directory|train"):
            await asyncio.wait_for(task, 20)
    assert of(session, Note)[0].level == "error"
    assert "failed" in of(session, End)[0].why


async def test_readings_that_fail_do_not_end_the_recording(
    session: Path, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object, **__: object) -> AsyncIterator[Sample]:
        raise RuntimeError("the kernel said something new")
        yield

    monkeypatch.setattr(recording_room, "sample", broken)
    with job(log) as child:
        async with recorded(session, child.pid, log) as task:
            child.metric("loss", 0.5, 1)
            await until(lambda: losses(session) == [0.5])
            child.do("os._exit(7)")
            await asyncio.wait_for(asyncio.shield(task), 20)
    assert "the kernel said something new" in of(session, Note)[0].text
    last = of(session, JobState)[-1]
    assert last.exit is not None
    assert last.exit.code == 7
    assert of(session, End)[0].why == "the job ended"
