"""How much of a recording, or of a log from before it, is known so far: in words for the status line."""

from __future__ import annotations

from floydtop.app.palette import Palette
from floydtop.app.widgets.canvas import Row, Run
from floydtop.session.session import Session

COMPLETE = 0.99
"""A session that grows is always a little ahead of its reader."""


def loading_words(session: Session, palette: Palette) -> Row:
    """`loading 37%`, or how much of a huge log has been read; nothing when all of it is known."""
    if session.share_loaded < COMPLETE:
        return [Run(f" loading {session.share_loaded:.0%} ", palette.warning)]
    share = session.past.share_read(session.position)
    if share is None:
        return []
    sampled = ", older points are samples" if session.past.sampled else ""
    return [Run(f" {share:.0%} of the log read{sampled} ", palette.warning)]
