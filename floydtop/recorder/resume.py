"""Where to go on in a log that an earlier recorder has read in part."""

from __future__ import annotations

import os
import stat
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from floydtop.events import Position
from floydtop.parse import Parser
from floydtop.parse.lines import LineSplitter
from floydtop.sources.chunks import BLOCK, Chunk
from floydtop.sources.finished import is_packed

CHECKED = 64
"""Bytes before a position that must be the same for the log to be the same."""

PRIMING = 4 << 20
"""Bytes before the position that the parser reads once more, to know the epoch and the table it is in."""


@dataclass(frozen=True)
class Place:
    """A place in a log at which reading goes on."""

    path: str
    offset: int
    before: bytes
    """The last bytes before it."""
    rotated: bool = False
    """The log has another name now; a new one, to be read after it, has taken its name."""


def find_place(log: str, reopen: str | None, position: Position) -> Place | None:
    """The place that `position` names, None when the log holds another content now.

    A log that was renamed in between is looked for in its folder.
    """
    name = reopen or log
    if (before := _bytes_before(name, position)) is not None:
        return Place(name, position.offset, before)
    folder = os.path.dirname(log)
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return None
    for entry in entries:
        if position.inode and entry.inode() == position.inode and entry.path != log:
            before = _bytes_before(entry.path, position)
            if before is not None:
                return Place(entry.path, position.offset, before, rotated=True)
    return None


def rest_of(place: Place) -> Iterator[Chunk]:
    """What stands behind the place in a file that grows no more."""
    with open(place.path, "rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(place.offset)
        offset = place.offset
        while data := file.read(BLOCK):
            yield Chunk(data, offset, history=True, history_size=size)
            offset += len(data)


def check(before: bytes) -> int:
    """What a position remembers of the bytes before it."""
    return zlib.crc32(before[-CHECKED:])


def identity(path: str) -> tuple[int, int]:
    """Device and inode of a file, zeros where there is none."""
    try:
        status = os.stat(path)
    except OSError:
        return 0, 0
    return status.st_dev, status.st_ino


def _bytes_before(path: str, position: Position) -> bytes | None:
    """The last bytes before the position, None when they are not those that it remembers."""
    try:
        status = os.stat(path)
        if position.offset < CHECKED and position.inode not in (0, status.st_ino):
            # Too few bytes to tell one log from another.
            return None
        # A terminal has no offsets, a FIFO is read once, and a compressed log is read from its start.
        if not stat.S_ISREG(status.st_mode) or status.st_size < position.offset or is_packed(path):
            return None
        with open(path, "rb") as file:
            start = max(0, position.offset - CHECKED)
            file.seek(start)
            before = file.read(position.offset - start)
    except OSError:
        return None
    return before if check(before) == position.check else None


def encoding_of(path: str) -> str | None:
    """The encoding that a log's first bytes name, None for UTF-8."""
    splitter = LineSplitter()
    with open(path, "rb") as file:
        splitter.feed(file.read(2))
    return splitter.encoding


def prime(parser: Parser, path: str, position: Position, encoding: str | None) -> None:
    """Let a parser read what comes before the position, so that it knows what the earlier one knew."""
    start = max(0, position.offset - PRIMING)
    with open(path, "rb") as file:
        file.seek(start)
        data = file.read(position.offset - start)
    if start:
        # A line of UTF-16 begins at an even byte, which a search for a newline would not find.
        data = data.partition(b"\n")[2] if encoding is None else data[start % 2 :]
    splitter = LineSplitter(1, start or 1, encoding)
    lines = splitter.feed(data)
    first = position.line - len(lines)
    for count, line in enumerate(lines):
        line.number = first + count
        parser.read(line)
