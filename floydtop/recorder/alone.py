"""Only one recorder for a job: a starter looks for one first, and nobody else starts one meanwhile."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from floydtop.session.hold import lock
from floydtop.session.place import fallback_dir

PATIENCE = 15.0
"""Seconds: longer than a recorder takes to start on a slow machine."""

_LOCKS = 16
"""So few files are left behind; two jobs of the same one only wait for each other."""


@contextmanager
def alone(job: str) -> Iterator[None]:
    """Holds off other starters of the same job on this host, on a local disk where locks work.

    A lock that cannot be had is no reason not to record.
    """
    path = fallback_dir().parent / f"starting-{zlib.crc32(job.encode()) % _LOCKS}.lock"
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError:
        yield
        return
    try:
        lock(fd, PATIENCE)
        yield
    finally:
        os.close(fd)
