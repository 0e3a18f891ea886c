"""What was read of a log out of order is told in the order of the log."""

from __future__ import annotations

import gzip
import math
from pathlib import Path

from floydtop.events import Column, Event, History, Metrics, Note, OutputLine, Position
from floydtop.session.ordered import read_in_order
from tests.session import samples
from tests.session.test_thinned_session import forwards, stretch


def told(path: Path) -> tuple[list[Metrics], list[str]]:
    sentences: list[str] = []
    events = [event for event in read_in_order(str(path), sentences.append) if isinstance(event, Metrics)]
    return events, sentences


def write(path: Path, events: list[Event]) -> Path:
    path.write_bytes(samples.as_bytes([samples.header(), *events]))
    return path


def test_a_past_read_backwards_is_told_forwards_with_the_logs_own_numbers(tmp_path: Path) -> None:
    news = [Metrics(values={"loss": 0.5}, t=1.0, step=1000, line=1)]
    events: list[Event] = [stretch(0, 3, sampled=True), stretch(500, 1000), *news, stretch(0, 500)]
    found, sentences = told(write(tmp_path / "run.jsonl", events))
    assert [event.line for event in found if "loss" in event.values] == list(range(1, 1002))
    assert [event.step for event in found if "loss" in event.values] == list(range(1001))
    assert sentences == []
    whole = [event for event in forwards(0, 1000) if isinstance(event, Metrics)]
    assert [event.values for event in found[:-1]] == [event.values for event in whole]
    assert [event.epoch for event in found[:-1]] == [event.epoch for event in whole]


def test_samples_are_told_where_nothing_else_is_known(tmp_path: Path) -> None:
    events: list[Event] = [
        stretch(0, 3, sampled=True),
        stretch(500, 503, sampled=True),
        Position(t=1.0, offset=10_000, begun=10_000, back=5_000),
        stretch(500, 1000),
    ]
    found, _ = told(write(tmp_path / "run.jsonl", events))
    assert [event.step for event in found if "loss" in event.values] == [0, 1, 2, *range(500, 1000)]
    assert found[-1].line == -1, "how many lines there are before is not known"


def test_of_a_thinned_past_it_is_said_how_much_is_kept(tmp_path: Path) -> None:
    found, sentences = told(write(tmp_path / "run.jsonl", [stretch(0, 1000, group=20)]))
    assert 0 < len(found) < 200
    assert sentences == [
        f"{len(found)} of 1334 points from before the recording are kept: export the log for all."
    ]


def test_a_session_without_a_past_is_told_as_it_is(tmp_path: Path) -> None:
    path = write(tmp_path / "run.jsonl", [])
    path.write_bytes(samples.as_bytes(samples.run()))
    assert repr(list(read_in_order(str(path), print))) == repr(samples.run())


def test_a_packed_session_tells_its_past_where_it_stands(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl.gz"
    events = [samples.header(), stretch(500, 510), Note(t=1.0, text="x"), OutputLine(text="y", line=1)]
    path.write_bytes(gzip.compress(samples.as_bytes(events)))
    found = list(read_in_order(str(path), print))
    assert [type(event).__name__ for event in found] == [
        "Header",
        *["Metrics"] * 13,
        "Note",
        "OutputLine",
    ]


def test_numbers_that_are_no_steps_are_left_out(tmp_path: Path) -> None:
    column = Column(values=[1.0, None], odd={1: "Infinity"}, steps=[1e300, 3.0])
    found, _ = told(write(tmp_path / "run.jsonl", [History(start=0, stop=9, columns={"a": column})]))
    assert [event.step for event in found] == [None, 3]
    assert math.isinf(found[1].values["a"])
