"""Real logs of the frameworks, and what is in them."""

from __future__ import annotations

from pathlib import Path

import pytest

from floydtop.events import Malformed, Metrics
from floydtop.parse import Parser
from floydtop.parse.bulk import Bulk
from floydtop.parse.lines import LineSplitter
from tests.parse.golden import LOGS, golden_file, logs, told


def name(log: Path) -> str:
    return str(log.relative_to(LOGS))


@pytest.mark.parametrize("log", logs(), ids=name)
def test_a_real_log_gives_its_golden_result(log: Path) -> None:
    assert told(log) == golden_file(log).read_text(encoding="utf-8").splitlines()


def shown(events: list[Metrics | Malformed]) -> list[str]:
    return [repr(event) for event in events]


@pytest.mark.parametrize("log", logs(), ids=name)
def test_bulk_reading_in_any_chunks_gives_the_same(log: Path) -> None:
    data = log.read_bytes()
    splitter, parser = LineSplitter(), Parser()
    expected = shown(
        [event for line in splitter.feed(data) + splitter.finish() for event in parser.read(line)]
    )
    for size in (len(data), 1000, 61):
        bulk = Bulk()
        found = [
            event for start in range(0, len(data), size) for event in bulk.feed(data[start : start + size])
        ]
        assert shown(found + bulk.finish()) == expected


@pytest.mark.parametrize("log", logs(), ids=name)
def test_what_was_learned_of_shapes_changes_no_result(log: Path) -> None:
    data = log.read_bytes() * 3
    quick, careful = Parser(), Parser(learn=False)
    lines = LineSplitter().feed(data)
    for line in lines:
        assert shown(quick.read(line)) == shown(careful.read(line)), line.text
