"""A real terminal to measure in: tmux on a socket of its own."""

from __future__ import annotations

import itertools
import os
import re
import shlex
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType

POLL = 0.01
"""Seconds between two looks at the screen."""

CHART = re.compile("[\u2801-\u28ff]{3,}")
"""What counts as a chart: three braille cells in a row that are not blank."""

CHARTS = re.compile("(?:[\u2801-\u28ff].*){9}", re.DOTALL)
"""What counts as many of them."""

_numbers = itertools.count()


class Terminal:
    """One pane in which a command waits for `go`, so that the start of tmux is not measured.

    Args:
        command: what to run; it replaces the waiting shell, so that `pid` is its own.
        environment: added to ours.
    """

    def __init__(
        self, command: list[str], environment: dict[str, str], width: int = 200, height: int = 50
    ) -> None:
        self._socket = f"floydtop-benchmark-{os.getpid()}-{next(_numbers)}"
        self._folder = tempfile.TemporaryDirectory(prefix="floydtop-terminal-")
        settings = Path(self._folder.name, "tmux.conf")
        settings.write_text(
            "set -g status off\nset -g remain-on-exit on\nset -g default-terminal xterm-256color\n"
        )
        self._environment = os.environ | {"LC_ALL": "C.UTF-8", "COLORTERM": "truecolor"} | environment
        self._environment.pop("TMUX", None)
        waiting = shlex.join(["sh", "-c", 'read _; exec "$@"', "sh", *command])
        self._tmux("-f", str(settings), "new-session", "-d", "-x", str(width), "-y", str(height), waiting)
        self._sent = Path(self._folder.name, "sent")
        self._tmux("pipe-pane", f"cat > {self._sent}")
        self.pid = int(self._tmux("display-message", "-p", "#{pane_pid}"))

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        subprocess.run(["tmux", "-L", self._socket, "kill-server"], check=False, capture_output=True)
        self._folder.cleanup()

    def _tmux(self, *arguments: str) -> str:
        command = ["tmux", "-u", "-L", self._socket, *arguments]
        return subprocess.run(
            command, check=True, capture_output=True, text=True, env=self._environment
        ).stdout.strip()

    def go(self) -> float:
        """Start the command; returns the moment."""
        now = time.monotonic()
        self.press("Enter")
        return now

    def press(self, key: str) -> None:
        """Send one key by its tmux name."""
        self._tmux("send-keys", key)

    def screen(self) -> str:
        """What the pane shows."""
        return self._tmux("capture-pane", "-p")

    def bytes_sent(self) -> int:
        """Bytes that the command has written to the terminal so far."""
        return self._sent.stat().st_size if self._sent.exists() else 0

    def wait_for(self, pattern: re.Pattern[str], within: float = 30.0) -> float:
        """Poll the screen until the pattern is on it; returns the moment.

        Raises:
            TimeoutError: it did not come; the message is the screen.
        """
        deadline = time.monotonic() + within
        while time.monotonic() < deadline:
            if pattern.search(self.screen()):
                return time.monotonic()
            time.sleep(POLL)
        raise TimeoutError(f"No {pattern.pattern!r} within {within:.0f} s on this screen:\n{self.screen()}")
