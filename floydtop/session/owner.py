"""Who records a session, and whether that process still lives: for file systems where locks do not tell."""

from __future__ import annotations

import os
import socket
import time
from functools import cache
from pathlib import Path

from floydtop.events import Recorder

HEARTBEAT = 120.0
"""Seconds without a new present reading (one each two seconds) after which a recorder elsewhere is gone."""


@cache
def boot_id() -> str:
    """The kernel's name for this boot, empty where there is none."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def start_of(pid: int) -> int | None:
    """Clock ticks from boot to the start of a process (field 22 of /proc/PID/stat), None where unknown.

    A zombie has none: it does nothing any more, and may stay for as long as its parent is careless.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
        # The name, in parentheses, may hold anything.
        fields = stat.rpartition(b")")[2].split()
        return None if fields[0] in (b"Z", b"X") else int(fields[19])
    except (OSError, ValueError, IndexError):
        return None


def ourselves() -> Recorder:
    """This process."""
    pid = os.getpid()
    return Recorder(pid=pid, host=socket.gethostname(), boot=boot_id(), start=start_of(pid))


def lives(recorder: Recorder, heard: float | None, now: float | None = None) -> bool:
    """Whether a recorder goes on.

    Args:
        heard: Unix time of its last sign of life, None when there is none; only for one on another host.
        now: Unix time by the clock that told `heard`; None for that of this machine.
    """
    if recorder.host != socket.gethostname():
        return heard is not None and (time.time() if now is None else now) - heard < HEARTBEAT
    if recorder.boot != boot_id():
        return False
    if recorder.start is not None:
        return start_of(recorder.pid) == recorder.start
    try:
        os.kill(recorder.pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
