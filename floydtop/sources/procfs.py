"""One process in the kernel's own words: the files of /proc/PID, each read through a handle on the directory.

A handle (`open_process`) belongs to the process it was opened on: when that process is gone, reading
through it fails, even when the pid has gone to a stranger. See proc(5) for the formats.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")

GONE = (FileNotFoundError, ProcessLookupError)
"""What reading a file of a process that has ended raises."""


class Stat(NamedTuple):
    """What /proc/PID/stat says, times in seconds of CPU, sizes in bytes."""

    pid: int
    name: str
    state: str
    """R, S, D (waits for a device), T (stopped), t (held by a debugger), Z (zombie), ..."""
    parent: int
    group: int
    session: int
    own: float
    """CPU time of its own threads."""
    waited: float
    """CPU time of the children that it waited for, and of theirs."""
    threads: int
    start: int
    """Clock ticks since boot."""
    rss: int
    wait_status: int
    """As waitpid(2) tells it; 0 when it has not ended, and also when the kernel will not say."""

    @property
    def zombie(self) -> bool:
        """It has ended and its parent has not asked for its exit status."""
        return self.state in "ZX"


def open_process(pid: int) -> int:
    """A handle on the directory of process `pid`; raises one of GONE when there is none."""
    return os.open(f"/proc/{pid}", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)


@contextmanager
def process(pid: int) -> Iterator[int]:
    """A handle on the directory of process `pid` for the length of a with block."""
    handle = open_process(pid)
    try:
        yield handle
    finally:
        os.close(handle)


def read(name: str, handle: int | None = None) -> bytes:
    """The whole of a file of /proc or /sys, `name` relative to `handle` when one is given."""
    descriptor = os.open(name, os.O_RDONLY | os.O_CLOEXEC, dir_fd=handle)
    try:
        chunks = []
        while chunk := os.read(descriptor, 65536):
            chunks.append(chunk)
        return b"".join(chunks)
    finally:
        os.close(descriptor)


def stat(handle: int) -> Stat:
    """What /proc/PID/stat says about the process behind `handle`; raises one of GONE."""
    return parse_stat(read("stat", handle))


def parse_stat(text: bytes) -> Stat:
    """The fields of /proc/PID/stat; the name may hold spaces and parentheses, so its last one counts."""
    opening, closing = text.index(b"("), text.rindex(b")")
    fields = text[closing + 2 :].split()
    return Stat(
        pid=int(text[:opening]),
        name=text[opening + 1 : closing].decode(errors="replace"),
        state=fields[0].decode(),
        parent=int(fields[1]),
        group=int(fields[2]),
        session=int(fields[3]),
        own=(int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND,
        waited=(int(fields[13]) + int(fields[14])) / TICKS_PER_SECOND,
        threads=int(fields[17]),
        start=int(fields[19]),
        rss=int(fields[21]) * PAGE_BYTES,
        wait_status=int(fields[49]) if len(fields) > 49 else 0,
    )


def field(text: bytes, name: str) -> str | None:
    """The value of one `Name: value` line (status, io, smaps_rollup, meminfo), None when it is not there.

    Looking for one line is ten times faster than taking all fifty of them apart.
    """
    label = f"{name}:".encode()
    start = 0 if text.startswith(label) else text.find(b"\n" + label) + 1
    if start == 0 and not text.startswith(label):
        return None
    end = text.find(b"\n", start)
    return text[start + len(label) : None if end < 0 else end].strip().decode(errors="replace")


def counter(text: bytes, name: str) -> int | None:
    """The value of one `name number` line, None when it is not there."""
    start = (b"\n" + text).find(f"\n{name} ".encode())
    return None if start < 0 else int(text[start + len(name) :].split(None, 1)[0])


def size(text: bytes, name: str) -> int | None:
    """The bytes of a line such as `Pss: 404 kB`, None when it is not there."""
    value = field(text, name)
    return None if value is None else int(value.split()[0]) * 1024


def threads(handle: int, known: Stat) -> list[int]:
    """Thread ids of a process; the listing is spared when there is only one thread."""
    if known.threads == 1:
        return [known.pid]
    tasks = os.open("task", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=handle)
    try:
        return [int(name) for name in os.listdir(tasks)]
    finally:
        os.close(tasks)


def children(handle: int, known: Stat) -> list[int]:
    """Pids of the live and zombie children that any thread of the process has.

    Needs a kernel with CONFIG_PROC_CHILDREN (`lists_children`). Exact only if the process stands still:
    one look may miss a child that is being born.
    """
    found: list[int] = []
    for thread in threads(handle, known):
        try:
            found.extend(map(int, read(f"task/{thread}/children", handle).split()))
        except GONE:
            continue
    return found


def lists_children() -> bool:
    """Whether this kernel has /proc/PID/task/TID/children."""
    return os.path.exists("/proc/thread-self/children")


def names() -> set[str]:
    """What /proc lists: the pids that it shows to us, and a few dozen words."""
    return set(os.listdir("/proc"))


def newest() -> bytes:
    """The pid that was given last in our pid namespace, which tells whether any process is new."""
    return read("/proc/loadavg").rsplit(None, 1)[-1]


def ticks_now() -> float:
    """The present in the unit of `Stat.start`."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) * TICKS_PER_SECOND


def unix_time(start: int) -> float:
    """The Unix time of `start` clock ticks since boot, by today's clocks."""
    return time.time() - (ticks_now() - start) / TICKS_PER_SECOND
