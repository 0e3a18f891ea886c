"""What is in an open file: its status, its present name and its end, asked with patience."""

from __future__ import annotations

import functools
import os
from typing import NamedTuple

from floydtop.sources.descriptors import Descriptor
from floydtop.sources.patience import NoAnswer, Patient

__all__ = ["NoAnswer", "Sight", "look"]

PATIENCE = 2.0
"""Seconds that a file system may take to answer; a dead network mount never does."""
_HEAD_BYTES = 4096
_TAIL_BYTES = 65536


class Sight(NamedTuple):
    """What one look at an open file tells."""

    status: os.stat_result
    path: str
    """Where the file is now; its last name when it was deleted."""
    fd_path: str | None
    """/proc/PID/fd/N where no name of ours leads to the file."""
    head: bytes
    tail: bytes


def look(descriptor: Descriptor, device: int) -> Sight | None:
    """Look at an open file; None when it is closed by now.

    Args:
        device: the file's device number: when that was silent once, it is not waited for again.

    Raises:
        NoAnswer: its file system does not answer.
    """
    while True:
        # A late answer about another file of the same device may come first.
        asked, seen = _patient(device).ask(functools.partial(_look, descriptor))
        if asked == descriptor:
            return seen


@functools.cache
def _patient(_device: int) -> Patient[tuple[Descriptor, Sight | None]]:
    return Patient("its file system", PATIENCE)


def _look(descriptor: Descriptor) -> tuple[Descriptor, Sight | None]:
    try:
        status = os.stat(descriptor.path)
    except OSError:
        return descriptor, None
    path, fd_path = _location(descriptor, status)
    head = _read(descriptor, 0, _HEAD_BYTES)
    tail = _read(descriptor, max(0, status.st_size - _TAIL_BYTES), _TAIL_BYTES)
    return descriptor, Sight(status, path, fd_path, head, tail)


def _location(descriptor: Descriptor, status: os.stat_result) -> tuple[str, str | None]:
    """The file's present name; with the descriptor's path when no name of ours leads to it."""
    link = descriptor.link
    if status.st_nlink == 0:
        return link.removesuffix(" (deleted)"), descriptor.path
    try:
        named = os.stat(link)
    except OSError:
        return link, descriptor.path
    same = (named.st_dev, named.st_ino) == (status.st_dev, status.st_ino)
    return link, None if same else descriptor.path


def _read(descriptor: Descriptor, start: int, size: int) -> bytes:
    try:
        file = os.open(descriptor.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOCTTY)
    except OSError:
        return b""
    try:
        return os.pread(file, size, start)
    except OSError:
        return b""
    finally:
        os.close(file)
