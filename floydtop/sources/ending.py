"""How a process that is not our child ended: exit code, signal, out-of-memory killer, or 'not known'."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import signal
import struct
import sys
import time
from collections.abc import Callable

from floydtop.events import Exit
from floydtop.sources import procfs

PATIENCE = 0.8
"""Seconds to wait for the parent to collect the exit status; the longest seen in 60 runs is 7 ms."""

SLOW_DEATH = 10.0
"""Seconds that a killed process may take to end."""

REFUSALS = (errno.ENOSYS, errno.EPERM, errno.EACCES)
"""Errors that say that the system call is not to be had."""

PIDFD_OPEN = 434
"""Number of the system call, the same on every architecture."""

PIDFD_GET_INFO = 0xC040FF0B
"""_IOWR(0xFF, 11, struct pidfd_info) of <linux/pidfd.h>; of its 64 bytes we use INFO_FORMAT."""

INFO_FORMAT = "QQ11Ii"
"""Mask, cgroup, pids and owners, wait status."""

PIDFD_INFO_EXIT = 1 << 3
"""Kernel 6.15 and later: the exit status, once the process has been waited for."""


def open_pidfd(pid: int) -> int | None:
    """A descriptor that is readable once the process has ended.

    None on kernels before 5.3, and in containers whose filter of system calls is older than that.

    Raises ProcessLookupError when there is no such process.
    """
    if sys.platform != "linux":
        return None
    try:
        if hasattr(os, "pidfd_open"):
            return os.pidfd_open(pid)
        # Interpreters built against old kernel headers (conda's) lack the function, not the kernel.
        libc = ctypes.CDLL(None, use_errno=True)
        descriptor = int(libc.syscall(PIDFD_OPEN, pid, 0))
    except OSError as error:
        if error.errno in REFUSALS:
            return None
        raise
    if descriptor < 0:
        if ctypes.get_errno() == errno.ESRCH:
            raise ProcessLookupError(errno.ESRCH, "no such process", str(pid))
        return None
    return descriptor


def wait_status(pidfd: int) -> int | None:
    """The wait status of the process behind `pidfd`; None while its parent has not asked for it.

    Works for processes of other users too. Raises OSError where the kernel cannot tell: ENOTTY before 6.13,
    ESRCH for a process that was waited for before 6.15.
    """
    answer = bytearray(64)
    struct.pack_into("Q", answer, 0, PIDFD_INFO_EXIT)
    fcntl.ioctl(pidfd, PIDFD_GET_INFO, answer)
    mask, _, *_, status = struct.unpack_from(INFO_FORMAT, answer)
    return int(status) if mask & PIDFD_INFO_EXIT else None


def zombie_status(handle: int) -> int | None:
    """The wait status that a zombie still shows in its stat file, None when it is not one or will not say."""
    try:
        stat = procfs.stat(handle)
        if not stat.zombie:
            return None
        if stat.wait_status == 0:
            # To those who may not look, the kernel shows 0 as well; the same rule guards the io file.
            procfs.read("io", handle)
    except OSError:
        return None
    return stat.wait_status


def describe(status: int, how: str) -> Exit:
    """A wait status, in the form of waitpid(2), as an Exit."""
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        try:
            name = signal.Signals(number).name
        except ValueError:
            name = f"signal {number}"
        return Exit(signal=name, how=how)
    return Exit(code=os.WEXITSTATUS(status), how=how)


async def how_it_ended(pidfd: int | None, handle: int) -> Exit:
    """How the process that has just ended did so, as far as the kernel tells within PATIENCE."""
    import asyncio

    deadline = time.monotonic() + PATIENCE
    kernel_tells = pidfd is not None
    while True:
        if pidfd is not None and kernel_tells:
            try:
                status = wait_status(pidfd)
            except OSError:
                kernel_tells = False
            else:
                if status is not None:
                    return describe(status, "told by the kernel (pidfd)")
        status = zombie_status(handle)
        if status is not None:
            return describe(status, "read from the zombie before its parent collected it")
        still_there = _is_zombie(handle)
        if time.monotonic() > deadline or not (kernel_tells or still_there):
            break
        await asyncio.sleep(0.005)
    if still_there:
        return Exit(
            how="exit code unknown: its parent has not collected it, and only its owner or root may look"
        )
    return Exit(how="exit code unknown: its parent collected it, and only kernels from 6.15 on tell others")


def _is_zombie(handle: int) -> bool:
    try:
        return procfs.stat(handle).zombie
    except OSError:
        return False


class OomWatch:
    """Tells whether the out-of-memory killer ended the job, from how often it had struck before."""

    def __init__(self, count: Callable[[], dict[str, int]]) -> None:
        """`count` gives the kills so far by place, the place that says most about the job first."""
        self._count = count
        self._before = [(time.monotonic(), count())]

    def remember(self) -> None:
        """Takes down the counts of the present; to be called at each reading.

        A killed process may need seconds to give back its memory, so counts of the last SLOW_DEATH
        seconds don't yet speak for the time before its end.
        """
        now = time.monotonic()
        self._before.append((now, self._count()))
        while len(self._before) > 1 and self._before[1][0] < now - SLOW_DEATH:
            del self._before[0]

    def verdict(self, end: Exit) -> Exit:
        """The exit with what the counters say added."""
        before, after = self._before[0][1], self._count()
        place = next((place for place in before if place in after), None)
        if place is None or after[place] <= before[place]:
            return end
        if end.signal == "SIGKILL":
            return Exit(
                signal=end.signal, oom=True, how=f"{end.how}; the out-of-memory killer struck in {place}"
            )
        how = f"{end.how}; the out-of-memory killer had killed another process in {place}"
        return Exit(code=end.code, signal=end.signal, how=how)
