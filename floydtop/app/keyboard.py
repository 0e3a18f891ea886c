"""The terminal under the app: keys are waited for, not looked for, and the window's last size counts."""

from __future__ import annotations

import asyncio
import contextlib
import os
import selectors
import signal
import threading
from functools import partial
from types import SimpleNamespace
from typing import Any

from textual import events
from textual.app import App
from textual.driver import Driver
from textual.drivers import linux_driver
from textual.geometry import Size

LOOKS = 10
"""Looks of Textual, a tenth of a second each, after a key before nothing but the next one is waited for.

What Textual does between two keys, such as taking an ESC that nothing follows for the key Esc, it does within
two of them."""


class Bell(threading.Event):
    """An event that also wakes up whoever waits for a file."""

    def __init__(self) -> None:
        super().__init__()
        self.reader, self._writer = os.pipe()
        os.set_blocking(self.reader, False)
        os.set_blocking(self._writer, False)

    def set(self) -> None:
        """Ring."""
        super().set()
        with contextlib.suppress(BlockingIOError):
            os.write(self._writer, b".")

    def clear(self) -> None:
        """Be silent again."""
        with contextlib.suppress(BlockingIOError):
            while os.read(self.reader, 4096):
                pass
        super().clear()


class Waiting(selectors.SelectSelector):
    """Waits until a key or the bell comes, however short a wait is asked for, once it is quiet."""

    def __init__(self, bell: Bell) -> None:
        super().__init__()
        self._bell = bell.reader
        self._left = LOOKS
        self.register(self._bell, selectors.EVENT_READ)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """What can be read, but for the bell."""
        ready = super().select(timeout if self._left > 0 else None)
        keys = [(key, mask) for key, mask in ready if key.fileobj != self._bell]
        self._left = LOOKS if keys else self._left - 1
        return keys


class PatientDriver(linux_driver.LinuxDriver):
    """Textual's driver, whose thread for keys sleeps until there is one.

    Textual looks ten times a second whether it is to end: 0.06 to 0.11 CPU s a minute, all that a finished
    session costs. Its loop is left as it is: it gets another selector, if it asks for the one it used to.
    """

    def __init__(
        self,
        app: App[Any],
        *,
        debug: bool = False,
        mouse: bool = True,
        size: tuple[int, int] | None = None,
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self.exit_event = self._bell = Bell()

    def start_application_mode(self) -> None:
        """Take the terminal, for the first time or after the job control of a shell (^Z, SIGSTOP; fg)."""
        before = self._key_thread
        if before is not None:
            # After SIGSTOP there still is one: with two of them each key goes to either.
            self._bell.set()
            before.join()
            self._bell.clear()
        super().start_application_mode()  # type: ignore[no-untyped-call]  # Textual says nothing
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGWINCH, self._resized)
        if before is not None:
            # The terminal has forgotten what it showed, and Textual would only send what changes.
            loop.call_soon_threadsafe(self._draw_all)

    def _resized(self) -> None:
        """Tell the app the size of the window.

        Textual's handler can be interrupted by the next signal, and then tells the older size last: after a
        thousand sizes in a row it was the wrong one in one to three runs of a hundred. asyncio takes signals
        one after the other.
        """
        if not self._in_band_window_resize:
            size = Size(*self._get_terminal_size())
            self._app.post_message(events.Resize(size, size))

    def _draw_all(self) -> None:
        for screen in self._app.screen_stack:
            screen.refresh(layout=True)

    def run_input_thread(self) -> None:
        """Wait for keys, and pass them on."""
        ours = {"SelectSelector": partial(Waiting, self._bell)}
        vars(linux_driver)["selectors"] = SimpleNamespace(**(vars(selectors) | ours))
        super().run_input_thread()


def patient(driver: type[Driver]) -> type[Driver]:
    """The driver to use in place of one that Textual has chosen."""
    return PatientDriver if driver is linux_driver.LinuxDriver else driver
