"""Who holds a file: a lock tells, and where locks do not (NFS, Lustre), a claim that lies beside it.

A claim is a file `.owners/NAME.N` that names the recorder. It is made with O_EXCL, which NFS keeps where a
lock is known on one host alone or nowhere; whoever goes on after a recorder that is gone makes the claim
N + 1, so that of several only one can. A recorder that was silent for so long that another one took over
finds that claim before it writes again.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import msgspec

from floydtop.events import Recorder
from floydtop.session import owner
from floydtop.session.files import name_of
from floydtop.session.present import present_path, read_present

OWNERS = ".owners"
"""A folder of their own: a list of 200 sessions asks for the claims to each, 0.02 ms where few files lie."""

_HELD = (errno.EWOULDBLOCK, errno.EACCES)
"""What flock(2) says when somebody else holds the lock; NFS turns it into a lock of fcntl(2)."""

NAMELESS = 10.0
"""Seconds for which a claim that names nobody is believed: it is being written, or the disk was full."""


def lock(fd: int, patience: float = 0.0) -> bool | None:
    """Lock an open file for this process: whether it is ours now, None where there are no locks.

    Args:
        patience: seconds to wait; who asks `is_locked` holds the lock for an instant.
    """
    deadline = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except OSError as error:
            if error.errno not in _HELD:
                return None
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.02)


def is_locked(path: Path | str) -> bool | None:
    """Whether somebody has locked a file, None where that cannot be known."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return False
    except OSError as error:
        return True if error.errno in _HELD else None
    finally:
        os.close(fd)


def is_being_recorded(session: Path) -> bool:
    """Whether a recorder holds the session file now."""
    return bool(is_locked(session)) or holder(session) is not None


def holder(session: Path, now: float | None = None) -> Recorder | None:
    """The recorder that says it has a session and lives, as far as is known; None when there is none.

    Args:
        now: Unix time by the clock of the file system; None for that of this machine.
    """
    if not session.exists():
        return None
    now = time.time() if now is None else now
    known = _claims(session)
    if known:
        named = known[-1].named()
        if named is not None:
            return named if owner.lives(named, _heard(session, known[-1]), now) else None
        if now - known[-1].made() < NAMELESS:
            return Recorder(pid=0)
    present = read_present(session)
    if present is not None and present.recorder is not None:
        return present.recorder if owner.lives(present.recorder, _heard(session), now) else None
    return None


@dataclass(frozen=True, order=True)
class Claim:
    """One claim to a session."""

    number: int
    path: Path

    def named(self) -> Recorder | None:
        """Who has made it, None when it does not say."""
        try:
            return msgspec.json.decode(self.path.read_bytes(), type=Recorder)
        except (OSError, ValueError, RecursionError):
            return None

    def made(self) -> float:
        """Unix time of its making."""
        return _changed(self.path)

    def stands(self, session: Path) -> bool:
        """Whether nobody has made a later one."""
        return all(one.number <= self.number for one in _claims(session))

    def drop(self) -> None:
        """Take it back, and with the last one the folder."""
        with contextlib.suppress(OSError):
            self.path.unlink()
            self.path.parent.rmdir()


def claim(session: Path) -> Claim | None:
    """Claim a session for this process; None where no claim can be made, on a disk that is full.

    Raises:
        FileExistsError: a recorder that lives has it, or makes its claim at this moment.
    """
    known = _claims(session)
    us = owner.ourselves()
    # The clocks of two hosts and of their file server may be minutes apart.
    if (other := holder(session, _file_time(session.parent))) is not None and other != us:
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(session))
    number = known[-1].number + 1 if known else 1
    ours = Claim(number, session.parent / OWNERS / f"{name_of(session)}.{number}")
    try:
        fd = _new(ours.path)
    except FileExistsError:
        raise
    except OSError:
        return None
    with contextlib.suppress(OSError):
        os.write(fd, msgspec.json.encode(us))
    os.close(fd)
    # The claim that was known may be long gone, with later ones made and dropped since.
    if not ours.stands(session):
        ours.drop()
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(session))
    for old in known:
        old.drop()
    return ours


def _file_time(folder: Path) -> float | None:
    """Unix time by the clock that dates the files in a folder, None where none can be made."""
    try:
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(b"\0")
            probe.flush()
            return os.fstat(probe.fileno()).st_mtime
    except OSError:
        return None


def _new(path: Path) -> int:
    """A new file in the folder of claims, which somebody who drops the last one may just take away."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    for _ in range(10):
        if path.parent.is_symlink():
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path.parent))
        if not path.parent.is_dir():
            with contextlib.suppress(FileExistsError):
                path.parent.mkdir(mode=0o700)
        with contextlib.suppress(FileNotFoundError):
            return os.open(path, flags, 0o600)
    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))


def drop_claims(session: Path) -> None:
    """Take away what recorders that are gone have left beside a session."""
    for one in _claims(session):
        one.drop()


def _claims(session: Path) -> list[Claim]:
    """The claims to a session, the valid one last."""
    start = name_of(session) + "."
    found = []
    try:
        for name in os.listdir(session.parent / OWNERS):
            number = name.removeprefix(start)
            if number != name and number.isdecimal() and len(number) < 10:
                found.append(Claim(int(number), session.parent / OWNERS / name))
    except OSError:
        return []
    return sorted(found)


def _heard(session: Path, known: Claim | None = None) -> float:
    """Unix time of a recorder's last sign of life."""
    made = known.made() if known is not None else 0.0
    return max(made, _changed(present_path(session)), _changed(session))


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
