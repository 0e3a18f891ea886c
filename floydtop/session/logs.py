"""The logs that floydtop keeps itself, for `floydtop run` and `CMD | floydtop -`: beside the sessions."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from floydtop.events import Header, Recorder
from floydtop.session import hold, owner
from floydtop.session.meta import meta_path
from floydtop.session.place import sessions_dir

SUFFIX = ".log"


def logs_dir() -> Path:
    """The folder of these logs, beside that of the recordings."""
    return sessions_dir().parent / "logs"


def is_ours(log: str) -> bool:
    """Whether this is a log in our folder, whichever way leads there: a home may be a symbolic link."""
    return os.path.realpath(os.path.dirname(log)) == os.path.realpath(logs_dir())


def exit_file(log: str) -> str:
    """Where the keeper of a log leaves who it is, and how its job ended."""
    return f"{log}.exit"


def keeper_record(log: str) -> dict[str, Any]:
    """What the keeper of a log has left: `pid` and `status` of the job, `keeper`; empty when nothing."""
    try:
        with open(exit_file(log), "rb") as file:
            record = json.loads(file.read(1024))
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def is_held(log: str) -> bool:
    """Whether a keeper still writes this log of ours: by its lock, or by its word where locks do not tell."""
    if hold.is_locked(log):
        return True
    try:
        keeper = msgspec.convert(keeper_record(log).get("keeper"), Recorder)
        return owner.lives(keeper, os.stat(log).st_mtime)
    except (msgspec.ValidationError, OSError):
        return False


def log_of(header: Header) -> Path | None:
    """The log of ours that a recording was made of, None when it is no such log or is gone."""
    if header.log is None or not is_ours(header.log.path):
        return None
    try:
        status = os.lstat(header.log.path)
    except OSError:
        return None
    # A session from elsewhere may name any log; it does not know which file that is here.
    if (status.st_dev, status.st_ino) != (header.log.device, header.log.inode):
        return None
    return Path(header.log.path)


def size_of(log: Path | None) -> int:
    """Bytes of a log, 0 where there is none."""
    try:
        return os.lstat(log).st_size if log is not None else 0
    except OSError:
        return 0


def delete_log(log: Path) -> None:
    """Take a log away, with what its keeper left and what was said of it."""
    for path in (log, Path(exit_file(str(log))), meta_path(log)):
        with contextlib.suppress(OSError):
            path.unlink()


def lonely_logs(headers: Iterable[Header]) -> list[Path]:
    """The logs of which there is no recording and that nobody writes, the oldest first."""
    known = {log.name for header in headers if (log := log_of(header)) is not None}
    try:
        names = sorted(os.listdir(logs_dir()))
    except OSError:
        return []
    lonely = (logs_dir() / name for name in names if name.endswith(SUFFIX) and name not in known)
    return [log for log in lonely if log.is_file() and not log.is_symlink() and not is_held(str(log))]
