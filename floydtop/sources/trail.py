"""Where does what is printed here end up? From one descriptor through pipes and terminals to files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field

from floydtop.sources import descriptors, steps
from floydtop.sources.descriptors import Descriptor, Process, Snapshot

FILTERS = frozenset(
    {
        *("tee", "ts", "cat", "sponge", "pv", "stdbuf", "gzip", "zstd"),
        *("grep", "egrep", "fgrep", "rg", "sed", "awk", "gawk", "mawk", "tr", "cut", "head", "tail"),
        *("uniq", "col", "nl", "logger", "multilog", "svlogd", "s6-log", "rotatelogs", "cronolog"),
    }
)
"""Programs that pass on what they read: of a log that they write, the job is upstream of their stdin."""
_TERMINAL_LINKS = ("/dev/pts/", "/dev/tty", "/dev/console")
_NO_FILES = ("/dev/", "/proc/", "/sys/", "/memfd:")
_TEXT_ENDINGS = (".log", ".out", ".err", ".txt", ".jsonl")


@dataclass(frozen=True, slots=True)
class Stop:
    """The end of a trail: a file that is open for writing, or the place where it is lost."""

    descriptor: Descriptor
    """The open file; for a terminal or a socket the last descriptor on the way to it."""
    through: tuple[Process, ...] = ()
    """The programs on the way, nearest to the job first; the last one of a terminal is its owner."""


@dataclass(slots=True)
class Machine:
    """What is open on this machine, looked at once and only when a trail needs it."""

    table: dict[int, Process] = field(default_factory=descriptors.process_table)
    _snapshot: Snapshot | None = None

    @property
    def snapshot(self) -> Snapshot:
        if self._snapshot is None:
            self._snapshot = descriptors.snapshot()
        return self._snapshot

    @property
    def denied(self) -> int:
        """Processes that could not be looked at, as far as anybody looked."""
        return self._snapshot.denied if self._snapshot else 0


def is_terminal(link: str) -> bool:
    return link.startswith(_TERMINAL_LINKS)


def may_be_file(link: str) -> bool:
    """Whether this may be a log: in /dev/shm, where data loaders share thousands of files, by its name."""
    if link.startswith("/dev/shm/"):
        return link.removesuffix(" (deleted)").endswith(_TEXT_ENDINGS)
    return link.startswith("/") and not link.startswith(_NO_FILES)


def trace(start: Descriptor, machine: Machine) -> Iterator[Stop]:
    """Follow what is written to `start` to all its ends, nearest first.

    A pipe leads to its readers: to the files that they write, and on through their stdout (tee, ts, grep,
    several in a row) and their other pipes (`tee >(cmd)`). Their stderr is not followed: it is the shell's,
    a false hit in every setup tried. A terminal leads to the program that holds its other side, and from
    `script` or `unbuffer` on to that one's files and stdout.
    """
    waiting: list[Stop] = [Stop(start)]
    seen: set[str] = set()
    while waiting:
        stop = waiting.pop(0)
        link = stop.descriptor.link
        if may_be_file(link):
            yield stop
            continue
        if link in seen:
            continue
        seen.add(link)
        beyond: list[Stop] = []
        if link.startswith("pipe:"):
            readers = _readers(stop.descriptor, machine)
            beyond = [
                onward
                for reader in readers
                for onward in _beyond(reader, Stop(stop.descriptor, (*stop.through, reader)), machine)
            ]
            if not readers:
                beyond = list(_beyond_slurm(stop, machine))
            stop = Stop(stop.descriptor, (*stop.through, *readers[:1]))
        elif is_terminal(link):
            owner = terminal_owner(stop.descriptor, machine)
            if owner is not None:
                stop = Stop(stop.descriptor, (*stop.through, owner))
                beyond = [] if is_multiplexer(owner) else list(_outputs_of(owner, stop, machine))
                # Files first, then where the owner's own stdout goes; the terminal itself is an end too.
                yield from (one for one in beyond if may_be_file(one.descriptor.link))
                beyond = [one for one in beyond if not may_be_file(one.descriptor.link)]
        if is_terminal(link) or not beyond:
            yield stop
        waiting.extend(beyond)


def terminal_owner(terminal: Descriptor, machine: Machine) -> Process | None:
    """The process that holds the master side of a terminal: tmux, screen, script, sshd, a terminal window.

    Each container counts its terminals by itself: /dev/pts/0 of its job is not ours, which is a stranger's.
    """
    number = terminal.link.rpartition("/")[2]
    system = _device(terminal.path)
    for descriptor in machine.snapshot.descriptors():
        if not descriptor.link.endswith("ptmx") or _terminal_number(descriptor) != number:
            continue
        if system is not None and _terminals_of(descriptor) == system:
            return machine.table.get(descriptor.pid)
    return None


def _terminals_of(master: Descriptor) -> int | None:
    """The file system (devpts) that the terminal of a master side lies in, see pts(4)."""
    device = _device(master.path)
    # /dev/ptmx may be a device of its own, which stands for the terminals mounted beside it.
    return _device("/dev/pts") if device == _device("/dev") else device


def _device(path: str) -> int | None:
    try:
        return os.stat(path).st_dev
    except OSError:
        return None


def is_multiplexer(owner: Process) -> bool:
    return owner.name.startswith("tmux") or owner.name.lower() == "screen"


def _terminal_number(descriptor: Descriptor) -> str | None:
    try:
        with open(f"/proc/{descriptor.pid}/fdinfo/{descriptor.number}", encoding="ascii") as file:
            for line in file:
                if line.startswith("tty-index:"):
                    return line.split()[1]
    except (OSError, ValueError):
        return None
    return None


def _readers(pipe: Descriptor, machine: Machine) -> list[Process]:
    ends = machine.snapshot.to(pipe.link)
    readers = dict.fromkeys(end.pid for end in ends if end.pid != pipe.pid and descriptors.reads(end))
    return [machine.table[pid] for pid in readers if pid in machine.table]


def _beyond(reader: Process, stop: Stop, machine: Machine) -> Iterator[Stop]:
    """What the reader of a pipe passes on."""
    if reader.name == steps.DAEMON:
        return _beyond_slurm(stop, machine)
    return _outputs_of(reader, stop, machine)


def _beyond_slurm(stop: Stop, machine: Machine) -> Iterator[Stop]:
    """Where the srun prints what a task of its step prints; Slurm's daemon between them is root's."""
    client = steps.client_of(stop.descriptor.pid, machine.table)
    if client is None:
        return
    outputs = list(_outputs_of(client, Stop(stop.descriptor, (*stop.through, client)), machine))
    # With `srun --output=FILE` that is where it goes, and not to srun's own stdout.
    before = set(machine.snapshot.links.get(client.parent, {}).values())
    own = [one for one in outputs if one.descriptor.number > 2 and one.descriptor.link not in before]
    yield from own or outputs


def _outputs_of(row: Process, stop: Stop, machine: Machine) -> Iterator[Stop]:
    """What a program that passes output on writes to: everything but its stderr and what it reads.

    What the program before it has open too was there before both: a job server of make, a tool's pipe.
    """
    inherited = set(machine.snapshot.links.get(stop.descriptor.pid, {}).values())
    for number, link in sorted(machine.snapshot.links.get(row.pid, {}).items()):
        descriptor = Descriptor(row.pid, number, link)
        if number == 2 or link == stop.descriptor.link or (number > 2 and link in inherited):
            continue
        # A filter's other pipes are `tee >(cmd)`; those of other programs lead to anything.
        piped = link.startswith("pipe:") and (number == 1 or row.name in FILTERS)
        onward = may_be_file(link) or piped or (number == 1 and is_terminal(link))
        if onward and descriptors.writes(descriptor):
            yield Stop(descriptor, stop.through)
