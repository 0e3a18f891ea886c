"""What Slurm tells about a job: where it runs, where its output goes, which processes it has here."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass

from floydtop.errors import FloydtopError

PATIENCE = 10.0
"""Seconds that Slurm may take to answer: its controller may be busy, or gone."""
_NAME = re.compile(r"slurm:(?P<job>\d{1,12}(?:[_+]\d{1,9})?)(?:\.(?P<step>\d{1,9}|batch))?")
_FIELD = r"(?:^| ){}=(\S*)"
# Behind it come, by version, few other fields; a path may hold spaces and equals signs.
_OUTPUT = re.compile(
    r" StdOut=(?P<path>.*?)(?: (?:Power|Mail|Ntasks|Tres|TRES|Switches|Cpus|Mem|Gres)[A-Za-z]{0,16}[=:].*)?$"
)

WAITING = ("PENDING", "CONFIGURING", "REQUEUED", "REQUEUE_HOLD", "SPECIAL_EXIT", "RESV_DEL_HOLD")
"""States of a job that has no process yet, or no longer and is to begin anew."""


@dataclass(frozen=True, slots=True)
class Job:
    """One job of Slurm's."""

    number: str
    """As its own commands take it, 123; of an array each task has one."""
    state: str
    """RUNNING, PENDING, COMPLETED, ..."""
    reason: str
    """Why it waits."""
    nodes: str
    """Where it runs, such as n[1-4]."""
    exit: str
    """Exit code and signal, 0:0."""
    output: str | None
    """Absolute path of the file that its batch script prints to; None for srun and salloc."""

    @property
    def lives(self) -> bool:
        return self.state in ("RUNNING", "COMPLETING", "SUSPENDED", "STOPPED", "SIGNALING", "STAGE_OUT")


def is_named(text: str) -> bool:
    """Whether the text names a job of Slurm's: `slurm:123`."""
    return text.startswith("slurm:") and not os.path.exists(text)


def named(text: str) -> tuple[str, str | None]:
    """The job and the step that `slurm:123`, `slurm:123_4` or `slurm:123.0` stands for.

    Raises:
        FloydtopError: it stands for none.
    """
    match = _NAME.fullmatch(text)
    if match is None:
        raise FloydtopError(f"{text} names no job of Slurm's: slurm:123, slurm:123_4 or slurm:123.0.")
    return match["job"], match["step"]


def find(number: str) -> Job:
    """Ask Slurm about a job.

    Raises:
        FloydtopError: there is none with that number any more, several, or Slurm does not answer.
    """
    told = _ask("show", "job", "-o", number)
    jobs = [job for line in told.splitlines() if (job := parse(line)) is not None]
    if len(jobs) > 1:
        alive = [job for job in jobs if job.lives]
        if len(alive) != 1:
            numbers = ", ".join(f"slurm:{job.number}" for job in (alive or jobs)[:5])
            raise FloydtopError(f"{number} is an array of {len(jobs)} jobs: name one, such as {numbers}.")
        jobs = alive
    if not jobs:
        raise FloydtopError(f"Slurm's answer about job {number} is not understood: name the job's log.")
    return jobs[0]


def parse(line: str) -> Job | None:
    """One line of `scontrol show job -o`; None when it tells of no job.

    The job's name comes early and may hold anything, so the last field of a name counts.
    """
    if not re.match(r"JobId=\d", line):
        return None
    before, _, _ = line.rpartition(" Command=")
    facts = before or line
    output = _OUTPUT.search(line, max(0, line.rfind(" StdOut=")))
    path = output["path"].strip() if output else ""
    return Job(
        number=_last("JobId", line[:40]),
        state=_last("JobState", facts),
        reason=_last("Reason", facts),
        nodes=_last("NodeList", facts),
        exit=_last("ExitCode", facts),
        output=path if os.path.isabs(path) and "\0" not in path else None,
    )


def _last(name: str, text: str) -> str:
    found = re.findall(_FIELD.format(name), text)
    return str(found[-1]) if found else ""


def root_of(number: str, step: str | None) -> int | None:
    """The pid of the job's process on this machine that has started the others; None when it is elsewhere.

    That is the batch script, else the first task of the newest step.
    """
    try:
        told = _ask("listpids", number)
    except FloydtopError:
        return None
    found: dict[int, int] = {}
    for line in told.splitlines()[1:]:
        fields = line.split()
        # PID JOBID STEPID LOCALID GLOBALID; - for what a task has started.
        if len(fields) < 4 or not fields[0].isdecimal() or fields[3] != "0" or int(fields[0]) < 2:
            continue
        if step in (None, fields[2]):
            rank = 1 << 40 if fields[2] == "batch" else int(fields[2]) if fields[2].isdecimal() else -1
            found[rank] = int(fields[0])
    return found[max(found)] if found else None


def _ask(*words: str) -> str:
    program = shutil.which("scontrol")
    number = words[-1]
    if program is None:
        raise FloydtopError(
            f"There is no scontrol on this machine to ask about slurm:{number}: "
            f"name the job's log, such as slurm-{number}.out."
        )
    try:
        done = subprocess.run(
            [program, *words],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PATIENCE,
            check=False,
            env=dict(os.environ, SLURM_TIME_FORMAT="standard"),
        )
    except subprocess.TimeoutExpired:
        raise FloydtopError(
            f"Slurm has not answered about job {number} for {PATIENCE:.0f} s: name the job's log."
        ) from None
    except OSError as error:
        raise FloydtopError(f"{program} cannot be run: {error.strerror}.") from error
    if done.returncode == 0:
        return done.stdout.decode("utf-8", "replace")
    said = (done.stderr or done.stdout).decode("utf-8", "replace").strip().partition("\n")[0][:200]
    if "Invalid job id" in said:
        raise FloydtopError(
            f"Slurm knows no job {number}, it forgets one some minutes after its end: "
            f"name its log, such as slurm-{number}.out."
        )
    raise FloydtopError(
        f"Slurm does not tell about job {number} ({said or 'no reason given'}): name its log."
    )
