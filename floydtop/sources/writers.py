"""From a log to the job that writes it."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass, field

from floydtop.sources import descriptors
from floydtop.sources.container_log import container_of
from floydtop.sources.containers import processes_in
from floydtop.sources.descriptors import SHELLS, Descriptor, Process
from floydtop.sources.trail import FILTERS, Machine, is_terminal

KEEPER = "floydtop-keeper"
"""Our own, which holds the log of a job that it has started, or of one upstream of its stdin."""


_HOLDERS = ("script", KEEPER, "slurmstepd", "conmon")
"""Programs that hold the log of what runs below them."""


@dataclass(frozen=True, slots=True)
class Writers:
    """Who writes a log, on this machine."""

    pids: list[int] = field(default_factory=list)
    """Roots of the process trees that write it, the likeliest training job first."""
    uninspected: int = 0
    """Processes that belong to others and could not be looked at."""


def find_writers(path: str) -> Writers:
    """Find the jobs whose output ends in the file `path`, under whatever name they opened it.

    Filters such as tee are walked up to the program that feeds them, a `script`, a keeper of ours or a step
    of Slurm's down to what runs in it, and docker's log leads to the container.

    Raises:
        OSError: the file cannot be looked at.
    """
    status = os.stat(path)
    holders, denied = descriptors.holders(status.st_dev, status.st_ino)
    writing = {holder.pid for holder in holders if holder.pid != os.getpid() and descriptors.writes(holder)}
    if not writing:
        return Writers([], denied)
    machine = Machine()
    contained = container_of(os.path.realpath(path))
    jobs = processes_in(contained, machine.table) if contained else _sources(writing, machine)
    roots = topmost(jobs, machine.table)
    return Writers(sorted(roots, key=lambda pid: _rank(pid, machine.table), reverse=True), denied)


def topmost(jobs: Iterable[int], table: dict[int, Process]) -> list[int]:
    """Of each process tree among `jobs` the member nearest to the root that is no interactive shell."""
    members = {pid for pid in jobs if pid in table and not interactive_shell(table[pid])}
    return [pid for pid in members if not any(above in members for above in ancestors(pid, table))]


def ancestors(pid: int, table: dict[int, Process]) -> list[int]:
    """The parents of a process, nearest first."""
    found: list[int] = []
    row = table.get(pid)
    while row is not None and row.parent in table and row.parent not in found:
        found.append(row.parent)
        row = table.get(row.parent)
    return found


def interactive_shell(row: Process) -> bool:
    """Whether this is a shell that somebody types into, not one that runs a script."""
    if row.name.lstrip("-") not in SHELLS or not row.terminal:
        return False
    # A subshell, as in `(train; test) | tee log`, has the command line of its shell but prints elsewhere.
    if _prints_elsewhere(row.pid):
        return False
    arguments = descriptors.command(row.pid)
    return all(argument.startswith("-") and argument != "-c" for argument in arguments[1:])


def _prints_elsewhere(pid: int) -> bool:
    try:
        return not is_terminal(os.readlink(f"/proc/{pid}/fd/1"))
    except OSError:
        return False


def _sources(writing: set[int], machine: Machine) -> set[int]:
    """Replace each filter by what feeds it, and each `script` or keeper of a job by what runs in it."""
    jobs: set[int] = set()
    seen: set[int] = set()
    waiting = list(writing)
    while waiting:
        pid = waiting.pop()
        if pid in seen or pid not in machine.table:
            continue
        seen.add(pid)
        name = machine.table[pid].name
        below = descriptors.descendants(pid, machine.table)[1:] if name in _HOLDERS else []
        if below or name == "script":
            waiting.extend(below)
        elif name in FILTERS or name == KEEPER:
            waiting.extend(_feeders(pid, machine))
        else:
            jobs.add(pid)
    return jobs


def _feeders(pid: int, machine: Machine) -> list[int]:
    """The processes that write to the pipe or FIFO that `pid` has as its stdin."""
    try:
        link = os.readlink(f"/proc/{pid}/fd/0")
    except OSError:
        return []
    if not link.startswith("pipe:") and not _is_fifo(f"/proc/{pid}/fd/0"):
        return []
    # Nearly always it is somebody's stdout; to look at all of 20,000 open files takes 0.2 s.
    printers = [end.pid for end in _printers(link, machine) if end.pid != pid and _feeds(end, machine)]
    return printers or [
        end.pid for end in machine.snapshot.to(link) if end.pid != pid and _feeds(end, machine)
    ]


def _printers(link: str, machine: Machine) -> list[Descriptor]:
    """The stdouts and stderrs that lead to this pipe or file."""
    found = []
    for pid in machine.table:
        for number in (1, 2):
            try:
                if os.readlink(f"/proc/{pid}/fd/{number}") == link:
                    found.append(Descriptor(pid, number, link))
            except OSError:
                continue
    return found


def _feeds(end: Descriptor, machine: Machine) -> bool:
    """Whether a program prints here; a filter's stderr is the shell's, a false hit in every setup tried."""
    if end.number == 2 and end.pid in machine.table and machine.table[end.pid].name in FILTERS:
        return False
    return descriptors.writes(end)


def _is_fifo(path: str) -> bool:
    try:
        return stat.S_ISFIFO(os.stat(path).st_mode)
    except OSError:
        return False


def _rank(pid: int, table: dict[int, Process]) -> tuple[bool, int]:
    """Prefer the tree that has a GPU open, then the one that used most CPU time."""
    tree = descriptors.descendants(pid, table)
    return any(map(_uses_gpu, tree)), sum(table[member].ticks for member in tree if member in table)


def _uses_gpu(pid: int) -> bool:
    try:
        return any(link.startswith(("/dev/nvidia", "/dev/kfd")) for link in descriptors.links(pid).values())
    except OSError:
        return False
