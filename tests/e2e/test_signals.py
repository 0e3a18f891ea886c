"""Signals to the screen, and a window that is dragged about: screen, terminal and recording stay whole."""

from __future__ import annotations

import os
import random
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

from floydtop.session.library import recordings
from tests.app.stage import live, opening, training, whole, write
from tests.e2e.pseudo import StallingTerminal
from tests.e2e.tmux import Terminal

RESIZES = 1000


def test_a_thousand_sizes_in_a_real_terminal_leave_the_screen_whole(tmp_path: Path) -> None:
    chance = random.Random(7)
    with (
        live(tmp_path, [*opening(), *training()]) as (_, writer),
        StallingTerminal([str(writer.path)], tmp_path) as terminal,
    ):
        assert b"loss" in terminal.read_until(b"loss")
        for _ in range(RESIZES):
            terminal.resize(chance.randint(1, 220), chance.randint(1, 60))
            terminal.read(quiet=0.0, most=0.003)
        terminal.resize(120, 40)
        terminal.read(quiet=1.0)
        terminal.press("?")
        assert b"x-axis of all charts" in terminal.read_until(b"x-axis of all charts")
        terminal.press("q")
        last = terminal.read(quiet=5.0)
        assert b"\x1b[?1049l" in last, "back from the alternate screen"
        assert b"\x1b[?25h" in last, "the cursor is shown again"
        assert terminal.wait(10.0) == 0


def test_an_interrupt_leaves_the_terminal_as_it_was_and_the_recorder_alive(
    terminal: Callable[..., Terminal], training: subprocess.Popen[bytes]
) -> None:
    screen = terminal()
    screen.run(f"floydtop {training.pid}")
    screen.wait("batch_mse")
    os.kill(screen.pid_of(f"floydtop {training.pid}"), signal.SIGINT)
    screen.until_prompt()
    assert screen.is_clean()
    assert [recording.live for recording in recordings()] == [True]
    assert training.poll() is None


def test_a_screen_that_was_stopped_shows_what_came_meanwhile(
    terminal: Callable[..., Terminal], log: Path, training: subprocess.Popen[bytes]
) -> None:
    screen = terminal()
    screen.run(f"floydtop {training.pid}")
    screen.wait("batch_mse")
    os.kill(screen.pid_of(f"floydtop {training.pid}"), signal.SIGSTOP)
    screen.wait("Stopped")
    with log.open("a") as file:
        file.write("said while the screen was stopped\n")
    training.kill()
    # The app had no chance to give the terminal's modes back: Enter is no line's end there.
    screen.press("f", "g", "C-j")
    screen.wait("killed by SIGKILL")
    screen.wait("said while the screen was stopped")
    screen.press("q")
    screen.until_prompt()
    assert screen.is_clean()


def test_a_screen_that_comes_back_is_drawn_again_at_rest_too(
    terminal: Callable[..., Terminal], tmp_path: Path
) -> None:
    """^Z and fg, and a SIGSTOP that gives the terminal no time: each time all of it is there at once."""
    session = write(tmp_path, whole())
    screen = terminal()
    screen.run(f"floydtop {session}")
    screen.wait("─ loss ─")
    pid = screen.pid_of(f"floydtop {session}")
    for stop in ("C-z", signal.SIGSTOP, signal.SIGSTOP, "C-z"):
        if isinstance(stop, str):
            screen.press(stop)
            screen.until(lambda text: "Stopped" in text and "─ loss ─" not in text)
        else:
            os.kill(pid, stop)
            screen.wait("Stopped")
        screen.press("f", "g", "C-j")
        screen.until(lambda text: "Stopped" not in text and "─ loss ─" in text)
    screen.press("?")
    screen.wait("This page")
    screen.press("q")
    screen.until_prompt()
    assert screen.is_clean()
