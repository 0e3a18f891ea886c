"""The present reading of a recording: a small file beside the session, replaced every two seconds or so."""

from __future__ import annotations

import contextlib
import math
import os
from pathlib import Path

import msgspec

from floydtop.events import Present
from floydtop.session import owner


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
    except (OSError, ValueError, RecursionError):
        return None


def remove_present(session: Path) -> None:
    """Take the present reading away: the recording is over. That of another recorder stays."""
    present = read_present(session)
    if present is not None and present.recorder not in (None, owner.ourselves()):
        return
    with contextlib.suppress(OSError):
        present_path(session).unlink()
