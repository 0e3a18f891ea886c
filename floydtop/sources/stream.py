"""Follow bytes that come once: a FIFO, a pipe on stdin, a terminal that is passed on."""

from __future__ import annotations

import asyncio
import os
import select
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from floydtop.errors import FloydtopError
from floydtop.sources.chunks import Chunk, Idle, Item

_BLOCK = 65536
"""What a pipe holds at most, on Linux without tuning."""
_STEP_SECONDS = 1.0
_QUIET_SECONDS = 0.2
"""After the job has ended, this much silence means that nothing is on its way any more."""


async def follow_descriptor(
    descriptor: int, *, stop: Callable[[], bool] | asyncio.Event, offset: int = 0
) -> AsyncGenerator[Item, None]:
    """Yield what arrives until the last writer closes it, or `stop` and 0.2 s of silence; then close it.

    It always drains: a reader that stalls would stall the job, or make a tmux server grow.

    Args:
        descriptor: open for reading and not blocking; it is this function's to close.
        stop: when true or set, what is on its way is read and the iteration ends.
        offset: counted on from here in the chunks.
    """
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_reader(descriptor, ready.set)
    ended = stop.is_set if isinstance(stop, asyncio.Event) else stop
    ending = asyncio.ensure_future(stop.wait()) if isinstance(stop, asyncio.Event) else None
    if ending is not None:
        ending.add_done_callback(lambda _: ready.set())
    try:
        idle = True
        while True:
            last = ended()
            try:
                data = os.read(descriptor, _BLOCK)
            except BlockingIOError:
                if not idle:
                    idle = True
                    yield Idle()
                ready.clear()
                timer = loop.call_later(_QUIET_SECONDS if last else _STEP_SECONDS, ready.set)
                if not ended() or last:
                    await ready.wait()
                timer.cancel()
                if last and not _has_more(descriptor):
                    return
                continue
            if not data:
                if not idle:
                    yield Idle()
                return
            idle = False
            yield Chunk(data, offset)
            offset += len(data)
    finally:
        loop.remove_reader(descriptor)
        if ending is not None:
            ending.cancel()
        os.close(descriptor)


async def follow_fifo(path: str, *, stop: Callable[[], bool] | asyncio.Event) -> AsyncGenerator[Item, None]:
    """Yield what is written to a FIFO, by one writer after the other, until `stop`.

    Raises:
        FloydtopError: it cannot be opened.
    """
    ended = stop.is_set if isinstance(stop, asyncio.Event) else stop
    offset = 0
    yield Idle()
    while not ended():
        before = offset
        async with aclosing(follow_descriptor(_open_fifo(path), stop=stop, offset=offset)) as items:
            async for item in items:
                if isinstance(item, Chunk):
                    offset = item.offset + len(item.data)
                yield item
        if offset == before:
            # Without a writer a FIFO that may only be read is at its end at once, and cannot be waited for.
            await asyncio.sleep(0.05)


def _open_fifo(path: str) -> int:
    # As a writer, too: then it has no end. Closed and opened again after each writer, it would be without
    # a reader when the next one, whose open(2) it had let through, writes: that one would die of SIGPIPE.
    flags = os.O_NONBLOCK | os.O_CLOEXEC
    try:
        try:
            return os.open(path, os.O_RDWR | flags)
        except PermissionError:
            return os.open(path, os.O_RDONLY | flags)
    except OSError as error:
        raise FloydtopError(f"The FIFO {path} cannot be read: {error.strerror}.") from error


def _has_more(descriptor: int) -> bool:
    return bool(select.select([descriptor], [], [], 0)[0])
