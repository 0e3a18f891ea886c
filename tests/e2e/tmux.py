"""A terminal that a test can type into and look at: one pane of a tmux server of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

PATIENCE = 20.0
"""Seconds that a test waits for something to appear; a busy machine with two cores needs a few."""

PROMPT = "ready$ "


class Terminal:
    """A shell in a tmux pane, with `floydtop` as a command.

    Args:
        folder: where the server's socket and the user's state are; one terminal each.
        size: columns and rows.
    """

    def __init__(self, folder: Path, size: tuple[int, int]) -> None:
        self._socket = f"floydtop-test-{os.getpid()}-{time.monotonic_ns()}"
        environment = {
            "HOME": str(folder),
            "LC_ALL": "C.UTF-8",
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
            "TERM": "xterm-256color",
            "XDG_STATE_HOME": os.environ["XDG_STATE_HOME"],
        }
        columns, rows = map(str, size)
        subprocess.run(
            [*self._tmux, "-f", "/dev/null", "-u", "new-session", "-d", "-x", columns, "-y", rows, "sh"],
            cwd=folder,
            env=environment,
            check=True,
        )
        self.run(f"floydtop() {{ {sys.executable} -m floydtop \"$@\"; }}; PS1='{PROMPT}'; clear")
        self.until(lambda text: text.strip() == PROMPT.strip())

    @property
    def _tmux(self) -> list[str]:
        return ["tmux", "-L", self._socket]

    def _ask(self, *command: str) -> str:
        return subprocess.run([*self._tmux, *command], check=True, capture_output=True, text=True).stdout

    def press(self, *keys: str) -> None:
        """Press keys by tmux's names: x, Enter, Left, C-c."""
        self._ask("send-keys", *keys)

    def run(self, command: str) -> None:
        """Type a command and Enter."""
        self._ask("send-keys", "-l", command)
        self._ask("send-keys", "Enter")

    def text(self) -> str:
        """What is on the screen."""
        return self._ask("capture-pane", "-p")

    def until(self, condition: Callable[[str], object], patience: float = PATIENCE) -> str:
        """Wait until the screen's text fulfils a condition; that text."""
        deadline = time.monotonic() + patience
        while True:
            text = self.text()
            if condition(text):
                return text
            assert time.monotonic() < deadline, f"it never came; on the screen is:\n{text}"
            time.sleep(0.05)

    def wait(self, pattern: str, patience: float = PATIENCE) -> str:
        """Wait until words are on the screen; all of its text."""
        return self.until(lambda text: pattern in text, patience)

    def wait_for(self, pattern: str, patience: float = PATIENCE) -> re.Match[str]:
        """Wait until a regular expression matches."""
        found = re.search(pattern, self.until(lambda text: re.search(pattern, text), patience))
        assert found is not None
        return found

    def until_prompt(self) -> str:
        """Wait until the shell asks for the next command; the screen's text."""
        return self.until(lambda text: text.strip().splitlines()[-1:] == [PROMPT.strip()])

    def watch_clipboard(self) -> None:
        """Let programs set the clipboard, so that `clipboard` tells whether one did."""
        self._ask("set-option", "-s", "set-clipboard", "on")

    def clipboard(self) -> str:
        """What a program put into the clipboard."""
        return self._ask("list-buffers")

    def title(self) -> str:
        """The title that a program gave the pane."""
        return self._ask("display-message", "-p", "#{pane_title}")

    def is_clean(self) -> bool:
        """Whether the terminal is as a shell wants it: main screen, cursor shown, mouse and keypad off."""
        flags = "#{alternate_on} #{cursor_flag} #{mouse_any_flag} #{mouse_sgr_flag} #{keypad_flag}"
        return self._ask("display-message", "-p", flags).split() == ["0", "1", "0", "0", "0"]

    def pid_of(self, command: str) -> int:
        """The pid of the child of the pane's shell that runs `command`."""
        shell = self._ask("display-message", "-p", "#{pane_pid}").strip()
        for pid in Path(f"/proc/{shell}/task/{shell}/children").read_text().split():
            if command in Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " "):
                return int(pid)
        raise AssertionError(f"no child of the shell runs {command!r}")

    def hang_up(self) -> None:
        """Close the terminal under whatever runs in it, as a dropped link does."""
        self._ask("kill-pane")

    def close(self) -> None:
        """End the server and all in it."""
        subprocess.run([*self._tmux, "kill-server"], capture_output=True, check=False)
