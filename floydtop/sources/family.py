"""Who belongs to the job: the root process and its descendants, found without looking at every process.

Walking /proc/PID/task/TID/children takes 0.6 ms where a scan of 1,600 processes takes 50.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from floydtop.sources import procfs, steps
from floydtop.sources.procfs import Stat
from floydtop.sources.usage import Member

VIEWER = "floydtop"
"""Our own name in the process table: in `JOB | floydtop -` the viewer is of the group that the job leads."""


class Sight(NamedTuple):
    """One look at one process."""

    stat: Stat
    io: tuple[int, int] | None
    """Bytes it has read and written, with those of the children it waited for; None if we may not know."""

    @property
    def member(self) -> Member:
        return self.stat.pid, self.stat.start


class Family:
    """The members of the job; once a member, a process stays one even when its parent is gone."""

    def __init__(self, root: int) -> None:
        """`root` is a handle on the root process (see procfs), which stays with the caller."""
        self._root = root
        self._walks = procfs.lists_children()
        self._seen: set[str] = set()
        self._newest = b""
        self._strays: set[Member] = set()
        self._clients: list[int] = []
        """Members that are Slurm's srun: the tasks that they start are children of a daemon."""
        self._undecided: set[int] = set()
        """Children of that daemon that have not yet become whoever they will be."""
        self._root_stat = procfs.stat(root)
        self._ancestors = _ancestors(self._root_stat)
        self.members: dict[int, Sight] = {self._root_stat.pid: _look(root)}
        self._walk()

    @property
    def pids(self) -> set[int]:
        """Pids of the members that have not ended."""
        return {pid for pid, sight in self.members.items() if not sight.stat.zombie}

    @property
    def strays(self) -> int:
        """Processes that may be the job's: of its process group, their parent gone before we saw them."""
        return len(self._strays)

    def look(self, thorough: bool) -> dict[int, Sight]:
        """Looks at all members again, finds new ones, forgets those that are gone; empty when the root is.

        Only a `thorough` look asks every thread of the job for its children, of which there can be thousands;
        the others look at the pids that are new on this machine.
        """
        known, self.members = self.members, {}
        try:
            sight = _look(self._root)
        except procfs.GONE:
            return self.members
        self.members[sight.stat.pid] = sight
        for pid in known:
            self._meet(pid, lambda stat: stat.start == known[stat.pid].stat.start)
        if thorough:
            self._walk()
        self._look_at_newcomers()
        return self.members

    def _walk(self) -> None:
        """Finds the children of all members, and theirs."""
        kin = None if self._walks else _children_by_scan()
        waiting = list(self.members)
        while waiting:
            for child in self._children(waiting.pop(), kin):
                if self._meet(child, lambda stat: stat.parent in self.members):
                    waiting.append(child)

    def _children(self, pid: int, kin: dict[int, list[int]] | None) -> list[int]:
        if kin is not None:
            return kin.get(pid, [])
        try:
            with procfs.process(pid) as handle:
                stat = procfs.stat(handle)
                return procfs.children(handle, stat) if stat.start == self.members[pid].stat.start else []
        except procfs.GONE:
            return []

    def _look_at_newcomers(self) -> None:
        """Finds children, and orphans whose parent ended before we saw them, among the pids that are new.

        A process group or session that a member leads belongs to the job, whoever is the parent now.
        """
        newest = procfs.newest()
        if newest == self._newest and not self._undecided:
            return
        self._newest, present = newest, procfs.names()
        unseen, self._seen = present - self._seen, present
        strangers = ({int(name) for name in unseen if name.isdigit()} | self._undecided) - self.members.keys()
        kin = {0}
        while kin:
            self._undecided = set()
            self._clients = [pid for pid, sight in self.members.items() if sight.stat.name == steps.CLIENT]
            # A child can have a lower pid than its parent, when the count has come round.
            kin = {pid for pid in strangers if self._meet(pid, self._is_kin)}
            strangers -= kin

    def _is_kin(self, stat: Stat) -> bool:
        if stat.name == VIEWER:
            return False
        if stat.parent in self.members or self._leads(stat.group) or self._leads(stat.session):
            return True
        if self._clients and self._is_task(stat):
            return True
        if stat.group == self._root_stat.group and self._may_be_orphan(stat):
            self._strays.add((stat.pid, stat.start))
        return False

    def _is_task(self, stat: Stat) -> bool:
        """Whether Slurm has started the process for a member."""
        try:
            with procfs.process(stat.parent) as handle:
                if procfs.stat(handle).name != steps.DAEMON:
                    return False
        except procfs.GONE:
            return False
        started = steps.started_by(stat.pid, self._clients)
        if started is None:
            self._undecided.add(stat.pid)
        return bool(started)

    def _meet(self, pid: int, belongs: Callable[[Stat], bool]) -> bool:
        """Looks at a process and takes it in if it belongs to the job; tells whether it is a new member."""
        if pid in self.members:
            return False
        try:
            with procfs.process(pid) as handle:
                stat = procfs.stat(handle)
                if belongs(stat):
                    self.members[pid] = _look(handle)
                    return True
        except procfs.GONE:
            pass
        return False

    def adopt_from_cgroup(self, pid: int, established: bool) -> bool:
        """Takes in a process found in the job's own cgroup; False when it is someone else's.

        While the cgroup is known (`established`) to be the job's alone, whoever is born in it is the job's,
        orphans too; but a container runtime or a shell can put a process of its own there.
        """
        try:
            with procfs.process(pid) as handle:
                stat = procfs.stat(handle)
                if self._is_kin(stat) or (established and self._may_be_orphan(stat)):
                    self.members[pid] = _look(handle)
                    return True
        except procfs.GONE:
            return True
        return False

    def _leads(self, leader: int) -> bool:
        """Whether process group or session `leader` was founded by a member that is still here."""
        founder = self.members.get(leader)
        return founder is not None and leader in (founder.stat.group, founder.stat.session)

    def _may_be_orphan(self, stat: Stat) -> bool:
        """Whether a process likely has its parent, one of the root's ancestors, by a member's death.

        Not so if it leads a session or shares that of its parent: then the parent has started it.
        """
        if (
            stat.parent not in self._ancestors
            or stat.start < self._root_stat.start
            or stat.session == stat.pid
        ):
            return False
        try:
            with procfs.process(stat.parent) as handle:
                return procfs.stat(handle).session != stat.session
        except procfs.GONE:
            return False


def _look(handle: int) -> Sight:
    stat = procfs.stat(handle)
    try:
        counters = procfs.read("io", handle)
    except PermissionError:
        return Sight(stat, None)
    except procfs.GONE:
        # Either the process has just gone, or the kernel has no such file.
        return Sight(procfs.stat(handle), None)
    read, written = procfs.field(counters, "read_bytes"), procfs.field(counters, "write_bytes")
    return Sight(stat, None if read is None or written is None else (int(read), int(written)))


def _ancestors(stat: Stat) -> set[int]:
    """Pids of the parent, its parent and so on, and of init."""
    found = {1}
    parent = stat.parent
    while parent and parent not in found:
        found.add(parent)
        try:
            with procfs.process(parent) as handle:
                parent = procfs.stat(handle).parent
        except procfs.GONE:
            break
    return found


def _children_by_scan() -> dict[int, list[int]]:
    """Parent -> children of all processes, for kernels without CONFIG_PROC_CHILDREN."""
    found: dict[int, list[int]] = {}
    for pid in [int(name) for name in procfs.names() if name.isdigit()]:
        try:
            with procfs.process(pid) as handle:
                found.setdefault(procfs.stat(handle).parent, []).append(pid)
        except procfs.GONE:
            continue
    return found
