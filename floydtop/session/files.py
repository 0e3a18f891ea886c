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
BLOCK = 1 << 20
_GZIP = b"\x1f\x8b"
_WINDOW = 31
"""What zlib calls the gzip format."""


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


def blocks(file: BinaryIO) -> Iterator[bytes]:
    """The bytes of a session from where the file stands, unpacked if they are packed, at most 1 MiB each.

    Whatever follows a place where packed data is broken is given up; the last block then ends in a line that
    a `Reader` counts as damaged.
    """
    data = file.read(BLOCK)
    if not data.startswith(_GZIP):
        while data:
            yield data
            data = file.read(BLOCK)
        return
    unpacker = zlib.decompressobj(_WINDOW)
    while True:
        try:
            block = unpacker.decompress(data, BLOCK)
        except zlib.error:
            yield b"\n\0\n"
            return
        if block:
            yield block
        data = unpacker.unconsumed_tail
        if unpacker.eof:
            # gzip files may follow each other; zero bytes after them are padding.
            data = (unpacker.unused_data or file.read(BLOCK)).lstrip(b"\0")
            if not data:
                return
            unpacker = zlib.decompressobj(_WINDOW)
        elif not data:
            data = file.read(BLOCK)
            if not data and not block:
                yield b"\n\0\n"
                return


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
