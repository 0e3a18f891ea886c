"""`floydtop record`: be the recorder."""

from __future__ import annotations

import argparse
from pathlib import Path


def record(options: argparse.Namespace) -> int:
    """Record the job that the options name, in the background when asked to."""
    import msgspec

    from floydtop.parse.rules import Rules
    from floydtop.recorder.assignment import Assignment
    from floydtop.recorder.detach import leave_terminal
    from floydtop.recorder.main import record

    # A recorder goes to the root directory when it leaves the terminal.
    session = Path(options.session).absolute()
    if options.detach and not leave_terminal():
        return 0
    record(
        Assignment(
            session=session,
            pid=options.pid,
            log=options.log,
            interval=options.interval,
            reopen=options.reopen,
            notes=tuple(options.note),
            rules=msgspec.json.decode(options.rules, type=Rules),
        )
    )
    return 0
