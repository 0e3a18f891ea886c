"""One recording in progress: two workers, one session file, one clock."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import msgspec

from floydtop.errors import FloydtopError
from floydtop.events import (
    End,
    Event,
    Exit,
    Gap,
    JobState,
    JobStateName,
    Metrics,
    Note,
    Position,
    Present,
    Progress,
)
from floydtop.recorder import kept
from floydtop.recorder.assignment import Assignment
from floydtop.recorder.clock import SessionClock
from floydtop.recorder.heading import heading, pause
from floydtop.recorder.milestones import Milestones
from floydtop.recorder.output import ONLY_COPY_BUDGET, TEXT_BUDGET, OutputWorker
from floydtop.recorder.past import Past, read_past
from floydtop.recorder.silence import Silence
from floydtop.session.budget import Budget
from floydtop.session.owner import boot_id, ourselves
from floydtop.session.tidy import Tidying
from floydtop.session.writer import SYNC_EVERY, SessionWriter, remove_present, write_present
from floydtop.sources.finished import is_packed
from floydtop.sources.gpu import GpuReader
from floydtop.sources.process import JobTree
from floydtop.sources.system import sample

PRESENT_EVERY = 2.5
"""Seconds between two present readings of the system."""

RUNNING_VALUES_EVERY = 0.5
"""Seconds: the least time between two present files that differ only by a running bar."""

CLOCK_EVERY = 600.0
CLOCK_JUMP = 1.0
FRESH = 60.0
"""Seconds: a log without a writer on this machine that changed this recently may be written elsewhere."""

QUIET = 600.0
"""Seconds of silence after which such a log counts as finished."""

__all__ = ["Recording", "boot_id"]

Spawn = Callable[[Coroutine[Any, Any, None]], "asyncio.Task[None]"]


class Recording:
    """Runs the two workers and writes their events until the job and its output have ended."""

    def __init__(self, assignment: Assignment, clock: SessionClock | None = None) -> None:
        self.assignment = assignment
        self.clock = clock or SessionClock()
        # First the job: when it is gone, no empty session is left behind.
        self.tree = JobTree.open(assignment.pid) if assignment.pid is not None else None
        self.writer = SessionWriter(assignment.session)
        self._size_before = self.writer.size
        self._past = self._take_over()
        self._segment = self._past.segment + 1 if self._past is not None else 0
        self._noted_position = Position(t=0.0)
        self._budget = Budget(assignment.budget)
        self.gpu = GpuReader()
        self._stopping = asyncio.Event()
        self._leaving = asyncio.Event()
        """Somebody has asked us to end, and waits."""
        self._present = Present(t=0.0, recorder=ourselves())
        self._present_written = -1.0
        self._present_stale: asyncio.TimerHandle | None = None
        self._milestones = Milestones()
        self._why = "the job ended"
        self._output: OutputWorker | None = None
        log = assignment.reopen or assignment.log or ""
        self._silence = Silence(log, self._warn) if os.path.isabs(log) else None
        # At the end of the job its mount may be dead.
        self._kept = assignment.log is not None and kept.is_ours(assignment.log)

    @property
    def silent(self) -> bool:
        """Whether a thread of ours waits for a mount that does not answer: it may do so for ever."""
        return self._silence is not None and bool(self._silence.why)

    def _warn(self, text: str) -> None:
        self.write([Note(t=self.clock.now(), text=text, level="warning")])

    def _take_over(self) -> Past | None:
        """Go on with the recording that the file holds, if it holds one."""
        try:
            past = read_past(self.assignment.session)
        except FloydtopError:
            self.writer.close()
            raise
        if past is not None:
            header = past.header
            self.clock.continue_from(past.t, past.clock, header.boot, header.t0)
        return past

    def stop(self, why: str) -> None:
        """Ask the recording to end soon: drain the log once more if it is short, write the end."""
        self._why = why
        self._leaving.set()
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
        header = heading(self.assignment, self.tree, self.clock, self._past)
        anchor = self.clock.anchor()
        now = anchor.t
        begin: list[Event] = [header, anchor]
        if self._past is None:
            log = header.log
            begin.append(Position(t=now, device=log.device, inode=log.inode) if log else Position(t=now))
        else:
            begin.append(pause(self._past, now))
        begin += [Note(t=now, text=text) for text in self.assignment.notes]
        self.write(begin, sync=True)
        if self.writer.lost:
            # Without its header the file is no session, and whatever follows could not be read.
            raise FloydtopError(f"Cannot write the session {self.assignment.session}: {self.writer.why}.")
        self._write_present()
        clock = asyncio.create_task(self._keep_up())
        listening = asyncio.create_task(self._silence.listen()) if self._silence is not None else clock
        system = spawn(self._sample_or_wait())
        output = spawn(self._noting_failure(self.follow_output()))
        stopping = asyncio.create_task(self._stopping.wait())
        # The job's end stops the follower after a last drain; a log without a job ends by itself.
        main = system if self.tree is not None else output
        done, _ = await asyncio.wait([main, stopping], return_when=asyncio.FIRST_COMPLETED)
        self._stopping.set()
        for task in (system, clock, listening):
            if task is not main or main not in done:
                task.cancel()
        await self._give_up_when_silent(output)
        results = await asyncio.gather(system, output, clock, return_exceptions=True)
        stopping.cancel()
        failures = [
            r for r in results if isinstance(r, Exception) and not isinstance(r, asyncio.CancelledError)
        ]
        why = f"the recorder failed: {_in_words(failures[0])}" if failures else self._why
        self.write(self._milestones.rest())
        self._note_position()
        self.write(self._budget.rest(self.clock.now()))
        self.write([End(t=self.clock.now(), why=why, offset=self._bytes_read())], sync=True)
        if failures:
            raise failures[0]

    async def _give_up_when_silent(self, output: asyncio.Task[None]) -> None:
        """Wait for the last of the output, for as long as its file system answers."""
        while self._silence is not None and not output.done():
            done, _ = await asyncio.wait([output], timeout=1.0)
            if done:
                return
            await self._silence.look()
            if self.silent:
                why = f"the end of the log was not read: {self._silence.why}"
                self.write([Gap(t=self.clock.now(), lost=0, why=why)])
                while not output.done():
                    # Each thing that it still waits for, such as the closing of the file.
                    output.cancel()
                    await asyncio.wait([output], timeout=0.1)

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

    def write(self, events: Sequence[Event], *, sync: bool = False) -> None:
        """Append events to the session file."""
        now = self.clock.now()
        self.writer.append(self._budget.admit(events, self.writer.size, now), now=now, sync=sync)

    async def sample_system(self) -> None:
        """The first worker: system and GPU readings of the job's process tree, until the job ends."""
        if self.tree is None:
            self._tell_of_no_process()
            return
        await self.gpu.start()
        if self.assignment.log is not None and os.path.isabs(self.assignment.log):
            # Else it is the address of a terminal, which lies in no file system.
            self.tree.watch_log(self.assignment.log)
        async for event in sample(
            self.tree,
            self.gpu,
            now=self.clock.now,
            interval=self.assignment.interval,
            present_every=min(PRESENT_EVERY, self.assignment.interval),
        ):
            if isinstance(event, Present):
                self._present = msgspec.structs.replace(
                    self._present,
                    t=event.t,
                    values=event.values,
                    unknown=event.unknown,
                    others=self.gpu.others().values,
                )
                self._write_present()
                self.write([Note(t=event.t, text=text, level="warning") for text in self.gpu.alerts()])
            elif isinstance(event, JobState):
                self.write([await self._with_exact_exit(event)], sync=True)
            else:
                self.write([event])

    def _tell_of_no_process(self) -> None:
        past = self._past
        if past is not None and past.state is not None and past.state.state == "exited":
            return
        told = kept.told_exit(self.assignment.log)
        if told is None and past is not None and past.header.job is not None:
            told = Exit(how="it ended while nobody recorded it")
        state: JobStateName = "exited" if told is not None else "no-process"
        self.write([JobState(t=self.clock.now(), state=state, exit=told)], sync=True)

    async def _with_exact_exit(self, event: JobState) -> JobState:
        """The job's end as the keeper of its log knows it, where the kernel does not tell us."""
        log = self.assignment.log
        if event.state != "exited" or log is None or not self._kept:
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
            past=self._past,
            text_budget=self._text_budget(),
            rules=self.assignment.rules,
            wall_start=self.clock.wall_start,
            room=lambda: self.writer.size < self._budget.size // 2,
        )
        if self.tree is not None:
            await self._output.run(self._stopping, None, self._leaving)
            return
        self._why = "the log was read to its end"
        if is_packed(self.assignment.log) or self._kept:
            # A packed log is complete, and of ours we know when it is.
            released = asyncio.create_task(self._stop_when_released(self.assignment.log))
            await self._output.run(self._stopping, None, self._leaving)
            released.cancel()
        else:
            await self._output.run(self._stopping, self._patience(), self._leaving)

    def _text_budget(self) -> int:
        """How much of the output's text to keep: little of a log that stays, which can be read itself."""
        log = self.assignment.log or ""
        if self.assignment.reopen is None and os.path.isfile(log) and not is_packed(log):
            return max(0, TEXT_BUDGET - self._size_before)
        return max(0, ONLY_COPY_BUDGET - self._size_before)

    async def _stop_when_released(self, log: str) -> None:
        while kept.is_held(log):
            await asyncio.sleep(0.2)
        self._stopping.set()

    def _bytes_read(self) -> int | None:
        """How much of the log, as it lies on the disk, this recording holds; None: not all up to a place."""
        if self._output is None or self._output.position(self._segment).back or self.silent:
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

    async def _keep_up(self) -> None:
        """Every few seconds: note how far the log was read and where the clocks stand, on the disk."""
        last = self.clock.anchor()
        tidying: Tidying | None = None
        while True:
            await asyncio.sleep(SYNC_EVERY)
            now = self.clock.anchor()
            jumped = abs((now.wall - last.wall) - (now.t - last.t)) > CLOCK_JUMP
            if jumped or now.t - last.t >= CLOCK_EVERY:
                self.write([now])
                last = now
            self._note_position()
            self.writer.sync()
            if self.writer.gone:
                # A recorder without a session could be neither seen nor stopped.
                self.stop(self.writer.gone)
            if tidying is None:
                tidying = Tidying()
            self.write([Note(t=now.t, text=text) for text in tidying.told()])

    def _note_position(self) -> None:
        if self._output is None:
            return
        position = self._output.position(self._segment)
        if (position.offset, position.line) != (self._noted_position.offset, self._noted_position.line):
            self._noted_position = position
            self.write([position])


def _in_words(failure: Exception) -> str:
    return str(failure) if isinstance(failure, FloydtopError) else repr(failure)
