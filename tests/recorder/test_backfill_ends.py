"""The past of a huge log, its reading cut short: by a kill, a stop, another content, a full session."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from floydtop.events import End, Event, Gap, History, Note, Position
from floydtop.recorder import context
from floydtop.recorder.assignment import Assignment
from floydtop.recorder.detach import Starting, stop
from floydtop.recorder.recording import Recording
from floydtop.session.format import Reader, encode
from floydtop.session.library import look_at
from floydtop.session.writer import is_being_recorded
from floydtop.sources.history import OpenLog
from tests.recorder.jobs import events, until
from tests.recorder.test_backfill import forward, json_lines, keras, newest, record, recorded, shrink


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "train.log"
    path.write_bytes(json_lines(0, 3000))
    return path


@pytest.fixture
def session(tmp_path: Path) -> Path:
    return tmp_path / "session.jsonl"


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    shrink(monkeypatch)


def test_whatever_byte_a_recorder_died_at_the_next_one_completes_the_past(
    session: Path, log: Path, tmp_path: Path
) -> None:
    record(session, log)
    data = session.read_bytes()
    for cut in sorted(random.Random(7).sample(range(data.index(b"\n") + 1, len(data)), 15)):
        again = tmp_path / "again.jsonl"
        again.write_bytes(data[:cut])
        asyncio.run(Recording(Assignment(again, None, str(log))).run())
        found = Reader().feed(again.read_bytes())
        assert Counter(recorded(found)) == Counter(forward(log.read_bytes())), cut
        assert newest(found).back == 0


def test_no_stretch_of_the_past_is_read_twice(
    session: Path, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = record(session, log)
    position = newest(found)
    log.write_bytes(log.read_bytes() + json_lines(3000, 3020))
    session.write_bytes(b"".join(encode(event) for event in found if not isinstance(event, End)))
    reads = watch_reads(monkeypatch)
    again = record(session, log)
    assert Counter(recorded(again)) == Counter(forward(log.read_bytes()))
    old = {byte for start, stop in reads for byte in range(start, min(stop, position.offset))}
    assert len(old) < 50_000, "more than the head, and some lines to know the epoch by"
    assert not any(isinstance(event, History) for event in again[len(found) :])


def test_a_past_half_read_goes_on_where_it_was_left(
    session: Path, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = record(session, log)
    places = [place for place, event in enumerate(whole) if isinstance(event, Position) and event.back]
    half = whole[: places[len(places) // 2] + 1]
    back = newest(half).back
    assert 0 < back < newest(half).begun
    session.write_bytes(b"".join(map(encode, half)))
    found = record(session, log)
    new = [event for event in found[len(half) :] if isinstance(event, History)]
    assert new[0].stop == back
    assert new[-1].start == 0
    assert not any(event.sampled for event in new)
    assert Counter(recorded(found)) == Counter(forward(log.read_bytes()))


def watch_reads(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """From where to where an open log is read."""
    reads: list[tuple[int, int]] = []
    read = OpenLog.read

    def watched(self: OpenLog, start: int, size: int) -> bytes:
        reads.append((start, start + size))
        return read(self, start, size)

    monkeypatch.setattr(OpenLog, "read", watched)
    return reads


def interrupt(session: Path, log: Path, act: Callable[[Recording], None], stretches: int = 2) -> list[Event]:
    """Record, and act when so many stretches of the past are written."""

    async def run() -> None:
        recording = Recording(Assignment(session, None, str(log)))
        running = asyncio.create_task(recording.run())
        while sum(isinstance(event, History) and not event.sampled for event in events(session)) < stretches:
            await asyncio.sleep(0)
        act(recording)
        await running

    os.utime(log, (1e9, 1e9))
    asyncio.run(run())
    return events(session)


def test_a_stop_leaves_the_rest_of_the_past_to_the_next_recorder(session: Path, log: Path) -> None:
    found = interrupt(session, log, lambda recording: recording.stop("stopped"))
    position = newest(found)
    assert 0 < position.back < position.begun
    assert any("not read yet" in event.text for event in found if isinstance(event, Note))
    assert not any(isinstance(event, Gap) for event in found)
    again = record(session, log)
    assert Counter(recorded(again)) == Counter(forward(log.read_bytes()))


@pytest.mark.parametrize("how", ["truncated", "rotated", "replaced"])
def test_another_content_ends_the_past_of_the_old_one_with_a_gap(session: Path, log: Path, how: str) -> None:
    def act(recording: Recording) -> None:
        if how == "truncated":
            os.truncate(log, 0)
        elif how == "rotated":
            log.rename(log.with_name("train.log.1"))
        if how == "replaced":
            fresh = log.with_name("fresh")
            fresh.write_bytes(b'{"metric": "loss", "value": 7, "step": 7}\n')
            fresh.rename(log)
        else:
            with log.open("ab") as file:
                file.write(b'{"metric": "loss", "value": 7, "step": 7}\n')

    found = interrupt(session, log, act)
    gaps = [event.why for event in found if isinstance(event, Gap)]
    assert len(gaps) == 1
    assert "of the log were not read" in gaps[0]
    position = newest(found)
    assert (position.begun, position.back) == (0, 0)
    assert position.offset == log.stat().st_size


def test_a_past_that_was_rewritten_under_our_hands_is_not_taken_for_the_log(
    session: Path, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = OpenLog.check
    monkeypatch.setattr(OpenLog, "check", lambda self, place: check(self, place) + time.monotonic_ns())
    found = record(session, log)
    assert any("rewritten" in event.why for event in found if isinstance(event, Gap))
    assert not any(isinstance(event, History) and not event.sampled for event in found)


def test_a_deleted_log_is_read_to_its_start_while_it_is_held(session: Path, log: Path) -> None:
    text = log.read_bytes()
    found = interrupt(session, log, lambda recording: log.unlink())
    assert newest(found).back == 0
    assert Counter(recorded(found)) == Counter(forward(text))


def test_a_session_without_room_ends_the_past_with_a_gap(session: Path, log: Path) -> None:
    os.utime(log, (1e9, 1e9))
    asyncio.run(Recording(Assignment(session, None, str(log), budget=60_000)).run())
    assert any("no room" in event.why for event in events(session) if isinstance(event, Gap))


@pytest.fixture
def large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A log that is huge indeed."""
    monkeypatch.undo()
    path = tmp_path / "large.log"
    block = json_lines(0, 20_000)
    with path.open("wb") as file:
        for _ in range(35):
            file.write(block)
    os.utime(path, (1e9, 1e9))
    return path


def test_a_recorder_that_is_far_behind_ends_at_once(session: Path, large: Path) -> None:
    Starting(Assignment(session, None, str(large))).wait()
    until(lambda: any(isinstance(event, History) for event in events(session)))
    recording = look_at(session)
    assert recording is not None
    if not recording.live:
        pytest.fail("it read 30 MB faster than we could look")
    began = time.monotonic()
    stop(recording, patience=8.0)
    assert time.monotonic() - began < 8.0
    found = events(session)
    assert isinstance(found[-1], End)
    assert newest(found).back > 0


def test_a_killed_recorder_is_continued_by_the_next(session: Path, large: Path) -> None:
    Starting(Assignment(session, None, str(large))).wait()
    until(lambda: any(isinstance(event, History) and not event.sampled for event in events(session)))
    recording = look_at(session)
    assert recording is not None
    os.kill(recording.header.recorder, signal.SIGKILL)
    until(lambda: not is_being_recorded(session))
    found = record(session, large)
    assert newest(found).back == 0
    stretches = [event for event in found if isinstance(event, History) and not event.sampled]
    assert stretches[-1].start == 0
    assert [one.stop for one in stretches[1:]] == [one.start for one in stretches[:-1]]
    assert sum(one.lines for one in stretches) == newest(found).past_lines


def test_a_resumed_recording_knows_an_epoch_that_was_told_far_above(
    session: Path, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(context, "BEFORE", 1000)
    text = keras(epochs=3, noise=300)
    cut = text.rindex(b"warning")
    log.write_bytes(text[:cut])
    kept = [event for event in record(session, log) if not isinstance(event, End)]
    session.write_bytes(b"".join(map(encode, kept)))
    log.write_bytes(text)
    found = record(session, log)
    assert Counter(recorded(found)) == Counter(forward(text))
    assert recorded(found)[-1][3] == 3.0
