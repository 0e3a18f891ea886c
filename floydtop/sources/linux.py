"""A job on Linux: its process tree, what it uses of what it may use, and how it ends."""

from __future__ import annotations

import os
import select
import time
from contextlib import ExitStack

from floydtop.errors import FloydtopError
from floydtop.events import Exit, Job, JobStateName, Reading
from floydtop.sources import ending, procfs
from floydtop.sources.cpu import CpuMeter
from floydtop.sources.disk import DiskMeter
from floydtop.sources.ending import OomWatch
from floydtop.sources.family import Family
from floydtop.sources.limits import Limits
from floydtop.sources.memory import MemoryMeter
from floydtop.sources.patience import NoAnswer, Patient


class LinuxTree:
    """The process tree of a job; its identity is (pid, start time), never a bare pid."""

    def __init__(self, root: int, pidfd: int | None) -> None:
        """`root`: a handle on the root process; `pidfd`: None where the kernel has none. Use `open`."""
        self._root = root
        self._pidfd = pidfd
        self._stat = procfs.stat(root)
        self._family = Family(root)
        self._limits = Limits(root, self._family)
        self._memory = MemoryMeter(self._family, self._limits)
        self._disk = DiskMeter(root, self._family)
        self._cpu = CpuMeter(self._family, self._limits)
        self._oom = OomWatch(self._limits.oom_kills)

    @classmethod
    def open(cls, pid: int) -> LinuxTree:
        """Takes hold of the process `pid`; raises FloydtopError when there is none that we can see."""
        with ExitStack() as held:
            try:
                pidfd = ending.open_pidfd(pid)
                if pidfd is not None:
                    held.callback(os.close, pidfd)
                root = procfs.open_process(pid)
                held.callback(os.close, root)
                tree = cls(root, pidfd)
                if tree.has_ended() and not procfs.stat(root).zombie:
                    # It ended between the two, and the directory is that of a stranger with its pid.
                    raise ProcessLookupError(pid)
            except (OSError, OverflowError) as error:
                raise FloydtopError(_why_not(pid)) from error
            held.pop_all()
            return tree

    @property
    def started(self) -> float:
        """Unix time at which the root process started."""
        return procfs.unix_time(self._stat.start)

    def describe(self) -> Job:
        """The root process: command, working directory and user as far as the kernel tells."""
        return Job(
            pid=self._stat.pid,
            start=self._stat.start,
            command=self._command(),
            cwd=self._working_directory(),
            user=self._user(),
        )

    def pids(self) -> set[int]:
        """The live members, as of the last reading."""
        return self._family.pids

    def read(self, thorough: bool) -> Reading:
        """One look at the whole tree; rates are those since the look before.

        `thorough` readings also read what is costly or changes rarely: limits, and PSS whatever it costs
        within reason.
        """
        reading = Reading()
        now, ticks = time.monotonic(), procfs.ticks_now()
        if self.has_ended() or not self._family.look(thorough):
            reading.unknown = dict.fromkeys(
                ("cpu.percent", "memory.bytes", "disk.percent"), "the job has ended"
            )
            return reading
        if thorough:
            self._limits.refresh()
            self._cpu.refresh()
        else:
            self._limits.look()
        self._oom.remember()
        self._cpu.read(reading, now, ticks)
        self._memory.read(reading, thorough)
        self._disk.read(reading, now, ticks)
        return reading

    def facts(self) -> tuple[float | None, int | None, dict[str, str]]:
        """Cores and bytes of memory that the job may use, and where numbers come from: name -> sentence."""
        limits = self._limits
        notes = {
            "cpu": self._cpu.note,
            "cpu_cores": limits.cores_from,
            "memory": self._memory.note,
            "memory_bytes": limits.memory_from,
            "memory_peak": self._memory.peak_note,
            "disk": self._disk.note,
        }
        return limits.cores, limits.memory_bytes, {name: note for name, note in notes.items() if note}

    def watch_log(self, path: str) -> None:
        """From now on also reads how full the file system of the job's log is, if it is another one."""
        self._disk.log = path

    def state(self) -> JobStateName:
        """`stopped` when a signal or a debugger holds the root process, `exited` when it is gone."""
        try:
            state = procfs.stat(self._root).state
        except procfs.GONE:
            return "exited"
        if self.has_ended():
            return "exited"
        return "stopped" if state in "Tt" else "running"

    def has_ended(self) -> bool:
        """Whether the root process is gone or a zombie."""
        if self._pidfd is not None:
            poll = select.poll()
            poll.register(self._pidfd, select.POLLIN)
            return bool(poll.poll(0))
        try:
            return procfs.stat(self._root).zombie
        except procfs.GONE:
            return True

    async def ended(self) -> Exit:
        """Returns when the root process has ended, with what can be known about how."""
        import asyncio

        if self._pidfd is None:
            while not self.has_ended():
                await asyncio.sleep(0.25)
        else:
            loop, gone = asyncio.get_running_loop(), asyncio.Event()
            # A loop has one reader for each descriptor: with one's own, several can wait.
            pidfd = os.dup(self._pidfd)
            loop.add_reader(pidfd, gone.set)
            try:
                await gone.wait()
            finally:
                loop.remove_reader(pidfd)
                os.close(pidfd)
        return self._oom.verdict(await ending.how_it_ended(self._pidfd, self._root))

    def close(self) -> None:
        """Lets go of the process."""
        os.close(self._root)
        if self._pidfd is not None:
            os.close(self._pidfd)

    def _command(self) -> list[str]:
        try:
            # Reading another process's arguments waits for its memory lock, which a stuck process holds.
            text = Patient[bytes]("the process", 1.0).ask(lambda: procfs.read("cmdline", self._root))
        except (OSError, NoAnswer):
            text = b""
        words = text.decode(errors="replace").rstrip("\0").split("\0")
        return words if words != [""] else [f"[{self._stat.name}]"]

    def _working_directory(self) -> str | None:
        try:
            path = os.fsencode(os.readlink("cwd", dir_fd=self._root)).decode(errors="replace")
        except OSError:
            return None
        return path.removesuffix(" (deleted)")

    def _user(self) -> str | None:
        import pwd

        try:
            owner = os.fstat(self._root).st_uid
        except OSError:
            return None
        try:
            return pwd.getpwuid(owner).pw_name
        except KeyError:
            return str(owner)


def _why_not(pid: int) -> str:
    """Why a process cannot be watched, in one sentence."""
    try:
        group = int(procfs.field(procfs.read(f"/proc/{pid}/status"), "Tgid") or pid)
    except OSError:
        group = pid
    if group != pid:
        return f"{pid} is a thread of process {group}: give that number instead."
    absent = f"There is no process {pid} here: has it ended, or does it run in another container?"
    if pid <= 0:
        return absent
    try:
        os.kill(pid, 0)
    except PermissionError:
        return f"Process {pid} is hidden from you: another user owns it, and /proc is mounted with hidepid."
    except (OSError, OverflowError):
        return absent
    return f"Process {pid} can't be watched: it is ending, or floydtop has no file descriptor left."
