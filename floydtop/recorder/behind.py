"""Where to begin in a huge log, and the task that reads what stands before that place."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence

from floydtop.errors import FloydtopError
from floydtop.events import Event, Gap, Note
from floydtop.parse.custom import Pattern
from floydtop.parse.rules import Choice
from floydtop.recorder.backfill import Backfill, Past, Stopped
from floydtop.recorder.context import Context
from floydtop.recorder.dating import Dating
from floydtop.sources.history import OpenLog, is_seekable

HUGE = 16 << 20
"""Bytes of a log from which on its end is read first: less is read through in the half second that one waits
for a screen anyway (40 MB/s for the slowest formats)."""

TAIL = 1 << 20
"""Bytes at the end that are read first: some thousand lines, in 10 ms."""

LONGEST_LINE = 32 << 20
"""Bytes before these in which the start of their first line is looked for."""


class Behind:
    """The past of a log that is followed from `begun` on.

    Args:
        path: where the log can be opened.
        past: what is to be read of it.
        patterns: the user's own expressions.
        choice: applies the user's rules about names; `plain`: there are none.
        dating: gives the lines their times.
        now: session time.
        write: takes events that say what the past was.
        room: whether the session may grow.

    Attributes:
        context: makes parsers for places in the log.

    Raises (from the constructor):
        FloydtopError: the log cannot be read.
    """

    def __init__(
        self,
        path: str,
        past: Past,
        *,
        patterns: Sequence[Pattern],
        choice: Choice,
        plain: bool,
        dating: Dating,
        now: Callable[[], float],
        write: Callable[[Sequence[Event]], None],
        room: Callable[[], bool],
    ) -> None:
        self.begun = past.begun
        self._dating = dating
        self._now = now
        self._write = write
        log = OpenLog(path)
        try:
            self.context = Context(log, patterns)
        except OSError as error:
            log.close()
            raise FloydtopError(f"The log {path} cannot be read: {error.strerror}.") from error
        self._backfill = Backfill(
            log,
            past,
            context=self.context,
            choice=choice,
            plain=plain,
            span=self._span,
            write=write,
            room=room,
        )
        self._task: asyncio.Task[None] | None = None

    @property
    def reached(self) -> Past:
        """How far back all is recorded."""
        return Past(self.begun, self._backfill.back, self._backfill.lines)

    def start(self, done: Callable[[], None]) -> None:
        """Begin to read, once the newest lines have been."""
        if self._task is None:
            self._task = asyncio.create_task(self._run())
            self._task.add_done_callback(lambda _: done())

    @property
    def at_work(self) -> bool:
        """Whether there is more to read."""
        return self._task is None or not self._task.done()

    async def finished(self, leaving: asyncio.Event) -> None:
        """Wait until all has been read, or nobody wants to wait."""
        if self._task is not None:
            waiting = asyncio.create_task(leaving.wait())
            await asyncio.wait([self._task, waiting], return_when=asyncio.FIRST_COMPLETED)
            waiting.cancel()

    async def drop(self, why: str | None) -> None:
        """Read no more.

        Args:
            why: why what is left never will be read; None: the next recorder goes on with it.
        """
        at_work = self.at_work
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        else:
            self._backfill.close()
        if not at_work:
            return
        if why is not None:
            self._tell_of_gap(why)
        elif self.reached.back:
            left = _size(self.reached.back)
            text = f"The first {left} of the log were not read yet: they are when this goes on."
            self._write([Note(t=self._now(), text=text)])

    async def _run(self) -> None:
        try:
            await self._backfill.run()
        except Stopped as stopped:
            self._tell_of_gap(str(stopped))
        except OSError as error:
            self._tell_of_gap(error.strerror or str(error))

    def _tell_of_gap(self, why: str) -> None:
        left = f"the first {_size(self.reached.back)} of the log"
        self._write([Gap(t=self._now(), lost=0, why=f"{left} were not read: {why}")])

    def _span(self, data: bytes, offset: int) -> tuple[float | None, float | None]:
        return self._dating.between(data, offset, self.begun + TAIL, self._now())


async def place_to_begin(path: str) -> int:
    """Where the line begins with which a recording should: near the end of a huge log, 0 of any other."""
    try:
        size = os.stat(path).st_size
    except OSError:
        return 0
    if size <= HUGE or not is_seekable(path):
        return 0
    with OpenLog(path) as log:
        return await asyncio.to_thread(log.line_start, size - TAIL, LONGEST_LINE)


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"
