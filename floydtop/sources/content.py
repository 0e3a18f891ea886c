"""One opened log and how far it was read: tells new bytes from a content that was rewritten."""

from __future__ import annotations

import contextlib
import errno
import os
from typing import Any

from floydtop.sources.chunks import BLOCK, Chunk, Restart

FINGERPRINT_BYTES = 64
"""Bytes before the reading position that are read again each time: others there mean a rewritten file."""
_SMALL_BLOCK = 1 << 16
"""Asked for at the end of the file: a fresh megabyte for each line would double the cost of a read."""
_SAMPLED_FROM = 4096
"""A run that is started anew prints the same first lines; from here on its numbers differ."""
_NULS = bytes(8)
_LOST = frozenset(
    {
        *(errno.EIO, errno.ENOTCONN, errno.ETIMEDOUT, errno.EHOSTDOWN, errno.EHOSTUNREACH),
        *(errno.ECONNABORTED, errno.ECONNRESET, errno.ENODEV, errno.ENXIO),
    }
)
"""What a network file system says when its server or its own program is gone: it may come back."""


class Content:
    """One opened file and the position up to which it was read.

    Attributes:
        lost: why the last read failed as on a dead mount, empty when it did not.
    """

    def __init__(self, file: Any, offset: int, before: bytes | None) -> None:
        self._file = file
        self._fd: int = file.fileno()
        status = os.fstat(self._fd)
        self.identity = (status.st_dev, status.st_ino)
        self.history_size = status.st_size
        self._offset = offset
        if before is None:
            before = os.pread(self._fd, FINGERPRINT_BYTES, max(0, offset - FINGERPRINT_BYTES))
            # Zeros stand for bytes that are no longer there: the first read then finds the log truncated.
            known = min(offset, FINGERPRINT_BYTES)
            before = before[:known].ljust(known, b"\0")
        self._before = before
        self._block = BLOCK
        self._samples: list[tuple[int, bytes]] = []
        self.lost = ""

    @property
    def place(self) -> tuple[int, bytes]:
        """Up to where it was read, and the bytes before that."""
        return self._offset, self._before

    @property
    def descriptor(self) -> str:
        """A path that leads to this file whatever its name is now."""
        return f"/proc/self/fd/{self._fd}"

    @property
    def status(self) -> os.stat_result:
        return os.fstat(self._fd)

    @property
    def size(self) -> int:
        return self.status.st_size

    async def next(self, end: int | None = None) -> Chunk | Restart | None:
        """The next bytes, or why the content starts anew, or None at the present end.

        Args:
            end: read no further than this offset, and take the file as complete: zero bytes at its end,
                which otherwise wait to be filled, count.
        """
        try:
            item = await self._next(end)
        except OSError as error:
            if error.errno in _LOST:
                self.lost = os.strerror(error.errno or 0)
                return None
            raise
        self.lost = ""
        return item

    async def _next(self, end: int | None) -> Chunk | Restart | None:
        limit = self._block
        history = self._offset < self.history_size
        if history:
            limit = min(limit, self.history_size - self._offset)
        if end is not None:
            limit = min(limit, max(0, end - self._offset))
        known = len(self._before)
        try:
            os.lseek(self._fd, self._offset - known, os.SEEK_SET)
            data: bytes = await self._file.read(known + limit)
        except OSError as error:
            # The file was deleted on the server of a network file system: its name is looked at next.
            if error.errno == errno.ESTALE:
                return None
            raise
        self._block = BLOCK if len(data) == known + limit else _SMALL_BLOCK
        if not data.startswith(self._before):
            if len(data) < known:
                return self._start_anew("the log was truncated")
            if not self._only_end_changed():
                return self._start_anew("the log was rewritten")
        if known:
            data = data[known:]
        if data.endswith(_NULS):
            data = self._without_hole(data, complete=end is not None)
        if not data:
            return None
        chunk = Chunk(data, self._offset, history, self.history_size)
        self._offset += len(data)
        self._before = (self._before + data[-FINGERPRINT_BYTES:])[-FINGERPRINT_BYTES:]
        self._sample(chunk)
        return chunk

    def _sample(self, chunk: Chunk) -> None:
        """Remember a few bytes at 4 KiB, 8 KiB, 16 KiB and so on, or where reading came by next."""
        while True:
            place = max(chunk.offset, 2 * self._samples[-1][0] if self._samples else _SAMPLED_FROM)
            if place + FINGERPRINT_BYTES > self._offset:
                return
            start = place - chunk.offset
            self._samples.append((place, chunk.data[start : start + FINGERPRINT_BYTES]))

    def _only_end_changed(self) -> bool:
        """Whether what was read further up still stands there, as when two writers overwrite each other.

        Starting such a log anew, which `train.py > log 2> log` makes, would read it again for every line.
        """
        # Zeros are the hole that an earlier truncation left, and stand in the next one too.
        known = [(at, text) for at, text in self._samples if at <= self._offset // 2 and text.strip(b"\0")]
        return bool(known) and all(os.pread(self._fd, len(text), at) == text for at, text in known)

    def _start_anew(self, reason: str) -> Restart:
        self._offset = 0
        self._before = b""
        self._samples = []
        self.history_size = 0
        return Restart(reason)

    def _without_hole(self, data: bytes, complete: bool) -> bytes:
        """Leave out zero bytes that nobody wrote: a hole (skipped), or the file's end (read later).

        NFS shows zeros where another host's bytes are on their way, and a preallocated log ends in them.
        """
        size = self.size
        at_end = self._offset + len(data) >= size
        if at_end and not complete:
            # Two bytes of UTF-16 may end in one zero: it is read again with what follows.
            return data.rstrip(b"\0")
        if data.strip(b"\0"):
            return data
        try:
            next_data = os.lseek(self._fd, self._offset, os.SEEK_DATA)
        except OSError:
            next_data = size
        if next_data < self._offset + len(data):
            return data
        if next_data >= size and not complete:
            return b""
        # A 2 GiB hole took lnav 24 s; SEEK_DATA passes it in microseconds.
        self._before = bytes(min(FINGERPRINT_BYTES, next_data - self._offset))
        self._offset = next_data
        if next_data >= size:
            return b""
        return self._read_now()

    def _read_now(self) -> bytes:
        return os.pread(self._fd, BLOCK, self._offset)

    async def close(self) -> None:
        # A dead mount complains of that, too.
        with contextlib.suppress(OSError):
            await self._file.close()
