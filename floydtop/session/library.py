"""Where sessions live: a folder of the user's, one file a recording."""

from __future__ import annotations

import os
import re
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from floydtop.errors import FloydtopError
from floydtop.events import End, Header, JobState
from floydtop.session.format import Reader
from floydtop.session.writer import is_being_recorded

SUFFIX = ".jsonl"
TAIL = 256 * 1024


@dataclass(frozen=True)
class Recording:
    """One session file, as a list of sessions shows it."""

    path: Path
    header: Header
    live: bool
    """A recorder writes it now."""
    state: JobState | None
    """The last state of the job that its tail tells."""
    duration: float
    """Session time of its last event, seconds."""
    size: int
    read_to: int | None
    """Bytes of the log that a closed recording holds."""

    @property
    def name(self) -> str:
        """The session's name: its file's, without the suffix."""
        return self.path.stem


def sessions_dir() -> Path:
    """The folder of recordings, in the user's state directory (XDG_STATE_HOME on Linux)."""
    from platformdirs import user_state_path

    return user_state_path("floydtop") / "sessions"


def new_path(host: str, pid: int | None) -> Path:
    """A fresh name: UTC time, host, pid or `log`, and six random digits; nothing of it comes from the job."""
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    safe_host = re.sub(r"[^A-Za-z0-9-]", "-", host)[:40] or "host"
    return sessions_dir() / f"{stamp}-{safe_host}-{pid or 'log'}-{secrets.token_hex(3)}{SUFFIX}"


def recordings() -> Iterator[Recording]:
    """All recordings of the library that can be read, newest first."""
    folder = sessions_dir()
    if not folder.is_dir():
        return
    for path in sorted(folder.glob("*" + SUFFIX), reverse=True):
        recording = look_at(path)
        if recording is not None:
            yield recording


def look_at(path: Path) -> Recording | None:
    """What the head and the tail of a session file tell, None when it is no readable session."""
    try:
        with open(path, "rb") as file:
            head = file.readline(1 << 20)
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - TAIL))
            tail = file.read()
    except OSError:
        return None
    try:
        first = Reader().feed(head)
        reader = Reader()
        # The tail starts in mid-line, unless it is the whole file.
        events = reader.feed(tail if size <= TAIL else tail.partition(b"\n")[2])
    except FloydtopError:
        return None
    if not first or not isinstance(first[0], Header):
        return None
    state = next((event for event in reversed(events) if isinstance(event, JobState)), None)
    end = events[-1] if events and isinstance(events[-1], End) else None
    times = [t for event in events[-50:] if (t := getattr(event, "t", None)) is not None]
    return Recording(
        path=path,
        header=first[0],
        live=is_being_recorded(path),
        state=state,
        duration=max(times, default=0.0),
        size=size,
        read_to=end.offset if end is not None else None,
    )


def of_process(pid: int, start: int, boot: str) -> Recording | None:
    """The newest recording of that very process."""
    for recording in recordings():
        header = recording.header
        if (
            header.job is not None
            and (header.job.pid, header.job.start) == (pid, start)
            and header.boot == boot
        ):
            return recording
    return None


def of_log(device: int, inode: int, size: int, modified: float) -> Recording | None:
    """The newest recording of a log without a process that still holds: a live one, or one of all of it.

    Args:
        size: bytes of the log now.
        modified: Unix time of the log's last change; a recording from before that is out of date.
    """
    for recording in recordings():
        header = recording.header
        if header.job is not None or header.log is None:
            continue
        if (header.log.device, header.log.inode) != (device, inode):
            continue
        complete = recording.read_to == size and modified <= header.t0 + recording.duration
        if recording.live or complete:
            return recording
    return None


def find(name: str | None) -> Path:
    """A session by path, by name, by the beginning of its name, or by pid; the last one for None.

    Raises:
        FloydtopError: there is none, or several begin so.
    """
    if name is None:
        newest = next(recordings(), None)
        if newest is None:
            raise FloydtopError(
                "There is no recorded session yet: start one with `floydtop PID` or `floydtop demo`."
            )
        return newest.path
    if os.path.exists(name):
        if not os.path.isfile(name):
            raise FloydtopError(f"{name} is not a file: name a session, or see `floydtop sessions`.")
        return Path(name)
    matches = [r.path for r in recordings() if r.name.startswith(name) or f"-{name}-" in r.name]
    if not matches:
        raise FloydtopError(f"There is no session {name!r}: `floydtop sessions` lists those there are.")
    exact = [path for path in matches if path.stem == name]
    if len(matches) > 1 and not exact and not name.isdigit():
        raise FloydtopError(f"{len(matches)} sessions begin with {name!r}: say more of the name.")
    return (exact or matches)[0]
