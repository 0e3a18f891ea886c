"""Follow what a job prints, wherever that can be read: a file, a FIFO, a tmux pane, a window of screen."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import AsyncGenerator, Callable

from floydtop.sources.chunks import Chunk, Idle, Item, Restart
from floydtop.sources.finished import is_packed, read_all
from floydtop.sources.growing import follow_file
from floydtop.sources.packed import follow_packed
from floydtop.sources.stream import follow_fifo

__all__ = ["Chunk", "Idle", "Item", "Restart", "follow", "read_all"]


def follow(
    path: str,
    *,
    offset: int = 0,
    stop: Callable[[], bool] | asyncio.Event,
    fd_path: str | None = None,
    before: bytes | None = None,
    watch: bool = True,
) -> AsyncGenerator[Item, None]:
    """Yield what was printed from `offset` on and what is appended, until `stop`; then drain it and end.

    Args:
        path: a log, plain, gzip-compressed or a FIFO, there already or not; or the address of a terminal
            (`Target.terminal`).
        offset: first byte to read, for a plain log that was read up to there before.
        stop: when true or set, the bytes up to the end are read once more and the iteration ends.
        fd_path: /proc/PID/fd/N of a log that has lost its name; followed instead of `path`.
        before: the bytes that stood before `offset` when it was read; if others stand there now, the log
            is read from its start. None takes those in the file on trust.
        watch: let the kernel tell of writes; False leaves only the look each second.

    Raises:
        FloydtopError: it cannot be opened, or the terminal is gone.
    """
    if path.startswith("tmux:"):
        from floydtop.sources.tmux import follow_pane

        return follow_pane(path, stop=stop)
    if path.startswith("screen:"):
        from floydtop.sources.screen import follow_window

        return follow_window(path, stop=stop)
    if path.startswith("ptrace:"):
        from floydtop.sources.ptrace import follow_traced

        return follow_traced(path, stop=stop)
    name = fd_path or path
    try:
        mode = os.stat(name).st_mode
    except OSError:
        mode = 0
    if stat.S_ISFIFO(mode):
        return follow_fifo(name, stop=stop)
    if stat.S_ISREG(mode) and is_packed(name):
        return follow_packed(name, stop=stop, watch=watch)
    return follow_file(path, offset=offset, stop=stop, fd_path=fd_path, before=before, watch=watch)
