"""The session file as its one recorder holds it: append-only, locked, and never torn by us."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import time
from collections.abc import Sequence
from pathlib import Path

from floydtop.errors import FloydtopError
from floydtop.events import Event, Gap
from floydtop.session import hold
from floydtop.session.format import encode
from floydtop.session.hold import is_being_recorded
from floydtop.session.present import present_path, read_present, remove_present, write_present
from floydtop.session.pulse import is_remote

__all__ = [
    "SYNC_EVERY",
    "SessionWriter",
    "is_being_recorded",
    "present_path",
    "read_present",
    "remove_present",
    "write_present",
]

SYNC_EVERY = 5.0
"""Seconds: fdatasync takes 4 ms (median) to 24 ms (p99) on a plain disk, too much for each event."""

_CANNOT_SYNC = (errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP)
"""What a file system says that has no such thing: nothing is wrong with what was written."""

LOCK_PATIENCE = 0.5
"""Seconds: a viewer that asks whether we are alive holds the lock for an instant."""


class SessionWriter:
    """Appends events to a session file, one `write` for each batch.

    An event is acknowledged once `append` returns: after that a SIGKILL cannot lose it, and a power cut
    can lose the last `SYNC_EVERY` seconds. When the disk refuses, recording goes on, the lost events are
    counted, and a `Gap` says so as soon as the disk takes bytes again. A network file system may take bytes
    and say only later that it could not keep them: then what it took since the last sync is taken back and
    counted, because nobody knows what of it is there.

    Raises (from the constructor):
        FloydtopError: the file cannot be opened, or another recorder holds it.

    Attributes:
        gone: why nothing is written any more, empty as long as the file is ours: it was deleted, or another
            recorder, on a host that cannot see that we live, has taken it over. The recording is to end then.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        # A FIFO of that name would be waited for.
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._fd = os.open(path, flags, 0o600)
        except OSError as error:
            raise FloydtopError(f"Cannot write the session {path}: {error.strerror}.") from None
        if not stat.S_ISREG(os.fstat(self._fd).st_mode):
            os.close(self._fd)
            raise FloydtopError(f"Cannot write the session {path}: it is no file.")
        try:
            # Two hosts may both get a lock: their claims tell them apart.
            locked = hold.lock(self._fd, LOCK_PATIENCE)
            self._claim = hold.claim(path) if locked is not False else None
        except FileExistsError:
            locked = False
        if locked is False:
            os.close(self._fd)
            raise FloydtopError(f"Another recorder already writes {path}.")
        self.gone = ""
        self._looked_at = time.monotonic()
        self._lost = 0
        self._lost_since: float | None = None
        self._lost_why = ""
        self._late = is_remote(path)
        """An error may be that of an earlier write."""
        self._unsynced = 0
        """Events written since the last sync, or counted by a gap among them, and since when."""
        self._unsynced_since = 0.0
        self._synced_at = time.monotonic()
        self._mend_torn_line()
        self._safe = self.size
        """Bytes that the last sync has put on the disk."""

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
        if not events or not self._is_ours():
            return
        batch = list(events)
        if self._lost:
            batch.insert(0, Gap(t=now, lost=self._lost, why=self._lost_why, since=self._lost_since))
        data = b"".join(map(encode, batch))
        if self._torn:
            data = b"\n" + data
        start: int | None = None
        try:
            start = os.fstat(self._fd).st_size
            rest = memoryview(data)
            while rest:
                # A disk that fills up takes a part; only the next call says why it takes no more.
                rest = rest[os.write(self._fd, rest) :]
        except OSError as error:
            # Half a batch would be a torn line in mid-file: only what we wrote ourselves is taken back.
            with contextlib.suppress(OSError):
                if start is not None:
                    os.ftruncate(self._fd, start)
            if self._late:
                self._take_back(error)
            self._count_lost(len(events), now, error)
            return
        if not self._unsynced:
            self._unsynced_since = now if self._lost_since is None or not self._lost else self._lost_since
        # With the gap would be lost what it counts.
        self._unsynced += len(events) + self._lost
        self._lost = 0
        self._torn = False
        if sync or time.monotonic() - self._synced_at >= SYNC_EVERY:
            self.sync()

    def _take_back(self, error: OSError) -> None:
        """Give up what was written since the last sync, of which nobody knows whether it is there."""
        if self._unsynced:
            self._count_lost(self._unsynced, self._unsynced_since, error)
            self._unsynced = 0
        try:
            os.ftruncate(self._fd, self._safe)
        except OSError:
            self._torn = True

    def _count_lost(self, events: int, since: float, error: OSError) -> None:
        if not self._lost:
            self._lost_since = since
        self._lost += events
        self._lost_why = error.strerror or str(error)

    @property
    def lost(self) -> int:
        """Events that could not be written since the last one that could."""
        return self._lost

    @property
    def why(self) -> str:
        """Why they could not."""
        return self._lost_why

    def _is_ours(self) -> bool:
        """Look, now and then, whether the file is still there and nobody has taken it over."""
        if self.gone or time.monotonic() - self._looked_at < SYNC_EVERY:
            return not self.gone
        self._looked_at = time.monotonic()
        if self._is_deleted():
            self.gone = "the session was deleted"
        elif self._claim is not None and not self._claim.stands(self.path):
            self.gone = "another recorder has taken over"
        return not self.gone

    def _is_deleted(self) -> bool:
        try:
            return os.fstat(self._fd).st_nlink == 0 and not self.path.exists()
        except OSError as error:
            # What NFS says of a file that another host has deleted.
            return error.errno == errno.ESTALE

    def sync(self) -> None:
        """Put what was written on the disk."""
        self._is_ours()
        if self._unsynced:
            try:
                os.fdatasync(self._fd) if hasattr(os, "fdatasync") else os.fsync(self._fd)
                self._safe, self._unsynced = self.size, 0
            except OSError as error:
                if error.errno not in _CANNOT_SYNC:
                    self._take_back(error)
        self._synced_at = time.monotonic()

    def close(self) -> None:
        """Sync, and let go of the file."""
        self.sync()
        if self._claim is not None:
            self._claim.drop()
        os.close(self._fd)
