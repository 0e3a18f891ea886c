"""`floydtop sessions` and `floydtop check`: the library of recordings, and what is wrong with one."""

from __future__ import annotations

import gzip
import os
import re
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from floydtop.errors import FloydtopError

if TYPE_CHECKING:
    from floydtop.session.format import Reader
    from floydtop.session.library import Recording

MOST_UNPACKED = 4 << 30
"""Bytes: a session of ours has 1 GiB at most, and a file of 4 MB can hold more than this."""

_SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,120}\Z")


def list_sessions(text: str | None) -> int:
    """Print a line for each recorded session, the newest first; with `text` those that have it."""
    from floydtop.session.library import recordings, sessions_dir, unreadable

    library = list(recordings())
    if why := unreadable():
        print(f"floydtop: {why}", file=sys.stderr)
        if not library:
            return 2
    rows = [row for row in map(_row, library) if text is None or text.lower() in " ".join(row).lower()]
    if not library:
        print(f"No sessions yet in {sessions_dir()}: start one with `floydtop PID` or `floydtop demo`.")
        return 0
    if not rows:
        raise FloydtopError(f"No session has {text!r} in its name, title, note, state or command.")
    heading = ("NAME", "STARTED", "LENGTH", "STATE", "SIZE", "JOB")
    widths = [max(len(row[column]) for row in [heading, *rows]) for column in range(len(heading) - 1)]
    for row in [heading, *rows]:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        print("  ".join([*cells, row[-1]]))
    return 0


def _row(recording: Recording) -> tuple[str, ...]:
    from floydtop.commands.plain import printable, state_words
    from floydtop.plot.units import format_bytes, format_duration

    header, state, meta = recording.header, recording.state, recording.meta
    words = state_words(state.state if state else None, state.exit if state else None)
    if recording.live:
        words = f"recording, {words}"
    elif not recording.closed:
        words = f"interrupted, {words}"
    if meta.pinned:
        words += ", pinned"
    elif meta.announced is not None:
        words += ", to be deleted"
    job = " ".join(header.job.command) if header.job else header.log.path if header.log else "?"
    said = [part for part in (meta.title, meta.note) if part]
    return (
        printable(recording.name),
        time.strftime("%Y-%m-%d %H:%M", time.localtime(header.t0)),
        format_duration(recording.duration),
        words,
        format_bytes(recording.size),
        printable(" · ".join([*said, job]))[:100],
    )


def change(name: str, **changes: object) -> int:
    """Give a session a title or a note (empty takes it away), pin or unpin it.

    Raises:
        FloydtopError: there is no such session, or its words cannot be written.
    """
    from floydtop.commands.plain import printable
    from floydtop.session.meta import change_meta

    recording = _recording(name)
    meta = change_meta(recording.path, **changes)
    told = [meta.title or "no title", meta.note or "no note", "pinned" if meta.pinned else "not pinned"]
    print(printable(f"{recording.name}: {', '.join(told)}"))
    return 0


def prune(*, sure: bool, sessions: int | None, size: int | None) -> int:
    """Delete the oldest finished sessions beyond the budget, with their logs; without `sure` only tell which.

    Args:
        sessions, size: how many sessions and bytes to keep, of sessions and of logs that floydtop keeps; None
            for what is always kept.
    """
    from floydtop.commands.plain import printable
    from floydtop.plot.units import format_bytes
    from floydtop.session import tidy
    from floydtop.session.library import recordings
    from floydtop.session.logs import delete_log, log_of, size_of

    library = list(recordings())
    most_log_bytes = tidy.MOST_LOG_BYTES if size is None else size
    surplus = tidy.over_budget(
        library,
        tidy.MOST_BYTES if size is None else size,
        tidy.MOST_SESSIONS if sessions is None else sessions,
        most_log_bytes,
    )
    deleted = "deleted" if sure else "would delete"
    for recording in surplus:
        log = log_of(recording.header)
        print(f"{deleted}  {'  '.join(_row(recording))}")
        if log is not None:
            print(f"{deleted}  with its log, unless another session is of it: {printable(str(log))}")
        if sure:
            tidy.delete(recording, library)
    lonely = tidy.lonely_over_budget(library, most_log_bytes)
    for log in lonely:
        print(f"{deleted}  a log without a session, {format_bytes(size_of(log))}: {printable(str(log))}")
        if sure:
            delete_log(log)
    total = format_bytes(sum(one.size for one in surplus))
    held = f"{len(library)} sessions, {format_bytes(sum(one.size for one in library))}"
    if sure or not (surplus or lonely):
        print(f"{len(surplus)} of {held} deleted ({total}).")
    else:
        print(f"{len(surplus)} of {held} would be deleted ({total}): add --yes.")
    return 0


def import_session(source: str, name: str | None) -> int:
    """Put a session, `-` for standard input, into the library, packed.

    Raises:
        FloydtopError: it is no session, or cannot be read or written.
    """
    from floydtop.session.files import PACKED, name_of
    from floydtop.session.format import Reader
    from floydtop.session.library import look_at
    from floydtop.session.place import new_path, sessions_dir

    own = name or (name_of(Path(source)) if source != "-" else "")
    if not _SAFE_NAME.match(own):
        if name is not None:
            raise FloydtopError("A session's name is made of letters, digits, dots, dashes and underscores.")
        own = name_of(new_path("imported", None))
    target = sessions_dir() / (own + PACKED)
    if target.exists() or target.with_name(own + ".jsonl").exists():
        raise FloydtopError(f"There is a session {own} already: import it under another name (--name NAME).")
    reader = Reader()
    try:
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _write_packed(_copied(source, reader), target)
    except OSError as error:
        raise FloydtopError(f"Cannot write {target}: {error.strerror}.") from None
    recording = look_at(target)
    if recording is None:
        target.unlink()
        raise FloydtopError(f"There is no event in {source} that could be read.")
    print(f"Imported: floydtop replay {recording.name}")
    if reader.damaged or reader.torn:
        print(f"{reader.damaged + reader.torn} of its lines could not be read.", file=sys.stderr)
    return 0


def _copied(source: str, reader: Reader) -> Iterator[bytes]:
    """The bytes of a session as they are: what this floydtop does not know is kept, too."""
    from floydtop.session.files import blocks, open_session
    from floydtop.session.format import is_session

    first, unpacked = True, 0
    with open_session(source) as file:
        for block in blocks(file):
            unpacked += len(block)
            if unpacked > MOST_UNPACKED:
                raise FloydtopError(f"{source} holds over {MOST_UNPACKED >> 30} GiB: that is no session.")
            if first and not is_session(block):
                raise FloydtopError(f"{source} is no floydtop session: its first line is no session header.")
            first = False
            reader.feed(block)
            yield block


def export_session(name: str, output: str | None, *, with_log: bool) -> int:
    """Write a session as one `.jsonl.gz` for somebody else.

    Args:
        output: the file, `-` for standard output; None for the session's name in this directory.
        with_log: also the text of all of the log, from the log itself.

    Raises:
        FloydtopError: there is no such session, or the file is there already or cannot be written.
    """
    from floydtop.session.files import PACKED, read_events
    from floydtop.session.format import Reader, encode
    from floydtop.session.logtext import with_text

    recording = _recording(name)
    reader = Reader()
    if with_log:
        found = (event for some in read_events(recording.path, reader) for event in some)
        lines: Iterable[bytes] = map(encode, with_text(found))
    else:
        lines = _copied(str(recording.path), reader)
    if output == "-":
        _pack_into(lines, sys.stdout.buffer)
        return 0
    target = Path(output or f"{recording.name}{PACKED}")
    if target.exists():
        raise FloydtopError(f"{target} is there already: name another file with -o FILE.")
    try:
        _write_packed(lines, target)
    except OSError as error:
        raise FloydtopError(f"Cannot write {target}: {error.strerror}.") from None
    print(f"Exported: {target} (`floydtop replay {target}` shows it anywhere)")
    return 0


def _write_packed(lines: Iterable[bytes], target: Path) -> None:
    draft = target.with_name(target.name + "~")
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        with open(os.open(draft, flags, 0o600), "wb") as file:
            _pack_into(lines, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, target)
    finally:
        draft.unlink(missing_ok=True)


def _pack_into(lines: Iterable[bytes], file: BinaryIO) -> None:
    with gzip.GzipFile("", "wb", compresslevel=6, fileobj=file, mtime=0) as packed:
        for line in lines:
            packed.write(line)


def _recording(name: str) -> Recording:
    from floydtop.session.library import find, look_at

    recording = look_at(find(name))
    if recording is None:
        raise FloydtopError(f"{name} is no floydtop session.")
    return recording


def check(name: str) -> int:
    """Print what a session file holds and what is wrong with it; status 1 when anything is.

    Raises:
        FloydtopError: there is no such session, it cannot be read, or is of a newer version.
    """
    from floydtop.commands.plain import printable
    from floydtop.session.library import find
    from floydtop.session.validate import check as examine
    from floydtop.session.writer import is_being_recorded

    path = name if name == "-" else str(find(name))
    found = examine(path)
    live = path != "-" and is_being_recorded(Path(path))
    kinds = ", ".join(f"{count} {kind}" for kind, count in found.kinds.most_common())
    print(f"lines     {found.lines} in {found.segments} segments: {printable(kinds)}")
    print(f"gaps      {found.gaps}, with {found.lost} events known to be lost")
    print(f"damaged   {found.damaged} lines")
    print(f"invalid   {found.invalid} lines, by the schema")
    print(f"unknown   {found.strange} lines of kinds that this floydtop does not know")
    if found.torn:
        print("torn      the last line has no end" + (": it is being written" if live else ""))
    for complaint in found.complaints:
        print(f"  {printable(complaint)}")
    return 0 if found.sound or (live and not found.damaged and not found.invalid) else 1
