"""When the screen itself fails: one sentence for the person, and the traceback, without data, in a file."""

from __future__ import annotations

import contextlib
import time
import traceback
from pathlib import Path
from typing import TypeVar

from textual.app import App

from floydtop import __version__
from floydtop.app.safe import clean
from floydtop.errors import FloydtopError
from floydtop.session.meta import replace_file

INNERMOST = 40
"""Calls of a traceback that are kept: those nearest to where it failed."""

Result = TypeVar("Result")


def report_path() -> Path:
    """The file that the last failure was written to, in the user's state directory."""
    from platformdirs import user_state_path

    return user_state_path("floydtop") / "crash.txt"


class Guarded(App[Result]):
    """An app that fails in one sentence.

    Textual alone prints the traceback with all local variables: a thousand lines, in which the text of the
    job would reach the terminal as it is.
    """

    def __init__(self) -> None:
        super().__init__()
        self._sentences: list[str] = []

    def _handle_exception(self, error: Exception) -> None:
        self._return_code = 2 if isinstance(error, FloydtopError) else 1
        if self._exception is None:
            # Tests that drive the app raise this again.
            self._exception = error
            self._exception_event.set()
        self._sentences.append(sentence(error))
        self.panic()

    def _print_error_renderables(self) -> None:
        # In one piece: Textual breaks lines, and a path with them.
        for words in self._sentences[:1]:
            self.error_console.file.write(f"{words}\n")
        self._sentences.clear()


def sentence(error: BaseException, what: str = "screen") -> str:
    """What is said about a failure of ours; its traceback is written to `report_path`.

    An error that explains itself is said as it is, and leaves no report.
    """
    if isinstance(error, FloydtopError):
        return clean(f"floydtop: {error}")
    failed = f"floydtop: The {what} failed ({type(error).__name__})"
    try:
        path = report_path()
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        replace_file(path, _report(error).encode("utf-8", "replace"))
    except OSError as refused:
        return clean(f"{failed}; the report about it could not be written: {refused.strerror}.")
    return clean(f"{failed}: please report it with the file {path}.")


def _report(error: BaseException) -> str:
    """Version, time and traceback; an error's message may hold text of the job, so it is made harmless."""
    lines = [f"floydtop {__version__}, {time.strftime('%Y-%m-%d %H:%M:%S %z')}\n"]
    with contextlib.suppress(Exception):
        # Whatever an exception's own __str__ does, the sentence is still said.
        lines += traceback.format_exception(error, limit=-INNERMOST)
    return "\n".join(clean(line) for text in lines for line in text.split("\n"))
