"""The bytes of a session file, plain or compressed, in pieces that bound the memory."""

from __future__ import annotations

import os
import stat
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from floydtop.errors import FloydtopError
from floydtop.events import Event
from floydtop.session.format import Reader

PLAIN = ".jsonl"
PACKED = ".jsonl.gz"
BLOCK = 1 << 19
"""Bytes that are read together: some 7,000 events, 3 MB; of twice as many, loading takes 10 MB more."""

_GZIP = b"\x1f\x8b"
_WINDOW = 31
"""What zlib calls the gzip format."""

_BITE = 4096
"""Packed bytes that are unpacked together: the state before each is copied, 40 KB, in case it is damaged."""

_END = 4096
"""Bytes in which to look for a line end first: nearly all lines are shorter."""

_DAMAGE = b"\n\0\n"
"""A line that a reader counts as damaged."""


def name_of(path: Path) -> str:
    """A session's name: that of its file, without the suffix."""
    return path.name.removesuffix(PACKED).removesuffix(PLAIN)


def open_session(path: Path | str) -> BinaryIO:
    """A session file opened for reading, `-` for standard input.

    Raises:
        FloydtopError: there is none, or it is no file.
    """
    if str(path) == "-":
        return os.fdopen(os.dup(0), "rb")
    try:
        # A FIFO of that name would be waited for: it is opened without waiting, and refused.
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        file = os.fdopen(fd, "rb")
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            file.close()
            raise FloydtopError(f"Cannot read the session {path}: it is no file.")
    except OSError as error:
        raise FloydtopError(f"Cannot read the session {path}: {error.strerror}.") from None
    return file


def is_packed(path: Path | str) -> bool:
    """Whether a session can only be read from front to back: it is compressed, or standard input."""
    if str(path) == "-":
        return True
    with open_session(path) as file:
        return file.read(len(_GZIP)) == _GZIP


def blocks(file: BinaryIO) -> Iterator[bytes]:
    """The bytes of a session from where the file stands, unpacked if they are packed, about 512 KiB each.

    Whatever follows a place where packed data is broken is given up; the last block then ends in a line that
    a `Reader` counts as damaged.
    """
    data = file.read(BLOCK)
    if not data.startswith(_GZIP):
        while data:
            yield data
            data = file.read(BLOCK)
        return
    waiting: list[bytes] = []
    size = 0
    for some in _unpacked(file, data):
        waiting.append(some)
        size += len(some)
        if size >= BLOCK:
            yield b"".join(waiting)
            waiting, size = [], 0
    if waiting:
        yield b"".join(waiting)


def _unpacked(file: BinaryIO, data: bytes) -> Iterator[bytes]:
    """What gzip data holds, at most 512 KiB at a time; `data` is what was read of the file already."""
    unpacker, begun = zlib.decompressobj(_WINDOW), False
    while data:
        for start in range(0, len(data), _BITE):
            bite = data[start : start + _BITE]
            # gzip files may follow each other; zero bytes after them are padding.
            while bite := bite if begun else bite.lstrip(b"\0"):
                begun, before = True, unpacker.copy()
                try:
                    yield unpacker.decompress(bite, BLOCK)
                except zlib.error:
                    yield _up_to_damage(before, bite) + _DAMAGE
                    return
                bite = unpacker.unconsumed_tail
                if unpacker.eof:
                    bite = unpacker.unused_data
                    unpacker, begun = zlib.decompressobj(_WINDOW), False
        data = file.read(BLOCK)
    if begun:
        yield _DAMAGE


def _up_to_damage(unpacker: zlib._Decompress, packed: bytes) -> bytes:
    """What can be unpacked before the byte that is wrong: of more at once zlib gives nothing."""
    found = []
    for place in range(len(packed)):
        try:
            found.append(unpacker.decompress(packed[place : place + 1]))
        except zlib.error:
            break
    return b"".join(found)


def stretches(fd: int, start: int, stop: int) -> Iterator[tuple[int, int]]:
    """Where pieces of a plain session begin and end, about 512 KiB each, always cut at the same line ends.

    A line that is longer makes its piece longer; what follows the last line end is in none.

    Args:
        start: where a line begins, and the first piece.

    Raises:
        OSError: it cannot be read.
    """
    for limit in range(start - start % BLOCK + BLOCK, stop + BLOCK, BLOCK):
        end = _last_line_end(fd, max(start, limit - BLOCK), min(limit, stop))
        if end is not None:
            yield start, end
            start = end


def _last_line_end(fd: int, start: int, stop: int) -> int | None:
    """Where the last line that ends between two places does so."""
    for first in (max(start, stop - _END), start):
        place = os.pread(fd, stop - first, first).rfind(b"\n")
        if place >= 0:
            return first + place + 1
    return None


def read_events(
    path: Path | str, reader: Reader, progress: Callable[[int, int], None] | None = None
) -> Iterator[list[Event]]:
    """The events of a session in lists, as its blocks complete them; `reader` counts what is damaged.

    Args:
        path: a file, or `-` for standard input.
        progress: told after each block how many bytes of the file were read, of how many.

    Raises:
        FloydtopError: it cannot be read, or is of a newer version.
    """
    with open_session(path) as file:
        try:
            size = os.fstat(file.fileno()).st_size
            for block in blocks(file):
                yield reader.feed(block)
                if progress is not None:
                    progress(min(file.tell(), size) if size else 0, size)
        except OSError as error:
            raise FloydtopError(f"Cannot read the session {path}: {error.strerror}.") from None
