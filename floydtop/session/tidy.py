"""Keep the library small: finished sessions are compressed, and beyond a budget the oldest are deleted.

A log that floydtop keeps itself goes with its last session. Nothing is deleted that is live or pinned, nor
before it was announced: first a session is marked, which `floydtop sessions` and the next recording tell; a
day later it goes.
"""

from __future__ import annotations

import contextlib
import gzip
import os
import shutil
import threading
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from floydtop.errors import FloydtopError
from floydtop.events import Header
from floydtop.session.files import PACKED, PLAIN, name_of
from floydtop.session.hold import drop_claims, is_being_recorded, lock
from floydtop.session.library import Recording, look_at, recordings
from floydtop.session.logs import delete_log, is_held, log_of, lonely_logs, size_of
from floydtop.session.meta import Summary, change_meta, meta_path, read_meta
from floydtop.session.owner import boot_id, start_of

MOST_BYTES = 2 << 30
MOST_LOG_BYTES = 10 << 30
"""Of logs that floydtop keeps: often the only copy of what a job printed, and each as long as that was."""

MOST_SESSIONS = 200

PACK_AFTER = 86_400.0
"""Seconds without a write: whoever still has the session on the screen reads the file by its name."""

NOTICE = 86_400.0
"""Seconds between the announcement and the deletion."""


class Tidying:
    """Tidies up in a thread that nobody waits for: to compress a large session takes half a minute."""

    def __init__(self) -> None:
        self._told: list[str] = []
        threading.Thread(target=self._run, name="tidy", daemon=True).start()

    def _run(self) -> None:
        # Their mount may have died: another day.
        with contextlib.suppress(FloydtopError):
            self._told = tidy()

    def told(self) -> list[str]:
        """What a person should know of it and has not been told."""
        told, self._told = self._told, []
        return told


def tidy(now: float | None = None) -> list[str]:
    """Pack what is finished, delete what was announced, announce what comes next.

    Returns:
        Sentences about what was deleted and what will be.
    """
    now = time.time() if now is None else now
    library = list(recordings())
    surplus = over_budget(library)
    told: list[str] = []
    for recording in library:
        announced = recording.meta.announced
        with contextlib.suppress(OSError, FloydtopError):
            if recording not in surplus:
                if announced is not None:
                    change_meta(recording.path, announced=None)
                if _may_be_packed(recording, now):
                    pack(recording.path)
            elif announced is None:
                change_meta(recording.path, announced=now)
                told.append(
                    f"Session {recording.name} will be deleted after a day to make room: "
                    f"`floydtop sessions pin {recording.name}` keeps it."
                )
            elif now - announced >= NOTICE:
                delete(recording, library)
                told.append(f"Session {recording.name} was deleted to make room.")
    return told + _tidy_lonely_logs(library, now)


def _tidy_lonely_logs(library: Iterable[Recording], now: float) -> list[str]:
    told = []
    for log in lonely_over_budget(library):
        announced = read_meta(log).announced
        with contextlib.suppress(OSError, FloydtopError):
            if announced is None:
                change_meta(log, announced=now)
                told.append(f"The log {log}, of which there is no session, will be deleted after a day.")
            elif now - announced >= NOTICE:
                delete_log(log)
                told.append(f"The log {log} was deleted to make room.")
    return told


def over_budget(
    library: Iterable[Recording],
    most_bytes: int = MOST_BYTES,
    most_sessions: int = MOST_SESSIONS,
    most_log_bytes: int = MOST_LOG_BYTES,
) -> list[Recording]:
    """The sessions that are too many: the oldest, but none that is live, pinned or to be continued.

    Where only the logs that floydtop keeps are too large, those sessions that have one.
    """
    newest_first = list(library)
    size, count = sum(one.size for one in newest_first), len(newest_first)
    logs = {recording.name: log_of(recording.header) for recording in newest_first}
    # Several sessions may be of one log: it goes with the last of them.
    users = Counter(log for log in logs.values() if log is not None)
    log_size = sum(map(size_of, users))
    surplus: list[Recording] = []
    for recording in reversed(newest_first):
        log = logs[recording.name]
        if size <= most_bytes and count <= most_sessions and (log_size <= most_log_bytes or log is None):
            continue
        if recording.live or recording.meta.pinned or _job_lives(recording.header) or _is_written(log):
            continue
        surplus.append(recording)
        size -= recording.size
        count -= 1
        if log is not None:
            users[log] -= 1
            log_size -= 0 if users[log] else size_of(log)
    return surplus


def lonely_over_budget(library: Iterable[Recording], most_log_bytes: int = MOST_LOG_BYTES) -> list[Path]:
    """The oldest logs that floydtop kept and that have no session any more, as far as there are too many."""
    headers = [recording.header for recording in library]
    lonely = lonely_logs(headers)
    size = sum(map(size_of, lonely)) + sum(map(size_of, {log_of(header) for header in headers}))
    surplus: list[Path] = []
    for log in lonely:
        if size <= most_log_bytes:
            break
        surplus.append(log)
        size -= size_of(log)
    return surplus


def _is_written(log: Path | None) -> bool:
    return log is not None and is_held(str(log))


def delete(recording: Recording, library: Iterable[Recording]) -> None:
    """Take a session away, the words on it, and the log that floydtop kept when no other session is of it.

    Args:
        library: all sessions, also those that were just deleted.
    """
    if is_being_recorded(recording.path):
        # Somebody goes on with it since the library was read.
        return
    log = log_of(recording.header)
    recording.path.unlink(missing_ok=True)
    meta_path(recording.path).unlink(missing_ok=True)
    drop_claims(recording.path)
    if log is not None and not is_held(str(log)) and not any(_is_of(other, log) for other in library):
        delete_log(log)


def _is_of(recording: Recording, log: Path) -> bool:
    named = recording.header.log
    return named is not None and os.path.basename(named.path) == log.name and recording.path.exists()


def pack(path: Path) -> Path | None:
    """Compress a session (gzip; about a fifth of the bytes); None when somebody holds it.

    The plain file goes only once the packed one is on the disk under its name.
    """
    target = path.with_name(name_of(path) + PACKED)
    draft = target.with_name(target.name + "~")
    recording = look_at(path)
    if recording is None or recording.live:
        return None
    with open(path, "rb") as plain:
        if lock(plain.fileno()) is False:
            return None
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
        with open(os.open(draft, flags, 0o600), "wb") as file:
            with gzip.GzipFile("", "wb", compresslevel=6, fileobj=file, mtime=0) as packed:
                shutil.copyfileobj(plain, packed, 1 << 20)
            file.flush()
            os.fsync(file.fileno())
        status = os.fstat(plain.fileno())
        os.utime(draft, (status.st_atime, status.st_mtime))
        summary = Summary(
            packed_size=draft.stat().st_size,
            size=status.st_size,
            header=recording.header,
            state=recording.state,
            duration=recording.duration,
            read_to=recording.read_to,
            closed=recording.closed,
        )
        change_meta(path, summary=summary)
        os.replace(draft, target)
        path.unlink()
        drop_claims(path)
    return target


def _may_be_packed(recording: Recording, now: float) -> bool:
    if recording.live or not recording.path.name.endswith(PLAIN):
        return False
    finished = recording.closed or not _job_lives(recording.header)
    return finished and now - recording.path.stat().st_mtime >= PACK_AFTER


def _job_lives(header: Header) -> bool:
    """Whether the job of an interrupted recording goes on, so that it may be continued."""
    job = header.job
    return job is not None and header.boot == boot_id() and start_of(job.pid) == job.start
