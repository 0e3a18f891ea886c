"""Read what a job prints in a tmux pane: what is there already, and from then on each byte.

The pane's one pipe is claimed only when it is free, in the same breath as its history is captured: the
server runs one command sequence without reading from the pane in between, so no byte is lost or doubled.
A user's pipe is never replaced or closed. When this process dies, the relay at the other end of the pipe
notices and leaves, and tmux frees the pipe by itself.
"""

from __future__ import annotations

import asyncio
import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

from floydtop.errors import FloydtopError
from floydtop.sources import descriptors
from floydtop.sources.chunks import Chunk, Idle, Item
from floydtop.sources.screenshots import Screenshot, follow_screenshots
from floydtop.sources.stream import follow_descriptor

_COMMAND_SECONDS = 5
_CONNECT_SECONDS = 5
_SCREEN_LINES = 2000
"""Lines looked at each second where the pipe is taken; 50,000 would cost the server 0.12 s each time."""
_RELAY = Path(__file__).with_name("relay.py")


@dataclass(frozen=True, slots=True)
class Pane:
    """One pane of one tmux server."""

    socket: str
    pane: str
    """The pane's id, such as %3."""

    @property
    def address(self) -> str:
        return f"tmux:{self.pane}:{self.socket}"

    @classmethod
    def at(cls, address: str) -> Pane:
        _, pane, socket = address.split(":", 2)
        return cls(socket, pane)


def find_pane(pid: int, terminal: str, server: int) -> Pane | None:
    """The pane that shows `terminal`, as the server says: TMUX_PANE in an environment can be stale.

    Args:
        pid: a process of the job, whose environment may name the server's socket.
        terminal: the terminal that it prints to, /dev/pts/N.
        server: pid of the tmux server that holds the other side.
    """
    named = descriptors.environment(pid).get("TMUX", "").rsplit(",", 2)[0]
    for socket in dict.fromkeys(filter(None, [named, *_sockets_of(server)])):
        try:
            listed = _tmux(socket, "list-panes", "-a", "-F", "#{pid} #{pane_id} #{pane_tty}")
        except FloydtopError:
            continue
        for line in listed.decode("utf-8", "replace").splitlines():
            owner, _, pane_of = line.partition(" ")
            pane, _, shown = pane_of.partition(" ")
            # In a container the same socket path is that of another server.
            if owner == str(server) and shown == terminal:
                return Pane(socket, pane)
    return None


def _sockets_of(server: int) -> list[str]:
    """Paths of the unix sockets that a process has open (proc_net(5): inode and path of each)."""
    try:
        links = set(descriptors.links(server).values())
        text = Path(f"/proc/{server}/net/unix").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    rows = [row.split(None, 7) for row in text.splitlines()[1:]]
    return [row[7] for row in rows if len(row) == 8 and f"socket:[{row[6]}]" in links]


async def follow_pane(
    address: str, *, stop: Callable[[], bool] | asyncio.Event, history: bool = True
) -> AsyncGenerator[Item, None]:
    """Yield what the pane shows and has scrolled away, then the raw bytes that are printed to it.

    Where the pane's pipe is taken by the user, its screen is read once a second instead.

    Args:
        address: `Pane.address`.
        stop: when true or set, what is on its way is read and the iteration ends.
        history: yield what was printed before.

    Raises:
        FloydtopError: the pane is gone, or tmux cannot be run.
    """
    pane = Pane.at(address)
    ended = stop.is_set if isinstance(stop, asyncio.Event) else stop
    offset = 0
    with tempfile.TemporaryDirectory(prefix="floydtop-", ignore_cleanup_errors=True) as directory:
        reader, fifo = _make_fifo(directory, pane)
        try:
            free, text = await asyncio.to_thread(_claim, pane, fifo)
            if history and text:
                yield Chunk(text, 0, True, len(text))
                offset = len(text)
            yield Idle()
            connected = free and await _connected(reader)
        except BaseException:
            os.close(reader)
            raise
    known: Screenshot | None = None
    if connected:
        async with aclosing(follow_descriptor(reader, stop=stop, offset=offset)) as items:
            async for item in items:
                if isinstance(item, Chunk):
                    offset = item.offset + len(item.data)
                yield item
        if ended():
            return
    else:
        os.close(reader)
        known = _lines(text)
    # The pipe was never ours, or somebody took it since: look at the screen instead.
    shots = follow_screenshots(lambda: _screen(pane), stop=stop, known=known, offset=offset)
    async with aclosing(shots) as items:
        async for item in items:
            yield item


def _make_fifo(directory: str, pane: Pane) -> tuple[int, str]:
    """A FIFO that the pane's owner may write to, opened for reading.

    It must be open before the claim: without a reader the shell at the other end would wait in open(2)
    for ever, even after the claim is undone.
    """
    fifo = os.path.join(directory, "pane")
    os.mkfifo(fifo, 0o600)
    if (owner := _owner(pane)) != os.getuid():
        os.chown(fifo, owner, -1)
        os.chmod(directory, 0o711)
    return os.open(fifo, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), fifo


def _owner(pane: Pane) -> int:
    try:
        return os.stat(pane.socket).st_uid
    except OSError as error:
        raise FloydtopError(f"The tmux server at {pane.socket} is gone.") from error


def _claim(pane: Pane, fifo: str) -> tuple[bool, bytes]:
    """Take the pane's pipe if it is free, and its text as of that moment.

    Returns:
        Whether the pipe was free, and the history: raw text with \n line ends, the last line unfinished
        unless the cursor stands at the beginning of an empty one.
    """
    relay = f"exec {shlex.join([sys.executable, '-ISs', str(_RELAY), fifo])} >/dev/null"
    if _owner(pane) != os.getuid():
        # Root's Python may lie where another user cannot go; a cat stays until the job next prints.
        relay = f"exec >{fifo} && printf '\\000' && exec cat"
    # tmux expands formats and strftime in it, then parses what if-shell is given as a command.
    relay = relay.replace("#", "##").replace("%", "%%")
    quoted = relay.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$")
    # Only with -I does tmux listen to the pipe and see it close while the job is silent; what -I would type
    # into the pane, the relay's stdout, goes nowhere.
    claim = f'pipe-pane -I -O -t {pane.pane} "{quoted}"'
    piped, text = _capture(pane, "-", ("if-shell", "-F", "-t", pane.pane, "#{pane_pipe}", "", claim))
    return not piped, text


def _capture(pane: Pane, start: str, first: tuple[str, ...] = ()) -> tuple[bool, bytes]:
    """Whether the pane's pipe was taken, and its text from line `start` on, in one sequence after `first`."""
    target = ("-t", pane.pane)
    output = _tmux(
        pane.socket,
        *("display-message", "-p", *target, "#{pane_pipe} #{cursor_x} #{cursor_y} #{pane_height}", ";"),
        *((*first, ";") if first else ()),
        *("capture-pane", "-p", "-J", "-S", start, *target, ";"),
        *("capture-pane", "-p", *target),
    )
    head, _, body = output.partition(b"\n")
    piped, column, row, height = map(int, head.split())
    lines = body.split(b"\n")[:-1]
    rows = lines[-height:]
    return bool(piped), _text(lines[:-height], rows[row] if row < len(rows) else b"", column)


def _text(lines: list[bytes], row: bytes, column: int) -> bytes:
    """The captured lines as the job printed them; `row` is the one that the cursor is on."""
    text = b"\n".join(lines).rstrip(b"\n ")
    if not text:
        return b""
    if not row.strip() and not column:
        return text + b"\n"
    if not column:  # a bar that went back to its beginning, to be printed over
        return text + b"\r"
    return text + b" " * (column - len(row)) if row.isascii() else text


async def _connected(reader: int) -> bool:
    """Wait for the relay's greeting, one zero byte, so that the FIFO's name can be removed."""
    deadline = asyncio.get_running_loop().time() + _CONNECT_SECONDS
    while asyncio.get_running_loop().time() < deadline:
        try:
            if os.read(reader, 1):
                return True
        except BlockingIOError:
            pass
        await asyncio.sleep(0.01)
    return False


async def _screen(pane: Pane) -> Screenshot | None:
    try:
        _, text = await asyncio.to_thread(_capture, pane, f"-{_SCREEN_LINES}")
    except FloydtopError:
        return None
    return _lines(text)


def _lines(text: bytes) -> Screenshot:
    *finished, partial = text.split(b"\n")
    return [line.rstrip() for line in finished[-_SCREEN_LINES:]], partial.rstrip(b"\r")


def _tmux(socket: str, *arguments: str) -> bytes:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TMUX")}
    try:
        done = subprocess.run(
            ["tmux", "-S", socket, *arguments],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=_COMMAND_SECONDS,
            env=environment,
            check=False,
        )
    except FileNotFoundError as error:
        raise FloydtopError("The job runs in tmux, but the tmux command is not on the path.") from error
    except subprocess.TimeoutExpired as error:
        raise FloydtopError(f"The tmux server at {socket} does not answer.") from error
    if done.returncode:
        raise FloydtopError(f"tmux says: {done.stderr.decode('utf-8', 'replace').strip()}.")
    return done.stdout
