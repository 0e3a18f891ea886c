from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path

from floydtop.events import Metrics, OutputLine
from floydtop.session.writer import SessionWriter
from tests.app.stage import live, opening, training
from tests.e2e.pseudo import StallingTerminal

STALL = 4.0
"""Seconds: forty keys, each of which changes every chart."""

SCREENS = 120_000
"""Bytes: what two full screens and their differences take; forty screens are a megabyte."""


@contextmanager
def recording(folder: Path) -> Iterator[Path]:
    """A live recording to which two hundred lines a second come."""
    with live(folder, [*opening(), *training()]) as (_, writer):
        enough = threading.Event()
        thread = threading.Thread(target=_go_on, args=(writer, enough))
        thread.start()
        try:
            yield writer.path
        finally:
            enough.set()
            thread.join()


def _go_on(writer: SessionWriter, enough: threading.Event) -> None:
    step, t = 60, 60.0
    while not enough.wait(0.1):
        lines: list[OutputLine | Metrics] = []
        for _ in range(20):
            step, t = step + 1, t + 0.005
            lines.append(OutputLine(text=f"step {step} loss: {1 / step}", line=step, t=t))
            lines.append(Metrics(values={"loss": 1 / step + step % 7 / 100}, t=t, step=step, line=step))
        writer.append(lines, now=t)


def test_what_a_stalled_terminal_missed_is_one_frame_and_keys_have_acted(tmp_path: Path) -> None:
    with recording(tmp_path) as session, StallingTerminal([str(session)], tmp_path) as terminal:
        assert b"loss" in terminal.read_until(b"loss")
        terminal.read(quiet=0.3, most=3.0)
        before = terminal.resident_mebibytes()
        stalled = time.monotonic()
        for key in cycle("xsySx,."):
            if time.monotonic() - stalled > STALL:
                break
            terminal.press(key)
            time.sleep(0.1)
        terminal.press("?")
        time.sleep(0.5)
        grown = terminal.resident_mebibytes() - before
        missed = terminal.read_until(b"Esc closes")
    assert b"Esc closes" in missed
    assert len(missed) < SCREENS
    assert grown < 20


def test_a_signal_ends_the_app_though_its_terminal_reads_nothing(tmp_path: Path) -> None:
    with recording(tmp_path) as session, StallingTerminal([str(session)], tmp_path) as terminal:
        terminal.read_until(b"loss")
        terminal.press("xsysx" * 4)
        assert terminal.terminate(within=20.0)
