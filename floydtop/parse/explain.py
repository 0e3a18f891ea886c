"""Why a line gave what it gave: which format read it, or why none did."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from floydtop.events import Malformed, Metrics
from floydtop.parse import Parser
from floydtop.parse.custom import Pattern
from floydtop.parse.formats import formats
from floydtop.parse.lines import Line

JSON = ("json", 'JSON anywhere in a line: FloydHub\'s {"metric": "loss", "value": 0.5, "step": 3}, rows')
"""Name and description of the one reader that looks into every line before the formats do."""


@dataclass(frozen=True)
class Explained:
    """What became of one line."""

    line: Line
    read_by: str
    """Name of the format; empty when none took the line."""
    events: list[Metrics | Malformed]
    why: str
    """Why there are no events; empty when there are."""


def explain(lines: Iterable[Line], patterns: Sequence[Pattern] = ()) -> Iterator[Explained]:
    """Read lines as a parser does, and say of each what happened to it."""
    parser = Parser(patterns, learn=False)
    for line in lines:
        events = parser.read(line)
        why = ""
        if not events:
            why = parser.why or ("nothing to read in it" if parser.read_by else "no format knows it")
        yield Explained(line, parser.read_by, events, why)


def listing() -> list[tuple[str, str]]:
    """Name and description of every format, in the order in which they are asked."""
    return [JSON, *((one.name, one.about) for one in formats())]
