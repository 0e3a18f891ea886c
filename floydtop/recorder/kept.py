"""Logs that floydtop keeps itself, for `floydtop run` and `CMD | floydtop -`, and what their keepers tell."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import re
import secrets
import subprocess
import sys
import time
from pathlib import Path

from floydtop.errors import FloydtopError
from floydtop.events import Exit
from floydtop.sources.ending import describe

KEEPER = Path(__file__).with_name("keeper.py")

LAST_WORDS = 5.0
"""Seconds after the job's end in which its keeper may bring the last of its output."""

SILENCE = 0.5
"""Seconds without more of it after which nothing is taken to be on its way: a pipe may have other writers."""


def logs_dir() -> Path:
    """The folder of these logs, beside that of the recordings."""
    from floydtop.session.library import sessions_dir

    return sessions_dir().parent / "logs"


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
    path = folder / f"{stamp}-{safe}-{secrets.token_hex(3)}.log"
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(path, flags, 0o600)
    except OSError as error:
        raise FloydtopError(f"Cannot write a log to {folder}: {error.strerror}.") from error
    with contextlib.suppress(OSError):
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return path, descriptor


def start_keeper(arguments: list[str], stdin: int, log: int) -> str:
    """Start a keeper that writes to the descriptor `log`; what it reports, once it goes on by itself."""
    # -I: neither a random.py in the job's directory nor PYTHONPATH decide what runs here. -S saves 1 MB.
    command = [sys.executable, "-I", "-S", str(KEEPER), *arguments]
    keeper = subprocess.run(
        command, stdin=stdin, stdout=log, stderr=subprocess.PIPE, start_new_session=True, check=False
    )
    return keeper.stderr.decode(errors="replace")


def is_ours(log: str) -> bool:
    """Whether this is a log in our folder, whichever way leads there: a home may be a symbolic link."""
    return os.path.realpath(os.path.dirname(log)) == os.path.realpath(logs_dir())


def is_held(log: str) -> bool:
    """Whether a keeper still writes this log of ours."""
    try:
        descriptor = os.open(log, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return False
    except OSError:
        return True
    finally:
        os.close(descriptor)


def exit_file(log: str) -> str:
    """Where the keeper of a log leaves how its job ended."""
    return f"{log}.exit"


def exit_status(log: str) -> tuple[int | None, int | None]:
    """The pid of the job that was started with this log, and its wait status once it has ended."""
    try:
        with open(exit_file(log), "rb") as file:
            record = json.loads(file.read(256))
        pid, status = record["pid"], record["status"]
    except (OSError, ValueError, LookupError, TypeError):
        return None, None
    return (pid if type(pid) is int else None), (status if type(status) is int else None)


def told_exit(log: str | None, pid: int | None = None) -> Exit | None:
    """How the job that was started with this log ended; None when it runs, or is not that process."""
    if log is None or not is_ours(log):
        return None
    job, status = exit_status(log)
    if status is None or pid not in (None, job):
        return None
    return describe(status, "told by the process that started it")


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
