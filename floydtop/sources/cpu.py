"""How many cores the job keeps busy, of those it may use, and whether a quota holds it back."""

from __future__ import annotations

from floydtop.events import Reading
from floydtop.sources import cgroup, procfs
from floydtop.sources.disk import parents_of
from floydtop.sources.family import Family
from floydtop.sources.limits import Limits
from floydtop.sources.usage import Count, Look, spent

NOTICEABLE = 0.05
"""CPU seconds that may go missing in rounding (the kernel shows hundredths) before we speak of loss."""

SIGCHLD_BIT = 1 << 16
"""In the signal masks of /proc/PID/status."""


class CpuMeter:
    """Reads the CPU use of one job tree."""

    def __init__(self, family: Family, limits: Limits) -> None:
        self._family = family
        self._limits = limits
        self._before: tuple[Look, float, float] | None = None
        self._counter: tuple[cgroup.Level, float] | None = None
        self._discards: set[int] = set()
        self._lost = 0.0
        self._has_been_throttled = False

    @property
    def note(self) -> str:
        """Which counter the CPU time comes from, and whether it is known to miss some."""
        if self._limits.cpu is not None:
            return f"counter of the job's own cgroup {self._limits.cpu.path}"
        problems = []
        if self._discards:
            pids = ", ".join(map(str, sorted(self._discards)[:3]))
            problems.append(
                f"process {pids} ignores SIGCHLD, so that the time of its ended children is dropped"
            )
        if self._lost > NOTICEABLE:
            problems.append("processes ended without a parent in the job to wait for them")
        if self._family.strays:
            problems.append(
                f"{self._family.strays} orphans of its process group may be its own, and are not counted"
            )
        if problems:
            return f"process tree, partial: {'; '.join(problems)}"
        return "process tree, with the children it waited for"

    def refresh(self) -> None:
        """Looks for members that discard the CPU time of their children."""
        self._discards = set()
        for pid in self._family.pids:
            try:
                with procfs.process(pid) as handle:
                    ignored = procfs.field(procfs.read("status", handle), "SigIgn") or "0"
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
            if self._limits.cores:
                reading.values["cpu.percent"] = min(100.0, 100.0 * cores / self._limits.cores)
            else:
                reading.unknown["cpu.percent"] = "it is not known how many cores the job may use"
        throttled = self._limits.throttled_percent()
        if throttled is not None:
            self._has_been_throttled = self._has_been_throttled or throttled > 0
            if self._has_been_throttled:
                reading.values["cpu.throttled_percent"] = throttled

    def _cores_used(self, now: float, ticks: float) -> float | None:
        """Cores in use since the last call, by the cgroup's counter if the job owns it, else by the tree."""
        own = self._limits.cpu
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
