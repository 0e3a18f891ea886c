"""Every payload in a real terminal: neither its clipboard nor its title nor its modes are touched."""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.tmux import Terminal
from tests.hostile.payloads import PAYLOADS
from tests.hostile.test_words import record
from tests.sources.jobs import needs

pytestmark = needs("tmux")

CANARY = "canary"


@pytest.fixture
def terminal(tmp_path: Path, state_home: Path) -> Iterator[Terminal]:
    opened = Terminal(tmp_path, (120, 36))
    opened.watch_clipboard()
    yield opened
    opened.close()


def untouched(terminal: Terminal) -> bool:
    return terminal.clipboard() == "" and "OWNED" not in terminal.title()


def test_the_canaries_can_die(terminal: Terminal) -> None:
    """The positive control: what is sent as it is does reach clipboard and title."""
    terminal.run(r"printf '\033]52;c;RVZJTA==\033\\'; printf '\033]2;OWNED\033\\'; echo sent")
    terminal.until(lambda text: "\nsent" in text)
    terminal.until(lambda _: "EVIL" in terminal.clipboard() and "OWNED" in terminal.title())
    assert not untouched(terminal)


def test_a_hostile_log_cannot_touch_the_terminal(terminal: Terminal, tmp_path: Path) -> None:
    log = tmp_path / "train.log"
    with log.open("wb") as file:
        for text in PAYLOADS.values():
            raw = text[:3000].encode("utf-8", "replace")
            file.write(raw + b"\n[rank0]: " + raw + b"\n")
            file.write(json.dumps({"metric": text[:200], "value": 1, "step": 1}).encode() + b"\n")
            file.write(b'{"metric": "loss", "value": "' + raw + b'"}\n')
        file.write(b"[/usr/bin/x] the last line\n")
    os.utime(log, (1e9, 1e9))
    terminal.run(f"floydtop {shlex.quote(str(log))}")
    terminal.wait("[/usr/bin/x] the last line")
    for keys in (
        ["m"],
        ["m", "Enter"],
        ["Right"],
        ["Escape", "n"],
        ["n", "/"],
        ["o", "w", "Escape"],
        ["C-p"],
    ):
        terminal.press(*keys)
        terminal.wait_for(r"\S")
    terminal.press("Escape")
    assert untouched(terminal)
    terminal.press("C-c")
    terminal.until_prompt()
    assert terminal.is_clean()
    assert untouched(terminal)


def test_hostile_recordings_cannot_touch_the_terminal(terminal: Terminal) -> None:
    texts = [
        text for name, text in PAYLOADS.items() if "clipboard" in name or "title" in name or "8 bits" in name
    ]
    for number, text in enumerate(texts):
        record(text, f"20261123T1200{number:02}Z-node-1-abcdef")
    for command in ("sessions", "status", "check 20261123T120000Z-node-1-abcdef", "plot 20261123T120001Z"):
        terminal.run(f"clear; floydtop {command}; echo done")
        terminal.until(lambda text: "\ndone" in text)
        assert untouched(terminal)
    terminal.run("clear; floydtop")
    terminal.wait("past sessions")
    for _ in range(3):
        terminal.press("Down")
    terminal.press("q")
    terminal.until_prompt()
    terminal.run("clear; floydtop replay 20261123T120002Z")
    terminal.wait("━●")
    terminal.press("Enter")
    terminal.press("q")
    terminal.until_prompt()
    assert terminal.is_clean()
    assert untouched(terminal)


def test_a_failing_screen_leaves_the_terminal_as_it_was(terminal: Terminal, tmp_path: Path) -> None:
    script = tmp_path / "failing.py"
    script.write_text(
        "import sys\n"
        "from floydtop.app.screens.monitor import MonitorScreen\n"
        "from floydtop.cli import main\n"
        "def fail(self):\n"
        "    text = '\\x1b]52;c;RVZJTA==\\x1b\\\\'\n"
        "    raise ValueError(text)\n"
        "MonitorScreen.action_toggle_axis = fail\n"
        "sys.exit(main(sys.argv[1:]))\n"
    )
    path = record("[rank0]: x")
    terminal.run(f"{sys.executable} {script} replay {path}; echo status $?")
    terminal.wait("replay")
    terminal.press("x")
    text = terminal.wait("status 1")
    assert "The screen failed (ValueError)" in text
    assert "Traceback" not in text
    assert terminal.is_clean()
    assert untouched(terminal)
