"""One job: its process tree, what it uses of what it may use, and how it ends."""

from __future__ import annotations

import os
import select
import time

from floydtop.errors import FloydtopError
from floydtop.events import Exit, Job, JobStateName, Reading
from floydtop.sources import cgroup, ending, procfs
from floydtop.sources.container import Container
from floydtop.sources.disk import DiskMeter, parents_of
from floydtop.sources.family import Family
from floydtop.sources.memory import MemoryMeter
from floydtop.sources.patience import NoAnswer, Patient
from floydtop.sources.usage import Count, Look, spent

NOTICEABLE = 0.05
"""CPU seconds that may go missing in rounding (the kernel shows hundredths) before we speak of loss."""

SIGCHLD_BIT = 1 << 16
"""In the signal masks of /proc/PID/status."""


class JobTree:
    """The process tree of a job; its identity is (pid, start time), never a bare pid."""

    def __init__(self, root: int, pidfd: int | None) -> None:
        """`root`: a handle on the root process; `pidfd`: None where the kernel has none. Use `open`."""
        self._root = root
        self._pidfd = pidfd
        self._stat = procfs.stat(root)
        self._family = Family(root)
        self._container = Container(root, self._family)
        self._memory = MemoryMeter(self._family, self._container)
        self._disk = DiskMeter(root, self._family)
        self._cpu = CpuMeter(self._family, self._container)
        self._oom_kills = self._container.count_oom_kills()

    @classmethod
    def open(cls, pid: int) -> JobTree:
        """Takes hold of the process `pid`; raises FloydtopError when there is none that we can see."""
        try:
            pidfd = ending.open_pidfd(pid)
            root = procfs.open_process(pid)
        except (*procfs.GONE, OSError) as error:
            raise FloydtopError(_absence(pid)) from error
        try:
            return cls(root, pidfd)
        except procfs.GONE as error:
            os.close(root)
            if pidfd is not None:
                os.close(pidfd)
            raise FloydtopError(f"Process {pid} ended while floydtop was looking at it.") from error

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
        if self.has_ended() or not self._family.look():
            reading.unknown = dict.fromkeys(
                ("cpu.percent", "memory.percent", "disk.percent"), "the job has ended"
            )
            return reading
        self._family.find_orphans()
        if thorough:
            self._container.refresh()
            self._cpu.refresh()
        else:
            self._container.look()
        kills = self._container.count_oom_kills()
        self._oom_kills = kills
        self._cpu.read(reading, now, ticks)
        self._memory.read(reading, thorough)
        self._disk.read(reading, now, ticks)
        return reading

    def facts(self) -> tuple[float | None, int | None, dict[str, str]]:
        """Cores and bytes of memory that the job may use, and where numbers come from: name -> sentence."""
        container = self._container
        notes = {
            "cpu": self._cpu.note,
            "cpu_cores": container.cores_from,
            "memory": self._memory.note,
            "memory_bytes": container.memory_from,
        }
        return container.cores, container.memory_bytes, {name: note for name, note in notes.items() if note}

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
            loop.add_reader(self._pidfd, gone.set)
            try:
                await gone.wait()
            finally:
                loop.remove_reader(self._pidfd)
        end = await ending.how_it_ended(self._pidfd, self._root)
        return ending.blame_memory(end, self._oom_kills, self._container.count_oom_kills())

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
            return os.fsencode(os.readlink("cwd", dir_fd=self._root)).decode(errors="replace")
        except OSError:
            return None

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


class CpuMeter:
    """Reads the CPU use of one job tree."""

    def __init__(self, family: Family, container: Container) -> None:
        self._family = family
        self._container = container
        self._before: tuple[Look, float, float] | None = None
        self._counter: tuple[cgroup.Level, float] | None = None
        self._discards: set[int] = set()
        self._lost = 0.0
        self._has_been_throttled = False

    @property
    def note(self) -> str:
        """Which counter the CPU time comes from, and whether it is known to miss some."""
        if self._container.cpu is not None:
            return f"counter of the job's own cgroup {self._container.cpu.path}"
        problems = []
        if self._discards:
            pids = ", ".join(map(str, sorted(self._discards)[:3]))
            problems.append(
                f"process {pids} ignores SIGCHLD, so that the time of its ended children is dropped"
            )
        if self._lost > NOTICEABLE:
            problems.append("processes ended without a parent in the job to wait for them")
        if self._family.strays:
            problems.append(f"{self._family.strays} orphans of its process group are not counted")
        if problems:
            return f"process tree, partial: {'; '.join(problems)}"
        return "process tree, with the children it waited for"

    def refresh(self) -> None:
        """Looks for members that discard the CPU time of their children."""
        self._discards = set()
        for pid in self._family.pids:
            try:
                with procfs.process(pid) as handle:
                    ignored = procfs.table(procfs.read("status", handle)).get("SigIgn", "0")
            except procfs.GONE:
                continue
            if int(ignored, 16) & SIGCHLD_BIT:
                self._discards.add(pid)

    def read(self, reading: Reading, now: float, ticks: float) -> None:
        """Adds cpu.* to `reading`."""
        cores = self._cores_used(now, ticks)
        if cores is None:
            reading.unknown |= dict.fromkeys(("cpu.cores", "cpu.percent"), "needs a second reading")
        else:
            reading.values["cpu.cores"] = cores
            if self._container.cores:
                reading.values["cpu.percent"] = min(100.0, 100.0 * cores / self._container.cores)
            else:
                reading.unknown["cpu.percent"] = "it is not known how many cores the job may use"
        throttled = self._container.throttled_percent()
        if throttled is not None:
            self._has_been_throttled = self._has_been_throttled or throttled > 0
            if self._has_been_throttled:
                reading.values["cpu.throttled_percent"] = throttled

    def _cores_used(self, now: float, ticks: float) -> float | None:
        """Cores in use since the last call, by the cgroup's counter if the job owns it, else by the tree."""
        own = self._container.cpu
        seconds = None if own is None else cgroup.cpu_seconds(own)
        counter = None if own is None or seconds is None else (own, seconds)
        sights = self._family.members.values()
        counts = {
            sight.member: Count(sight.stat.own + sight.stat.waited, sight.stat.waited) for sight in sights
        }
        look = Look(counts, parents_of(self._family))
        before, self._before = self._before, (look, now, ticks)
        earlier, self._counter = self._counter, counter
        if before is None or now <= before[1]:
            return None
        used = spent(before[0], look, before[2])
        self._lost += used.lost
        if earlier is not None and counter is not None and earlier[0] == counter[0]:
            return max(0.0, counter[1] - earlier[1]) / (now - before[1])
        return used.used / (now - before[1])


def _absence(pid: int) -> str:
    """Why a process cannot be watched, in one sentence."""
    try:
        os.kill(pid, 0)
    except PermissionError:
        return (
            f"Process {pid} is hidden from you: it belongs to another user and /proc is mounted with hidepid."
        )
    except OSError:
        pass
    return f"There is no process {pid} on this machine: has it ended, or does it run in another container?"
