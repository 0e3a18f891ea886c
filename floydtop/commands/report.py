"""The commands that print and exit: status, sessions, stop, doctor."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from floydtop.errors import FloydtopError

if TYPE_CHECKING:
    from floydtop.events import Event
    from floydtop.parse.rules import Rules
    from floydtop.session.session import Session


def status(text: str | None, pid: int | None, log: str | None, *, as_json: bool) -> int:
    """Print the state of a job, its newest readings and the summary of each metric.

    Raises:
        FloydtopError: no such target.
    """
    from floydtop.session.export import snapshot

    session = _session_now(text, pid, log)
    shot = snapshot(session, session.present)
    shot["damaged"] = session.damaged
    shot["gaps"] = {"count": len(session.gaps), "lost": sum(gap.lost for gap in session.gaps)}
    if as_json:
        import msgspec

        sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(shot), indent=2) + b"\n")
    else:
        from floydtop.commands.plain import describe, printable

        print("\n".join(describe(shot)))
        if session.gaps:
            print(f"gaps     {shot['gaps']['count']}, the last one because {printable(session.gaps[-1].why)}")
        if session.damaged:
            print(f"damaged  {session.damaged} lines of the session could not be read")
    return 0


def _session_now(text: str | None, pid: int | None, log: str | None) -> Session:
    from floydtop.commands.known import find_recording
    from floydtop.commands.rules import given_rules, refuse_patterns, rules
    from floydtop.commands.watch import session_named
    from floydtop.session.library import find
    from floydtop.session.writer import is_being_recorded, read_present
    from floydtop.sources.target import resolve

    if text == "-":
        from floydtop.recorder.glance import glance

        need_pipe()
        return glance(pid, "standard input", "-", rules())
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

        return glance(target.pid, target.log, target.fd_path, rules())
    refuse_patterns(str(path))
    session = load(path, given_rules())
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


def load(path: Path, rules: Rules | None = None, *, share: float = 1.0) -> Session:
    """The state that a session file adds up to, with as many points as a screen shows; counts are of all.

    Args:
        rules: what to choose of its metrics, and how to call them.
        share: of these points, where several sessions are shown.

    Raises:
        FloydtopError: it cannot be read, or holds nothing.
    """
    from floydtop.parse.rules import Choice, Rules
    from floydtop.session.files import read_events
    from floydtop.session.format import Reader
    from floydtop.session.session import POINTS_SHOWN, Session

    session, reader, choice = Session(int(POINTS_SHOWN * share)), Reader(), Choice(rules or Rules())
    for events in read_events(path, reader):
        session.apply_all(choice(events))
    session.damaged, session.strange = reader.damaged, reader.strange
    if session.header is None:
        raise FloydtopError(f"There is no event in {path} that could be read.")
    return session


def session_of(text: str) -> Session:
    """All that is known of a log, a session or a job without looking at the system.

    Raises:
        FloydtopError: no such target.
    """
    from floydtop.session.session import Session

    session = Session()
    session.apply_all(events_of(text))
    return session


def events_of(text: str) -> Iterable[Event]:
    """The events of a log, `-` for standard input, of a session, or of a job's recording or log.

    Raises:
        FloydtopError: no such target, or its output goes nowhere that can be read.
    """
    from floydtop.commands.rules import given_rules, refuse_patterns, rules
    from floydtop.recorder.reading import read_log, read_session

    session, log = source_of(text)
    if session is not None:
        refuse_patterns(text)
        return chosen(read_session(session), given_rules())
    return _telling(read_log(log, rules(), timed=True))


def source_of(text: str) -> tuple[str | None, str]:
    """The session that a target means, or None and its log, `-` for standard input.

    Raises:
        FloydtopError: no such target, or its output goes nowhere that can be read.
    """
    from floydtop.sources.target import resolve

    if text == "-":
        need_pipe()
        return None, text
    from floydtop.commands.known import find_recording
    from floydtop.commands.watch import session_named

    if (named := session_named(text)) is not None:
        return str(named), ""
    target = resolve(text)
    if target.kind == "session":
        assert target.session is not None
        return target.session, ""
    if (text.isdigit() or text.startswith("slurm:")) and target.pid is not None:
        recorded = find_recording(target)
        if recorded is not None:
            return str(recorded), ""
    log = target.fd_path or target.log
    if log is None:
        raise FloydtopError(" ".join(target.notes))
    return None, log


def chosen(events: Iterable[Event], rules: Rules) -> Iterable[Event]:
    from floydtop.parse.rules import Choice

    if not rules:
        return events
    choice = Choice(rules)
    return (one for event in events for one in choice([event]))


def _telling(events: Iterable[Event]) -> Iterator[Event]:
    """The events of a log; what a person should know of the reading goes to standard error."""
    from floydtop.events import Note

    for event in events:
        if isinstance(event, Note):
            print(f"floydtop: {event.text}", file=sys.stderr)
        else:
            yield event


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
