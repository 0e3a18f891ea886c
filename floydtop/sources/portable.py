"""A job on systems other than Linux, through psutil: less is known there, and said so.

Written for macOS by psutil's documentation and tested on Linux only.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable

import psutil

from floydtop.errors import FloydtopError
from floydtop.events import Exit, Job, JobStateName, Reading
from floydtop.sources.usage import Count, Look, Member, spent

MICROSECONDS = 1_000_000
"""A process is told from a later one with its pid by its create time in this unit."""

EVERY = 0.5
"""Seconds between two looks at whether the root process still runs."""


class PortableTree:
    """The process tree of a job, as `LinuxTree`, where there is no /proc."""

    def __init__(self, root: psutil.Process) -> None:
        """Use `open`."""
        self._root = root
        self._start = _start(root)
        self._members: dict[Member, psutil.Process] = {(root.pid, self._start): root}
        self._before: tuple[Look, float, float] | None = None
        self._memory_note = ""

    @classmethod
    def open(cls, pid: int) -> PortableTree:
        """Takes hold of the process `pid`; raises FloydtopError when there is none that we can see."""
        try:
            return cls(psutil.Process(pid))
        except (psutil.Error, ValueError, OverflowError) as error:
            raise FloydtopError(f"There is no process {pid} here that you may look at.") from error

    @property
    def started(self) -> float:
        """Unix time at which the root process started."""
        return self._start / MICROSECONDS

    def describe(self) -> Job:
        """The root process: command, working directory and user as far as the system tells."""
        command: list[str] = []
        cwd = user = None
        try:
            command = self._root.cmdline() or [self._root.name()]
            user = self._root.username()
            cwd = self._root.cwd()
        except psutil.Error:
            pass
        return Job(pid=self._root.pid, start=self._start, command=command, cwd=cwd, user=user)

    def pids(self) -> set[int]:
        """The live members, as of the last reading."""
        return {pid for pid, _ in self._members}

    def read(self, thorough: bool) -> Reading:
        """One look at the whole tree; rates are those since the look before.

        `thorough` makes no difference here: all readings are of the same kind.
        """
        reading = Reading()
        now, wall = time.monotonic(), time.time() * MICROSECONDS
        if self.has_ended():
            reading.unknown = dict.fromkeys(
                ("cpu.percent", "memory.bytes", "disk.percent"), "the job has ended"
            )
            return reading
        self._look()
        self._read_cpu(reading, now, wall)
        self._read_memory(reading)
        self._read_disk(reading)
        return reading

    def facts(self) -> tuple[float | None, int | None, dict[str, str]]:
        """Cores and bytes of memory that the job may use, and where numbers come from: name -> sentence."""
        notes = {"cpu": "process tree, without children that have ended", "memory": self._memory_note}
        return (
            os.cpu_count(),
            psutil.virtual_memory().total,
            {name: note for name, note in notes.items() if note},
        )

    def watch_log(self, path: str) -> None:
        """The file system of the log is not looked at here."""

    def state(self) -> JobStateName:
        """`stopped` when a signal holds the root process, `exited` when it is gone."""
        if self.has_ended():
            return "exited"
        try:
            return "stopped" if self._root.status() == psutil.STATUS_STOPPED else "running"
        except psutil.Error:
            return "running"

    def has_ended(self) -> bool:
        """Whether the root process is gone or a zombie."""
        try:
            return not self._root.is_running() or self._root.status() == psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return True
        except psutil.Error:
            return False

    async def ended(self) -> Exit:
        """Returns when the root process has ended; only its parent can know how."""
        import asyncio

        while not self.has_ended():
            await asyncio.sleep(EVERY)
        return Exit(how="exit code unknown: this system tells it to the parent process only")

    def close(self) -> None:
        """There is nothing to let go of."""

    def _look(self) -> None:
        """Finds the members again; one that was found once stays, whoever its parent is now."""
        known = [process for process in self._members.values() if _still_runs(process)]
        found = {(process.pid, _start(process)): process for process in known}
        try:
            for child in self._root.children(recursive=True):
                found.setdefault((child.pid, _start(child)), child)
        except psutil.Error:
            pass
        self._members = found

    def _read_cpu(self, reading: Reading, now: float, wall: float) -> None:
        counts = {}
        for member, process in self._members.items():
            try:
                times = process.cpu_times()
            except psutil.Error:
                continue
            waited = times.children_user + times.children_system
            counts[member] = Count(times.user + times.system + waited, waited)
        look = Look(counts, dict.fromkeys(counts, (self._root.pid, self._start)))
        before, self._before = self._before, (look, now, wall)
        if before is None or now <= before[1]:
            reading.unknown |= dict.fromkeys(("cpu.cores", "cpu.percent"), "needs a second reading")
            return
        cores = spent(before[0], look, before[2]).used / (now - before[1])
        reading.values["cpu.cores"] = cores
        reading.values["cpu.percent"] = min(100.0, 100.0 * cores / (os.cpu_count() or 1))

    def _read_memory(self, reading: Reading) -> None:
        try:
            size = sum(process.memory_full_info().uss for process in self._members.values())
            self._memory_note = "memory that each process has for itself (USS); shared pages are not counted"
        except psutil.Error:
            size = _resident(self._members.values())
            self._memory_note = "at most: sum of RSS, shared pages count more than once"
        reading.values["memory.bytes"] = size
        reading.values["memory.percent"] = min(100.0, 100.0 * size / psutil.virtual_memory().total)

    def _read_disk(self, reading: Reading) -> None:
        reason = "this system does not tell what a process reads and writes"
        reading.unknown |= dict.fromkeys(("disk.read_bytes_per_s", "disk.write_bytes_per_s"), reason)
        try:
            space = psutil.disk_usage(self._root.cwd())
        except (psutil.Error, OSError) as error:
            reading.unknown["disk.percent"] = f"the working directory is not known: {error}"
        else:
            reading.values["disk.percent"] = space.percent


def _start(process: psutil.Process) -> int:
    return round(process.create_time() * MICROSECONDS)


def _still_runs(process: psutil.Process) -> bool:
    try:
        return process.is_running()
    except psutil.Error:
        return False


def _resident(processes: Iterable[psutil.Process]) -> int:
    size = 0
    for process in processes:
        try:
            size += process.memory_info().rss
        except psutil.Error:
            continue
    return size
