"""`floydtop compare`: several runs laid over each other."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from floydtop.errors import FloydtopError

if TYPE_CHECKING:
    from floydtop.app.source import Source

MOST = 26
"""Runs: one for each letter."""


def compare(targets: Sequence[str]) -> int:
    """Show the runs that the user named, the live ones live.

    Raises:
        FloydtopError: there is no terminal, or one of the runs cannot be read.
    """
    from floydtop.commands.watch import need_terminal

    if len(targets) > MOST:
        raise FloydtopError(f"At most {MOST} runs can be compared: there are {len(targets)}.")
    need_terminal()
    from floydtop.app import FloydtopApp
    from floydtop.app.runs import Comparison

    app = FloydtopApp(Comparison([_run(target, 1 / len(targets)) for target in targets]))
    app.run(mouse=app.settings["mouse"])
    return app.return_code or 0


def _run(text: str, share: float) -> tuple[str, Source]:
    from floydtop.app.feed import Feed
    from floydtop.app.source import Still
    from floydtop.commands.report import load
    from floydtop.session.library import find
    from floydtop.session.writer import is_being_recorded

    path = None
    if not os.path.exists(text):
        path = find(text)
    else:
        from floydtop.sources.target import resolve

        target = resolve(text)
        if target.kind == "session" and target.session is not None:
            path = find(target.session)
        elif target.log is not None:
            from floydtop.commands.rules import rules
            from floydtop.recorder.glance import glance

            seen = glance(None, target.log, target.fd_path, rules())
            return os.path.basename(target.log), Still(seen)
    if path is None:
        raise FloydtopError(f"{text} is no session and no log: record the job first with `floydtop {text}`.")
    return path.stem, Feed(path) if is_being_recorded(path) else Still(load(path, share=share))
