"""One recording in progress: two workers, one session file, one clock."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import time
import uuid
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from floydtop import __version__
from floydtop.errors import FloydtopError
from floydtop.events import (
    Clock,
    End,
    Event,
    Header,
    JobState,
    JobStateName,
    Log,
    Metrics,
    Note,
    Present,
    Progress,
)
from floydtop.recorder import kept
from floydtop.recorder.milestones import Milestones
from floydtop.recorder.output import OutputWorker
from floydtop.session.format import FORMAT, VERSION
from floydtop.session.writer import SessionWriter, remove_present, write_present
from floydtop.sources.finished import is_packed
from floydtop.sources.gpu import GpuReader
from floydtop.sources.process import JobTree
from floydtop.sources.system import sample

PRESENT_EVERY = 2.0
"""Seconds between two present readings of the system."""

RUNNING_VALUES_EVERY = 0.5
"""Seconds: the least time between two present files that differ only by a running bar."""

CLOCK_EVERY = 600.0
CLOCK_JUMP = 1.0
FRESH = 60.0
"""Seconds: a log without a writer on this machine that changed this recently may be written elsewhere."""

QUIET = 600.0
"""Seconds of silence after which such a log counts as finished."""

Spawn = Callable[[Coroutine[Any, Any, None]], "asyncio.Task[None]"]


@dataclass(frozen=True)
class Assignment:
    """What a recorder is to record, and where."""

    session: Path
    pid: int | None
    log: str | None
    interval: float = 60.0
    reopen: str | None = None
    """Where to open the log when its name is gone: /proc/PID/fd/N of a deleted file."""
    notes: tuple[str, ...] = ()
    """What a person should know from the start, such as where the output goes."""


class BootClock:
    """Session time: seconds since the recording began, on a clock that counts suspend and never jumps."""

    def __init__(self) -> None:
        self._clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
        self.wall_start = time.time()
        self._start = time.clock_gettime(self._clock)

    def now(self) -> float:
        """Seconds of session time, to the millisecond."""
        return round(time.clock_gettime(self._clock) - self._start, 3)


class Recording:
    """Runs the two workers and writes their events until the job and its output have ended."""

    def __init__(self, assignment: Assignment) -> None:
        self.assignment = assignment
        self.clock = BootClock()
        # First the job: when it is gone, no empty session is left behind.
        self.tree = JobTree.open(assignment.pid) if assignment.pid is not None else None
        self.writer = SessionWriter(assignment.session)
        self.gpu = GpuReader()
        self._stopping = asyncio.Event()
        self._present = Present(t=0.0)
        self._present_written = -1.0
        self._present_stale: asyncio.TimerHandle | None = None
        self._milestones = Milestones()
        self._why = "the job ended"
        self._output: OutputWorker | None = None

    def stop(self, why: str) -> None:
        """Ask the recording to end soon: drain the log once more, write the end."""
        self._why = why
        self._stopping.set()

    async def run(self, spawn: Spawn = asyncio.create_task) -> None:
        """Record until the job ends, its log is read through, or `stop` is called.

        Args:
            spawn: starts a worker; the app starts them as its own.
        """
        try:
            await self._run(spawn)
        finally:
            if self._present_stale is not None:
                self._present_stale.cancel()
            await self.gpu.close()
            if self.tree is not None:
                self.tree.close()
            remove_present(self.assignment.session)
            self.writer.close()

    async def _run(self, spawn: Spawn) -> None:
        header = self._header()
        notes = [Note(t=0.0, text=text) for text in self.assignment.notes]
        self.write([header, Clock(t=0.0, wall=header.t0), *notes], sync=True)
        if self.writer.lost:
            # Without its header the file is no session, and whatever follows could not be read.
            raise FloydtopError(f"Cannot write the session {self.assignment.session}: {self.writer.why}.")
        self._write_present()
        clock = asyncio.create_task(self._watch_clock())
        system = spawn(self._sample_or_wait())
        output = spawn(self._noting_failure(self.follow_output()))
        stopping = asyncio.create_task(self._stopping.wait())
        # The job's end stops the follower after a last drain; a log without a job ends by itself.
        main = system if self.tree is not None else output
        done, _ = await asyncio.wait([main, stopping], return_when=asyncio.FIRST_COMPLETED)
        self._stopping.set()
        for task in (system, clock):
            if task is not main or main not in done:
                task.cancel()
        results = await asyncio.gather(system, output, clock, return_exceptions=True)
        stopping.cancel()
        failures = [
            r for r in results if isinstance(r, Exception) and not isinstance(r, asyncio.CancelledError)
        ]
        why = f"the recorder failed: {_in_words(failures[0])}" if failures else self._why
        self.write(self._milestones.rest())
        self.write([End(t=self.clock.now(), why=why, offset=self._bytes_read())], sync=True)
        if failures:
            raise failures[0]

    async def _noting_failure(self, work: Coroutine[Any, Any, None]) -> None:
        """A worker that fails is told at once: the other one may go on for days."""
        try:
            await work
        except Exception as failure:
            self._note_failure(failure)
            raise

    def _note_failure(self, failure: Exception) -> None:
        text = f"The recorder failed: {_in_words(failure)}"
        self.write([Note(t=self.clock.now(), text=text, level="error")], sync=True)

    async def _sample_or_wait(self) -> None:
        """Readings that fail must not end the recording: the job's metrics and its end are worth more."""
        try:
            await self.sample_system()
        except Exception as failure:
            self._note_failure(failure)
            if self.tree is None:
                raise
            self.write([JobState(t=self.clock.now(), state="running")])
            end = await self.tree.ended()
            self.write([JobState(t=self.clock.now(), state="exited", exit=end)], sync=True)

    def _header(self) -> Header:
        job = None
        if self.tree is not None:
            job = msgspec.structs.replace(
                self.tree.describe(), t=round(min(0.0, self.tree.started - self.clock.wall_start), 3)
            )
        log = None
        if self.assignment.log is not None:
            with contextlib.suppress(OSError):
                status = os.stat(self.assignment.reopen or self.assignment.log)
                log = Log(path=self.assignment.log, device=status.st_dev, inode=status.st_ino)
            log = log or Log(path=self.assignment.log, device=0, inode=0)
        return Header(
            format=FORMAT,
            v=VERSION,
            id=uuid.uuid4().hex,
            t0=self.clock.wall_start,
            boot=boot_id(),
            host=socket.gethostname(),
            interval=self.assignment.interval,
            by=f"floydtop {__version__}",
            recorder=os.getpid(),
            timezone=time.strftime("%Z"),
            job=job,
            log=log,
        )

    def write(self, events: Sequence[Event], *, sync: bool = False) -> None:
        """Append events to the session file."""
        self.writer.append(events, now=self.clock.now(), sync=sync)

    async def sample_system(self) -> None:
        """The first worker: system and GPU readings of the job's process tree, until the job ends."""
        if self.tree is None:
            told = kept.told_exit(self.assignment.log)
            state: JobStateName = "exited" if told is not None else "no-process"
            self.write([JobState(t=self.clock.now(), state=state, exit=told)], sync=True)
            return
        await self.gpu.start()
        async for event in sample(
            self.tree,
            self.gpu,
            now=self.clock.now,
            interval=self.assignment.interval,
            present_every=min(PRESENT_EVERY, self.assignment.interval),
        ):
            if isinstance(event, Present):
                self._present = msgspec.structs.replace(
                    event, metrics=self._present.metrics, progress=self._present.progress
                )
                self._write_present()
                self.write([Note(t=event.t, text=text, level="warning") for text in self.gpu.alerts()])
            elif isinstance(event, JobState):
                self.write([await self._with_exact_exit(event)], sync=True)
            else:
                self.write([event])

    async def _with_exact_exit(self, event: JobState) -> JobState:
        """The job's end as the keeper of its log knows it, where the kernel does not tell us."""
        log = self.assignment.log
        if event.state != "exited" or log is None or not kept.is_ours(log):
            return event
        await kept.last_words(log)
        if event.exit is not None and (event.exit.code, event.exit.signal) != (None, None):
            return event
        return msgspec.structs.replace(event, exit=kept.told_exit(log, self.assignment.pid) or event.exit)

    async def follow_output(self) -> None:
        """The second worker: follow the log, parse it, until it ends or the recording stops."""
        if self.assignment.log is None:
            await self._stopping.wait()
            return
        job_start = None
        if self.tree is not None:
            job_start = min(0.0, self.tree.started - self.clock.wall_start)
        self._output = OutputWorker(
            self.assignment.log,
            reopen=self.assignment.reopen,
            now=self.clock.now,
            job_start=job_start,
            write=self.write,
            show=self._show_running_values,
        )
        if self.tree is not None:
            await self._output.run(self._stopping)
            return
        self._why = "the log was read to its end"
        if is_packed(self.assignment.log) or kept.is_ours(self.assignment.log):
            # A packed log is complete, and of ours we know when it is.
            released = asyncio.create_task(self._stop_when_released(self.assignment.log))
            await self._output.run(self._stopping)
            released.cancel()
        else:
            await self._output.run(self._stopping, quiet_after=self._patience())

    async def _stop_when_released(self, log: str) -> None:
        while kept.is_held(log):
            await asyncio.sleep(0.2)
        self._stopping.set()

    def _bytes_read(self) -> int | None:
        """How much of the log, as it lies on the disk, this recording holds."""
        if self._output is None:
            return None
        log = self._output.log
        return os.stat(log).st_size if is_packed(log) else self._output.offset

    def _patience(self) -> float | None:
        """How long to wait for more of a log that no process here writes; None: for ever."""
        try:
            status = os.stat(self.assignment.reopen or self.assignment.log or "")
        except OSError:
            return None
        if status.st_size == 0:
            return None
        return QUIET if time.time() - status.st_mtime < FRESH else 0.0

    def _show_running_values(self, metrics: list[Metrics], progress: Progress | None) -> None:
        now = self.clock.now()
        progress = self._milestones.stamp(progress, now)
        self.write(self._milestones.due(now))
        if (metrics, progress) == (self._present.metrics, self._present.progress):
            return
        self._present = msgspec.structs.replace(self._present, metrics=metrics, progress=progress)
        if self._present_stale is None:
            delay = max(0.0, self._present_written + RUNNING_VALUES_EVERY - self.clock.now())
            self._present_stale = asyncio.get_running_loop().call_later(delay, self._write_present)

    def _write_present(self) -> None:
        if self._present_stale is not None:
            self._present_stale.cancel()
            self._present_stale = None
        self._present_written = self.clock.now()
        write_present(self.assignment.session, self._present)

    async def _watch_clock(self) -> None:
        """Note where the wall clock jumps, so that wall times stay right."""
        last_t, last_wall = 0.0, self.clock.wall_start
        while True:
            await asyncio.sleep(10.0)
            t, wall = self.clock.now(), time.time()
            jumped = abs((wall - last_wall) - (t - last_t)) > CLOCK_JUMP
            if jumped or t - last_t >= CLOCK_EVERY:
                self.write([Clock(t=t, wall=wall)])
                last_t, last_wall = t, wall


def _in_words(failure: Exception) -> str:
    return str(failure) if isinstance(failure, FloydtopError) else repr(failure)


def boot_id() -> str:
    """The kernel's name for this boot, empty where there is none."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""
