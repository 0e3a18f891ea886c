"""The sampling worker: looks at the job every two seconds, and sums up each tick as mean, min and max."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import TYPE_CHECKING, Protocol

from floydtop.events import Facts, Gpu, JobState, JobStateName, Present, Reading, Sample, Stat
from floydtop.sources.patience import NoAnswer, Patient

if TYPE_CHECKING:
    from floydtop.sources.process import JobTree

FIRST_TICK = 1.0
"""Seconds until the first sample: rates need two readings."""

PATIENCE = 15.0
"""Seconds for one reading; its slow parts have deadlines of their own, so this one says that /proc hangs."""


ESSENTIAL = ("cpu.percent", "memory.bytes", "disk.percent")
"""What is said to be missing when a whole reading is."""


class GpuReader(Protocol):
    """What the sampler asks of the GPU source; every call answers at once."""

    def latest(self) -> Reading:
        """The readings of the present, `gpu.N.*`."""
        ...

    def drain(self) -> dict[str, Stat]:
        """Mean, min and max of the reader's own readings since the last call."""
        ...

    def facts(self) -> tuple[list[Gpu], dict[str, str]]:
        """The GPUs that are to be shown, and notes: name -> sentence."""
        ...

    def watch(self, pids: set[int]) -> None:
        """Tells which processes the job consists of now."""
        ...


class Tick:
    """The readings of one tick, each weighted by the seconds it stands for."""

    def __init__(self) -> None:
        self._sums: dict[str, tuple[float, float, float, float]] = {}
        self._unknown: dict[str, str] = {}

    def add(self, reading: Reading, seconds: float) -> None:
        """Adds one reading that describes the last `seconds`."""
        for name, value in reading.values.items():
            total, weight, low, high = self._sums.get(name, (0.0, 0.0, value, value))
            self._sums[name] = (
                total + value * seconds,
                weight + seconds,
                min(low, value),
                max(high, value),
            )
        self._unknown |= reading.unknown

    def sum_up(self, t: float, gpu: dict[str, Stat]) -> Sample | None:
        """The sample of this tick, and a fresh start; None when there was no reading."""
        sums, unknown = self._sums, self._unknown
        self._sums, self._unknown = {}, {}
        # A mean of equal floats can come out a hair beyond them.
        values = {
            name: (min(max(total / weight, low), high), low, high)
            for name, (total, weight, low, high) in sums.items()
        }
        values |= gpu
        if not values and not unknown:
            return None
        missing = {name: why for name, why in unknown.items() if name not in values}
        return Sample(t=t, values=values, unknown=missing)


async def sample(
    tree: JobTree | None,
    gpu: GpuReader | None,
    *,
    now: Callable[[], float],
    interval: float,
    present_every: float = 2.0,
) -> AsyncGenerator[Facts | Sample | JobState | Present, None]:
    """What happens to the job's system metrics and its state, until the job ends.

    Facts come first, the first sample a second later, then one every `interval` seconds; a `Present` follows
    each reading, about every `present_every` seconds. The last events are the sample of the unfinished tick
    and the state `exited`. `now` gives session time.
    """
    if tree is None:
        return
    watch = _Watch(tree, gpu, now)
    loop = asyncio.get_running_loop()
    next_tick: float | None = None
    thorough = True
    ended = asyncio.ensure_future(tree.ended())
    looking: asyncio.Future[list[Facts | JobState | Present]] = loop.create_future()
    try:
        while True:
            looking = asyncio.ensure_future(watch.look(thorough))
            # A look at a large job takes seconds, and the end must not wait for it.
            await asyncio.wait({looking, ended}, return_when=asyncio.FIRST_COMPLETED)
            if not looking.done():
                break
            for event in looking.result():
                yield event
            if next_tick is None:
                next_tick = loop.time() + min(FIRST_TICK, interval)
            elif thorough:
                if (summary := watch.sum_up()) is not None:
                    yield summary
                next_tick = max(next_tick + interval, loop.time() + interval / 2)
            due = min(loop.time() + present_every, next_tick)
            await asyncio.wait({ended}, timeout=max(0.0, due - loop.time()))
            if ended.done() or tree.has_ended():
                break
            thorough = loop.time() >= next_tick - 0.001
        t = now()
        end = await ended
        if (summary := watch.sum_up()) is not None:
            yield summary
        yield JobState(t=t, state="exited", exit=end)
    finally:
        looking.cancel()
        ended.cancel()
        # Whoever closes the tree next closes a descriptor that the loop must have let go of.
        await asyncio.gather(looking, ended, return_exceptions=True)


class _Watch:
    """What has been read and told so far."""

    def __init__(self, tree: JobTree, gpu: GpuReader | None, now: Callable[[], float]) -> None:
        self._tree = tree
        self._gpu = gpu
        self._now = now
        self._patient: Patient[Reading] = Patient("the kernel's account of the job", PATIENCE)
        self._tick = Tick()
        self._last: float | None = None
        self._facts: Facts | None = None
        self._tree_facts: tuple[float | None, int | None, dict[str, str]] = (None, None, {})
        self._state: JobStateName | None = None

    async def look(self, thorough: bool) -> list[Facts | JobState | Present]:
        """Takes one reading; returns what there is to tell, nothing when the job has just ended."""
        try:
            reading = await self._patient.ask_async(lambda: self._tree.read(thorough))
        except (NoAnswer, OSError) as problem:
            reading = Reading(unknown=dict.fromkeys(ESSENTIAL, str(problem)))
        if self._tree.has_ended():
            return []
        t = self._now()
        self._tick.add(reading, 1.0 if self._last is None else max(t - self._last, 0.001))
        self._last = t
        if thorough:
            self._tree_facts = self._tree.facts()
        values, unknown = dict(reading.values), dict(reading.unknown)
        if self._gpu is not None:
            self._gpu.watch(self._tree.pids())
            latest = self._gpu.latest()
            values |= latest.values
            unknown |= latest.unknown
            self._tick.add(Reading(unknown=latest.unknown), 1.0)
        return [*self._changes(t), Present(t=t, values=values, unknown=unknown)]

    def sum_up(self) -> Sample | None:
        """The sample of the tick that ends now."""
        return self._tick.sum_up(self._now(), {} if self._gpu is None else self._gpu.drain())

    def _changes(self, t: float) -> list[Facts | JobState]:
        """Facts and state, each if it is not what was told last."""
        changes: list[Facts | JobState] = []
        cores, memory_bytes, notes = self._tree_facts
        gpus, gpu_notes = ([], {}) if self._gpu is None else self._gpu.facts()
        facts = Facts(t=t, cpu_cores=cores, memory_bytes=memory_bytes, gpus=gpus, notes=notes | gpu_notes)
        if self._facts is None or not _same(facts, self._facts):
            self._facts = facts
            changes.append(facts)
        state = self._tree.state()
        if state not in (self._state, "exited"):
            self._state = state
            changes.append(JobState(t=t, state=state))
        return changes


def _same(one: Facts, other: Facts) -> bool:
    """Whether two records say the same but for their time."""
    return (one.cpu_cores, one.memory_bytes, one.gpus, one.notes) == (
        other.cpu_cores,
        other.memory_bytes,
        other.gpus,
        other.notes,
    )
