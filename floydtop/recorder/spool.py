"""Turn a pipe or a FIFO into a log, so that whoever prints into it never has to wait for us."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from floydtop.errors import FloydtopError
from floydtop.recorder import kept
from floydtop.sources import descriptors
from floydtop.sources.writers import KEEPER, find_writers

_BLOCK = 65536
"""What a pipe holds at most, on Linux without tuning."""

_LOOK_EVERY = 0.05
"""Seconds between two looks whether somebody has begun to write to a FIFO."""

_WRITER_WITHIN = 0.5
"""Seconds that a writer needs at most to come out of its open(2) of a FIFO, once there is a reader."""


def spool_pipe(descriptor: int) -> Path:
    """Have a keeper read the pipe to its end, even when this process is gone; the log that it writes.

    Raises:
        FloydtopError: the log cannot be written.
    """
    log, file = kept.create("pipe")
    try:
        kept.start_keeper(["pipe", kept.exit_file(str(log))], descriptor, file)
    finally:
        os.close(file)
    return log


def spool_fifo(path: str, waiting: Callable[[], None]) -> Path:
    """The same for a FIFO, once somebody writes to it; the log of a keeper that reads it already, if any.

    Args:
        waiting: called when nobody writes yet, before that is waited for.

    Raises:
        FloydtopError: the FIFO cannot be read, the log cannot be written, or another program reads the
            FIFO: two readers would each get a part.
    """
    try:
        known = _log_of_reader(path)
        if known is not None:
            return known
        fifo = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise FloydtopError(f"The FIFO {path} cannot be read: {error.strerror}.") from error
    try:
        first = _first_bytes(fifo)
        if first == b"":
            waiting()
        # Not by an open(2) that blocks: a writer may come and go before that, its words waiting here.
        while first == b"":
            time.sleep(_LOOK_EVERY)
            first = _first_bytes(fifo)
        log, file = kept.create(os.path.basename(path))
        try:
            _write(file, first or b"")
            kept.start_keeper(["fifo", kept.exit_file(str(log)), os.path.abspath(path)], fifo, file)
        finally:
            os.close(file)
    finally:
        os.close(fifo)
    return log


def _first_bytes(fifo: int) -> bytes | None:
    """What is there now: None when a writer has not written yet, empty when there is no writer."""
    try:
        return os.read(fifo, _BLOCK)
    except BlockingIOError:
        return None


def _write(file: int, data: bytes) -> None:
    try:
        while data:
            data = data[os.write(file, data) :]
    except OSError as error:
        raise FloydtopError(f"Cannot write a log to {kept.logs_dir()}: {error.strerror}.") from error


def _log_of_reader(path: str) -> Path | None:
    status = os.stat(path)
    for holder in descriptors.holders(status.st_dev, status.st_ino)[0]:
        row = descriptors.process(holder.pid)
        if row is None or holder.pid == os.getpid() or not descriptors.reads(holder):
            continue
        if row.name == KEEPER:
            return Path(descriptors.links(holder.pid)[1])
        raise FloydtopError(
            f"{row.name} (process {row.pid}) already reads {path}: two readers would each get a part of it."
        )
    return None


def writer_of(log: Path) -> int | None:
    """The root process of the job that prints into the pipe behind our log, None when it is not known."""
    deadline = time.monotonic() + _WRITER_WITHIN
    while True:
        pids = find_writers(str(log)).pids
        if pids:
            return pids[0]
        if not kept.is_held(str(log)) or time.monotonic() > deadline:
            return None
        time.sleep(0.02)
