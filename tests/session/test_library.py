"""The library finds recordings by what they are of, and says plainly when there is none."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from floydtop.errors import FloydtopError
from floydtop.events import End, Event, JobState, Note
from floydtop.session.library import (
    find,
    look_at,
    new_path,
    of_log,
    of_process,
    recordings,
    sessions_dir,
)
from floydtop.session.writer import SessionWriter
from tests.session import samples


def save(name: str, events: list[Event]) -> Path:
    path = sessions_dir() / f"{name}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(samples.as_bytes(events))
    return path


def test_sessions_live_in_the_state_directory(state_home: Path) -> None:
    assert sessions_dir() == state_home / "floydtop" / "sessions"


def test_names_are_made_by_us_alone() -> None:
    path = new_path("../../etc/ho st;rm", 4711)
    assert path.parent == sessions_dir()
    assert re.fullmatch(r"\d{8}T\d{6}Z-[A-Za-z0-9-]+-4711-[0-9a-f]{6}\.jsonl", path.name)
    assert "-log-" in new_path("", None).name
    assert len({new_path("n", 1) for _ in range(50)}) == 50


def test_without_recordings_there_are_none() -> None:
    assert list(recordings()) == []


def test_recordings_are_listed_newest_first_and_junk_is_passed_over() -> None:
    old, new = (
        save("20260101T000000Z-n-1-aaaaaa", samples.run()),
        save("20270101T000000Z-n-1-aaaaaa", samples.run()),
    )
    for name, junk in {"empty": b"", "binary": b"\x7fELF", "other": b"{}\n", "newer": b""}.items():
        (sessions_dir() / f"29{name}.jsonl").write_bytes(junk)
    save("29version", [samples.header(v=2)])
    (sessions_dir() / "29dir.jsonl").mkdir()
    assert [recording.path for recording in recordings()] == [new, old]


def test_head_and_tail_tell_what_a_recording_holds() -> None:
    recording = look_at(save("run", samples.run()))
    assert recording is not None
    assert recording.header == samples.header()
    assert recording.state is not None
    assert recording.state.exit is not None
    assert recording.state.exit.signal == "SIGKILL"
    assert (recording.duration, recording.read_to, recording.live) == (10.0, 200, False)
    assert recording.name == "run"


def test_a_long_recording_is_known_by_its_head_and_tail() -> None:
    chatter: list[Event] = [Note(t=float(number), text="x" * 1000) for number in range(1000)]
    recording = look_at(save("long", [samples.header(), *chatter, End(t=2000.0, why="quit", offset=7)]))
    assert recording is not None
    assert (recording.duration, recording.read_to) == (2000.0, 7)


def test_a_recording_that_was_not_closed_holds_no_offset() -> None:
    recording = look_at(save("killed", samples.run()[:-1]))
    assert recording is not None
    assert recording.read_to is None


def test_a_live_recording_says_so() -> None:
    path = save("live", samples.run()[:3])
    writer = SessionWriter(path)
    recording = look_at(path)
    writer.close()
    assert recording is not None
    assert recording.live


def test_a_process_is_known_by_pid_start_and_boot() -> None:
    save("20260101", samples.run())
    newest = save("20270101", samples.run())
    found = of_process(4711, 123456, "b007")
    assert found is not None
    assert found.path == newest
    assert of_process(4711, 123457, "b007") is None, "another process with the same pid"
    assert of_process(4711, 123456, "b008") is None, "another boot"


def log_run(offset: int | None, duration: float = 10.0) -> list[Event]:
    state = JobState(t=0.0, state="no-process")
    return [
        samples.header(job=None),
        state,
        End(t=duration, why="the log was read to its end", offset=offset),
    ]


def test_a_finished_log_is_found_while_it_is_unchanged() -> None:
    path = save("log", log_run(offset=200))
    t0 = samples.header().t0
    found = of_log(1, 9, 200, t0 - 5)
    assert found is not None
    assert found.path == path
    assert of_log(1, 9, 201, t0 - 5) is None, "it has grown"
    assert of_log(1, 9, 200, t0 + 11) is None, "it was written since"
    assert of_log(1, 8, 200, t0 - 5) is None, "another file"


def test_a_log_whose_job_is_recorded_is_looked_for_by_its_process_until_all_of_it_is() -> None:
    path = save("job", samples.run()[:-1])
    writer = SessionWriter(path)
    assert of_log(1, 9, 200, 0.0) is None
    writer.append(samples.run()[-1:], now=10.0)
    writer.close()
    found = of_log(1, 9, 200, 0.0)
    assert found is not None
    assert found.path == path


def test_a_log_that_is_being_recorded_is_found() -> None:
    path = save("log", log_run(None)[:2])
    writer = SessionWriter(path)
    found = of_log(1, 9, 5, samples.header().t0 + 99)
    writer.close()
    assert found is not None
    assert found.path == path


def test_a_session_is_found_by_path_name_beginning_and_pid() -> None:
    one = save("20260101T000000Z-n-4711-aaaaaa", samples.run())
    two = save("20270101T000000Z-n-4711-bbbbbb", samples.run())
    assert find(str(one)) == one
    assert find("20260101T000000Z-n-4711-aaaaaa") == one
    assert find("202701") == two
    assert find("4711") == two
    assert find(None) == two


def test_a_beginning_that_fits_several_is_refused() -> None:
    save("2026-a", samples.run())
    save("2026-b", samples.run())
    with pytest.raises(FloydtopError, match=r"2 sessions begin with '2026-'"):
        find("2026-")


def test_no_session_is_told_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(FloydtopError, match="no recorded session yet"):
        find(None)
    with pytest.raises(FloydtopError, match="no session 'x'"):
        find("x")
    with pytest.raises(FloydtopError, match="is not a file"):
        find(str(tmp_path))
    with pytest.raises(FloydtopError, match="is not a file"):
        find("/dev/zero")


def test_a_fifo_among_the_sessions_is_passed_over_without_waiting(tmp_path: Path) -> None:
    fifo = tmp_path / "run.jsonl"
    os.mkfifo(fifo)
    assert look_at(fifo) is None
