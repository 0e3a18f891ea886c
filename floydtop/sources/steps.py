"""Steps of Slurm's: srun talks to its tasks through a daemon, slurmstepd, whose children they are.

So no pipe and no parent leads from a task to srun, which may run on another machine. A task's environment
tells the port at which its srun listens (srun(1), SLURM_SRUN_COMM_PORT).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from floydtop.sources import descriptors
from floydtop.sources.descriptors import Process

CLIENT = "srun"
DAEMON = "slurmstepd"
_LISTENS = "0A"
"""TCP_LISTEN in /proc/net/tcp, see proc_net(5)."""


@dataclass(frozen=True, slots=True)
class Task:
    """What a process of a step knows of the step."""

    job: str
    port: int | None
    """Of its srun; None in the batch script, which has none."""
    host: str
    """Where its srun runs."""


def task(pid: int) -> Task | None:
    """The step that a process runs in; None when it is in none, is not ours to look at, or just begins."""
    environment = descriptors.environment(pid)
    job = environment.get("SLURM_JOB_ID", "")
    if not _is_number(job):
        return None
    port = environment.get("SLURM_SRUN_COMM_PORT", "")
    in_step = _is_number(port) and "SLURM_STEP_ID" in environment
    host = environment.get("SLURM_SRUN_COMM_HOST") or environment.get("SLURM_SUBMIT_HOST", "")
    return Task(job, int(port) if in_step else None, host)


def client_of(pid: int, table: Mapping[int, Process]) -> Process | None:
    """The srun of this machine that has started a process; None when it runs elsewhere."""
    asked = task(pid)
    if asked is None or asked.port is None:
        return None
    clients = (row for row in table.values() if row.name == CLIENT)
    return next((row for row in clients if asked.port in _ports(row.pid)), None)


def tasks_of(members: Collection[int], table: dict[int, Process]) -> Iterator[int]:
    """The processes that the sruns among `members` have started on this machine, parents before children."""
    clients = [pid for pid in members if pid in table and table[pid].name == CLIENT]
    if not clients:
        return
    daemons = {row.pid for row in table.values() if row.name == DAEMON}
    for row in table.values():
        if row.parent in daemons and started_by(row.pid, clients):
            yield from descriptors.descendants(row.pid, table)


def started_by(pid: int, clients: Iterable[int]) -> bool | None:
    """Whether one of these sruns has started a child of slurmstepd; None: that cannot be told yet."""
    asked = task(pid)
    if asked is None:
        # Until it executes the task's program it is a copy of the daemon.
        row = descriptors.process(pid)
        return None if row is not None and row.name == DAEMON else False
    return asked.port is not None and any(asked.port in _ports(client) for client in clients)


def _ports(pid: int) -> set[int]:
    """The TCP ports at which a process listens."""
    try:
        links = set(descriptors.links(pid).values())
    except OSError:
        return set()
    found = set()
    for name in ("tcp", "tcp6"):
        try:
            with open(f"/proc/{pid}/net/{name}", encoding="ascii", errors="replace") as file:
                rows = [line.split() for line in file][1:]
        except OSError:
            continue
        for row in rows:
            if len(row) > 9 and row[3] == _LISTENS and f"socket:[{row[9]}]" in links:
                found.add(int(row[1].rpartition(":")[2], 16))
    return found


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 12
