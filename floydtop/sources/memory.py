"""How much memory the job takes: its cgroup's working set, else PSS, else at most its RSS.

On 400 MiB shared by nine forked processes RSS adds up to 3,646 MiB and PSS to 404. Reading PSS walks the
pages of a process (25 ms per GB) while holding a lock that the process needs to get more memory; so it is
rationed.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from typing import NamedTuple

from floydtop.events import Reading
from floydtop.sources import cgroup, procfs
from floydtop.sources.family import Family, Sight
from floydtop.sources.limits import Limits
from floydtop.sources.patience import NoAnswer, Patient

SHARE_BETWEEN_TICKS = 0.005
"""Of one core, that may go into reading PSS for the gauges."""

SHARE_AT_TICKS = 0.05
"""Of one core, that may go into reading PSS for the record, which matters at ticks of a second or so."""

PATIENCE = 5.0
"""Seconds; 200 GB of mapped pages."""


class Taken(NamedTuple):
    """Memory of the tree, in bytes."""

    size: int
    swapped: int
    peak: int
    """The highest RSS that any one of its processes ever had."""
    by_pss: int
    """Processes counted by PSS."""
    by_rss: int
    """Processes whose PSS we may not know, counted by RSS."""


class MemoryMeter:
    """Reads the memory of one job tree."""

    def __init__(self, family: Family, limits: Limits) -> None:
        self._family = family
        self._limits = limits
        self._patient: Patient[tuple[Taken, float]] = Patient("reading the job's memory map", PATIENCE)
        self._last: Taken | None = None
        self._taken_at = 0.0
        self._cost = 0.0
        self._peak = 0
        self._has_swapped = False
        self.note = ""
        """Where memory.bytes comes from, and what it is worth."""
        self.peak_note = ""
        """Where memory.peak_bytes comes from."""

    def read(self, reading: Reading, thorough: bool) -> None:
        """Adds memory.* to `reading`."""
        own = self._limits.memory
        size = None if own is None else cgroup.working_set(own)
        if own is not None and size is not None:
            self.note = f"working set (all but cold page cache) of the job's own cgroup {own.path}"
            self.peak_note = "the largest reading since we look"
            self._report(reading, size, cgroup.swap(own) or 0, size)
            return
        taken = self._tree(thorough)
        # A sum of RSS is no lower bound, so it says nothing about the peak.
        peak = 0 if taken.by_rss else max(taken.size, taken.peak)
        if peak:
            self.peak_note = (
                "at least: the largest reading, or the highest resident memory that one process had"
            )
        self._report(reading, taken.size, taken.swapped, peak)

    def _report(self, reading: Reading, size: int, swapped: int, peak: int) -> None:
        self._peak = max(self._peak, peak)
        self._has_swapped = self._has_swapped or swapped > 0
        reading.values["memory.bytes"] = size
        if self._peak:
            reading.values["memory.peak_bytes"] = self._peak
        if self._has_swapped:
            reading.values["memory.swap_bytes"] = swapped
        if self._limits.memory_bytes:
            reading.values["memory.percent"] = min(100.0, 100.0 * size / self._limits.memory_bytes)
        else:
            reading.unknown["memory.percent"] = "it is not known how much memory the job may use"

    def _tree(self, thorough: bool) -> Taken:
        now = time.monotonic()
        share = SHARE_AT_TICKS if thorough else SHARE_BETWEEN_TICKS
        if self._last is not None and self._cost > share * (now - self._taken_at):
            return self._last
        sights = list(self._family.members.values())
        try:
            self._last, self._cost = self._patient.ask(lambda: _measure(sights))
        except NoAnswer as silence:
            if self._last is None:
                self.note = f"at most: sum of RSS, because {silence}"
                return Taken(sum(sight.stat.rss for sight in sights), 0, 0, 0, len(sights))
            self.note = f"an earlier reading, because {silence}"
            return self._last
        self._taken_at = now
        self.note = _note(self._last)
        return self._last


def _measure(sights: Iterable[Sight]) -> tuple[Taken, float]:
    """Adds up the tree, and tells how many CPU seconds that took."""
    began = time.thread_time()
    size = swapped = peak = by_pss = by_rss = 0
    for sight in sights:
        try:
            with procfs.process(sight.stat.pid) as handle:
                if procfs.stat(handle).start != sight.stat.start:
                    continue
                status = procfs.read("status", handle)
                try:
                    rollup = procfs.read("smaps_rollup", handle)
                    size += procfs.size(rollup, "Pss") or 0
                    swapped += procfs.size(rollup, "SwapPss") or 0
                    by_pss += 1
                except (PermissionError, FileNotFoundError):
                    # Hidden, or no such file in this kernel; if the process has just gone, this raises.
                    procfs.stat(handle)
                    size += procfs.size(status, "VmRSS") or 0
                    swapped += procfs.size(status, "VmSwap") or 0
                    by_rss += 1
                peak = max(peak, procfs.size(status, "VmHWM") or 0)
        except procfs.GONE:
            continue
    return Taken(size, swapped, peak, by_pss, by_rss), time.thread_time() - began


def tells_pss() -> bool:
    """Whether this kernel adds up the PSS of a process (Linux 4.14 and later)."""
    return os.path.exists("/proc/self/smaps_rollup")


def _note(taken: Taken) -> str:
    if not taken.by_rss:
        return f"PSS of {_processes(taken.by_pss)}"
    reason = (
        "hidden from us (run floydtop as their owner or root)" if tells_pss() else "not told by this kernel"
    )
    return (
        "at most: shared pages count more than once, because "
        f"the PSS of {_processes(taken.by_rss)} is {reason}"
    )


def _processes(number: int) -> str:
    return "1 process" if number == 1 else f"{number} processes"
