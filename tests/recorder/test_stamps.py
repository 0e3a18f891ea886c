"""The times that lines tell themselves are those of their points."""

from __future__ import annotations

import asyncio
import os
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from floydtop.events import Metrics
from floydtop.parse.lines import Line
from floydtop.recorder.assignment import Assignment
from floydtop.recorder.reading import read_log
from floydtop.recorder.recording import Recording
from floydtop.recorder.stamps import SinceFirst, Stamps
from tests.recorder.jobs import events

NOON = 1_795_435_200.0
"""2026-11-23 12:00:00 UTC."""


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch) -> object:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def line(text: str, number: int = 1) -> Line:
    return Line(number, 0, text.encode())


def test_a_stamp_with_a_zone_is_the_time_of_its_line(tmp_path: Path) -> None:
    stamps = Stamps(NOON, str(tmp_path / "none"))
    assert stamps.read(line("2026-11-23T12:00:05.250Z loss 1"), 60.0) == (5.25, False)


def test_lines_just_below_a_stamp_are_about_of_its_time(tmp_path: Path) -> None:
    stamps = Stamps(NOON, str(tmp_path / "none"))
    stamps.read(line("2026-11-23T12:00:05.250Z loss 1"), 60.0)
    assert stamps.read(line("acc 1", 2), 60.0) == (5.25, True)
    assert stamps.read(line("acc 1", 4), 60.0) is None


def test_a_stamp_without_fractions_that_is_read_at_once_gives_way_to_our_clock(tmp_path: Path) -> None:
    stamps = Stamps(NOON, str(tmp_path / "none"))
    assert stamps.read(line("2026-11-23 12:00:05+00:00 loss 1"), 5.9) == (5.9, False)
    assert stamps.read(line("2026-11-23 12:00:05+00:00 loss 1"), 9.0) == (5.0, False)


def test_stamps_that_go_back_or_lie_ahead_are_not_believed(tmp_path: Path) -> None:
    stamps = Stamps(NOON, str(tmp_path / "none"))
    assert stamps.read(line("2026-11-23T13:00:00Z x"), 60.0) is None
    assert stamps.read(line("2026-11-23T12:00:30Z x"), 60.0) == (30.0, False)
    assert stamps.read(line("2026-11-23T12:00:10Z x", 9), 60.0) is None
    assert stamps.read(line("2026-11-23T12:00:40Z x", 19), 60.0) is None


@pytest.mark.usefixtures("zone")
@pytest.mark.parametrize(("said", "t"), [("13:00:05", 5.0), ("12:00:05", 5.0)], ids=["local", "UTC"])
def test_the_zone_of_a_stamp_without_one_is_told_by_the_files_own_time(
    tmp_path: Path, said: str, t: float
) -> None:
    log = tmp_path / "train.log"
    text = f"2026-11-23 {said} loss 1"
    log.write_text(f"{text}\n")
    os.utime(log, (NOON + 5, NOON + 5))
    assert Stamps(NOON, str(log)).read(line(text), 7300.0) == (t, False)


@pytest.mark.usefixtures("zone")
def test_where_no_file_tells_the_zone_is_that_in_which_the_line_is_new(tmp_path: Path) -> None:
    stamps = Stamps(NOON, str(tmp_path / "none"))
    assert stamps.read(line("2026-11-23 12:00:05 loss 1"), 8.0) == (5.0, False)


def test_a_log_by_itself_counts_from_its_first_stamp() -> None:
    since = SinceFirst()
    told = [
        since(line(text))
        for text in (
            "[2026-11-23 12:00:05] start",
            "loss 1",
            "[2026-11-23 12:00:07] loss 1",
            "[2026-11-23 12:00:01] loss 1",
            "[2026-11-23 12:00:09] loss 1",
        )
    ]
    assert told == [(0.0, False), (None, False), (2.0, False), (None, False), (None, False)]


STAMPED = "".join(
    f"2026-11-23 12:{n // 60:02d}:{n % 60:02d},500 INFO epoch {n}: loss 0.{n:04d}\n" for n in range(1200)
)


def test_a_log_is_read_with_the_seconds_since_its_first_stamp(tmp_path: Path) -> None:
    log = tmp_path / "train.log"
    log.write_text("2026-11-23 11:59:59,500 INFO begin\n" + STAMPED)
    timed = [event.t for event in read_log(str(log), timed=True) if isinstance(event, Metrics)]
    assert timed == [float(n) for n in range(1, 1201)]
    assert {event.t for event in read_log(str(log)) if isinstance(event, Metrics)} == {None}


def test_a_recorder_dates_the_past_of_a_log_by_its_stamps_exactly(tmp_path: Path) -> None:
    log, session = tmp_path / "train.log", tmp_path / "run.jsonl"
    start = time.time() - 7200

    def stamp(n: int) -> str:
        return datetime.fromtimestamp(start + n, UTC).isoformat(sep=" ")

    filler = "nothing to see here\n" * 40_000
    log.write_text(
        f"{stamp(0)} INFO begin\n{stamp(1)} INFO epoch 1: loss 0.5\n{filler}{stamp(60)} epoch 2: loss 0.25\n"
    )
    os.utime(log, (start + 60, start + 60))
    recording = Recording(Assignment(session, None, str(log)))
    asyncio.run(recording.run())
    points = [event for event in events(session) if isinstance(event, Metrics)]
    told = [event.t + recording.clock.wall_start - start for event in points if event.t is not None]
    assert told == pytest.approx([1.0, 60.0], abs=0.01)
    assert not any(event.approximate for event in points)
    assert [event.line for event in points] == [2, 40_003]
