"""What is fuzzed: bytes into the parser, and bytes into the loader and the state that it builds."""

from __future__ import annotations

from floydtop.errors import FloydtopError
from floydtop.parse import LineSplitter, Parser
from floydtop.session.format import Reader, encode
from floydtop.session.session import Session


def parse(data: bytes) -> None:
    """Whatever a job prints is read without an exception, and what is found can be written and read back."""
    parser, splitter = Parser(), LineSplitter()
    middle = len(data) // 2
    for line in splitter.feed(data[:middle]) + splitter.feed(data[middle:]) + splitter.finish():
        parser.peek(line)
        for event in parser.read(line):
            reader = Reader()
            assert len(reader.feed(encode(event))) == 1, event
    if parser.progress is not None:
        assert Reader().feed(encode(parser.progress))


def load(data: bytes) -> None:
    """Whatever is in a session file, it is read or refused in one sentence."""
    reader, session = Reader(), Session()
    try:
        for start in range(0, len(data), 1000):
            session.apply_all(reader.feed(data[start : start + 1000]))
    except FloydtopError:
        return
    for series in session.metrics.values():
        assert len(series.times) == len(series.steps) == len(series.values) == len(series.lines)
