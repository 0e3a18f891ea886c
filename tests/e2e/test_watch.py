"""The main job, end to end: real training jobs, watched and replayed in a real terminal."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from floydtop.events import End
from floydtop.session.library import Recording, recordings
from floydtop.session.writer import is_being_recorded
from tests.e2e.tmux import Terminal
from tests.recorder.jobs import events, until

Job = subprocess.Popen[bytes]
Open = Callable[..., Terminal]

FEW_SECONDS = 5.0

LOSS = r"● \d+\.\d+  ○ val \d"
"""The panel of loss and validation loss with their last values."""


def only_recording() -> Recording:
    (recording,) = recordings()
    return recording


def x_labels(screen: str) -> str:
    """The labels below the first row of charts."""
    lines = screen.splitlines()
    bottom = next(number for number, line in enumerate(lines) if line.startswith("╰"))
    return lines[bottom - 1].replace("│", " ")


def test_a_job_is_watched_killed_and_replayed(terminal: Open, training: Job) -> None:
    screen = terminal()
    screen.run(f"floydtop {training.pid}")

    screen.wait("● running")
    screen.wait_for(LOSS)
    text = screen.wait("x: time")
    assert f"pid {training.pid}" in text
    assert "● recording" in text
    assert "batch_mse" in text
    assert "CPU" in text
    screen.until(lambda text: re.search(r"\d+s\b", x_labels(text)))

    screen.press("x")
    screen.wait("x: step", FEW_SECONDS)
    screen.until(lambda text: re.fullmatch(r"(?:[\d.k│ ]|step|epoch)+", x_labels(text)[:100]), FEW_SECONDS)

    screen.press("Enter")
    text = screen.wait("┌──", FEW_SECONDS)
    assert "┤" in text
    assert "val_loss" in text
    assert "batch_mse" not in text
    screen.press("Escape")
    screen.wait("batch_mse", FEW_SECONDS)

    screen.press("?")
    screen.wait("x-axis of all charts", FEW_SECONDS)
    screen.press("Escape")
    screen.until(lambda text: "x-axis of all charts" not in text, FEW_SECONDS)

    training.send_signal(signal.SIGKILL)
    screen.wait("killed by SIGKILL", FEW_SECONDS)

    screen.press("q")
    text = screen.until_prompt()
    assert text.count("The recording is complete: floydtop replay ") == 1
    assert screen.is_clean()
    screen.run("echo still $((40 + 2))")
    screen.wait("still 42")

    screen.run("clear; floydtop replay")
    screen.wait("killed by SIGKILL")
    text = screen.wait("replay")
    assert "batch_mse" in text
    assert "10x" in text
    screen.press("Home")
    screen.until(lambda text: "killed by SIGKILL" not in text, FEW_SECONDS)
    screen.press("End")
    screen.wait("killed by SIGKILL", FEW_SECONDS)
    screen.press(*["Left"] * 10)
    screen.until(lambda text: "killed by SIGKILL" not in text, FEW_SECONDS)
    screen.press("+", "Space")
    screen.wait("20x", FEW_SECONDS)
    screen.wait("killed by SIGKILL")
    screen.press("q")
    screen.until_prompt()
    assert screen.is_clean()


def test_a_log_leads_to_its_job_on_a_small_terminal(terminal: Open, training: Job, log: Path) -> None:
    screen = terminal(80, 24)
    screen.run(f"floydtop {log}")
    screen.wait("running")
    text = screen.wait_for(LOSS).string
    # The pid gives way to the time that is left, as soon as that is known.
    assert "train.py" in text
    assert all(len(line) <= 80 for line in text.splitlines())
    screen.press("x")
    screen.wait("x: step", FEW_SECONDS)

    screen.press("q")
    # Eighty columns may cut a word in two.
    text = "".join(screen.until_prompt().split())
    assert f"`floydtopstop{training.pid}`ends" in text
    assert only_recording().live

    screen.run(f"clear; floydtop {training.pid}")
    screen.wait("running")
    screen.press("C-c")
    screen.until_prompt()
    assert screen.is_clean()
    assert only_recording().live, "the same recorder, not a second one"

    screen.run(f"clear; floydtop stop {training.pid}")
    screen.wait("Stopped: floydtop replay")
    assert not only_recording().live
    assert training.poll() is None


def test_a_finished_log_is_shown_without_a_job(terminal: Open, log: Path) -> None:
    log.write_text("".join(f'{{"metric": "loss", "value": {1 / n}, "step": {n}}}\n' for n in range(1, 50)))
    os.utime(log, (1e9, 1e9))
    screen = terminal()
    screen.run(f"floydtop {log}")
    screen.wait("no local writer")
    screen.wait("x: step")
    screen.wait_for(r"loss.*0\.02")
    screen.press("q")
    screen.until_prompt()
    assert screen.is_clean()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_leaves_the_terminal_as_it_was_and_the_recorder_alive(
    terminal: Open, training: Job, number: signal.Signals
) -> None:
    screen = terminal()
    screen.run(f"floydtop {training.pid}")
    screen.wait("batch_mse")
    assert not screen.is_clean()
    os.kill(screen.pid_of(f"floydtop {training.pid}"), number)
    screen.until_prompt()
    assert screen.is_clean()
    assert only_recording().live
    assert training.poll() is None


def test_a_dropped_link_ends_the_screen_and_not_the_recording(terminal: Open, training: Job) -> None:
    screen = terminal()
    screen.run(f"floydtop {training.pid}")
    screen.wait("batch_mse")
    pid = screen.pid_of(f"floydtop {training.pid}")
    screen.hang_up()
    until(lambda: not Path(f"/proc/{pid}").exists())
    recording = only_recording()
    assert recording.live
    size = recording.path.stat().st_size
    until(lambda: recording.path.stat().st_size > size)


def test_a_killed_recorder_is_told_on_the_screen(terminal: Open, training: Job) -> None:
    screen = terminal()
    screen.run(f"floydtop {training.pid}")
    screen.wait("● recording")
    os.kill(only_recording().header.recorder, signal.SIGKILL)
    screen.wait("recorder gone")
    screen.press("q")
    screen.until_prompt()
    assert screen.is_clean()
    assert training.poll() is None


def test_without_detaching_the_recording_ends_with_the_screen(terminal: Open, training: Job) -> None:
    screen = terminal(120, 36)
    screen.run(f"floydtop --no-detach --interval 1 {training.pid}")
    screen.wait("batch_mse")
    screen.wait("● running")
    recording = only_recording()
    assert recording.header.recorder == screen.pid_of("floydtop")
    screen.press("q")
    assert "floydtop replay" in screen.until_prompt()
    assert screen.is_clean()
    assert not is_being_recorded(recording.path)
    end = events(recording.path)[-1]
    assert isinstance(end, End)
    assert end.why == "floydtop was quit"
    assert training.poll() is None


def test_an_empty_log_says_that_it_waits(terminal: Open, log: Path) -> None:
    log.touch()
    screen = terminal(120, 36)
    screen.run(f"floydtop {log}")
    screen.wait("no local writer")
    screen.wait_for(r"[Ww]aiting|first line")
    log.write_text('{"metric": "loss", "value": 0.125, "step": 1}\n')
    screen.wait("0.125")
    screen.press("q")
    screen.until_prompt()


def test_the_demo_trains_for_real_and_ends(terminal: Open) -> None:
    screen = terminal()
    screen.run("floydtop demo --seconds 3")
    screen.wait_for(LOSS)
    screen.wait("exited 0")
    screen.press("q")
    assert "The recording is complete" in screen.until_prompt()
    assert screen.is_clean()


def test_what_a_job_prints_cannot_touch_the_terminal(terminal: Open, log: Path) -> None:
    evil = "\x1b]52;c;RVZJTA==\x1b\\\x1b]2;owned\x1b\\\x1b[2J\x1b[?1049l[red]\x9b31m[@click=app.quit]x[/]"
    metric = json.dumps({"metric": f"loss {evil}", "value": 0.5, "step": 1})
    log.write_text(f"{evil}\n{metric}\n[/usr/bin/x] started\n")
    os.utime(log, (1e9, 1e9))
    screen = terminal()
    screen.watch_clipboard()
    screen.run(f"floydtop {log}")
    screen.wait("[/usr/bin/x] started")
    screen.wait("[red]")
    screen.press("Enter")
    screen.wait("┌──")
    assert "owned" not in screen.title()
    assert screen.clipboard() == ""
    screen.press("q")
    screen.until_prompt()
    assert screen.is_clean()
