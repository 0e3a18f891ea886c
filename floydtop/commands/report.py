"""The commands that print and exit: status, export, sessions, stop, doctor."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from floydtop.errors import FloydtopError

if TYPE_CHECKING:
    from floydtop.events import Event
    from floydtop.session.library import Recording
    from floydtop.session.session import Session


def status(text: str | None, pid: int | None, log: str | None, *, as_json: bool) -> int:
    """Print the state of a job, its newest readings and the summary of each metric.

    Raises:
        FloydtopError: no such target.
    """
    from floydtop.session.export import snapshot

    session = _session_now(text, pid, log)
    shot = snapshot(session, session.present)
    if as_json:
        import msgspec

        sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(shot), indent=2) + b"\n")
    else:
        from floydtop.commands.plain import describe

        print("\n".join(describe(shot)))
    return 0


def _session_now(text: str | None, pid: int | None, log: str | None) -> Session:
    from floydtop.commands.watch import find_recording, session_named
    from floydtop.session.library import find
    from floydtop.session.writer import is_being_recorded, read_present
    from floydtop.sources.target import resolve

    if text == "-":
        from floydtop.recorder.glance import glance

        need_pipe()
        return glance(pid, "standard input", "-")
    if text is None and pid is None and log is None:
        path: Path | None = find(None)
    elif text is not None and (named := session_named(text)) is not None:
        path = named
    else:
        target = resolve(text, pid=pid, log=log)
        if target.kind == "session":
            assert target.session is not None
            path = Path(target.session)
        else:
            path = find_recording(target)
    if path is None:
        from floydtop.recorder.glance import glance

        return glance(target.pid, target.log, target.fd_path)
    session = load(path)
    if is_being_recorded(path):
        session.present = read_present(path)
        if session.present is not None:
            session.now = max(session.now, session.present.t)
    return session


def need_pipe() -> None:
    """Refuse to wait for what a person would have to type.

    Raises:
        FloydtopError: stdin is a terminal.
    """
    if os.isatty(0):
        raise FloydtopError("Nothing is piped in: pipe a log in, or name a file in place of the -.")


def load(path: Path) -> Session:
    """The state that a session file adds up to.

    Raises:
        FloydtopError: it cannot be read, or holds nothing.
    """
    from floydtop.recorder.reading import read_session
    from floydtop.session.session import Session

    session = Session()
    session.apply_all(read_session(str(path)))
    if session.header is None:
        raise FloydtopError(f"There is no event in {path} that could be read.")
    return session


def export(text: str, form: str) -> int:
    """Print the metrics of a log, a session or a job.

    Raises:
        FloydtopError: no such target.
    """
    from floydtop.session import export as formats

    write = sys.stdout.buffer.write
    if form == "json":
        write(formats.to_document(session_of(text)))
    else:
        events = _events_of(text)
        for block in formats.to_jsonl(events) if form == "jsonl" else formats.to_csv(events):
            write(block)
    sys.stdout.buffer.flush()
    return 0


def session_of(text: str) -> Session:
    """All that is known of a log, a session or a job without looking at the system.

    Raises:
        FloydtopError: no such target.
    """
    from floydtop.session.session import Session

    session = Session()
    session.apply_all(_events_of(text))
    return session


def _events_of(text: str) -> Iterable[Event]:
    from floydtop.recorder.reading import read_log, read_session
    from floydtop.sources.target import resolve

    if text == "-":
        need_pipe()
        return read_log(text)
    from floydtop.commands.watch import find_recording, session_named

    if (named := session_named(text)) is not None:
        return read_session(str(named))
    target = resolve(text)
    if target.kind == "session":
        assert target.session is not None
        return read_session(target.session)
    if text.isdigit() and target.pid is not None:
        recorded = find_recording(target)
        if recorded is not None:
            return read_session(str(recorded))
    log = target.fd_path or target.log
    if log is None:
        raise FloydtopError(" ".join(target.notes))
    return read_log(log)


def sessions() -> int:
    """Print a line for each recorded session, the newest first."""
    from floydtop.session.library import recordings, sessions_dir

    rows = [_row(recording) for recording in recordings()]
    if not rows:
        print(f"No sessions yet in {sessions_dir()}: start one with `floydtop PID` or `floydtop demo`.")
        return 0
    heading = ("NAME", "STARTED", "LENGTH", "STATE", "SIZE", "JOB")
    widths = [max(len(row[column]) for row in [heading, *rows]) for column in range(len(heading) - 1)]
    for row in [heading, *rows]:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        print("  ".join([*cells, row[-1]]))
    return 0


def _row(recording: Recording) -> tuple[str, ...]:
    from floydtop.commands.plain import printable, state_words
    from floydtop.plot.units import format_bytes, format_duration

    header = recording.header
    state = recording.state
    words = state_words(state.state if state else None, state.exit if state else None)
    if recording.live:
        words = f"recording, {words}"
    job = " ".join(header.job.command) if header.job else header.log.path if header.log else "?"
    return (
        recording.name,
        time.strftime("%Y-%m-%d %H:%M", time.localtime(header.t0)),
        format_duration(recording.duration),
        words,
        format_bytes(recording.size),
        printable(job)[:100],
    )


def stop(name: str | None) -> int:
    """End a recording: the one of that name or pid, or the last one that goes on.

    Raises:
        FloydtopError: there is none, or it cannot be stopped.
    """
    from floydtop.recorder.detach import stop as stop_recorder
    from floydtop.session.library import find, look_at, recordings

    if name is None:
        recording = next((one for one in recordings() if one.live), None)
        if recording is None:
            raise FloydtopError("No recording goes on.")
    else:
        recording = look_at(find(name))
        if recording is None or not recording.live:
            raise FloydtopError(f"Recording {name} does not go on.")
    stop_recorder(recording)
    print(f"Stopped: floydtop replay {recording.name}")
    return 0


def doctor(pid: int | None) -> int:
    """Print what can be measured here, one line each, with the remedy where something cannot.

    Raises:
        FloydtopError: no such process.
    """
    from floydtop.sources.doctor import examine

    for line in examine(pid):
        print(line)
    return 0
