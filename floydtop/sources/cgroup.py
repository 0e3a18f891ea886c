"""The control groups a job runs in: what they allow, what they have counted, and whether they are its own.

Reads cgroup v1 and v2, alone or side by side, and containers seen from inside and outside.
Formats: cgroups(7), and Documentation/admin-guide/cgroup-v1 and cgroup-v2.rst of the kernel.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import NamedTuple

from floydtop.sources import procfs

NO_LIMIT = 1 << 60
"""cgroup v1 says 'no limit' with 2**63 less a page; nothing beyond this is a limit."""


class Mount(NamedTuple):
    """A mounted cgroup hierarchy."""

    version: int
    controllers: frozenset[str]
    root: str
    """The cgroup that is mounted; not `/` inside a container without a cgroup namespace."""
    point: str


class Level(NamedTuple):
    """One cgroup on the way from the job's own up to the top of what we can see."""

    directory: str
    version: int
    path: str
    """Its name, as /proc/PID/cgroup writes it."""


def parse_mounts(mountinfo: str) -> list[Mount]:
    """The cgroup hierarchies among the lines of /proc/self/mountinfo (see proc(5))."""
    found = []
    for line in mountinfo.splitlines():
        fields = line.split()
        if "-" not in fields[6:]:
            continue
        kind = fields.index("-", 6) + 1
        root, point = (field.replace("\\040", " ") for field in fields[3:5])
        if fields[kind] == "cgroup2":
            found.append(Mount(2, frozenset(), root, point))
        elif fields[kind] == "cgroup":
            found.append(Mount(1, frozenset(fields[kind + 2].split(",")), root, point))
    return found


def parse_memberships(text: str) -> dict[str, str]:
    """/proc/PID/cgroup as controller -> path; the v2 hierarchy has the empty name."""
    paths = {}
    for line in text.splitlines():
        _, controllers, path = line.split(":", 2)
        for controller in controllers.split(","):
            paths[controller] = path.removesuffix(" (deleted)")
    return paths


def mounts() -> list[Mount]:
    """The cgroup hierarchies that are mounted here."""
    return parse_mounts(procfs.read("/proc/self/mountinfo").decode(errors="replace"))


def levels(memberships: dict[str, str], hierarchies: Iterable[Mount], controller: str) -> list[Level]:
    """The job's cgroups for one controller, its own first, up to the mount point.

    The v1 hierarchy of the controller if there is one, else v2 (`controller` "" asks for v2 alone). Empty
    when no such hierarchy is mounted or the job is outside the part that we can see.
    """
    for mount in sorted(hierarchies):
        if mount.version == 1 and controller in mount.controllers:
            return _levels_under(mount, memberships.get(controller))
        if mount.version == 2:
            return _levels_under(mount, memberships.get(""))
    return []


def _levels_under(mount: Mount, path: str | None) -> list[Level]:
    root = "" if mount.root == "/" else mount.root
    if path is None or "/.." in path or not f"{path}/".startswith(f"{root}/"):
        return []
    below = path[len(root) :].strip("/")
    found = []
    while below:
        found.append(Level(f"{mount.point}/{below}", mount.version, f"{root}/{below}"))
        below = below.rpartition("/")[0]
    found.append(Level(mount.point, mount.version, mount.root))
    return [level for level in found if os.path.isdir(level.directory)]


def processes(level: Level) -> set[int]:
    """Pids in a cgroup and those below it; 0 stands for one outside our pid namespace."""
    found: set[int] = set()
    for directory, _, _ in os.walk(level.directory):
        try:
            found.update(map(int, procfs.read(f"{directory}/cgroup.procs").split()))
        except OSError:
            continue
    return found


def owned(path: list[Level], pids: set[int], belongs: Callable[[int], bool]) -> Level | None:
    """The cgroup that holds the whole job and nothing else, if there is one.

    `belongs` is asked about processes in the cgroup that are not among `pids`. The top level is never a
    job's own.
    """
    for level in path[:-1]:
        present = processes(level)
        if not all(belongs(pid) for pid in present - pids):
            return None
        if present and pids <= present:
            return level
    return None


def cpu_quota(level: Level) -> float | None:
    """Cores that the group may use, None without a quota."""
    if level.version == 2:
        limit = _words(level, "cpu.max")
    else:
        limit = _words(level, "cpu.cfs_quota_us") + _words(level, "cpu.cfs_period_us")
    if len(limit) < 2 or limit[0] == "max" or int(limit[0]) <= 0:
        return None
    return int(limit[0]) / int(limit[1])


def throttling(level: Level) -> tuple[int, int] | None:
    """Quota periods so far, and those in which the group was held back."""
    periods, throttled = (_counter(level, "cpu.stat", name) for name in ("nr_periods", "nr_throttled"))
    return None if periods is None or throttled is None else (periods, throttled)


def cpu_seconds(level: Level) -> float | None:
    """CPU time of all processes that ever were in the group and those below it."""
    if level.version == 2:
        microseconds = _counter(level, "cpu.stat", "usage_usec")
        return None if microseconds is None else microseconds / 1e6
    nanoseconds = _number(level, "cpuacct.usage")
    return None if nanoseconds is None else nanoseconds / 1e9


def memory_limit(level: Level) -> int | None:
    """Bytes that the group may use; in v1 this includes limits of groups above that we can't see."""
    if level.version == 2:
        limits = [_number(level, "memory.max")]
    else:
        hierarchical = _counter(level, "memory.stat", "hierarchical_memory_limit")
        limits = [_number(level, "memory.limit_in_bytes"), hierarchical]
    return min((limit for limit in limits if limit is not None and limit < NO_LIMIT), default=None)


def working_set(level: Level) -> int | None:
    """Bytes in use without the page cache that could go at once, which is what can get the group killed."""
    if level.version == 2:
        usage, cold = _number(level, "memory.current"), "inactive_file"
    else:
        usage, cold = _number(level, "memory.usage_in_bytes"), "total_inactive_file"
    if usage is None:
        return None
    return max(0, usage - (_counter(level, "memory.stat", cold) or 0))


def swap(level: Level) -> int | None:
    """Bytes of the group that were swapped out."""
    if level.version == 2:
        return _number(level, "memory.swap.current")
    both, memory = _number(level, "memory.memsw.usage_in_bytes"), _number(level, "memory.usage_in_bytes")
    return None if both is None or memory is None else max(0, both - memory)


def oom_kills(level: Level) -> int | None:
    """Processes of the group that the out-of-memory killer has killed; v2 includes the groups below."""
    name = "memory.events" if level.version == 2 else "memory.oom_control"
    return _counter(level, name, "oom_kill")


def _text(level: Level, name: str) -> bytes:
    """A file of the group, empty when the group or the controller is not there."""
    try:
        return procfs.read(f"{level.directory}/{name}")
    except OSError:
        return b""


def _words(level: Level, name: str) -> list[str]:
    return _text(level, name).decode().split()


def _number(level: Level, name: str) -> int | None:
    word = _text(level, name).strip()
    return int(word) if word.isdigit() else None


def _counter(level: Level, file: str, name: str) -> int | None:
    return procfs.counter(_text(level, file), name)
