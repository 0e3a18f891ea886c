"""`floydtop` without a target: what could be watched or replayed here?"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from floydtop.commands.plain import describe, state_words

if TYPE_CHECKING:
    from floydtop.app.picker import Choice, PickerApp
    from floydtop.session.library import Recording
    from floydtop.sources.candidates import Candidate
    from floydtop.sources.jobs import LikelyJob

MOST_SESSIONS = 200
PREVIEW_BYTES = 4 << 20
"""A larger session is not read for a preview: it would hold up the keys."""


def pick() -> str | None:
    """Let the person choose; returns a pid or the path of a session, None when nothing was chosen.

    Raises:
        FloydtopError: there is no terminal to choose in.
    """
    from floydtop.app.picker import PickerApp
    from floydtop.commands.watch import need_terminal
    from floydtop.session.library import recordings
    from floydtop.sources.jobs import likely_jobs

    need_terminal()
    sessions = [one for one, _ in zip(recordings(), range(MOST_SESSIONS), strict=False)]
    live = [one for one in sessions if one.live]
    recorded = {one.header.job.pid for one in live if one.header.job is not None}
    choices = [_session_choice("recordings that go on", one) for one in live]
    choices += [_job_choice(job) for job in likely_jobs() if job.pid not in recorded]
    choices += [_session_choice("past sessions", one) for one in sessions if not one.live]
    if not choices:
        print("Nothing to watch here yet: `floydtop PID`, `floydtop LOG`, or `floydtop demo`.")
        return None
    return _choose(PickerApp(choices, "what do you want to see?"))


def pick_log(candidates: list[Candidate]) -> Candidate | None:
    """Let the person choose the job's log, when several files are about as likely."""
    from floydtop.app.picker import Choice, PickerApp

    choices = [
        Choice(
            "which file is the job's output?",
            one.path,
            ", ".join(one.reasons),
            str(place),
            _tail_of(one.fd_path or one.path),
        )
        for place, one in enumerate(candidates)
    ]
    chosen = _choose(PickerApp(choices, "several files may be this job's output"))
    return candidates[int(chosen)] if chosen is not None else None


def _choose(app: PickerApp) -> str | None:
    """What was chosen, None for nothing; a picker that failed has said why, and floydtop ends as it did."""
    chosen = app.run(mouse=app.settings["mouse"])
    if app.return_code:
        raise SystemExit(app.return_code)
    return chosen


def _job_choice(job: LikelyJob) -> Choice:
    from floydtop.app.picker import Choice
    from floydtop.app.widgets.status import short_command

    return Choice(
        "likely training jobs",
        short_command(" ".join(job.command)),
        f"pid {job.pid}, {', '.join(job.reasons)}",
        str(job.pid),
        _tail_of(job.log) if job.log is not None else lambda: ["Its output is in no file that can be read."],
    )


def _session_choice(group: str, recording: Recording) -> Choice:
    from floydtop.app.picker import Choice
    from floydtop.app.widgets.status import short_command
    from floydtop.plot.units import format_duration

    header, state = recording.header, recording.state
    words = state_words(state.state if state else None, state.exit if state else None)
    command = " ".join(header.job.command) if header.job else header.log.path if header.log else "?"
    when = time.strftime("%b %d %H:%M", time.localtime(header.t0))
    detail = f"{when}, {format_duration(recording.duration)}, {words}"
    return Choice(group, short_command(command), detail, str(recording.path), lambda: _summary(recording))


def _summary(recording: Recording) -> list[str]:
    from floydtop.commands.report import load
    from floydtop.errors import FloydtopError
    from floydtop.session.export import snapshot

    if recording.size > PREVIEW_BYTES:
        return [f"A large session: {recording.size >> 20} MiB."]
    try:
        session = load(Path(recording.path))
    except FloydtopError as error:
        return [str(error)]
    return describe(snapshot(session))


def _tail_of(path: str) -> Callable[[], list[str]]:
    def tail() -> list[str]:
        try:
            with open(path, "rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - 16_384))
                return file.read().decode(errors="replace").replace("\r", "\n").split("\n")[-60:]
        except OSError as error:
            return [f"cannot be read: {error.strerror}"]

    return tail
