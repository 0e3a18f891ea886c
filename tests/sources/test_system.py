"""The sampling worker on real jobs."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

import pytest

from floydtop.events import Facts, Gpu, JobState, Present, Reading, Sample, Stat
from floydtop.sources.process import JobTree
from floydtop.sources.system import Tick, sample
from tests.sources.children import BUSY, line, program, until

Told = Facts | Sample | JobState | Present


class OneGpu:
    """A GPU reader with one GPU, half busy, which learns of the job's share once it is told the pids."""

    def __init__(self) -> None:
        self.pids: set[int] = set()
        self.drained = 0

    def latest(self) -> Reading:
        return Reading({"gpu.0.utilization": 50.0}, {"gpu.0.job_memory_bytes": "the driver does not tell"})

    def drain(self) -> dict[str, Stat]:
        self.drained += 1
        return {"gpu.0.utilization": (40.0, 0.0, 100.0)}

    def facts(self) -> tuple[list[Gpu], dict[str, str]]:
        return [Gpu(index=0, name="Test GPU")] if self.pids else [], {"gpu": "driver 550"}

    def watch(self, pids: set[int]) -> None:
        self.pids = pids


def session_clock() -> Callable[[], float]:
    began = time.monotonic()
    return lambda: time.monotonic() - began


async def collect(told: AsyncGenerator[Told, None], enough: Callable[[list[Told]], bool]) -> list[Told]:
    """What is told until it is enough."""
    found: list[Told] = []
    async with aclosing(told) as stream:
        async for event in stream:
            found.append(event)
            if enough(found):
                break
    return found


def count(kind: type) -> Callable[[list[Told]], int]:
    return lambda told: sum(isinstance(event, kind) for event in told)


async def test_facts_come_first_then_the_state_and_a_present() -> None:
    with program("input()") as child:
        tree = JobTree.open(child.pid)
        told = await collect(
            sample(tree, None, now=session_clock(), interval=60), lambda told: count(Present)(told) == 1
        )
        assert [type(event) for event in told] == [Facts, JobState, Present]
        facts, state, _ = told
        assert isinstance(facts, Facts)
        assert facts.cpu_cores
        assert facts.memory_bytes
        assert isinstance(state, JobState)
        assert state.state == "running"
        tree.close()


async def test_first_sample_has_rates_and_comes_in_a_second_though_ticks_are_minutes_apart() -> None:
    with program(f"{BUSY}\nprint(1, flush=True)\nbusy(60)") as child:
        line(child)
        tree = JobTree.open(child.pid)
        began = time.monotonic()
        told = await collect(
            sample(tree, None, now=session_clock(), interval=60), lambda told: count(Sample)(told) == 1
        )
        assert time.monotonic() - began < 5
        (first,) = (event for event in told if isinstance(event, Sample))
        mean, low, high = first.values["cpu.cores"]
        assert 0.1 < low <= mean <= high < 1.2
        assert "cpu.cores" not in first.unknown
        tree.close()


async def test_first_sample_has_rates_when_the_first_reading_took_long() -> None:
    with program("input()") as child:
        tree = JobTree.open(child.pid)
        read, pauses = tree.read, [1.2]

        def read_slowly(thorough: bool) -> Reading:
            if pauses:
                time.sleep(pauses.pop())
            return read(thorough)

        tree.read = read_slowly  # type: ignore[method-assign]  # a job of many GB
        told = await collect(
            sample(tree, None, now=session_clock(), interval=60), lambda told: count(Sample)(told) == 1
        )
        assert isinstance(told[-1], Sample)
        assert "cpu.cores" in told[-1].values
        tree.close()


async def test_tick_covers_all_its_readings_as_mean_min_and_max() -> None:
    source = """
import time
print(1, flush=True)
while True:
    pause = time.time() + 0.25
    while time.time() < pause: pass
    time.sleep(0.25)
"""
    with program(source) as child:
        line(child)
        tree = JobTree.open(child.pid)
        told = await collect(
            sample(tree, None, now=session_clock(), interval=1, present_every=0.1),
            lambda told: count(Sample)(told) == 2,
        )
        second = [event for event in told if isinstance(event, Sample)][1]
        mean, low, high = second.values["cpu.cores"]
        assert low < mean < high
        assert count(Present)(told) > 4
        tree.close()


async def test_ticks_are_as_far_apart_as_asked() -> None:
    with program("input()") as child:
        tree = JobTree.open(child.pid)
        told = await collect(
            sample(tree, None, now=session_clock(), interval=1), lambda told: count(Sample)(told) == 3
        )
        times = [event.t for event in told if isinstance(event, Sample)]
        assert times[2] - times[0] == pytest.approx(2, abs=0.8)
        tree.close()


async def test_end_of_the_job_is_told_last_after_a_sample_of_the_unfinished_tick() -> None:
    source = """
import time
print(1, flush=True)
end = time.time() + 1.7
while time.time() < end: pass
raise SystemExit(3)
"""
    with program(source) as child:
        line(child)
        tree = JobTree.open(child.pid)
        told = await collect(
            sample(tree, None, now=session_clock(), interval=600, present_every=0.5), lambda told: False
        )
        assert count(Sample)(told) == 2
        assert isinstance(told[-2], Sample)
        end = told[-1]
        assert isinstance(end, JobState)
        assert end.state == "exited"
        assert end.exit is not None
        assert end.exit.code == 3
        assert told[-2].values["cpu.cores"][0] > 0.2
        tree.close()


async def test_stopping_and_going_on_are_told() -> None:
    import signal

    with program("input()") as child:
        tree = JobTree.open(child.pid)
        states: list[str] = []
        async with aclosing(sample(tree, None, now=session_clock(), interval=60, present_every=0.05)) as told:
            async for event in told:
                if not isinstance(event, JobState):
                    continue
                states.append(event.state)
                if states == ["running"]:
                    child.send_signal(signal.SIGSTOP)
                elif states == ["running", "stopped"]:
                    child.send_signal(signal.SIGCONT)
                elif len(states) == 3:
                    child.kill()
        assert states == ["running", "stopped", "running", "exited"]
        tree.close()


async def test_gpu_readings_come_from_its_own_readers_statistics() -> None:
    with program("input()") as child:
        tree, gpu = JobTree.open(child.pid), OneGpu()
        told = await collect(
            sample(tree, gpu, now=session_clock(), interval=60), lambda told: count(Sample)(told) == 1
        )
        present = next(event for event in told if isinstance(event, Present))
        assert present.values["gpu.0.utilization"] == 50.0
        assert isinstance(told[-1], Sample)
        assert told[-1].values["gpu.0.utilization"] == (40.0, 0.0, 100.0)
        assert told[-1].unknown == {"gpu.0.job_memory_bytes": "the driver does not tell"}
        assert gpu.pids == {child.pid}
        tree.close()


async def test_facts_that_become_known_later_are_told_again_and_only_then() -> None:
    class LateGpu(OneGpu):
        def facts(self) -> tuple[list[Gpu], dict[str, str]]:
            return ([Gpu(index=0)], {}) if self.asked() > 2 else ([], {})

        def asked(self) -> int:
            self.drained += 1
            return self.drained

    with program("input()") as child:
        tree = JobTree.open(child.pid)
        told = await collect(
            sample(tree, LateGpu(), now=session_clock(), interval=60, present_every=0.05),
            lambda told: count(Present)(told) == 8,
        )
        facts = [event for event in told if isinstance(event, Facts)]
        assert [len(fact.gpus) for fact in facts] == [0, 1]
        tree.close()


async def test_log_without_a_process_has_nothing_to_sample() -> None:
    assert await collect(sample(None, None, now=session_clock(), interval=1), lambda told: False) == []


async def test_job_that_ended_before_sampling_began_is_told_as_ended() -> None:
    with program("input()") as child:
        tree = JobTree.open(child.pid)
        child.kill()
        until(tree.has_ended)
        told = await collect(sample(tree, None, now=session_clock(), interval=1), lambda told: False)
        assert isinstance(told[-1], JobState)
        assert told[-1].exit is not None
        assert told[-1].exit.signal == "SIGKILL"
        assert count(Sample)(told) == 0
        tree.close()


async def test_closing_the_stream_leaves_no_task_behind() -> None:
    with program("input()") as child:
        tree = JobTree.open(child.pid)
        await collect(sample(tree, None, now=session_clock(), interval=1), lambda told: True)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        tree.close()


def test_readings_weigh_as_much_as_the_time_they_stand_for() -> None:
    tick = Tick()
    tick.add(Reading({"cpu.cores": 1.0}), 2.0)
    tick.add(Reading({"cpu.cores": 4.0}), 1.0)
    summary = tick.sum_up(10.0, {})
    assert summary == Sample(t=10.0, values={"cpu.cores": (2.0, 1.0, 4.0)})
    assert tick.sum_up(11.0, {}) is None


def test_reading_that_failed_once_in_a_tick_is_not_missing_from_it() -> None:
    tick = Tick()
    tick.add(Reading({}, {"cpu.cores": "needs a second reading", "disk.percent": "hidden"}), 1.0)
    tick.add(Reading({"cpu.cores": 4.0}, {"disk.percent": "hidden"}), 1.0)
    summary = tick.sum_up(10.0, {})
    assert summary is not None
    assert summary.unknown == {"disk.percent": "hidden"}


async def test_end_does_not_wait_for_a_slow_reading() -> None:
    release = threading.Event()
    with program("input()") as child:
        tree = JobTree.open(child.pid)
        read = tree.read

        def slow_read(thorough: bool) -> Reading:
            child.kill()
            release.wait(30)
            return read(thorough)

        tree.read = slow_read  # type: ignore[method-assign]  # a job of hundreds of GB
        told = await collect(sample(tree, None, now=session_clock(), interval=1), lambda told: False)
        assert [event.state for event in told if isinstance(event, JobState)] == ["exited"]
        release.set()
        tree.close()


async def test_reading_that_fails_is_missing_with_its_reason_and_the_next_is_taken() -> None:
    with program("input()") as child:
        tree = JobTree.open(child.pid)
        read, failures = tree.read, [OSError(24, "Too many open files")]

        def read_or_fail(thorough: bool) -> Reading:
            if failures:
                raise failures.pop()
            return read(thorough)

        tree.read = read_or_fail  # type: ignore[method-assign]  # a machine out of descriptors
        told = await collect(
            sample(tree, None, now=session_clock(), interval=60, present_every=0.1),
            lambda told: count(Present)(told) == 2,
        )
        first, second = (event for event in told if isinstance(event, Present))
        assert "Too many open files" in first.unknown["cpu.percent"]
        assert second.values["memory.bytes"] > 0
        tree.close()
