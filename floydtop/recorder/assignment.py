"""What a recorder is told to do; whoever starts one needs to load nothing more of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from floydtop.session.budget import SESSION_BYTES

if TYPE_CHECKING:
    from floydtop.parse.rules import Rules


@dataclass(frozen=True)
class Assignment:
    """What a recorder is to record, and where."""

    session: Path
    pid: int | None
    log: str | None
    interval: float = 60.0
    reopen: str | None = None
    """Where to open the log when its name is gone: /proc/PID/fd/N of a deleted file."""
    notes: tuple[str, ...] = ()
    """What a person should know from the start, such as where the output goes."""
    budget: int = SESSION_BYTES
    """Bytes that the session may have."""
    rules: Rules | None = None
    """The user's own, for reading the output."""
