"""Questions to the kernel that may never be answered, asked so that nobody waits for ever.

A dead NFS server blocks statvfs, and a process stuck in a page fault blocks whoever reads its memory map.
The question is asked in a daemon thread: `asyncio.to_thread` and thread pools hold up the exit of the
program until their threads return.
"""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable
from queue import SimpleQueue
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    import asyncio

Answer = TypeVar("Answer")


class NoAnswer(Exception):
    """The question has not been answered yet; the message says for how long."""


class Patient(Generic[Answer]):
    """Asks one question at a time; while one hangs, the next ones are refused at once.

    An answer that came too late is given to whoever asks next: a costly question is not asked in vain. One
    thread serves all questions, because each new thread takes a pid, and new pids have to be looked at.
    """

    def __init__(self, what: str, patience: float) -> None:
        """`what` names the question in messages; `patience` is in seconds."""
        self._what = what
        self._patience = patience
        self._asked: _Question[Answer] | None = None
        self._questions: SimpleQueue[_Question[Answer] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None

    def ask(self, question: Callable[[], Answer]) -> Answer:
        """The answer; raises what the question raises, or NoAnswer when patience ends."""
        pending = self._start(question)
        if not pending.done.wait(self._patience):
            raise self._no_answer(pending)
        return self._collect(pending)

    async def ask_async(self, question: Callable[[], Answer]) -> Answer:
        """As `ask`, without holding up the event loop."""
        import asyncio

        loop = asyncio.get_running_loop()
        answered = asyncio.Event()
        pending = self._start(question, lambda: _call_soon(loop, answered.set))
        try:
            async with asyncio.timeout(self._patience):
                await answered.wait()
        except TimeoutError:
            raise self._no_answer(pending) from None
        return self._collect(pending)

    def _start(
        self, question: Callable[[], Answer], when_done: Callable[[], None] | None = None
    ) -> _Question[Answer]:
        if self._thread is None:
            self._thread = threading.Thread(target=_serve, args=(self._questions,), daemon=True)
            self._thread.start()
            weakref.finalize(self, self._questions.put, None).atexit = False
        if self._asked is None:
            self._asked = _Question(question, when_done)
            self._questions.put(self._asked)
        elif not self._asked.done.is_set():
            raise self._no_answer(self._asked)
        elif when_done is not None:
            when_done()
        return self._asked

    def _collect(self, pending: _Question[Answer]) -> Answer:
        self._asked = None
        return pending.result()

    def _no_answer(self, pending: _Question[Answer]) -> NoAnswer:
        return NoAnswer(f"{self._what} has not answered for {time.monotonic() - pending.since:.0f} s")


class _Question(Generic[Answer]):
    """One question and, once it has come, its answer."""

    def __init__(self, question: Callable[[], Answer], when_done: Callable[[], None] | None) -> None:
        self.since = time.monotonic()
        self.done = threading.Event()
        self._ask = question
        self._when_done = when_done
        self._answers: list[Answer] = []
        self._error: BaseException | None = None

    def answer(self) -> None:
        """Asks, in whatever thread calls this."""
        try:
            self._answers.append(self._ask())
        except BaseException as error:
            self._error = error
        self.done.set()
        if self._when_done is not None:
            self._when_done()

    def result(self) -> Answer:
        if self._error is not None:
            raise self._error
        return self._answers[0]


def _serve(questions: SimpleQueue[_Question[Answer] | None]) -> None:
    """Answers questions until there is nobody left to ask them."""
    while (question := questions.get()) is not None:
        question.answer()
        del question


def _call_soon(loop: asyncio.AbstractEventLoop, callback: Callable[[], None]) -> None:
    """Wakes the loop from a thread; a loop that has been closed meanwhile needs no waking."""
    if not loop.is_closed():
        try:
            loop.call_soon_threadsafe(callback)
        except RuntimeError:
            return
