"""Read what a job prints in a window of GNU screen, from pictures of the window.

Screen's own log would give each byte, but it cannot be told whether the user is using it already, and
turning it on would turn theirs off; a hard copy changes nothing.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import tempfile
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from pathlib import Path

from floydtop.errors import FloydtopError
from floydtop.sources import descriptors
from floydtop.sources.chunks import Chunk, Idle, Item
from floydtop.sources.screenshots import Screenshot, follow_screenshots

_COMMAND_SECONDS = 5
_COPY_SECONDS = 2


def find_window(pid: int, server: int) -> str | None:
    """The address of the window that a process runs in, None when its environment names another session.

    Args:
        pid: a process of the job.
        server: pid of the screen process that holds the other side of its terminal.
    """
    environment = descriptors.environment(pid)
    session, window = environment.get("STY", ""), environment.get("WINDOW", "")
    if not window.isdigit() or session.partition(".")[0] != str(server):
        return None
    return f"screen:{window}:{session}"


async def follow_window(
    address: str, *, stop: Callable[[], bool] | asyncio.Event, history: bool = True
) -> AsyncGenerator[Item, None]:
    """Yield what the window shows and has scrolled away, then, once a second, what was printed since.

    Args:
        address: from `find_window`.
        stop: when true or set, one last look is taken and the iteration ends.
        history: yield what was printed before.

    Raises:
        FloydtopError: screen cannot be run.
    """
    _, window, session = address.split(":", 2)

    async def take() -> Screenshot | None:
        return await asyncio.to_thread(_hardcopy, session, window)

    known = await take()
    if known is None:
        raise FloydtopError(f"The screen session {session} does not answer: name a log with --log FILE.")
    text = b"".join(line + b"\n" for line in known[0]) + known[1]
    offset = 0
    if history and text:
        yield Chunk(text, 0, True, len(text))
        offset = len(text)
    yield Idle()
    async with aclosing(follow_screenshots(take, stop=stop, known=known, offset=offset)) as items:
        async for item in items:
            yield item


def _hardcopy(session: str, window: str) -> Screenshot | None:
    with tempfile.TemporaryDirectory(prefix="floydtop-") as directory:
        copy = Path(directory, "window")
        try:
            done = subprocess.run(
                ["screen", "-S", session, "-p", window, "-X", "hardcopy", "-h", str(copy)],
                capture_output=True,
                stdin=subprocess.DEVNULL,
                timeout=_COMMAND_SECONDS,
                check=False,
            )
        except FileNotFoundError as error:
            raise FloydtopError(
                "The job runs in screen, but the screen command is not on the path."
            ) from error
        except subprocess.TimeoutExpired:
            return None
        if done.returncode:
            return None
        data = _when_written(copy)
    lines = [line.rstrip() for line in data.rstrip(b"\n ").split(b"\n")]
    # It is not told where the cursor is: the last line may still be written to.
    return lines[:-1], lines[-1]


def _when_written(copy: Path) -> bytes:
    """The copy, once the server has finished it: the command returns before."""
    deadline = time.monotonic() + _COPY_SECONDS
    size = -1
    while time.monotonic() < deadline:
        now = os.path.getsize(copy) if copy.exists() else -1
        if now > 0 and now == size:
            return copy.read_bytes()
        size = now
        time.sleep(0.02)
    return copy.read_bytes() if copy.exists() else b""
