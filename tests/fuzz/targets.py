"""What is fuzzed: bytes into the parser, and bytes into the loader and the state that it builds."""

from __future__ import annotations

import io
import random

import msgspec

from floydtop.errors import FloydtopError
from floydtop.parse import LineSplitter, Parser
from floydtop.parse.bulk import Bulk
from floydtop.session.export import snapshot, to_document
from floydtop.session.files import blocks
from floydtop.session.format import Reader, encode
from floydtop.session.session import Session

UNPACKED = 4 << 20
"""Bytes of a packed session that are looked at: a bomb is no news."""


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


def agree(data: bytes) -> None:
    """A log read in whole chunks gives what it gives line by line, in pieces of whatever size."""
    bulk, parser, splitter = Bulk(), Parser(), LineSplitter()
    found = bulk.feed(data) + bulk.finish()
    expected = [event for line in splitter.feed(data) + splitter.finish() for event in parser.read(line)]
    assert list(map(encode, found)) == list(map(encode, expected))
    chance = random.Random(len(data))
    pieces, start, cut = Bulk(), 0, 0
    again = []
    while start < len(data):
        cut = start + chance.randint(1, 1 + len(data) // 3)
        again += pieces.feed(data[start:cut])
        start = cut
    again += pieces.finish()
    assert list(map(encode, again)) == list(map(encode, found))


def load(data: bytes) -> None:
    """Whatever is in a session file, it is read or refused in one sentence, and can be shown and exported."""
    reader, session, left = Reader(), Session(), UNPACKED
    try:
        for block in blocks(io.BytesIO(data)):
            for start in range(0, len(block), 1000):
                session.apply_all(reader.feed(block[start : start + 1000]))
            left -= len(block)
            if left < 0:
                break
    except FloydtopError as refusal:
        if "\n" in str(refusal):
            raise AssertionError(f"this is more than a sentence: {refusal}") from refusal
        return
    for series in session.metrics.values():
        assert len(series.times) == len(series.steps) == len(series.values) == len(series.lines)
    msgspec.json.encode(snapshot(session, None))
    msgspec.json.decode(to_document(session))


TARGETS = {"parse": parse, "agree": agree, "load": load}
