"""The session file as its one recorder holds it: append-only, locked, and never torn by us."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import math
import os
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from floydtop.errors import FloydtopError
from floydtop.events import Event, Gap, Present
from floydtop.session import owner
from floydtop.session.format import encode

SYNC_EVERY = 5.0
"""Seconds: fdatasync takes 4 ms (median) to 24 ms (p99) on a plain disk, too much for each event."""

_HELD = (errno.EWOULDBLOCK, errno.EACCES)
"""What flock(2) says when somebody else holds the lock; NFS turns it into a lock of fcntl(2)."""

LOCK_PATIENCE = 0.5
"""Seconds: a viewer that asks whether we are alive holds the lock for an instant."""


class SessionWriter:
    """Appends events to a session file, one `write` for each batch.

    An event is acknowledged once `append` returns: after that a SIGKILL cannot lose it, and a power cut
    can lose the last `SYNC_EVERY` seconds. When the disk refuses, recording goes on, the lost events are
    counted, and a `Gap` says so as soon as the disk takes bytes again.

    Raises (from the constructor):
        FloydtopError: the file cannot be opened, or another recorder holds it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._fd = os.open(path, flags, 0o600)
        except OSError as error:
            raise FloydtopError(f"Cannot write the session {path}: {error.strerror}.") from None
        if not _lock(self._fd) or _has_other_owner(path):
            os.close(self._fd)
            raise FloydtopError(f"Another recorder already writes {path}.")
        self._lost = 0
        self._lost_since: float | None = None
        self._lost_why = ""
        self._unsynced = False
        self._synced_at = time.monotonic()
        self._mend_torn_line()

    def _mend_torn_line(self) -> None:
        """End a line that a killed recorder left half written; a full disk lets the next append do it."""
        size = os.fstat(self._fd).st_size
        self._torn = bool(size) and os.pread(self._fd, 1, size - 1) != b"\n"
        if self._torn:
            with contextlib.suppress(OSError):
                self._torn = os.write(self._fd, b"\n") != 1

    @property
    def size(self) -> int:
        """Bytes of the session file."""
        return os.fstat(self._fd).st_size

    def append(self, events: Sequence[Event], *, now: float, sync: bool = False) -> None:
        """Write events with one system call.

        Args:
            events: in the order in which they are to stand.
            now: session time, to say since when events are lost.
            sync: put them on the disk at once, for changes of state.
        """
        if not events:
            return
        batch = list(events)
        if self._lost:
            batch.insert(0, Gap(t=now, lost=self._lost, why=self._lost_why, since=self._lost_since))
        data = b"".join(map(encode, batch))
        if self._torn:
            data = b"\n" + data
        start = os.fstat(self._fd).st_size
        try:
            rest = memoryview(data)
            while rest:
                # A disk that fills up takes a part; only the next call says why it takes no more.
                rest = rest[os.write(self._fd, rest) :]
        except OSError as error:
            # Half a batch would be a torn line in mid-file: only what we wrote ourselves is taken back.
            with contextlib.suppress(OSError):
                os.ftruncate(self._fd, start)
            if not self._lost:
                self._lost_since = now
            self._lost += len(events)
            self._lost_why = error.strerror or str(error)
            return
        self._lost = 0
        self._torn = False
        self._unsynced = True
        if sync or time.monotonic() - self._synced_at >= SYNC_EVERY:
            self.sync()

    @property
    def lost(self) -> int:
        """Events that could not be written since the last one that could."""
        return self._lost

    @property
    def why(self) -> str:
        """Why they could not."""
        return self._lost_why

    def sync(self) -> None:
        """Put what was written on the disk."""
        if self._unsynced:
            with contextlib.suppress(OSError):
                os.fdatasync(self._fd) if hasattr(os, "fdatasync") else os.fsync(self._fd)
            self._unsynced = False
        self._synced_at = time.monotonic()

    def close(self) -> None:
        """Sync, and let go of the lock."""
        self.sync()
        os.close(self._fd)


def _lock(fd: int) -> bool:
    deadline = time.monotonic() + LOCK_PATIENCE
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except OSError as error:
            if error.errno not in _HELD:
                # No locks on this file system (NFS without lockd): the present reading names the owner.
                return True
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)


def _has_other_owner(path: Path) -> bool:
    present = read_present(path)
    if present is None or present.recorder is None or present.recorder == owner.ourselves():
        return False
    return owner.lives(present.recorder, _heard(path))


def _heard(path: Path) -> float | None:
    try:
        return present_path(path).stat().st_mtime
    except OSError:
        return None


def is_being_recorded(path: Path) -> bool:
    """Whether a recorder holds the session file now."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in _HELD:
            return True
    finally:
        os.close(fd)
    # On NFS a lock may be known on its own host alone, or nowhere.
    present = read_present(path)
    return (
        present is not None and present.recorder is not None and owner.lives(present.recorder, _heard(path))
    )


def present_path(session: Path) -> Path:
    """Where the present reading of a session lies while it is recorded."""
    return session.with_suffix(".now")


def write_present(session: Path, present: Present) -> None:
    """Replace the present reading as a whole, so that no viewer sees half of one.

    A disk that refuses costs only this reading.
    """
    path = present_path(session)
    draft = path.with_suffix(".now~")
    try:
        fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with open(fd, "wb") as file:
            file.write(msgspec.json.encode(_finite(present)))
        os.replace(draft, path)
    except OSError:
        with contextlib.suppress(OSError):
            draft.unlink()


def _finite(present: Present) -> Present:
    """JSON has no NaN, and a running value that is not finite shows up as a point soon enough."""
    return msgspec.structs.replace(
        present,
        values=_numbers(present.values),
        metrics=[msgspec.structs.replace(event, values=_numbers(event.values)) for event in present.metrics],
    )


def _numbers(values: dict[str, float]) -> dict[str, float]:
    return {name: value for name, value in values.items() if math.isfinite(value)}


def read_present(session: Path) -> Present | None:
    """The present reading, or None when there is none."""
    try:
        return msgspec.json.decode(present_path(session).read_bytes(), type=Present)
    except (OSError, msgspec.DecodeError):
        return None


def remove_present(session: Path) -> None:
    """Take the present reading away: the recording is over."""
    with contextlib.suppress(OSError):
        present_path(session).unlink()
