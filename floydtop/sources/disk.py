"""The file system that the job works on, and the bytes it reads and writes."""

from __future__ import annotations

import os
from typing import NamedTuple

from floydtop.events import Reading
from floydtop.sources import procfs
from floydtop.sources.family import Family
from floydtop.sources.patience import NoAnswer, Patient
from floydtop.sources.usage import Count, Look, Member, spent

PATIENCE = 1.0
"""Seconds for a file system to say how full it is; a dead NFS server never does."""

SHORT_OF_INODES = 90.0
"""Percent in use from which inodes are shown."""


REMOTE = ("nfs", "cifs", "smb", "lustre", "ceph", "gpfs", "beegfs", "weka", "fuse", "9p", "virtiofs", "afs")
"""Beginnings of the types of file systems whose bytes come from a server, as mountinfo writes them."""

UNCOUNTED = "this kernel does not count what a process reads and writes"


class Fullness(NamedTuple):
    """How full a file system is, in percent of what its user can have, as df(1) counts it."""

    device: int
    percent: float | None
    inodes_percent: float | None


class DiskMeter:
    """Reads disk use of one job tree."""

    def __init__(self, root: int, family: Family) -> None:
        """`root` is a handle on the root process."""
        self._root = root
        self._family = family
        self._patient: Patient[Fullness] = Patient("the file system of the working directory", PATIENCE)
        self._log_patient: Patient[Fullness] = Patient("the file system of the log", PATIENCE)
        self._before: tuple[Look, Look, float, float] | None = None
        self._short_of_inodes = False
        self.log: str | None = None
        """The job's log, if its file system is to be looked at too."""
        self._remote: str | None = None
        self._hidden_note = ""

    def read(self, reading: Reading, now: float, ticks: float) -> None:
        """Adds disk.* to `reading`; the family was looked at `now` (seconds), `ticks` since boot."""
        # Through the handle and the magic link: the job's mount namespace counts, not ours.
        work = _ask(self._patient, f"/proc/self/fd/{self._root}/cwd")
        _report(reading, "disk.percent", work)
        if isinstance(work, Fullness) and work.inodes_percent is not None:
            self._short_of_inodes = self._short_of_inodes or work.inodes_percent >= SHORT_OF_INODES
            if self._short_of_inodes:
                reading.values["disk.inodes_percent"] = work.inodes_percent
        if isinstance(work, Fullness) and self._remote is None:
            self._remote = self._remote_kind(work.device)
        if self.log is not None:
            log = _ask(self._log_patient, self.log)
            if isinstance(work, str) or isinstance(log, str) or work.device != log.device:
                _report(reading, "disk.log_percent", log)
        self._read_rates(reading, now, ticks)

    @property
    def note(self) -> str:
        """What the byte counters are known to miss, empty when nothing."""
        if self._remote:
            return f"partial: what goes over the network ({self._remote}) is not always counted"
        return self._hidden_note

    def _remote_kind(self, device: int) -> str:
        """Type of the file system if it is one of a server, else empty."""
        try:
            mounts = procfs.read("mountinfo", self._root).decode(errors="replace")
        except OSError:
            return ""
        number = f"{os.major(device)}:{os.minor(device)}"
        for line in mounts.splitlines():
            fields = line.split()
            if fields[2] == number and "-" in fields:
                kind = fields[fields.index("-") + 1]
                return kind if kind.startswith(REMOTE) else ""
        return ""

    def _read_rates(self, reading: Reading, now: float, ticks: float) -> None:
        sights = self._family.members.values()
        names = ("disk.read_bytes_per_s", "disk.write_bytes_per_s")
        hidden = sum(sight.io is None for sight in sights)
        some_hidden = f"partial: the bytes of {hidden} of {len(sights)} processes are hidden from us"
        self._hidden_note = some_hidden if 0 < hidden < len(sights) else ""
        if hidden == len(sights):
            reason = (
                "another user's process: its counters are hidden from us" if counts_bytes() else UNCOUNTED
            )
            reading.unknown |= dict.fromkeys(names, reason)
            self._before = None
            return
        parents = parents_of(self._family)
        looks = [
            Look({sight.member: Count(sight.io[i], sight.io[i]) for sight in sights if sight.io}, parents)
            for i in range(2)
        ]
        before, self._before = self._before, (looks[0], looks[1], now, ticks)
        for i, name in enumerate(names):
            if before is None:
                reading.unknown[name] = "needs a second reading"
            elif now > before[2]:
                earlier = before[0] if i == 0 else before[1]
                reading.values[name] = spent(earlier, looks[i], before[3]).used / (now - before[2])


def counts_bytes() -> bool:
    """Whether this kernel counts what each process reads and writes (CONFIG_TASK_IO_ACCOUNTING)."""
    return os.path.exists("/proc/self/io")


def parents_of(family: Family) -> dict[Member, Member | None]:
    """Each member and the member that is its parent now, None where that is none of the family."""
    members = family.members
    return {
        sight.member: members[sight.stat.parent].member if sight.stat.parent in members else None
        for sight in members.values()
    }


def _ask(patient: Patient[Fullness], path: str) -> Fullness | str:
    """How full the file system under `path` is, or why that is not known."""
    try:
        return patient.ask(lambda: fullness(path))
    except PermissionError:
        return "another user's directory, hidden from us"
    except OSError as error:
        return error.strerror or str(error)
    except NoAnswer as silence:
        return str(silence)


def _report(reading: Reading, name: str, full: Fullness | str) -> None:
    if isinstance(full, str):
        reading.unknown[name] = full
    elif full.percent is None:
        reading.unknown[name] = "this file system has no size"
    else:
        reading.values[name] = full.percent


def fullness(path: str) -> Fullness:
    """How full the file system under `path` is; raises OSError, and may block for ever on a dead server."""
    descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        device = os.fstat(descriptor).st_dev
        space = os.statvfs(descriptor)
    finally:
        os.close(descriptor)
    used = space.f_blocks - space.f_bfree
    inodes = space.f_files - space.f_ffree
    return Fullness(device, _percent(used, space.f_bavail), _percent(inodes, space.f_favail))


def _percent(used: int, available: int) -> float | None:
    return 100.0 * used / (used + available) if used + available > 0 else None
