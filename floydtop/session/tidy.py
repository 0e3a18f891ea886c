"""Keep the library small: finished sessions are compressed, and beyond a budget the oldest are deleted.

Nothing is deleted that is live or pinned, nor before it was announced: first a session is marked, which
`floydtop sessions` and the next recording tell; a day later it goes.
"""

from __future__ import annotations

import contextlib
import fcntl
import gzip
import os
import shutil
import threading
import time
from collections.abc import Iterable
from pathlib import Path

from floydtop.errors import FloydtopError
from floydtop.events import Header
from floydtop.session.files import PACKED, PLAIN, name_of
from floydtop.session.library import Recording, look_at, recordings
from floydtop.session.meta import Summary, change_meta, meta_path
from floydtop.session.owner import boot_id, start_of

MOST_BYTES = 2 << 30
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
                delete(recording)
                told.append(f"Session {recording.name} was deleted to make room.")
    return told


def over_budget(
    library: Iterable[Recording], most_bytes: int = MOST_BYTES, most_sessions: int = MOST_SESSIONS
) -> list[Recording]:
    """The sessions that are too many: the oldest, but none that is live, pinned or to be continued."""
    newest_first = list(library)
    size, count = sum(one.size for one in newest_first), len(newest_first)
    surplus: list[Recording] = []
    for recording in reversed(newest_first):
        if size <= most_bytes and count <= most_sessions:
            break
        if recording.live or recording.meta.pinned or _job_lives(recording.header):
            continue
        surplus.append(recording)
        size -= recording.size
        count -= 1
    return surplus


def delete(recording: Recording) -> None:
    """Take a session and the words on it away."""
    recording.path.unlink(missing_ok=True)
    meta_path(recording.path).unlink(missing_ok=True)


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
        try:
            fcntl.flock(plain, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
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
