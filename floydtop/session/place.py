"""Where sessions are kept: the user's state directory, or another place when that cannot be written."""

from __future__ import annotations

import contextlib
import os
import re
import stat
import tempfile
import time
from pathlib import Path

from floydtop.errors import FloydtopError
from floydtop.session.files import PLAIN


def sessions_dir() -> Path:
    """The folder of recordings, in the user's state directory (XDG_STATE_HOME on Linux)."""
    from platformdirs import user_state_path

    return user_state_path("floydtop") / "sessions"


def fallback_dir() -> Path:
    """Where recordings go when that folder cannot be written: the user's runtime or temporary directory."""
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    if runtime and os.access(runtime, os.W_OK):
        return Path(runtime) / "floydtop" / "sessions"
    return Path(tempfile.gettempdir()) / f"floydtop-{os.getuid()}" / "sessions"


def new_path(host: str, pid: int | None) -> Path:
    """A fresh name: UTC time, host, pid or `log`, and six random digits; nothing of it comes from the job."""
    return sessions_dir() / _new_name(host, pid)


def writable_path(host: str, pid: int | None) -> tuple[Path, str | None]:
    """The same where it can be written, and a sentence about it when that is not the user's folder.

    Raises:
        FloydtopError: there is no such place.
    """
    folder = sessions_dir()
    why = _try_to_write(folder)
    if why is None:
        return folder / _new_name(host, pid), None
    other = fallback_dir()
    if (also := _somebody_elses(other) or _try_to_write(other)) is not None:
        raise FloydtopError(f"Cannot write a session to {folder} ({why}) nor to {other} ({also}).")
    note = f"The session is kept in {other}, which may not last: {folder} cannot be written ({why})."
    return other / _new_name(host, pid), note


def _somebody_elses(folder: Path) -> str | None:
    """Anybody may have made a folder, or a link, of that name in a directory for all."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for one in (folder, folder.parent):
            status = one.lstat()
            if status.st_uid != os.getuid() or not stat.S_ISDIR(status.st_mode) or status.st_mode & 0o022:
                return "others can write there"
    except OSError as error:
        return error.strerror or str(error)
    return None


def _try_to_write(folder: Path) -> str | None:
    """Why a folder cannot take a file with something in it, None when it can."""
    probe = folder / f".probe-{os.urandom(6).hex()}"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if folder.stat().st_uid != os.getuid():
            # `sudo` keeps HOME on some machines: what root writes there, neither user would find again.
            return "it belongs to another user"
        fd = os.open(probe, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            rest = memoryview(bytes(8192))
            while rest:
                # A disk that fills up takes a part first.
                rest = rest[os.write(fd, rest) :]
            # NFS tells of a full disk only then.
            os.fsync(fd)
        finally:
            os.close(fd)
    except OSError as error:
        return error.strerror or str(error)
    finally:
        with contextlib.suppress(OSError):
            probe.unlink()
    return None


def _new_name(host: str, pid: int | None) -> str:
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    safe_host = re.sub(r"[^A-Za-z0-9-]", "-", host)[:40] or "host"
    return f"{stamp}-{safe_host}-{pid or 'log'}-{os.urandom(3).hex()}{PLAIN}"
