"""A bar that goes on: what it has drawn is recorded before its line ends, which may take hours."""

from __future__ import annotations

from collections.abc import Sequence

from floydtop.parse import Event, Parser
from floydtop.parse.essence import has_frames
from floydtop.parse.lines import LineSplitter


def drawn(splitter: LineSplitter, parser: Parser, t: float | None, *, approximate: bool) -> Sequence[Event]:
    """The points of the frames that an unfinished line has got, all but the newest two; each comes once.

    Args:
        t: session time now, None where it is not known; `approximate` for frames that were there before.
    """
    partial = splitter.partial
    if partial is None or not parser.learns or not has_frames(partial.raw):
        return []
    line = splitter.take_frames()
    return parser.read_frames(line, t, approximate) if line is not None else []
