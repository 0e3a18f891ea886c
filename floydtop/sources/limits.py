"""What the job may use, and which cgroup is its own: limits of its cgroups, CPU affinity, the machine."""

from __future__ import annotations

import os

from floydtop.sources import cgroup, procfs
from floydtop.sources.cgroup import Level
from floydtop.sources.family import Family


class Limits:
    """The job's cgroups, for one job tree."""

    def __init__(self, root: int, family: Family) -> None:
        """`root` is a handle on the root process."""
        self._root = root
        self._family = family
        self._quota: list[Level] = []
        self._counting: list[list[Level]] = []
        self._memory: list[Level] = []
        self.cpu: Level | None = None
        """The job's own cgroup that counts CPU time."""
        self.memory: Level | None = None
        """The job's own cgroup that counts memory."""
        self.cores: float | None = None
        """Cores that the job may use, None when not known."""
        self.cores_from = "not known"
        self.memory_bytes: int | None = None
        """Memory that the job may use, None when not known."""
        self.memory_from = "not known"
        self._limited: list[Level] = []
        self._throttled: dict[Level, tuple[int, int]] = {}
        self.refresh()

    def refresh(self) -> None:
        """Reads the limits again: they can change, and the job can be moved."""
        try:
            memberships = cgroup.parse_memberships(procfs.read("cgroup", self._root).decode(errors="replace"))
            mounts = cgroup.mounts()
        except OSError:
            return
        self._quota = cgroup.levels(memberships, mounts, "cpu")
        self._memory = cgroup.levels(memberships, mounts, "memory")
        counting = [cgroup.levels(memberships, mounts, name) for name in ("cpuacct", "")]
        self._counting = [path for path in counting if path and cgroup.cpu_seconds(path[0]) is not None]
        self._read_cores()
        self._read_memory()
        self.cpu, self.memory = self._own_cpu(), self._own_memory()

    def look(self) -> None:
        """Makes sure that the cgroups taken for the job's own still are, and takes in their orphans."""
        if self.cpu is not None:
            self.cpu = self._own_cpu()
        if self.memory is not None:
            self.memory = self._own_memory()

    def throttled_percent(self) -> float | None:
        """Share of the quota periods since the last call in which the job was held back.

        None without a quota. Of several quotas up the path, the one that bites most.
        """
        shares = []
        for level in self._limited:
            counters = cgroup.throttling(level)
            if counters is None:
                continue
            earlier = self._throttled.get(level, counters)
            self._throttled[level] = counters
            if counters[0] > earlier[0]:
                shares.append(100.0 * (counters[1] - earlier[1]) / (counters[0] - earlier[0]))
        return max(shares, default=None)

    def oom_kills(self) -> dict[str, int]:
        """How often the out-of-memory killer has struck, by place, the job's own cgroup first.

        In v2 a cgroup counts for those below it too, which helps when the job's own is removed as it ends.
        """
        places = {}
        for level in self._memory:
            kills = cgroup.oom_kills(level)
            if kills is not None and (level.version == 2 or level == self._memory[0]):
                places[f"cgroup {level.path}"] = kills
        machine = procfs.counter(procfs.read("/proc/vmstat"), "oom_kill")
        if machine is not None:
            places["this machine"] = machine
        return places

    def _own_cpu(self) -> Level | None:
        for path in self._counting:
            if own := self._own(path, self.cpu):
                return own
        return None

    def _own_memory(self) -> Level | None:
        own = self._own(self._memory, self.memory)
        return own if own is not None and cgroup.working_set(own) is not None else None

    def _own(self, path: list[Level], before: Level | None) -> Level | None:
        established = before is not None
        return cgroup.owned(
            path, self._family.pids, lambda pid: self._family.adopt_from_cgroup(pid, established)
        )

    def _read_cores(self) -> None:
        allowed: set[int] = set()
        for pid in self._family.pids:
            allowed |= _affinity(pid)
        quotas = {level: quota for level in self._quota if (quota := cgroup.cpu_quota(level)) is not None}
        self._limited = list(quotas)
        limits = [(quota, f"quota of cgroup {level.path}") for level, quota in quotas.items()]
        if allowed:
            pinned = len(allowed) < (os.cpu_count() or 1)
            limits.append((float(len(allowed)), "CPU affinity or cpuset" if pinned else "the machine"))
        if limits:
            self.cores, self.cores_from = min(limits)

    def _read_memory(self) -> None:
        found = ((cgroup.memory_limit(level), f"limit of cgroup {level.path}") for level in self._memory)
        limits = [(limit, source) for limit, source in found if limit is not None]
        total = procfs.size(procfs.read("/proc/meminfo"), "MemTotal")
        if total is not None:
            limits.append((total, "the machine"))
        if limits:
            self.memory_bytes, self.memory_from = min(limits)


def _affinity(pid: int) -> set[int]:
    """CPUs that any thread of a process may run on.

    All threads, because OpenMP runtimes pin the main thread to one core and the others to the rest.
    """
    allowed: set[int] = set()
    try:
        with procfs.process(pid) as handle:
            for thread in procfs.threads(handle, procfs.stat(handle)):
                allowed |= os.sched_getaffinity(thread)
    except (*procfs.GONE, PermissionError):
        pass
    return allowed
