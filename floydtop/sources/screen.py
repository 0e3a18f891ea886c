"""Read what a job prints in a window of GNU screen, from pictures of the window.

Screen's own log would give each byte, but it cannot be told whether the user is using it already, and
turning it on would turn theirs off; a hard copy changes nothing.
"""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import tempfile
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from pathlib import Path

from floydtop.errors import FloydtopError
from floydtop.sources import descriptors
from floydtop.sources.chunks import Chunk, Idle, Item
from floydtop.sources.screenshots import Screenshot, follow_screenshots, unwrapped

_COMMAND_SECONDS = 5
_COPY_SECONDS = 2
_SIZE = re.compile(rb"/\(([0-9]+),[0-9]+\)")


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
        return await asyncio.to_thread(_picture, session, window)

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


def _picture(session: str, window: str) -> Screenshot | None:
    server, _, _ = session.partition(".")
    owner, directory = _owner_of(int(server)) if server.isdigit() else (os.getuid(), None)
    with tempfile.TemporaryDirectory(prefix="floydtop-") as folder:
        if owner != os.getuid():
            os.chown(folder, owner, -1)
        copy = Path(folder, "window")
        command = ["screen", "-S", session, "-p", window]
        done = _run([*command, "-X", "hardcopy", "-h", str(copy)], owner, directory)
        if done is None or done.returncode:
            return None
        data = _when_written(copy)
    rows = [row.rstrip() for row in data.rstrip(b"\n ").split(b"\n")]
    # (column,row)/(columns,rows)+scrollback ...; older versions cannot be asked.
    told = _run([*command, "-Q", "info"], owner, directory)
    size = _SIZE.search(told.stdout) if told is not None and not told.returncode else None
    lines = unwrapped(rows, int(size[1])) if size is not None else rows
    # The last line may still be written to: the cursor may have gone on since.
    return lines[:-1], lines[-1]


def _owner_of(server: int) -> tuple[int, str | None]:
    """The user whose session it is, and where the sessions are that this one is among, if not as usual."""
    try:
        owner = os.stat(f"/proc/{server}").st_uid
    except OSError:
        owner = os.getuid()
    return owner, descriptors.environment(server).get("SCREENDIR")


def _run(command: list[str], owner: int, directory: str | None) -> subprocess.CompletedProcess[bytes] | None:
    """A command for a session of screen, as the user whose it is where we may become that one."""
    environment = {name: value for name, value in os.environ.items() if name not in ("SCREENDIR", "STY")}
    try:
        return subprocess.run(
            command,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=_COMMAND_SECONDS,
            env=environment | ({"SCREENDIR": directory} if directory else {}),
            user=owner if owner != os.getuid() else None,
            check=False,
        )
    except FileNotFoundError as error:
        raise FloydtopError("The job runs in screen, but the screen command is not on the path.") from error
    except (subprocess.TimeoutExpired, PermissionError):
        return None


def _when_written(copy: Path) -> bytes:
    """The copy, once the server has finished it: the command returns before."""
    deadline = time.monotonic() + _COPY_SECONDS
    size = -1
    while time.monotonic() < deadline:
        now = os.path.getsize(copy) if copy.exists() else -1
        if now > 0 and now == size:
            break
        size = now
        time.sleep(0.02)
    try:
        # The folder may be somebody else's, who could lay a link in it.
        with open(copy, "rb", opener=lambda path, flags: os.open(path, flags | os.O_NOFOLLOW)) as file:
            return file.read()
    except OSError:
        return b""
