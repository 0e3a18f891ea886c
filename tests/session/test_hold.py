"""Two recorders never write one session, also where a lock is known on one host alone or nowhere."""

from __future__ import annotations

import multiprocessing
import os
import time
from multiprocessing.synchronize import Barrier
from pathlib import Path

import msgspec
import pytest

from floydtop.errors import FloydtopError
from floydtop.events import Note, Recorder
from floydtop.session import hold, owner
from floydtop.session import writer as writing
from floydtop.session.format import Reader
from floydtop.session.hold import OWNERS, claim, holder, is_being_recorded
from floydtop.session.writer import SessionWriter


@pytest.fixture
def session(tmp_path: Path) -> Path:
    path = tmp_path / "sessions" / "run.jsonl"
    path.parent.mkdir()
    path.write_text("")
    return path


@pytest.fixture(params=["no lock is known", "each host has locks of its own"])
def no_locks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    told = None if request.param == "no lock is known" else True
    monkeypatch.setattr(hold, "lock", lambda _fd, _patience=0.0: told)
    monkeypatch.setattr(hold, "is_locked", lambda _path: None if told is None else False)


def claimed(session: Path, number: int, recorder: Recorder | None, age: float = 0.0) -> Path:
    path = session.parent / OWNERS / f"{session.stem}.{number}"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"" if recorder is None else msgspec.json.encode(recorder))
    for one in (path, session):
        os.utime(one, (time.time() - age,) * 2)
    return path


ELSEWHERE = Recorder(pid=4711, host="elsewhere", boot="b007", start=1)


@pytest.mark.usefixtures("no_locks")
def test_a_recorder_of_this_host_is_known_by_its_process(session: Path) -> None:
    claimed(session, 1, msgspec.structs.replace(owner.ourselves(), pid=os.getppid(), start=1))
    assert not is_being_recorded(session)
    parent = msgspec.structs.replace(owner.ourselves(), pid=os.getppid(), start=owner.start_of(os.getppid()))
    claimed(session, 1, parent)
    assert holder(session) == parent
    assert is_being_recorded(session)
    with pytest.raises(FloydtopError, match="Another recorder"):
        SessionWriter(session)


@pytest.mark.usefixtures("no_locks")
def test_a_recorder_of_another_host_is_known_by_its_signs_of_life(session: Path) -> None:
    claimed(session, 3, ELSEWHERE, age=owner.HEARTBEAT - 20)
    with pytest.raises(FloydtopError, match="Another recorder"):
        SessionWriter(session)
    first = claimed(session, 3, ELSEWHERE, age=owner.HEARTBEAT + 20)
    assert not is_being_recorded(session)
    SessionWriter(session)
    assert not first.exists()
    assert (session.parent / OWNERS / "run.4").exists()


@pytest.mark.usefixtures("no_locks")
def test_a_host_whose_clock_is_ahead_takes_over_from_nobody_who_lives(
    session: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    claimed(session, 1, ELSEWHERE)
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + 3600.0)
    assert not is_being_recorded(session), "a viewer can only go by its own clock"
    with pytest.raises(FloydtopError, match="Another recorder"):
        SessionWriter(session)


@pytest.mark.usefixtures("no_locks")
def test_a_claim_that_names_nobody_is_believed_for_a_moment(session: Path) -> None:
    claimed(session, 1, None)
    with pytest.raises(FloydtopError, match="Another recorder"):
        SessionWriter(session)
    claimed(session, 1, None, age=60.0)
    SessionWriter(session).close()


@pytest.mark.usefixtures("no_locks")
def test_who_was_taken_over_writes_no_more(session: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = SessionWriter(session)
    writer.append([Note(t=0.0, text="mine")], now=0.0)
    claimed(session, 2, ELSEWHERE)
    monkeypatch.setattr(writing, "SYNC_EVERY", 0.0)
    writer.append([Note(t=1.0, text="not mine any more")], now=1.0)
    assert writer.gone == "another recorder has taken over"
    writer.close()
    assert Reader().feed(session.read_bytes()) == [Note(t=0.0, text="mine")]
    assert holder(session) == ELSEWHERE


def test_a_claim_that_cannot_be_made_is_none(session: Path) -> None:
    owners = session.parent / OWNERS
    owners.write_text("a file in its place")
    assert claim(session) is None
    SessionWriter(session).close()
    owners.unlink()
    elsewhere = session.parent.with_name("elsewhere")
    elsewhere.mkdir()
    owners.symlink_to(elsewhere)
    SessionWriter(session).close()
    assert list(elsewhere.iterdir()) == []


def test_a_claim_that_is_older_than_it_thinks_is_dropped(
    session: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # It looked, slept, and makes a claim that others have made and dropped since.
    later = claimed(session, 5, ELSEWHERE)
    seen = iter([[]])
    real = hold._claims
    monkeypatch.setattr(hold, "_claims", lambda path: next(seen, None) or real(path))
    monkeypatch.setattr(hold, "holder", lambda *_: None)
    seen = iter([[hold.Claim(1, later.with_name("run.1"))]])
    with pytest.raises(FileExistsError):
        claim(session)
    assert [path.name for path in later.parent.iterdir()] == ["run.5"]


def _race(session: Path, barrier: Barrier, results: multiprocessing.SimpleQueue[bool]) -> None:
    hold.lock = lambda fd, patience=0.0: None  # type: ignore[assignment]  # a file system without locks
    hold.is_locked = lambda path: None  # type: ignore[assignment]
    barrier.wait()
    try:
        SessionWriter(session)
        results.put(True)
    except FloydtopError:
        results.put(False)
    barrier.wait()
    os._exit(0)


@pytest.mark.parametrize("killed_before", [False, True])
def test_of_many_at_once_one_gets_it(session: Path, killed_before: bool) -> None:
    processes = multiprocessing.get_context("fork")
    for _ in range(15):
        if killed_before:
            claimed(session, 1, msgspec.structs.replace(owner.ourselves(), start=1))
        barrier, results = processes.Barrier(4), processes.SimpleQueue()
        racers = [processes.Process(target=_race, args=(session, barrier, results)) for _ in range(4)]
        for racer in racers:
            racer.start()
        won = [results.get() for _ in racers]
        for racer in racers:
            racer.join()
        assert won.count(True) == 1
