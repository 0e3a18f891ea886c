"""Keys are waited for, not looked for: the driver under Textual's own loop."""

from __future__ import annotations

import inspect
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from textual.drivers import linux_driver
from textual.drivers.headless_driver import HeadlessDriver

from floydtop.app.keyboard import LOOKS, Bell, PatientDriver, Waiting, patient
from tests.app.stage import whole, write
from tests.e2e.pseudo import StallingTerminal

EVENT_READ = 1


@pytest.fixture
def keys() -> Iterator[tuple[int, int]]:
    """The reading and the writing end of what keys come through."""
    ends = os.pipe()
    yield ends
    for end in ends:
        os.close(end)


def quiet(keys: tuple[int, int], bell: Bell) -> Waiting:
    """A selector after a second without keys."""
    waiting = Waiting(bell)
    waiting.register(keys[0], EVENT_READ)
    for _ in range(LOOKS):
        assert waiting.select(0.0) == []
    return waiting


def test_a_quiet_keyboard_is_waited_for_however_long(keys: tuple[int, int]) -> None:
    waiting = quiet(keys, Bell())
    threading.Timer(0.3, os.write, [keys[1], b"q"]).start()
    began = time.monotonic()
    assert [key.fileobj for key, _ in waiting.select(0.001)] == [keys[0]]
    assert time.monotonic() - began > 0.25


def test_after_a_key_it_is_looked_again_for_a_while(keys: tuple[int, int]) -> None:
    waiting = quiet(keys, Bell())
    os.write(keys[1], b"\x1b")
    assert waiting.select(0.001)
    os.read(keys[0], 1)
    # Whoever called can take the ESC that nothing follows for a key.
    assert [waiting.select(0.001) for _ in range(LOOKS)] == [[]] * LOOKS


def test_the_bell_ends_the_wait_and_is_no_key(keys: tuple[int, int]) -> None:
    bell = Bell()
    waiting = quiet(keys, bell)
    threading.Timer(0.1, bell.set).start()
    assert waiting.select(0.001) == []
    assert bell.is_set()
    for _ in range(100_000):
        bell.set()
    bell.clear()
    assert not bell.is_set()
    os.write(keys[1], b"q")
    assert [key.fileobj for key, _ in waiting.select(0.001)] == [keys[0]]


def test_other_drivers_than_textuals_for_a_terminal_stay_as_they_are() -> None:
    assert patient(linux_driver.LinuxDriver) is PatientDriver
    assert patient(HeadlessDriver) is HeadlessDriver


def test_textual_still_waits_as_the_driver_takes_it_to() -> None:
    """Where this fails a newer Textual waits otherwise: the keys come, but look whether a rest is one."""
    source = inspect.getsource(linux_driver.LinuxDriver.run_input_thread)
    assert "selectors.SelectSelector()" in source
    assert "selector.select(0.1)" in source
    assert "self.exit_event.is_set()" in source
    assert "Event()" in inspect.getsource(linux_driver.LinuxDriver.__init__)


def wakings(pid: int) -> int:
    """How often the threads of a process gave up the processor to wait."""
    statuses = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/status")]
    words = "\nvoluntary_ctxt_switches:"
    return sum(int(status.partition(words)[2].split()[0]) for status in statuses)


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs the threads of /proc")
def test_a_finished_session_at_rest_does_not_wake_up_and_answers_at_once(tmp_path: Path) -> None:
    session = write(tmp_path, whole())
    with StallingTerminal([str(session)], tmp_path) as terminal:
        terminal.read_until(b"loss", quiet=10.0)
        terminal.read(quiet=3.0)
        before = wakings(terminal.pid)
        assert terminal.read(quiet=2.0) == b""
        # One look of ten a second more or less: some other thread of Python's may wake once.
        assert wakings(terminal.pid) - before < 5
        terminal.press("?")
        terminal.read_until(b"This page", quiet=5.0)
        terminal.press("\x1b")
        assert terminal.read(quiet=1.0)
        terminal.press("q")
        assert terminal.wait(5.0) == 0
