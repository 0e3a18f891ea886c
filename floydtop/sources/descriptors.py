"""Open files of this machine's processes, as /proc tells them (proc_pid_fd(5), proc_pid_fdinfo(5)).

All of it needs the same user as the process, or root; a process that may not be looked at is counted,
never taken for one without open files.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field

from floydtop.sources.status import identity

SHELLS = frozenset({"sh", "bash", "dash", "zsh", "fish", "ksh", "mksh", "tcsh", "csh", "ash", "busybox"})


@dataclass(frozen=True, slots=True)
class Process:
    """One row of the process table (proc_pid_stat(5))."""

    pid: int
    parent: int
    name: str
    """The kernel's short name of the program, at most 15 characters."""
    state: str
    terminal: int
    """Device number of the controlling terminal, 0 without one."""
    ticks: int
    """CPU time used, user and system, in clock ticks."""


@dataclass(frozen=True, slots=True)
class Descriptor:
    """One open file of one process."""

    pid: int
    number: int
    link: str
    """What /proc/PID/fd/N points to, such as /a/b.log, pipe:[123], /dev/pts/3."""

    @property
    def path(self) -> str:
        """A path that opens the very same file, even one that has lost its name."""
        return f"/proc/{self.pid}/fd/{self.number}"


@dataclass(slots=True)
class Snapshot:
    """Every open file that could be seen, in one pass over /proc."""

    links: dict[int, dict[int, str]] = field(default_factory=dict)
    denied: int = 0
    """Processes that belong to others and could not be looked at."""

    def descriptors(self) -> Iterator[Descriptor]:
        for pid, links in self.links.items():
            for number, link in links.items():
                yield Descriptor(pid, number, link)

    def to(self, link: str) -> list[Descriptor]:
        """All descriptors with this link text: the two ends of a pipe, the users of a terminal."""
        return [
            Descriptor(pid, number, link)
            for pid, links in self.links.items()
            if link in links.values()
            for number, text in links.items()
            if text == link
        ]


def hides_others() -> bool:
    """Whether /proc shows us no processes of other users: it is mounted with hidepid, see proc(5)."""
    return not os.path.exists("/proc/1")


def pids() -> list[int]:
    """The pids of all processes that /proc shows."""
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def process(pid: int) -> Process | None:
    """The row of one process, None when there is none."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            text = file.read()
    except OSError:
        return None
    # The name is in parentheses and may hold spaces and parentheses itself.
    before, _, after = text.rpartition(")")
    fields = after.split()
    return Process(
        pid=pid,
        parent=int(fields[1]),
        name=before.partition("(")[2],
        state=fields[0],
        terminal=int(fields[4]),
        ticks=int(fields[11]) + int(fields[12]),
    )


def leader(pid: int) -> int:
    """The process that a thread belongs to: /proc answers for thread ids too; `pid` itself for all others."""
    try:
        with open(f"/proc/{pid}/status", encoding="utf-8", errors="replace") as file:
            return next((int(line.split()[1]) for line in file if line.startswith("Tgid:")), pid)
    except OSError:
        return pid


def process_table() -> dict[int, Process]:
    """All processes by pid."""
    rows = (process(pid) for pid in pids())
    return {row.pid: row for row in rows if row is not None}


def descendants(pid: int, table: dict[int, Process]) -> list[int]:
    """`pid` and all processes below it, parents before children."""
    children: dict[int, list[int]] = {}
    for row in table.values():
        children.setdefault(row.parent, []).append(row.pid)
    found = [pid]
    for member in found:
        found.extend(sorted(children.get(member, [])))
    return found


def command(pid: int) -> list[str]:
    """The command line of a process, empty when it cannot be read or is a kernel thread."""
    return _strings(f"/proc/{pid}/cmdline")


def environment(pid: int) -> dict[str, str]:
    """The environment that a process was started with, empty when it may not be read."""
    return dict(text.split("=", 1) for text in _strings(f"/proc/{pid}/environ") if "=" in text)


def _strings(path: str) -> list[str]:
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError:
        return []
    return [os.fsdecode(part) for part in data.rstrip(b"\0").split(b"\0")] if data else []


def links(pid: int) -> dict[int, str]:
    """The open files of one process: descriptor number -> link text.

    Raises:
        PermissionError: the process belongs to somebody else.
        FileNotFoundError: there is no such process.
    """
    directory = f"/proc/{pid}/fd"
    found: dict[int, str] = {}
    for name in os.listdir(directory):
        try:
            found[int(name)] = os.readlink(f"{directory}/{name}")
        except OSError:  # closed since the listing
            continue
    return found


def snapshot() -> Snapshot:
    """Look at all processes but this one."""
    seen = Snapshot()
    own = os.getpid()
    for pid in pids():
        if pid == own:
            continue
        try:
            seen.links[pid] = links(pid)
        except PermissionError:
            seen.denied += 1
        except OSError:
            continue
    return seen


def has_path(link: str) -> bool:
    """Whether a link is that of a file in some directory, and of no device."""
    return link.startswith("/") and (
        not link.startswith(("/dev/", "/memfd:")) or link.startswith("/dev/shm/")
    )


def flags(descriptor: Descriptor) -> int | None:
    """The open(2) flags of a descriptor, None when it is closed by now."""
    try:
        with open(f"/proc/{descriptor.pid}/fdinfo/{descriptor.number}", "rb") as file:
            for line in file:
                if line.startswith(b"flags:"):
                    return int(line.split()[1], 8)
    except OSError:
        return None
    return None


def writes(descriptor: Descriptor) -> bool:
    """Whether the file is open for writing."""
    value = flags(descriptor)
    return value is not None and value & os.O_ACCMODE in (os.O_WRONLY, os.O_RDWR)


def reads(descriptor: Descriptor) -> bool:
    """Whether the file is open for reading only: the reading end of a pipe."""
    value = flags(descriptor)
    return value is not None and value & os.O_ACCMODE == os.O_RDONLY


def holders(device: int, inode: int) -> tuple[list[Descriptor], int]:
    """Who has this file open, under whatever name, and how many processes could not be looked at.

    It compares device and inode: the link's text misses hard links, bind mounts and renames.
    """
    found: list[Descriptor] = []
    denied = 0
    for pid in pids():
        try:
            directory = os.open(f"/proc/{pid}/fd", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except PermissionError:
            denied += 1
            continue
        except OSError:
            continue
        try:
            for name in os.listdir(directory):
                try:
                    link = os.readlink(name, dir_fd=directory)
                    # Most are sockets, pipes and devices: a link is read in half the time of the question.
                    file = identity(name, directory) if has_path(link) else None
                except OSError:
                    continue
                if file is not None and file.inode == inode and file.device == device:
                    found.append(Descriptor(pid, int(name), link))
        except OSError:
            continue
        finally:
            os.close(directory)
    return found, denied
