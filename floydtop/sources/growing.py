"""Follow a file that grows: every byte once, through truncation, rotation, deletion and holes.

The bytes are read with aiofiles in blocks of 1 MiB (by line it is 245 times slower than plain reading:
one hop to a thread per line). The kernel's notice of a write is only a wake-up; a step each second looks
by itself, so that nothing depends on inotify, which stays silent on network file systems.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Literal

import aiofiles
import aiofiles.os

from floydtop.errors import FloydtopError
from floydtop.sources.chunks import Idle, Item, Restart
from floydtop.sources.content import Content
from floydtop.sources.inotify import Wakeups
from floydtop.sources.rotated import between, siblings

STEP_SECONDS = 1.0
"""How often to look at the file without being woken up."""
_PACE_SECONDS = 0.003
"""Least time between two looks: a job that prints 1,000 lines a second must not cost 1,000 reads a second."""

Owner = Literal["same", "empty", "missing"]
"""Who has the log's name: the file that is read, another one without a byte yet, or none."""


async def follow_file(
    path: str,
    *,
    offset: int = 0,
    stop: Callable[[], bool] | asyncio.Event,
    fd_path: str | None = None,
    before: bytes | None = None,
    watch: bool = True,
) -> AsyncGenerator[Item, None]:
    """Yield what the log holds from `offset` on and what is appended, until `stop`; then drain it and end.

    A file that is not there yet is waited for. A log that was renamed is read to its end before the file
    that took its name is begun, and only once that one has bytes: until then the job may still write to
    the old one.

    Args:
        path: the log.
        offset: first byte to read, for a log that was read up to there before.
        stop: when true or set, the bytes up to the end are read once more and the iteration ends.
        fd_path: /proc/PID/fd/N of a file that has lost its name; followed instead of `path`.
        before: the bytes that stood before `offset` when it was read; if others stand there now, the log
            is read from its start. None takes those in the file on trust.
        watch: let the kernel wake us up; False leaves only the step each second.

    Raises:
        FloydtopError: the log cannot be opened.
    """
    name = fd_path or path
    wakeups = Wakeups(watch)
    ended = stop.is_set if isinstance(stop, asyncio.Event) else stop
    ending = _wake_at(stop, wakeups) if isinstance(stop, asyncio.Event) else None
    try:
        wakeups.watch_name(name)
        content = await _open_first(name, offset, before)
        if content is None:
            yield Idle(missing=True)
            while content is None:
                last = ended()
                if not last:
                    await wakeups.wait(STEP_SECONDS)
                content = await _open_first(name, offset, before)
                if content is None and last:
                    return
            content.history_size = 0
        async with aclosing(_read_on(content, name, wakeups, ended)) as items:
            async for item in items:
                yield item
    finally:
        if ending is not None:
            ending.cancel()
        wakeups.close()


async def _read_on(
    content: Content, name: str, wakeups: Wakeups, ended: Callable[[], bool]
) -> AsyncGenerator[Item, None]:
    """Read a file, and whatever takes its name after it, until the end is asked for."""
    loop = asyncio.get_running_loop()
    owner: Owner = "same"
    look_at_name = 0.0
    news = True
    lost = ""
    known = set(await asyncio.to_thread(siblings, name))
    try:
        wakeups.watch_files(content.descriptor)
        while True:
            last = ended()
            began = loop.time()
            # Of a dead mount not even this is answered, and the loop must go on.
            end = await asyncio.to_thread(_size_of, content) if last else None
            while (item := await content.next(end)) is not None:
                news = True
                if isinstance(item, Restart):  # the copy that was made before the log was truncated
                    known = set(await asyncio.to_thread(siblings, name))
                yield item
                if not last and ended():
                    break
            if content.lost or lost:
                news, lost = news or lost != content.lost, content.lost
                fresh = await _open_again(name, content) if lost else None
                if fresh is not None:
                    await content.close()
                    content = fresh
                    wakeups.watch_files(content.descriptor)
                if lost and not last:
                    if news:
                        yield Idle(lost=lost)
                        news = False
                    await wakeups.wait(STEP_SECONDS)
                    continue
            if last or wakeups.named or owner == "empty" or loop.time() >= look_at_name:
                wakeups.named = False
                look_at_name = loop.time() + STEP_SECONDS
                before, (owner, newer) = owner, await _owner_of(name, content)
                if newer is not None:
                    # The writer has begun the new file, so what the old one holds now is all of it.
                    why = _why(content, before)
                    missed = await asyncio.to_thread(between, name, known, content.status, newer.status)
                    for successor in [*[await _open(path) for path in missed], newer]:
                        end = content.size
                        while (item := await content.next(end)) is not None:
                            yield item
                        yield Restart(why)
                        await content.close()
                        content = successor
                        content.history_size = 0
                    known = set(await asyncio.to_thread(siblings, name))
                    wakeups.watch_files(content.descriptor)
                    continue
                if owner == "empty" and before != "empty":
                    wakeups.watch_files(content.descriptor, name)
                news = news or (owner == "missing") != (before == "missing")
            if last or (news and not ended()):
                yield Idle(missing=owner == "missing", lost=lost)
                news = False
            if last:
                return
            if not ended():
                await wakeups.wait(STEP_SECONDS)
                if (pause := began + _PACE_SECONDS - loop.time()) > 0:
                    await asyncio.sleep(pause)
    finally:
        await content.close()


def _wake_at(stop: asyncio.Event, wakeups: Wakeups) -> asyncio.Task[bool]:
    task = asyncio.ensure_future(stop.wait())
    task.add_done_callback(lambda _: wakeups.wake())
    return task


async def _open(name: str, offset: int = 0, before: bytes | None = None) -> Content:
    # Unbuffered: the position is ours, and a buffer would show bytes that a truncation has taken away.
    return Content(await aiofiles.open(name, "rb", buffering=0), offset, before)


def _size_of(content: Content) -> int | None:
    try:
        return content.size
    except OSError:
        return None


async def _open_again(name: str, content: Content) -> Content | None:
    """The log that a mount has lost, from where it was read: the mount may be there again."""
    try:
        return await _open(name, *content.place)
    except OSError:
        return None


async def _open_first(name: str, offset: int, before: bytes | None) -> Content | None:
    try:
        return await _open(name, offset, before)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise FloydtopError(f"The log {name} cannot be read: {error.strerror}.") from error


async def _owner_of(name: str, content: Content) -> tuple[Owner, Content | None]:
    """Who has the log's name now, and that file, opened, once it has been written to."""
    try:
        status = await aiofiles.os.stat(name)
        if (status.st_dev, status.st_ino) == content.identity:
            return "same", None
        if not status.st_size:
            return "empty", None
        newer = await _open(name)
    except OSError:
        return "missing", None
    return "same", newer


def _why(content: Content, before: Owner) -> str:
    if content.status.st_nlink:
        return "the log was rotated"
    return (
        "the log was replaced by another file"
        if before == "same"
        else "the log was deleted and created again"
    )
