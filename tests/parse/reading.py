"""Short ways to run a parser on text, for the tests of this room."""

from __future__ import annotations

from collections.abc import Iterable

from floydtop.events import Malformed, Metrics
from floydtop.parse import Parser
from floydtop.parse.lines import Line, LineSplitter


def lines(data: bytes | str, chunk: int | None = None) -> list[Line]:
    """The lines of a whole source, fed in chunks of one size."""
    raw = data.encode() if isinstance(data, str) else data
    splitter = LineSplitter()
    found: list[Line] = []
    size = chunk or max(len(raw), 1)
    for start in range(0, len(raw), size):
        found += splitter.feed(raw[start : start + size])
    return found + splitter.finish()


def events(data: bytes | str, parser: Parser | None = None) -> list[Metrics | Malformed]:
    """All that a parser finds in a whole source."""
    reader = parser or Parser()
    return [event for line in lines(data) for event in reader.read(line)]


Point = tuple[str, float, int | None, float | None]


def points(data: bytes | str, group: str = "training") -> list[Point]:
    """(name, value, step, epoch) of each metric of a group."""
    return flat(event for event in events(data) if isinstance(event, Metrics) and event.group == group)


def flat(found: Iterable[Metrics]) -> list[Point]:
    return [(name, value, one.step, one.epoch) for one in found for name, value in one.values.items()]
