"""What processes used: CPU seconds and memory of a process with all its descendants."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import psutil


@dataclass(frozen=True)
class Rest:
    """What a program did over a while, as rates."""

    bytes_per_minute: float
    cpu_per_minute: float
    """CPU seconds per minute, user and system, children that came and went included."""


def over(seconds: float, pids: Iterable[int], bytes_sent: Callable[[], int]) -> Rest:
    """Watch processes for a while."""
    pids = list(pids)
    sent, used, started = bytes_sent(), cpu_seconds(pids), time.monotonic()
    time.sleep(seconds)
    minutes = (time.monotonic() - started) / 60
    return Rest((bytes_sent() - sent) / minutes, (cpu_seconds(pids) - used) / minutes)


def cpu_seconds(pids: Iterable[int]) -> float:
    """CPU time of the processes and their descendants, those included that they waited for."""
    total = 0.0
    for process in family(pids):
        with contextlib.suppress(psutil.Error):
            total += sum(process.cpu_times()[:4])
    return total


def family(pids: Iterable[int]) -> list[psutil.Process]:
    """The processes and their descendants, as far as they live."""
    members = {}
    for pid in pids:
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(pid)
            members |= {one.pid: one for one in (process, *process.children(recursive=True))}
    return list(members.values())


def resident_mebibytes(pid: int, field: str = "VmRSS") -> float:
    """Resident memory of one process, now (VmRSS) or at its highest (VmHWM)."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) / 1024
    raise ValueError(f"/proc/{pid}/status has no {field}")
