"""The second worker: from the bytes of the log to events."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import aclosing

from floydtop.events import Event, Gap, Metrics, Note, OutputLine, Position, Progress
from floydtop.parse import Parser
from floydtop.parse.bulk import Bulk
from floydtop.parse.lines import Line, LineSplitter
from floydtop.parse.rules import Choice, Rules
from floydtop.recorder import past as before
from floydtop.recorder import resume
from floydtop.recorder.backfill import Past
from floydtop.recorder.behind import TAIL, Behind, place_to_begin
from floydtop.recorder.context import Context
from floydtop.recorder.dating import Dating
from floydtop.recorder.past import FromOutput, undated
from floydtop.recorder.running import drawn
from floydtop.recorder.stamps import Stamps
from floydtop.sources.finished import is_packed
from floydtop.sources.follow import Chunk, Idle, Restart, follow
from floydtop.sources.history import OpenLog

HISTORY_TEXT = 256 * 1024
"""Bytes of the log's past whose text is kept; metrics are kept of all of it."""

TEXT_BUDGET = 4 << 20
"""Characters of text that a session holds of a log that stays: whatever comes after is read from the log."""

ONLY_COPY_BUDGET = 64 << 20
"""The same for output of which no file will be left: a terminal, a FIFO, a log that was deleted."""

DRAINED = 4 << 20
"""Bytes of the log that are read to its end though we are to leave; more is left to the next recorder."""

AT_ONCE = 256 * 1024
"""Bytes that are read before others may do something."""

LINE_TEXT = 4096
"""Characters of one line that are kept."""


class OutputWorker:
    """Follows one log, parses it, and hands events to `write` and running values to `show`.

    Args:
        past: what an earlier recorder has read of it.
        text_budget: characters of text to keep.
        rules: the user's own, for reading the log.
        wall_start: Unix time of session time 0, by which the timestamps of lines are understood.
        room: whether the session may grow by the past of a huge log.

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
        past: before.Past | None = None,
        text_budget: int = TEXT_BUDGET,
        rules: Rules | None = None,
        wall_start: float | None = None,
        room: Callable[[], bool] = lambda: True,
    ) -> None:
        self.log = log
        self.offset = 0
        self._reopen = reopen
        self._now = now
        self._write = write
        self._show = show
        rules = rules or Rules()
        self._patterns, self._plain = rules.patterns(), not (rules.only or rules.ignore or rules.rename)
        self._parser, self._choice = Parser(self._patterns), Choice(rules)
        self._room = room
        self._reached = Past(0, 0)
        """What an earlier recorder has read of a huge log's past."""
        self._behind: Behind | None = None
        """What reads the rest of it."""
        stamps = Stamps(wall_start, reopen or log) if wall_start is not None else None
        self._dating = Dating(job_start, stamps)
        self._splitter = LineSplitter()
        self._text_left = text_budget
        self._text_budget = text_budget
        # Of a log that was deleted we may be the last to know.
        self._past_text = text_budget if reopen is not None else HISTORY_TEXT
        self._lines_not_kept = 0
        self._past = past
        self.segment = past.segment + 1 if past is not None else 0
        self._of_last_line: list[FromOutput] = []
        self._recorded_to = 0
        """The last line of this content that an earlier recorder has left events of."""
        self._identity = resume.identity(reopen or log)
        self._read = 0
        """Bytes that the splitter was given, by its own count."""
        self._skipped = 0
        """Bytes of the log that it was not given: holes."""
        self._lost = ""
        self._caught_up = False
        """All that was there at first has been read: what comes now is printed now."""
        """Why the log cannot be read at present."""
        self._last_bytes = b""
        self._before_line = b""
        """The bytes before the line that is being read, as many as a position remembers of them."""

    async def run(
        self, stopping: asyncio.Event, quiet_after: float | None = None, leaving: asyncio.Event | None = None
    ) -> None:
        """Follow until `stopping` is set, or nothing came for `quiet_after` seconds (0: to the end now).

        The past of a huge log is read to its start before this ends.

        Args:
            leaving: set as well when this is to end within a second, wherever it is.
        """
        leaving = leaving or asyncio.Event()
        done = asyncio.Event()
        stopped = asyncio.create_task(_set_after(stopping, done))
        place = await self._take_over()
        offset, before = (place.offset, place.before) if place is not None else (await self._begin(), None)
        try:
            await self._follow(offset, before, done, quiet_after, leaving)
            if self._behind is not None and not leaving.is_set():
                await self._behind.finished(leaving)
        finally:
            stopped.cancel()
            if self._behind is not None:
                await self._behind.drop(None)
        if self._lines_not_kept:
            budget = f"a session holds {self._text_budget >> 20} MiB of it"
            text = f"The text of {self._lines_not_kept} lines is in the log alone: {budget}."
            self._write([Note(t=self._now(), text=text)])

    async def _follow(
        self,
        offset: int,
        before: bytes | None,
        done: asyncio.Event,
        quiet_after: float | None,
        leaving: asyncio.Event,
    ) -> None:
        loop = asyncio.get_running_loop()
        silence: asyncio.TimerHandle | None = None
        idle = False

        def rest() -> None:
            """End after a while if nothing comes."""
            nonlocal silence
            busy = self._behind is not None and self._behind.at_work
            if quiet_after is not None and self.offset and idle and not busy:
                silence = loop.call_later(quiet_after, done.set)

        items = follow(self.log, offset=offset, before=before, stop=done, fd_path=self._reopen)
        async with aclosing(items):
            async for item in items:
                if silence is not None:
                    silence.cancel()
                idle = isinstance(item, Idle)
                match item:
                    case Chunk():
                        for start in range(0, len(item.data), AT_ONCE):
                            self._read_chunk(item.part(start, AT_ONCE))
                            # Others come in between: a megabyte of a slow format takes 100 ms.
                            await asyncio.sleep(0)
                    case Restart():
                        await self._drop_past(item.reason)
                        self._begin_content(f"{self.log}: {item.reason}.")
                    case Idle():
                        self._show_partial()
                        self._tell_of_loss(item.lost)
                if self._behind is not None and (idle or self.offset >= self._behind.begun + TAIL):
                    self._behind.start(rest)
                if idle:
                    rest()
                elif leaving.is_set() and self._is_far_behind():
                    return
        if silence is not None:
            silence.cancel()
        self._finish_content()

    def _tell_of_loss(self, lost: str) -> None:
        if lost and not self._lost:
            text = f"{self.log} cannot be read: {lost}. It is tried again each second."
            self._write([Note(t=self._now(), text=text, level="warning")])
        elif self._lost and not lost:
            self._write([Note(t=self._now(), text=f"{self.log} can be read again.")])
        self._lost = lost

    def _is_far_behind(self) -> bool:
        """Whether the rest of the log takes more than a moment to read."""
        try:
            size = os.stat(self._reopen or self.log).st_size
        except OSError:
            return False
        return size - self.offset > DRAINED

    def position(self, segment: int) -> Position:
        """How far everything that was read has been written."""
        device, inode = self._identity
        reached = self._behind.reached if self._behind is not None else self._reached
        return Position(
            t=self._now(),
            offset=self._splitter.offset + self._skipped,
            line=self._splitter.number,
            check=resume.check(self._before_line),
            device=device,
            inode=inode,
            segment=segment,
            begun=reached.begun,
            back=reached.back,
            past_lines=reached.lines,
        )

    async def _begin(self) -> int:
        """Where to begin a log that was not read yet: near the end of a huge one."""
        name = self._reopen or self.log
        begun = 0 if self._recorded_to else await place_to_begin(name)
        if begun:
            self._look_behind(name, Past(begun, begun))
            await self._prime(name, begun, 1)
            self._splitter = LineSplitter(1, begun)
            self.offset = self._read = begun
            with OpenLog(name) as log:
                self._last_bytes = log.read(max(0, begun - resume.CHECKED), min(begun, resume.CHECKED))
            self._before_line = self._last_bytes
            self._write([self.position(self.segment)])
        return begun

    async def _prime(self, path: str, place: int, number: int) -> None:
        """Let our parser know what stands before a place."""
        if self._behind is not None:
            self._parser = (await self._behind.context.at(place, number)).parser
            return
        with OpenLog(path) as log:
            self._parser = (await Context(log, self._patterns).at(place, number)).parser

    def _look_behind(self, path: str, past: Past) -> None:
        self._behind = Behind(
            path,
            past,
            patterns=self._patterns,
            choice=self._choice,
            plain=self._plain,
            dating=self._dating,
            now=self._now,
            write=self._write_past,
            room=self._room,
        )

    def _write_past(self, events: Sequence[Event]) -> None:
        """With each part of the past goes how far it has come: none is read again, whenever we are killed."""
        self._write([*events, self.position(self.segment)])

    async def _drop_past(self, why: str) -> None:
        if self._behind is not None:
            await self._behind.drop(why)
        self._behind, self._reached = None, Past(0, 0)

    async def _take_over(self) -> resume.Place | None:
        """Go on where the earlier recorder stopped, if there was one and the log is still the same."""
        past, self._past = self._past, None
        if past is None:
            return None
        position = past.position or Position(t=past.t)
        place = resume.find_place(self.log, self._reopen, position)
        if place is None:
            if is_packed(self._reopen or self.log):
                self._recorded_to, self._of_last_line = max(position.line - 1, past.line), past.of_line
            elif position.offset or past.line:
                why = f"{self.log} holds other content than when it was last read: it is read from its start"
                self._write([Gap(t=self._now(), lost=0, why=why, since=past.t)])
            return None
        self._reached = Past(position.begun, position.back, position.past_lines)
        if position.back:
            self._look_behind(place.path, self._reached)
        encoding = resume.encoding_of(place.path)
        if encoding is None:
            await self._prime(place.path, position.offset, position.line)
        else:
            resume.prime(self._parser, place.path, position, encoding)
        self._splitter = LineSplitter(position.line, position.offset, encoding)
        self.offset = self._read = position.offset
        self._last_bytes = self._before_line = place.before
        self._recorded_to, self._of_last_line = past.line, list(past.of_line)
        self._dating.resumed = (position.offset, past.t)
        if place.rotated:
            for chunk in resume.rest_of(place):
                self._read_chunk(chunk)
            await self._drop_past("the log was rotated while nobody recorded it")
            self._begin_content(f"{self.log}: the log was rotated while nobody recorded it.")
            return None
        return place

    def _begin_content(self, note: str) -> None:
        self._finish_content()
        self._splitter = LineSplitter()
        self.offset = self._read = self._skipped = self._recorded_to = 0
        self._dating.resumed = None
        self._last_bytes = self._before_line = b""
        self._identity = resume.identity(self._reopen or self.log)
        self._write([Note(t=self._now(), text=note), self.position(self.segment)])

    def _read_chunk(self, chunk: Chunk) -> None:
        if chunk.offset != self.offset:
            self._skipped += chunk.offset - self.offset
        self.offset = chunk.offset + len(chunk.data)
        self._read += len(chunk.data)
        now = self._now()
        events: list[Event] = []
        if self.offset <= chunk.history_size - self._past_text and self._splitter.number > self._recorded_to:

            def when(line: Line) -> tuple[float | None, bool]:
                line.offset += self._skipped
                return self._dating.of(line, chunk, now)

            events += self._choice(Bulk(self._parser, self._splitter).feed(chunk.data, when))
        else:
            for line in self._splitter.feed(chunk.data):
                line.offset += self._skipped
                t, approximate = self._dating.of(line, chunk, now)
                keep = line.offset >= chunk.history_size - self._past_text
                self._take_line(line, t, approximate, events, keep=keep)
        line_start = len(chunk.data) - (self._read - self._splitter.offset)
        if line_start > 0:
            self._before_line = (self._last_bytes + chunk.data[:line_start])[-resume.CHECKED :]
        self._last_bytes = (self._last_bytes + chunk.data[-resume.CHECKED :])[-resume.CHECKED :]
        self._write(events)
        self._tell_of_slow_patterns()

    def _take_line(
        self, line: Line, t: float | None, approximate: bool, events: list[Event], *, keep: bool
    ) -> None:
        first = len(events)
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
        events += self._choice(self._parser.read(line, t, approximate))
        if line.number <= self._recorded_to:
            fresh = [] if line.number < self._recorded_to else self._not_recorded(events[first:])
            events[first:] = fresh

    def _not_recorded(self, events: list[Event]) -> list[Event]:
        """The events of the last line that the earlier recorder wrote, less those that it did write."""
        known = Counter(map(undated, self._of_last_line))
        fresh: list[Event] = []
        for event in events:
            if isinstance(event, FromOutput) and known[plain := undated(event)] > 0:
                known[plain] -= 1
            else:
                fresh.append(event)
        return fresh

    def _finish_content(self) -> None:
        """The last line of a content that goes no further, finished or not."""
        events: list[Event] = []
        self._before_line = self._last_bytes
        for line in self._splitter.finish():
            self._take_line(line, self._dating.of_rest(self._now()), False, events, keep=True)
        self._write(events)
        self._show([], self._parser.progress)

    def _show_partial(self) -> None:
        if self._splitter.number > self._recorded_to:
            # Of a line that an earlier recorder has begun it is known at its end what is new.
            t = self._now() if self._caught_up else self._dating.of_rest(self._now())
            points = drawn(self._splitter, self._parser, t, approximate=not self._caught_up)
            if points:
                self._write(list(self._choice(points)))
        self._caught_up = True
        partial = self._splitter.partial
        metrics = list(self._choice(self._parser.peek(partial))) if partial is not None else []
        self._show(metrics, self._parser.progress)
        self._tell_of_slow_patterns()

    def _tell_of_slow_patterns(self) -> None:
        if complaints := self._parser.complaints():
            self._write([Note(t=self._now(), text=text, level="warning") for text in complaints])


async def _set_after(first: asyncio.Event, second: asyncio.Event) -> None:
    await first.wait()
    second.set()
