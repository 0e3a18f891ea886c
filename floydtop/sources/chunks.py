"""What a reader of job output yields: bytes, a new beginning, or word that there is no more at present."""

from __future__ import annotations

from dataclasses import dataclass

BLOCK = 1 << 20
"""Bytes read at once: smaller blocks cost more in hops between threads than in reading."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Bytes of the log, in order; a hole in the file shows as an offset that jumps ahead."""

    data: bytes
    offset: int
    """Where `data[0]` stands in the file."""
    history: bool = False
    """These bytes were there when following began."""
    history_size: int = 0
    """Size of the file, in bytes, when following began; 0 after a restart."""

    def part(self, start: int, size: int) -> Chunk:
        """So many of its bytes."""
        data = self.data[start : start + size]
        return Chunk(data, self.offset + start, self.history, self.history_size)


@dataclass(frozen=True, slots=True)
class Restart:
    """What was read is over: the next chunk is the start of a new content. Finish the line splitter first."""

    reason: str


@dataclass(frozen=True, slots=True)
class Idle:
    """The present end of the log is reached: there is nothing more to read now."""

    missing: bool = False
    """No file has the log's name at present; one that was open is still followed."""
    lost: str = ""
    """Why the log cannot be read at present, as when its network mount has died; it is tried again."""


Item = Chunk | Restart | Idle
