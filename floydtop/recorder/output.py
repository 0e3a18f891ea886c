"""The second worker: from the bytes of the log to events."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from floydtop.events import Event, Metrics, Note, OutputLine, Progress
from floydtop.parse import Parser
from floydtop.parse.lines import Line, LineSplitter
from floydtop.sources.follow import Chunk, Idle, Restart, follow

HISTORY_TEXT = 256 * 1024
"""Bytes of the log's past whose text is kept; metrics are kept of all of it."""

TEXT_BUDGET = 64 * 1024 * 1024
"""Bytes of text that one session keeps; what comes after is counted. The log itself holds it all."""

LINE_TEXT = 4096
"""Characters of one line that are kept."""


class OutputWorker:
    """Follows one log, parses it, and hands events to `write` and running values to `show`.

    Attributes:
        offset: bytes of the log read so far.
    """

    def __init__(
        self,
        log: str,
        *,
        now: Callable[[], float],
        job_start: float | None,
        write: Callable[[Sequence[Event]], None],
        show: Callable[[list[Metrics], Progress | None], None],
        reopen: str | None = None,
    ) -> None:
        self.log = log
        self.offset = 0
        self._reopen = reopen
        self._now = now
        self._job_start = job_start
        self._write = write
        self._show = show
        self._parser = Parser()
        self._splitter = LineSplitter()
        self._text_left = TEXT_BUDGET
        self._lines_not_kept = 0

    async def run(self, stopping: asyncio.Event, quiet_after: float | None = None) -> None:
        """Follow until `stopping` is set, or nothing came for `quiet_after` seconds (0: to the end now)."""
        done = asyncio.Event()
        stopped = asyncio.create_task(_set_after(stopping, done))
        silence: asyncio.TimerHandle | None = None
        loop = asyncio.get_running_loop()
        try:
            async for item in follow(self.log, stop=done, fd_path=self._reopen):
                if silence is not None:
                    silence.cancel()
                match item:
                    case Chunk():
                        self._read_chunk(item)
                        # A megabyte of dense lines takes some 10 ms to parse: others come in between.
                        await asyncio.sleep(0)
                    case Restart():
                        self._finish_content()
                        self._write([Note(t=self._now(), text=f"{self.log} {item.reason}.")])
                        self._splitter = LineSplitter()
                        self.offset = 0
                    case Idle():
                        self._show_partial()
                        if quiet_after is not None and self.offset:
                            silence = loop.call_later(quiet_after, done.set)
        finally:
            stopped.cancel()
            if silence is not None:
                silence.cancel()
        self._finish_content()
        if self._lines_not_kept:
            budget = f"a session holds {TEXT_BUDGET >> 20} MiB of it"
            text = f"The text of {self._lines_not_kept} lines was not kept: {budget}."
            self._write([Note(t=self._now(), text=text, level="warning")])

    def _read_chunk(self, chunk: Chunk) -> None:
        self.offset = chunk.offset + len(chunk.data)
        now = self._now()
        events: list[Event] = []
        for line in self._splitter.feed(chunk.data):
            t, approximate = self._time_of(line, chunk, now)
            self._take_line(
                line, t, approximate, events, keep=line.offset >= chunk.history_size - HISTORY_TEXT
            )
        self._write(events)

    def _time_of(self, line: Line, chunk: Chunk, now: float) -> tuple[float | None, bool]:
        """When a line was printed: now, or for what was there before us a guess from its place in the log."""
        if not chunk.history:
            return now, False
        if self._job_start is None or not chunk.history_size:
            return None, False
        return round(self._job_start * (1 - line.offset / chunk.history_size), 3), True

    def _take_line(
        self, line: Line, t: float | None, approximate: bool, events: list[Event], *, keep: bool
    ) -> None:
        if keep:
            text = line.text
            if len(text) <= self._text_left:
                self._text_left -= len(text)
                cut = max(0, len(text) - LINE_TEXT) + line.cut
                events.append(
                    OutputLine(text=text[:LINE_TEXT], line=line.number, offset=line.offset, t=t, cut=cut)
                )
            else:
                self._lines_not_kept += 1
        events += self._parser.read(line, t, approximate)

    def _finish_content(self) -> None:
        """The last line of a content that goes no further, finished or not."""
        events: list[Event] = []
        for line in self._splitter.finish():
            self._take_line(
                line, self._now() if self._job_start is not None else None, False, events, keep=True
            )
        self._write(events)
        self._show([], self._parser.progress)

    def _show_partial(self) -> None:
        partial = self._splitter.partial
        self._show(self._parser.peek(partial) if partial is not None else [], self._parser.progress)


async def _set_after(first: asyncio.Event, second: asyncio.Event) -> None:
    await first.wait()
    second.set()
