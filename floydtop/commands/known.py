"""Which recording of a target there is already, and whether it will do."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from floydtop.errors import FloydtopError

if TYPE_CHECKING:
    from floydtop.events import Log
    from floydtop.session.library import Recording
    from floydtop.sources.target import Target


def usable_recording(target: Target) -> Path | None:
    """A recording of the target that can be shown in place of a new one.

    One that goes on without the job's output is ended when there is a log to be had, and so is one with a log
    that nobody writes any more: a script that trains again and again does it into one log after the other.

    Raises:
        FloydtopError: one goes on with another log than the user named, or by other rules.
    """
    from floydtop.commands.rules import rules_given
    from floydtop.recorder.detach import stop
    from floydtop.session.library import look_at

    known = find_recording(target)
    recording = look_at(known) if known is not None else None
    if known is None or recording is None or not recording.live:
        return None if rules_given() else known
    way_out = f"end that with `floydtop stop {target.pid or known.stem}` first."
    if rules_given():
        raise FloydtopError(f"It is being recorded already, by other rules: {way_out}")
    log = recording.header.log
    if log is None and (target.log or target.terminal):
        stop(recording)
        return None
    if log is None or _is_of(log, target):
        return known
    if target.named:
        raise FloydtopError(f"It is being recorded already, with the log {log.path}: {way_out}")
    if target.log is not None and _is_finished(log):
        stop(recording)
        return None
    return known


def _is_of(log: Log, target: Target) -> bool:
    """Whether that is the target's log, or the terminal that stands for one."""
    if log.path == (target.log or target.terminal):
        return True
    try:
        status = os.stat(target.fd_path or target.log or "")
    except OSError:
        return False
    return (status.st_dev, status.st_ino) == (log.device, log.inode)


def _is_finished(log: Log) -> bool:
    """Whether the log is there, and nobody whom we can see writes it."""
    from floydtop.sources.writers import find_writers

    try:
        status = os.stat(log.path)
        return (status.st_dev, status.st_ino) == (log.device, log.inode) and not find_writers(log.path).pids
    except OSError:
        return False


def find_recording(target: Target) -> Path | None:
    """A recording of the target that goes on, or that already holds all of a finished log."""
    from floydtop.session import library

    if target.pid is not None:
        known = library.of_process(*_process(target.pid))
        return known.path if known is not None and known.live else None
    assert target.log is not None
    status = os.stat(target.log)
    known = library.of_log(status.st_dev, status.st_ino, status.st_size, status.st_mtime)
    return known.path if known is not None else None


def find_interrupted(target: Target) -> Path | None:
    """The recording of the target that is continued, not begun anew: nothing of its log is read again.

    Its recorder was killed, or it was ended and the log has gone on since: other bytes before that place are
    another run's.
    """
    from floydtop.session.library import to_be_continued

    if target.pid is not None:
        known = to_be_continued(_process(target.pid), target.log, None)
    else:
        assert target.log is not None
        status = os.stat(target.log)
        known = to_be_continued(None, target.log, (status.st_dev, status.st_ino))
        if known is not None and _runs(known):
            # Without that process it would be said to have ended.
            return None
    if known is None or (known.closed and not _goes_on(known.path, target)):
        return None
    return known.path


def _runs(recording: Recording) -> bool:
    """Whether the job of a recording is still there."""
    job = recording.header.job
    try:
        return job is not None and _process(job.pid) == (job.pid, job.start, recording.header.boot)
    except FloydtopError:
        return False


def _goes_on(session: Path, target: Target) -> bool:
    """Whether the log goes on where a recording of it ended, and is to be read as it was."""
    from floydtop.commands.rules import rules_given
    from floydtop.recorder.past import read_past
    from floydtop.recorder.resume import find_place

    past = read_past(session)
    if rules_given() or target.log is None or past is None or past.position is None:
        return False
    place = find_place(target.log, target.fd_path, past.position)
    return place is not None and place.offset > 0 and not place.rotated


def _process(pid: int) -> tuple[int, int, str]:
    from floydtop.session.owner import boot_id
    from floydtop.sources.process import JobTree

    tree = JobTree.open(pid)
    job = tree.describe()
    tree.close()
    return job.pid, job.start, boot_id()
