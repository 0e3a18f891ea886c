"""What file is this? Asked so that a dead network mount cannot hold us up.

stat(2) of a file on a mount whose server is gone waits for ever, and one such file, open in any process of
the machine, would hold up the search for who writes a log. statx(2) with AT_STATX_DONT_SYNC answers from
what the kernel knows already.
"""

from __future__ import annotations

import functools
import os
import struct
from collections.abc import Callable
from typing import Any, NamedTuple

_AT_FDCWD = -100
_DONT_SYNC = 0x4000
_NO_AUTOMOUNT = 0x800
_TYPE_AND_INODE = 0x101
# struct statx of linux/stat.h: stx_mode at byte 28, stx_ino at 32, stx_dev_major and stx_dev_minor at 136.
_SIZE = 256
_FIELDS = struct.Struct("=28xH2xQ96xII")


class Identity(NamedTuple):
    """Which file it is, and of what kind."""

    mode: int
    device: int
    inode: int


def identity(path: str, directory: int | None = None) -> Identity:
    """The kind and identity of the file behind a path, which may be stale on a network mount.

    Args:
        path: such as /proc/PID/fd/N; links are followed.
        directory: an open directory that the path is relative to.

    Raises:
        OSError: there is no such file, or it may not be looked at.
    """
    call = _statx()
    if call is None:
        status = os.stat(path, dir_fd=directory)
        return Identity(status.st_mode, status.st_dev, status.st_ino)
    return call(path, _AT_FDCWD if directory is None else directory)


@functools.cache
def _statx() -> Callable[[str, int], Identity] | None:
    """The system call as a function, None where the C library or Python has no way to it."""
    try:
        import ctypes
    except ImportError:  # a Python built without libffi
        return None
    library = ctypes.CDLL(None, use_errno=True)
    function: Any = getattr(library, "statx", None)
    if function is None:
        return None

    def call(path: str, directory: int) -> Identity:
        buffer = ctypes.create_string_buffer(_SIZE)
        if function(directory, os.fsencode(path), _DONT_SYNC | _NO_AUTOMOUNT, _TYPE_AND_INODE, buffer):
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), path)
        mode, inode, major, minor = _FIELDS.unpack_from(buffer)
        return Identity(mode, os.makedev(major, minor), inode)

    return call
