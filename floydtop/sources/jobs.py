"""Which processes of this machine are likely training jobs: for the person who names none."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass

from floydtop.sources import descriptors
from floydtop.sources.descriptors import Process
from floydtop.sources.output import find_output
from floydtop.sources.trail import Machine
from floydtop.sources.writers import topmost

INTERPRETERS = (
    "python",
    "pypy",
    "julia",
    "Rscript",
    "R",
    "ruby",
    "node",
    "java",
    "lua",
    "luajit",
    "th",
    "caffe",
)
"""Names that programs which train go by, besides any that use a GPU."""

GROWING = 600.0
"""Seconds since its output last grew, within which a job counts as printing."""

LEAST_CPU = 2.0
"""CPU seconds: a process that used less has hardly started, or waits."""


@dataclass(frozen=True, slots=True)
class LikelyJob:
    """A process that looks like a training job."""

    pid: int
    command: list[str]
    log: str | None
    """Where its output can be read: a path, /proc/PID/fd/N of a file without a name."""
    reasons: tuple[str, ...]
    """Why it looks like one: "uses a GPU", "prints", "busy"."""


def likely_jobs(most: int = 20) -> list[LikelyJob]:
    """Root processes that use a GPU, or interpreters that compute or print; the likeliest first.

    Our own processes are left out, and those of other users that may not be looked at.
    """
    table = descriptors.process_table()
    found = {pid: reasons for pid, row in table.items() if (reasons := _first_look(row))}
    jobs = []
    machine = Machine(table)
    for pid in topmost(found, table):
        job = _second_look(pid, found[pid], machine)
        if job is not None:
            jobs.append(job)
    jobs.sort(key=lambda job: (-_weight(job), -table[job.pid].ticks))
    return jobs[:most]


def _first_look(row: Process) -> tuple[str, ...]:
    if row.pid == os.getpid() or row.state in "ZX":
        return ()
    try:
        links = descriptors.links(row.pid)
    except OSError:
        return ()
    if any(link.startswith(("/dev/nvidia", "/dev/kfd")) for link in links.values()):
        return ("uses a GPU",)
    if not row.name.startswith(INTERPRETERS):
        return ()
    seconds = row.ticks / os.sysconf("SC_CLK_TCK")
    return (f"{seconds:.0f} s of CPU time",) if seconds >= LEAST_CPU else ("started",)


def _second_look(pid: int, reasons: tuple[str, ...], machine: Machine) -> LikelyJob | None:
    try:
        command = descriptors.command(pid)
        output = find_output(pid, machine)
    except OSError:
        return None
    if not command or _is_ours(command):
        return None
    log = (output.log.fd_path or output.log.path) if output.log is not None else None
    if log is not None and _grew_lately(log):
        reasons = (*reasons, "prints")
    # An interpreter that neither prints nor computes is a service, an editor's helper, or waits.
    return LikelyJob(pid, command, log, reasons) if reasons != ("started",) else None


def _weight(job: LikelyJob) -> int:
    return 2 * ("uses a GPU" in job.reasons) + 3 * ("prints" in job.reasons)


def _grew_lately(path: str) -> bool:
    try:
        return time.time() - os.stat(path).st_mtime < GROWING
    except OSError:
        return False


def _is_ours(command: list[str]) -> bool:
    """Whether this is floydtop itself, but not the job of its demo."""
    words = command[1:5]
    return any(word == "floydtop" or os.path.basename(word) == "floydtop" for word in words)
