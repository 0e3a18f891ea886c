"""Follow a log that is gzip-compressed or kept by docker: what is in it, and what is packed to its end."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from floydtop.sources.chunks import Chunk, Idle, Item, Restart
from floydtop.sources.finished import is_gzip, packed_size, unpacker
from floydtop.sources.growing import follow_file


async def follow_packed(
    path: str, *, stop: Callable[[], bool] | asyncio.Event, watch: bool = True
) -> AsyncGenerator[Item, None]:
    """Yield the log unpacked, and what is appended, until `stop`; then drain it and end.

    `JOB | gzip > log.gz` writes some 32 KiB at a time, packed: what the job printed last comes late, and the
    end of it when gzip ends. Docker writes each line at once.

    Raises:
        FloydtopError: it cannot be opened, or is not gzip data.
    """
    unpack, offset, size = unpacker(path), 0, _size_of(path)
    async with aclosing(follow_file(path, stop=stop, watch=watch)) as items:
        async for item in items:
            match item:
                case Chunk():
                    blocks = unpack.feed(item.data)
                    # Some milliseconds for each block: off the event loop.
                    while (data := await asyncio.to_thread(next, blocks, None)) is not None:
                        yield Chunk(data, offset, item.history, size if item.history else 0)
                        offset += len(data)
                case Restart():
                    unpack, offset = unpacker(path), 0
                    yield item
                case Idle():
                    yield item


def _size_of(path: str) -> int:
    if not is_gzip(path):
        return 0
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return 0
    try:
        return packed_size(descriptor)
    finally:
        os.close(descriptor)
