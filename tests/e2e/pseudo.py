"""A terminal that reads only when it is told to: a stalled link."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path
from types import TracebackType


class StallingTerminal:
    """`floydtop` on a pseudo terminal of its own; nothing is read but by `read`.

    Args:
        arguments: of the command line.
        folder: where the user's state is.
    """

    def __init__(self, arguments: list[str], folder: Path, size: tuple[int, int] = (200, 50)) -> None:
        self._master, slave = pty.openpty()
        _set_size(slave, *size)
        environment = os.environ | {
            "TERM": "xterm-256color",
            "COLORTERM": "truecolor",
            "LC_ALL": "C.UTF-8",
            "XDG_STATE_HOME": str(folder),
            "XDG_CONFIG_HOME": str(folder),
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "floydtop", *arguments],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=environment,
            start_new_session=True,
        )
        os.close(slave)

    @property
    def pid(self) -> int:
        """The pid of the app."""
        return self._process.pid

    def __enter__(self) -> StallingTerminal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        os.close(self._master)

    def press(self, keys: str) -> None:
        """Type these characters."""
        os.write(self._master, keys.encode())

    def resize(self, columns: int, rows: int) -> None:
        """Give the window another size, and tell the app so as a terminal does."""
        _set_size(self._master, columns, rows)
        self._process.send_signal(signal.SIGWINCH)

    def wait(self, within: float) -> int:
        """The exit status of the app, once it has ended; a negative signal number when that killed it."""
        return self._process.wait(within)

    def read(self, *, quiet: float, most: float = 20.0) -> bytes:
        """All that comes until nothing has come for `quiet` seconds, or `most` seconds have passed."""
        return self.read_until(b"", quiet=quiet, most=most)

    def read_until(self, words: bytes, *, quiet: float = 60.0, most: float = 20.0) -> bytes:
        """All that comes until these words have come (none: never), too."""
        found = b""
        deadline = time.monotonic() + most
        while (left := deadline - time.monotonic()) > 0:
            ready, _, _ = select.select([self._master], [], [], min(quiet, left))
            if not ready:
                break
            try:
                found += os.read(self._master, 1 << 16)
            except OSError:
                # The app has ended, and nobody holds the terminal any more.
                break
            if words and words in found:
                break
        return found

    def resident_mebibytes(self) -> float:
        """Resident memory of the app."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
        raise ValueError(f"/proc/{self.pid}/status has no VmRSS")

    def terminate(self, within: float) -> bool:
        """Ask the app to end; whether it did in time."""
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(within)
        except subprocess.TimeoutExpired:
            return False
        return True


def _set_size(descriptor: int, columns: int, rows: int) -> None:
    fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
