"""The text of a log that stays is read from the log, and put into a session for somebody without it."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from floydtop.events import Event, Note, OutputLine, Position
from floydtop.recorder import behind, output
from floydtop.recorder.assignment import Assignment
from floydtop.recorder.recording import Recording
from floydtop.session.format import Reader
from floydtop.session.logtext import fill_in, lines_before, with_text
from floydtop.session.player import Player
from floydtop.session.session import LINES_KEPT, Session

LINES = 12_000


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "train.log"
    path.write_text("".join(f"line {number} of the output\r\n" for number in range(1, LINES + 1)))
    os.utime(path, (1e9, 1e9))
    return path


@pytest.fixture
def session(tmp_path: Path, log: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A recording that keeps the text of few lines."""
    monkeypatch.setattr("floydtop.recorder.recording.TEXT_BUDGET", 2_000)
    monkeypatch.setattr(output, "HISTORY_TEXT", 1 << 30)
    path = tmp_path / "run.jsonl"
    asyncio.run(Recording(Assignment(path, None, str(log))).run())
    return path


def events(session: Path) -> list[Event]:
    return Reader().feed(session.read_bytes())


def test_a_session_of_a_log_that_stays_is_small(session: Path, log: Path) -> None:
    assert session.stat().st_size < log.stat().st_size / 10


def test_the_newest_lines_come_from_the_log(session: Path) -> None:
    known = Session()
    known.apply_all(events(session))
    assert fill_in(known)
    assert len(known.lines) == LINES_KEPT
    assert [line.text for line in known.lines][-1] == f"line {LINES} of the output"
    assert [line.line for line in known.lines] == list(range(LINES - LINES_KEPT + 1, LINES + 1))
    assert not fill_in(known)


def test_a_replay_shows_them_too(session: Path) -> None:
    assert Player(session).session.lines[-1].text == f"line {LINES} of the output"


def test_each_line_has_its_offset(session: Path, log: Path) -> None:
    header, *rest = events(session)
    position = [one for one in rest if isinstance(one, Position)][-1]
    content = log.read_bytes()
    for line in lines_before(header.log, position, 50):  # type: ignore[union-attr,arg-type]
        assert content[line.offset :].startswith(line.text.encode() + b"\r\n")


def test_a_log_that_is_another_one_gives_no_lines(session: Path, log: Path) -> None:
    log.write_text("x" * log.stat().st_size)
    known = Session()
    known.apply_all(events(session))
    before = list(known.lines)
    assert not fill_in(known)
    assert list(known.lines) == before


def test_a_session_for_somebody_else_holds_every_line_once(session: Path) -> None:
    found = [one for one in with_text(events(session)) if isinstance(one, OutputLine)]
    assert [one.line for one in found] == list(range(1, LINES + 1))
    assert found[7_000].text == "line 7001 of the output"
    others = [one for one in with_text(events(session)) if not isinstance(one, OutputLine)]
    assert others == [one for one in events(session) if not isinstance(one, OutputLine)]


def test_without_the_log_the_lines_that_were_kept_stay_and_a_note_tells(session: Path, log: Path) -> None:
    log.unlink()
    found = list(with_text(events(session)))
    kept = [one for one in events(session) if isinstance(one, OutputLine)]
    assert [one for one in found if isinstance(one, OutputLine)] == kept
    assert isinstance(found[-1], Note)
    assert "missing" in found[-1].text


@pytest.fixture
def huge(tmp_path: Path, log: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A recording of the same log that began near its end, as that of a huge one does."""
    monkeypatch.setattr(behind, "HUGE", 1000)
    monkeypatch.setattr(behind, "TAIL", 3_000)
    path = tmp_path / "huge.jsonl"
    asyncio.run(Recording(Assignment(path, None, str(log))).run())
    return path


def test_lines_from_before_a_recording_began_are_numbered_back_from_there(huge: Path) -> None:
    known = Session()
    known.apply_all(events(huge))
    assert known.position is not None
    before = known.position.past_lines
    lines = {line.line: line.text for line in lines_before(known.header.log, known.position, LINES)}  # type: ignore[union-attr,arg-type]
    assert 0 not in lines
    assert lines[-1] == f"line {before} of the output"
    assert lines[1] == f"line {before + 1} of the output"
    assert max(lines) == LINES - before


def test_a_huge_log_gives_somebody_else_the_lines_from_where_its_recording_began(huge: Path) -> None:
    found = [one for one in with_text(events(huge)) if isinstance(one, OutputLine)]
    assert [one.line for one in found] == list(range(1, len(found) + 1))
    assert found[-1].text == f"line {LINES} of the output"
    assert not any(isinstance(one, Note) and "missing" in one.text for one in with_text(events(huge)))
