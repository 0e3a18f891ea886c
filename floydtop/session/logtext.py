"""The text of output lines that the session does not hold, read from the log by the offsets it does hold.

A log that stays is not stored twice: after its first few megabytes a session only says how far it was read.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from floydtop.events import End, Event, Header, Log, Note, OutputLine, Position
from floydtop.session.pulse import answers
from floydtop.session.session import Session

REACH = 1 << 20
"""Bytes before a position in which its last lines are looked for."""

LONGEST = 4096
"""Characters of one line."""

_CHECKED = 64
_BLOCK = 1 << 20


def fill_in(session: Session) -> bool:
    """Replace a session's newest lines by those in the log, when the session has no text of them.

    Does nothing when the log is gone or is another one now.

    Returns:
        Whether the lines changed.
    """
    position, header = session.position, session.header
    newest = max((line.line for line in session.lines), default=0)
    if position is None or header is None or header.log is None or newest >= position.line - 1:
        return False
    lines = lines_before(header.log, position, session.lines.maxlen or 1)
    if not lines:
        return False
    session.lines.clear()
    session.lines.extend(lines)
    session.lines_seen = max(session.lines_seen, position.line - 1)
    return True


def lines_before(log: Log, position: Position, count: int) -> list[OutputLine]:
    """The last lines before a position in the log, at most `count`; none when the log is not the same, or
    lies on a mount that does not answer.

    Those before the place at which the recording of a huge log began are numbered -1, -2, ... from there.
    """
    if not answers(log.path):
        return []
    try:
        with open(log.path, "rb") as file:
            if not _is_same(file, position):
                return []
            start = max(0, position.offset - REACH)
            file.seek(start)
            data = file.read(position.offset - start)
    except OSError:
        return []
    if start:
        whole = data.find(b"\n") + 1
        start, data = start + whole, data[whole:]
    raw = data.split(b"\n")[:-1]
    first = position.line - len(raw)
    lines: list[OutputLine] = []
    for number, one in enumerate(raw, first):
        lines.append(_line(one, number if number > 0 else number - 1, start, position.t))
        start += len(one) + 1
    return lines[-count:]


def with_text(events: Iterable[Event]) -> Iterator[Event]:
    """The events, with the text of all lines of the log among them, for whoever will not have the log.

    Lines whose text was not recorded get the time at which the recorder noted having read them. When the log
    is not there any more, or is another one, a note says so. What stands in a huge log before the place at
    which its recording began stays there.
    """
    log: Log | None = None
    at = Position(t=0.0)
    recorded: dict[int, OutputLine] = {}
    missing = False
    for event in events:
        if isinstance(event, Header) and event.log is not None:
            log = event.log
        if isinstance(event, OutputLine):
            recorded[event.line] = event
            continue
        end: Position | None = None
        if isinstance(event, Position):
            end = event
            if at.offset < event.begun == event.offset:
                at = event
        elif isinstance(event, End):
            end = Position(t=event.t, offset=event.offset or 0, line=-1)
        if end is not None:
            found = _between(log, at, end) if log is not None and end.offset > at.offset else iter(())
            written = False
            for line in found:
                written = True
                yield recorded.pop(line.line, line)
            missing = missing or (not written and end.offset > at.offset)
            yield from recorded.values()
            recorded.clear()
            at = end
        yield event
    yield from recorded.values()
    if missing:
        path = log.path if log is not None else "the log"
        yield Note(t=at.t, text=f"The text of lines is missing: {path} is gone or has changed.")


def _between(log: Log, start: Position, end: Position) -> Iterator[OutputLine]:
    try:
        file = open(log.path, "rb")  # noqa: SIM115 (closed below; a generator)
    except OSError:
        return
    with file:
        if not _is_same(file, start) or (end.line > 0 and not _is_same(file, end)):
            return
        file.seek(start.offset)
        number, offset, left, rest = start.line, start.offset, end.offset - start.offset, b""
        while left > 0 and (data := file.read(min(_BLOCK, left))):
            left -= len(data)
            *whole, rest = (rest + data).split(b"\n")
            for one in whole:
                yield _line(one, number, offset, end.t)
                number += 1
                offset += len(one) + 1
        if rest and end.line < 0:
            yield _line(rest, number, offset, end.t)


def _is_same(file: BinaryIO, position: Position) -> bool:
    """Whether the bytes before the position are those that it remembers."""
    start = max(0, position.offset - _CHECKED)
    file.seek(start)
    before = file.read(position.offset - start)
    return len(before) == position.offset - start and zlib.crc32(before) == position.check


def _line(raw: bytes, number: int, offset: int, t: float) -> OutputLine:
    # What a terminal would show of a bar that was drawn over and over: its last state.
    shown = raw.rstrip(b"\r\n \t").rpartition(b"\r")[2][: 4 * LONGEST].decode("utf-8", "replace")
    return OutputLine(text=shown[:LONGEST], line=number, offset=offset, t=t, cut=max(0, len(shown) - LONGEST))
