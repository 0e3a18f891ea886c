"""Look into a huge log out of order: its end first, then samples of the whole, then all of it backwards.

On 10 GB the last 1 MiB takes 4 ms and 256 samples 30 ms, where reading it through takes 40 s. Every chunk
holds whole lines, so that each can be parsed alone; line numbers are not known here.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

from floydtop.errors import FloydtopError
from floydtop.sources.chunks import BLOCK, Chunk
from floydtop.sources.content import FINGERPRINT_BYTES
from floydtop.sources.finished import is_packed

PROBES = 256
"""One for each column of a wide chart."""
PROBE_BYTES = 16384
_BACKWARDS_BLOCK = 4 << 20
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class Mark:
    """Which log was read and how far, to know it again and read only what is new."""

    device: int
    inode: int
    offset: int
    before: bytes
    """The last bytes before `offset`, at most 64: others there mean that the log was rewritten."""


def mark(path: str, offset: int) -> Mark:
    """Remember that `path` was read up to `offset`.

    Raises:
        FloydtopError: the log cannot be read.
    """
    with _Log(path) as log:
        start = max(0, offset - FINGERPRINT_BYTES)
        return Mark(log.device, log.inode, offset, log.read(start, offset - start))


def is_same(path: str, known: Mark) -> bool:
    """Whether `path` is the marked log and still holds what was read: only the bytes behind it are new."""
    try:
        now = mark(path, known.offset)
    except FloydtopError:
        return False
    return now == known


def is_seekable(path: str) -> bool:
    """Whether lines can be found from the middle: not in gzip data, nor in UTF-16, nor in a FIFO."""
    if not os.path.isfile(path) or is_packed(path):
        return False
    with _Log(path) as log:
        return not log.read(0, 2).startswith(_UTF16_MARKS)


def last_lines(path: str, size: int = BLOCK) -> Chunk:
    """The finished lines in the last `size` bytes; follow from the chunk's end on to read what comes.

    Raises:
        FloydtopError: the log cannot be read.
    """
    with _Log(path) as log:
        start = max(0, log.size - size)
        data = log.read(start, log.size - start)
        skip = _after_break(data) if start else 0
        end = data.rfind(b"\n") + 1
        if end <= skip:  # a bar that has not come to its first line end
            end = max(skip, data.rfind(b"\r") + 1)
        return Chunk(data[skip:end], start + skip, True, log.size)


def outline(
    path: str, end: int | None = None, probes: int = PROBES, size: int = PROBE_BYTES
) -> Iterator[Chunk]:
    """Samples of the log, evenly spread from its beginning to `end`, oldest first; none overlap.

    Args:
        path: the log.
        end: sample only what stands before it; the size of the file when None.
        probes: how many.
        size: bytes of each, before it is cut to whole lines; double it when too few hold a metric.

    Raises:
        FloydtopError: the log cannot be read.
    """
    with _Log(path) as log:
        end = log.size if end is None else min(end, log.size)
        done = 0
        for probe in range(probes):
            start = max(done, (end - size) * probe // max(1, probes - 1))
            data = log.read(start, min(size, end - start)) if start < end else b""
            skip = _after_break(data) if start > done else 0
            stop = max(data.rfind(b"\n"), data.rfind(b"\r")) + 1
            if stop > skip and data.strip(b"\0"):
                yield Chunk(data[skip:stop], start + skip, True, log.size)
                done = start + stop


def backwards(path: str, end: int, start: int = 0, block: int = _BACKWARDS_BLOCK) -> Iterator[Chunk]:
    """All bytes from `start` to `end`, the newest chunk first, each cut where a line begins.

    Args:
        path: the log.
        end: where a line begins, such as the offset of `last_lines`.
        start: read no further back than this.
        block: bytes read at once; a line longer than it is cut, where a bar goes back if there is one.

    Raises:
        FloydtopError: the log cannot be read.
    """
    with _Log(path) as log:
        while end > start:
            begin = max(start, end - block)
            data = log.read(begin, end - begin)
            if not data:
                return
            skip = _after_break(data) if begin > start else 0
            if skip >= len(data):
                skip = 0
            yield Chunk(data[skip:], begin + skip, True, log.size)
            end = begin + skip


def _after_break(data: bytes) -> int:
    """Where the first whole line of a block begins: behind a line end, else behind a bar's way back."""
    line = data.find(b"\n") + 1
    return line if 0 < line < len(data) else data.find(b"\r") + 1


class _Log:
    """An open log that is read at any place."""

    def __init__(self, path: str) -> None:
        try:
            self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise FloydtopError(f"The log {path} cannot be read: {error.strerror}.") from error
        status = os.fstat(self._descriptor)
        self.device, self.inode, self.size = status.st_dev, status.st_ino, status.st_size

    def __enter__(self) -> _Log:
        return self

    def __exit__(self, *exception: object) -> None:
        os.close(self._descriptor)

    def read(self, start: int, size: int) -> bytes:
        return os.pread(self._descriptor, size, start)
