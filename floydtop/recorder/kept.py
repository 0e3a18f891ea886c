"""Logs that floydtop keeps itself, for `floydtop run` and `CMD | floydtop -`, and what their keepers tell."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import time
from pathlib import Path

from floydtop.errors import FloydtopError
from floydtop.events import Exit
from floydtop.session.hold import lock
from floydtop.session.logs import exit_file, is_held, is_ours, keeper_record, logs_dir
from floydtop.sources.ending import describe

__all__ = [
    "create",
    "exit_file",
    "exit_status",
    "is_held",
    "is_ours",
    "last_words",
    "logs_dir",
    "start_keeper",
    "told_exit",
]

KEEPER = Path(__file__).with_name("keeper.py")

LAST_WORDS = 5.0
"""Seconds after the job's end in which its keeper may bring the last of its output."""

SILENCE = 0.5
"""Seconds without more of it after which nothing is taken to be on its way: a pipe may have other writers."""


def create(name: str) -> tuple[Path, int]:
    """A new empty log and its descriptor, locked for as long as anybody holds that descriptor.

    Args:
        name: made part of the file's name as far as it is letters, digits, dot and dash.

    Raises:
        FloydtopError: it cannot be written.
    """
    folder = logs_dir()
    safe = re.sub(r"[^A-Za-z0-9.]+", "-", name).strip("-.")[:40] or "job"
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    path = folder / f"{stamp}-{safe}-{os.urandom(3).hex()}.log"
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(path, flags, 0o600)
    except OSError as error:
        raise FloydtopError(f"Cannot write a log to {folder}: {error.strerror}.") from error
    lock(descriptor)
    return path, descriptor


def start_keeper(arguments: list[str], stdin: int, log: int) -> str:
    """Start a keeper that writes to the descriptor `log`; what it reports, once it goes on by itself."""
    # -I: neither a random.py in the job's directory nor PYTHONPATH decide what runs here. -S saves 1 MB.
    command = [sys.executable, "-I", "-S", str(KEEPER), *arguments]
    keeper = subprocess.run(
        command, stdin=stdin, stdout=log, stderr=subprocess.PIPE, start_new_session=True, check=False
    )
    return keeper.stderr.decode(errors="replace")


def exit_status(log: str) -> tuple[int | None, int | None]:
    """The pid of the job that was started with this log, and its wait status once it has ended."""
    record = keeper_record(log)
    pid, status = record.get("pid"), record.get("status")
    return (pid if type(pid) is int else None), (status if type(status) is int else None)


def told_exit(log: str | None, pid: int | None = None) -> Exit | None:
    """How the job that was started with this log ended; None when it runs, or is not that process."""
    if log is None or not is_ours(log):
        return None
    job, status = exit_status(log)
    if status is None or pid not in (None, job):
        return None
    how = "told by the process that started it"
    lost, why = keeper_record(log).get("lost"), keeper_record(log).get("why")
    if type(lost) is int and lost > 0:
        how += f"; {lost} bytes of its output are missing from the log: {why}"
    return describe(status, how)


async def last_words(log: str) -> None:
    """Wait until the keeper of an ended job has written all of its output."""
    loop = asyncio.get_running_loop()
    now = loop.time()
    deadline, quiet, size = now + LAST_WORDS, now + SILENCE, -1
    while now < min(deadline, quiet) and is_held(log) and exit_status(log)[1] is None:
        await asyncio.sleep(0.01)
        now = loop.time()
        if (grown := os.stat(log).st_size) != size:
            size, quiet = grown, now + SILENCE
