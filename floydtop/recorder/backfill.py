"""Read the past of a huge log while it is followed: samples of the whole, then all of it backwards."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from floydtop.events import Event, Malformed, Metrics
from floydtop.parse.bulk import Bulk
from floydtop.parse.rules import Choice
from floydtop.recorder.context import Context
from floydtop.recorder.gathering import KEPT, Block, Density
from floydtop.sources.chunks import Chunk
from floydtop.sources.history import PROBE_BYTES, PROBES, OpenLog, sample

STRETCH = 32 << 20
"""Bytes that are read forward at a time: much more than a parser reads before to know what is going on."""

LEAST_STRETCH = 4 << 20
"""The same where every point of many stays."""

LONGEST_LINE = 64 << 20
"""Bytes before a stretch in which its first line's start is looked for; a longer line is cut."""

READ = 4 << 20
"""Bytes that a thread fetches while others are parsed."""

MOST_AT_ONCE, LEAST_AT_ONCE = 1 << 20, 64 << 10
"""Bytes that are parsed before others may do something."""

TURN = 0.02
"""Seconds that this should take: live lines and readings of the system wait so long."""

BLOCK_POINTS = 32_768
"""Points of a `History` before it is thinned: it takes some megabytes to write."""

STRETCH_POINTS = 8 * BLOCK_POINTS
"""Points that one stretch may hold, about 12 MB; where there are more, they are thinned at once."""

LARGEST_PROBE = 8 * PROBE_BYTES

OUTLINE_SECONDS = 0.6
"""Time for all samples; a slow format on a busy machine gets as many as it can."""
LEAST_PROBES = PROBES // 8
SAMPLES_AT_ONCE = 32

SAMPLE_POINTS = 4
"""Points of each metric that stay of a sample."""

MALFORMED_TOLD = 100
"""Unreadable lines that are told one by one; others are counted."""

REWRITTEN = "the log was rewritten"

_HOLE = bytes(8)

Result = TypeVar("Result")


class Stopped(Exception):
    """Nothing more of the past can be read; the message says why."""


@dataclass(frozen=True)
class Past:
    """What is to be read, and what is known of it.

    Attributes:
        begun: where the recording began.
        back: every byte from here on is recorded.
        lines: how many lines there are from `back` to `begun`.
    """

    begun: int
    back: int
    lines: int = 0


class Backfill:
    """Reads what stands before the place at which a recording began, the newest stretch first.

    Args:
        log: the log, open; it is closed in the end.
        past: what is to be read of it.
        context: makes parsers for places in it.
        choice: applies the user's rules about names.
        span: session times of two places between which lines are, given the lines; Nones where unknown.
        plain: there are no rules about names.
        write: takes events; when it is called, `back` and `lines` are already what they come to.
        room: whether the session may grow.

    Attributes:
        back, lines: as of `Past`, of what was handed to `write`.
    """

    def __init__(
        self,
        log: OpenLog,
        past: Past,
        *,
        context: Context,
        choice: Choice,
        plain: bool,
        span: Callable[[bytes, int], tuple[float | None, float | None]],
        write: Callable[[Sequence[Event]], None],
        room: Callable[[], bool],
    ) -> None:
        self.back, self.lines = past.back, past.lines
        self._log = log
        self._begun = past.begun
        self._check = log.check(past.begun)
        self._context = context
        self._choice = choice
        self._plain = plain
        self._span = span
        self._write = write
        self._room = room
        self._kept = KEPT * past.back / past.begun
        self._density = Density()
        self._malformed_left = MALFORMED_TOLD
        self._at_once = LEAST_AT_ONCE
        self._thread = ThreadPoolExecutor(1, "past")

    async def run(self) -> None:
        """Read all of it; may be cancelled.

        Raises:
            Stopped: the log is not what it was, or the session has no room.
            OSError: the disk does not give it.
        """
        try:
            await self._outline()
            while self.back > 0:
                if not self._room():
                    raise Stopped("the session has no room for more")
                await self._stretch()
        finally:
            self.close()

    def close(self) -> None:
        """Let go of the log, behind a read that may still be going on."""
        self._thread.submit(self._log.close)
        self._thread.shutdown(wait=False)

    async def _outline(self) -> None:
        """Samples of the whole, evenly spread however many there is time for; the oldest is written first."""
        samples: list[Block] = []
        size = PROBE_BYTES
        places = _closer_and_closer(PROBES)
        until = time.monotonic() + OUTLINE_SECONDS
        while True:
            empty: list[int] = []
            for place in places:
                chunk = await self._in_thread(sample, self._log, self.back, place / (PROBES - 1), size)
                if chunk is not None and (block := self._sample(chunk)).size:
                    samples.append(block)
                else:
                    empty.append(place)
                if time.monotonic() > until and len(samples) + len(empty) >= LEAST_PROBES:
                    break
                await asyncio.sleep(0)
            size, places = 2 * size, empty
            enough = len(empty) <= len(samples) or time.monotonic() > until
            if enough or size > LARGEST_PROBE or size * PROBES > self.back:
                break
        if self.back == self._begun:
            samples.sort(key=lambda block: block.start)
            for first in range(0, len(samples), SAMPLES_AT_ONCE):
                self._write([block.history() for block in samples[first : first + SAMPLES_AT_ONCE]])
                await asyncio.sleep(0)

    def _sample(self, chunk: Chunk) -> Block:
        bulk = self._context.sampler()
        block = Block(chunk.offset, bulk.splitter.number)
        self._piece(bulk, chunk.data, chunk.offset, block)
        if not chunk.data.endswith(b"\n"):
            self._finish(bulk, chunk.offset + len(chunk.data), block)
        block.close(chunk.offset + len(chunk.data), bulk.splitter.number)
        self._context.remember(bulk)
        known = self._context.of_headers
        block.forget_places(known.step, known.epoch)
        self._density.take(block)
        block.thin(block.most(SAMPLE_POINTS))
        return block

    async def _stretch(self) -> None:
        """Read one stretch forward, and write its blocks, the newest first."""
        stop = self.back
        size = STRETCH
        groups: dict[str, float] = {}
        if self._density.fits(self._begun):
            size = max(LEAST_STRETCH, min(STRETCH, self._density.size_of(STRETCH_POINTS)))
        else:
            groups = self._density.groups(stop, max(self._kept, KEPT / 8 * stop / self._begun))
        start = await self._in_thread(self._log.line_start, max(0, stop - size), LONGEST_LINE)
        blocks = await self._read(start, stop, groups)
        if self._log.check(self._begun) != self._check:
            raise Stopped(REWRITTEN)
        for block in reversed(blocks):
            self.lines += block.lines
            self.back = block.start
            shift = -(block.first + self.lines)
            told = [
                msgspec.structs.replace(one, line=one.line + shift)
                for one in block.malformed[: self._malformed_left]
            ]
            self._malformed_left -= len(told)
            record = block.history(shift, told=len(told))
            self._kept -= sum(len(column.values) for column in record.columns.values())
            self._write([record, *told])
            await asyncio.sleep(0)

    async def _read(self, start: int, stop: int, groups: dict[str, float]) -> list[Block]:
        bulk = await self._context.at(start)
        splitter = bulk.splitter
        blocks = [Block(start, splitter.number, groups)]
        line_start = place = start
        held = 0
        ahead = self._ahead(place, stop)
        while place < stop:
            data = await ahead
            if not data:
                raise Stopped(REWRITTEN)
            end = place + len(data)
            if data.strip(b"\0"):
                ahead = self._ahead(end, stop)
            else:
                end = min(stop, max(end, self._log.data_from(end)))
                data, ahead = b"", self._ahead(end, stop)
            done = 0
            while done < len(data):
                # Up to a line's end, where there is one: the bulk of what follows need not wait for its rest.
                cut = data.rfind(b"\n", done, done + self._at_once) + 1
                piece = data[done : cut or done + self._at_once]
                self._piece(bulk, piece, place + done, blocks[-1])
                newline = piece.rfind(b"\n")
                if newline >= 0:
                    line_start = place + done + newline + 1
                done += len(piece)
                if blocks[-1].size >= BLOCK_POINTS and newline >= 0:
                    held += self._close(blocks, line_start, splitter.number, groups)
                    if held > 2 * STRETCH_POINTS:
                        groups = _doubled(groups, blocks)
                        held = sum(block.thin(groups, again=True) for block in blocks[:-1])
                await asyncio.sleep(0)
            place = end
        if line_start < stop:
            self._finish(bulk, stop, blocks[-1])
        self._close(blocks, stop, splitter.number, groups)
        return [block for block in blocks if block.start < block.stop]

    def _close(self, blocks: list[Block], stop: int, number: int, groups: dict[str, float]) -> int:
        """End the last block and begin another one; how many points that one holds."""
        blocks[-1].close(stop, number)
        self._density.take(blocks[-1])
        held = blocks[-1].thin(groups)
        blocks.append(Block(stop, number, groups))
        return held

    def _piece(self, bulk: Bulk, piece: bytes, place: int, block: Block) -> None:
        began = time.thread_time()
        splitter = bulk.splitter
        first = splitter.number
        # The zeros of a hole say nothing, and would make a line too long to be kept. One is looked for at
        # 100 GB/s, eight at 3, which would be a quarter of all that bars cost.
        data = piece.replace(b"\0", b"") if b"\0" in piece and _HOLE in piece else piece
        self._take(bulk.feed(data, None, block if self._plain else None), block)
        block.date(first, splitter.number - first, *self._span(piece, place))
        spent = time.thread_time() - began
        if spent > 2 * TURN:
            self._at_once = max(LEAST_AT_ONCE, self._at_once // 2)
        elif spent < TURN / 2:
            self._at_once = min(MOST_AT_ONCE, self._at_once * 2)

    def _finish(self, bulk: Bulk, stop: int, block: Block) -> None:
        """What has no line end yet is a line, too."""
        self._take(bulk.finish(), block)
        block.date(bulk.splitter.number - 1, 1, *self._span(b"", stop))

    def _take(self, events: Sequence[Event], block: Block) -> None:
        for event in self._choice(events):
            if isinstance(event, Metrics):
                block.take(event)
            elif isinstance(event, Malformed):
                block.unreadable += 1
                if len(block.malformed) < MALFORMED_TOLD:
                    block.malformed.append(event)

    def _ahead(self, start: int, stop: int) -> asyncio.Future[bytes]:
        return self._in_thread(self._log.read, start, max(0, min(READ, stop - start)))

    def _in_thread(self, work: Callable[..., Result], *arguments: object) -> asyncio.Future[Result]:
        return asyncio.get_running_loop().run_in_executor(self._thread, work, *arguments)


def _doubled(groups: dict[str, float], blocks: Sequence[Block]) -> dict[str, float]:
    """Twice as large groups, for what is more than was expected."""
    names = {name for block in blocks for name in block.counts}
    return {name: 2 * max(2.0, groups.get(name, 1.0)) for name in names}


def _closer_and_closer(count: int) -> list[int]:
    """The numbers below a power of two, each next one far from those before."""
    bits = count.bit_length() - 1
    return [int(f"{number:0{bits}b}"[::-1], 2) for number in range(count)]
