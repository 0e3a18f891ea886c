"""Where sessions live: a folder of the user's, one file a recording."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from msgspec import structs

from floydtop.errors import FloydtopError
from floydtop.events import End, Event, Header, JobState
from floydtop.session.files import PACKED, PLAIN, name_of, open_session, read_events
from floydtop.session.format import Reader
from floydtop.session.hold import holder, is_being_recorded
from floydtop.session.meta import Meta, Summary, read_meta
from floydtop.session.place import fallback_dir, new_path, sessions_dir
from floydtop.session.pulse import answers

__all__ = [
    "Recording",
    "find",
    "look_at",
    "new_path",
    "of_log",
    "of_process",
    "recordings",
    "session_files",
    "sessions_dir",
    "to_be_continued",
]

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
    closed: bool = False
    """It was ended; one that is neither live nor closed was killed and can be continued."""
    meta: Meta = field(default_factory=Meta)

    @property
    def name(self) -> str:
        """The session's name: its file's, without the suffix."""
        return name_of(self.path)

    @property
    def packed(self) -> bool:
        """Whether the file is compressed."""
        return self.path.name.endswith(PACKED)


def recordings() -> Iterator[Recording]:
    """All recordings of the library that can be read, newest first."""
    for path in session_files():
        recording = look_at(path)
        if recording is not None:
            yield recording


def session_files() -> list[Path]:
    """The files of the library, newest first; neither links, nor what is no file, nor files of others.

    Raises:
        FloydtopError: they lie on a network mount that does not answer.
    """
    found: dict[str, Path] = {}
    for folder in (sessions_dir(), fallback_dir()):
        if not answers(str(folder)):
            raise FloydtopError(
                f"{folder} does not answer, as on a dead network mount: wait for it, or keep sessions "
                "elsewhere by XDG_STATE_HOME=FOLDER."
            )
        try:
            if folder.lstat().st_uid != os.getuid():
                continue
            entries = list(os.scandir(folder))
        except OSError:
            continue
        for entry in entries:
            if entry.name.endswith((PLAIN, PACKED)) and _is_our_file(entry):
                path = Path(entry.path)
                # One that was just packed may still be there unpacked.
                if name_of(path) not in found or path.name.endswith(PLAIN):
                    found[name_of(path)] = path
    return [found[name] for name in sorted(found, reverse=True)]


def unreadable() -> str:
    """A sentence about our folder of recordings when it may not be looked into, else empty."""
    try:
        if sessions_dir().lstat().st_uid != os.getuid():
            return ""
    except OSError:
        return ""
    try:
        os.scandir(sessions_dir()).close()
    except OSError as error:
        return f"The recordings in {sessions_dir()} cannot be looked at: {error.strerror}."
    return ""


def _is_our_file(entry: os.DirEntry[str]) -> bool:
    """Others may write into a folder that was opened to them: a link or a recording of theirs is not ours."""
    try:
        status = entry.stat(follow_symlinks=False)
    except OSError:
        return False
    return stat.S_ISREG(status.st_mode) and status.st_uid == os.getuid()


def look_at(path: Path) -> Recording | None:
    """What the head and the tail of a session file tell, None when it is no readable session."""
    meta = read_meta(path)
    if path.name.endswith(".gz"):
        summary = summarize_packed(path, meta)
        return _recording(path, summary, meta, live=False) if summary is not None else None
    try:
        # Nothing is waited for: a FIFO of that name is refused.
        with open_session(path) as file:
            head = file.readline(1 << 20)
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - TAIL))
            tail = file.read()
    except (OSError, FloydtopError):
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
    live = is_being_recorded(path)
    header = _newest_header(path, first[0], events, live)
    return _recording(path, _sum_up(header, events, size, 0), meta, live=live)


def _newest_header(path: Path, header: Header, events: list[Event], live: bool) -> Header:
    """The header, with the recorder of the last segment."""
    for event in reversed(events):
        if isinstance(event, Header):
            return event if event.job is not None else structs.replace(event, job=header.job)
    us = holder(path) if live else None
    if us is None or not us.pid:
        return header
    return structs.replace(
        header, recorder=us.pid, host=us.host, recorder_start=us.start, boot=us.boot or header.boot
    )


def _sum_up(header: Header, events: list[Event], size: int, packed_size: int) -> Summary:
    state = next((event for event in reversed(events) if isinstance(event, JobState)), None)
    end = events[-1] if events and isinstance(events[-1], End) else None
    times = [t for event in events[-50:] if (t := getattr(event, "t", None)) is not None]
    return Summary(
        packed_size=packed_size,
        size=size,
        header=header,
        state=state,
        duration=max(times, default=0.0),
        read_to=end.offset if end is not None else None,
        closed=end is not None,
    )


def summarize_packed(path: Path, meta: Meta) -> Summary | None:
    """What a packed session holds: as was noted when it was packed, else by unpacking all of it."""
    try:
        packed_size = path.stat().st_size
        if meta.summary is not None and meta.summary.packed_size == packed_size:
            return meta.summary
        header: Header | None = None
        kept: list[Event] = []
        state: JobState | None = None
        for events in read_events(path, Reader()):
            if header is None and events and isinstance(events[0], Header):
                header = events[0]
            state = next((one for one in reversed(events) if isinstance(one, JobState)), state)
            kept = [*kept, *events][-50:]
    except (OSError, FloydtopError):
        return None
    if header is None:
        return None
    return structs.replace(_sum_up(header, kept, packed_size, packed_size), state=state)


def _recording(path: Path, summary: Summary, meta: Meta, *, live: bool) -> Recording:
    return Recording(
        path=path,
        header=summary.header,
        live=live,
        state=summary.state,
        duration=summary.duration,
        size=summary.packed_size or summary.size,
        read_to=summary.read_to,
        closed=summary.closed,
        meta=meta,
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
    """The newest recording of a log that still holds: one of all of it, or a live one without a process.

    A live one of a process is looked for by that.

    Args:
        size: bytes of the log now.
        modified: Unix time of the log's last change; a recording from before that is out of date.
    """
    for recording in recordings():
        header = recording.header
        if header.log is None or (header.log.device, header.log.inode) != (device, inode):
            continue
        complete = recording.read_to == size and modified <= header.t0 + recording.duration
        if complete or (recording.live and header.job is None):
            return recording
    return None


def to_be_continued(
    process: tuple[int, int, str] | None, log: str | None, identity: tuple[int, int] | None
) -> Recording | None:
    """The newest recording of that process, or of that log, if it goes on no more and could.

    Args:
        process: pid, start and boot of the job; without one the log's last recording is looked for.
        log: the path of its log; a recording of another log is not continued.
        identity: device and inode of that log.
    """
    for recording in recordings():
        header = recording.header
        job = header.job
        if process is not None:
            if job is None or (job.pid, job.start, header.boot) != process:
                continue
            path = header.log.path if header.log is not None else None
            other_log = path != log and (recording.closed or None not in (path, log))
        else:
            if header.log is None or (header.log.device, header.log.inode) != identity:
                continue
            other_log = False
        return None if recording.live or recording.packed or other_log else recording
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
                unreadable()
                or "There is no recorded session yet: start one with `floydtop PID` or `floydtop demo`."
            )
        return newest.path
    if os.path.exists(name):
        if not os.path.isfile(name):
            raise FloydtopError(f"{name} is not a file: name a session, or see `floydtop sessions`.")
        return Path(name)
    everything = list(recordings())
    titled = [r.path for r in everything if r.meta.title == name]
    if len(titled) == 1:
        return titled[0]
    matches = [r.path for r in everything if r.name.startswith(name) or f"-{name}-" in r.name]
    if not matches:
        raise FloydtopError(
            unreadable() or f"There is no session {name!r}: `floydtop sessions` lists those there are."
        )
    exact = [path for path in matches if name_of(path) == name]
    if len(matches) > 1 and not exact and not name.isdigit():
        raise FloydtopError(f"{len(matches)} sessions begin with {name!r}: say more of the name.")
    return (exact or matches)[0]
