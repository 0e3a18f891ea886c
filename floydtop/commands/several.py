"""Several logs at once: the ranks of one job, rank 0 on the screen and the others one key away."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from floydtop.errors import FloydtopError


def watch_several(targets: Sequence[str], *, interval: float) -> int:
    """Record each of the targets, and show the first.

    Raises:
        FloydtopError: there is no terminal, or one of the targets cannot be recorded.
    """
    from floydtop.commands.watch import need_terminal, say_goodbye

    need_terminal()
    sessions = [_session(target, interval) for target in targets]
    from floydtop.app import FloydtopApp
    from floydtop.app.feed import Feed

    first, *others = map(Feed, sessions)
    app = FloydtopApp(first, others=others)
    app.run(mouse=app.settings["mouse"])
    for session in sessions:
        say_goodbye(session)
    return app.return_code or 0


def _session(text: str, interval: float) -> Path:
    """The recording of one target, begun when there is none of that very log yet."""
    from floydtop.commands.watch import find_recording, record
    from floydtop.session.library import look_at
    from floydtop.sources.target import resolve

    target = resolve(text)
    if target.session is not None:
        return Path(target.session)
    record(target, interval=interval)
    session = find_recording(target)
    recording = look_at(session) if session is not None else None
    if session is None or recording is None:
        raise FloydtopError(f"The recording of {text} could not be started.")
    return session
