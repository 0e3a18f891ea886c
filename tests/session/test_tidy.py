"""The library stays within its budget, and nothing is deleted unannounced, live or pinned."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from floydtop.events import End, Event, Log, Note
from floydtop.session import tidy as room
from floydtop.session.hold import OWNERS, lock
from floydtop.session.library import find, look_at, of_log, of_process, recordings, sessions_dir
from floydtop.session.logs import exit_file, logs_dir
from floydtop.session.meta import Meta, change_meta, meta_path, read_meta
from floydtop.session.player import Player
from floydtop.session.tidy import (
    NOTICE,
    PACK_AFTER,
    delete,
    lonely_over_budget,
    over_budget,
    pack,
    tidy,
)
from floydtop.session.writer import SessionWriter
from tests.session import samples


def save(name: str, events: list[Event] | None = None, age: float = 2 * PACK_AFTER) -> Path:
    path = sessions_dir() / f"{name}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.write_bytes(samples.as_bytes(samples.run() if events is None else events))
    os.utime(path, (time.time() - age,) * 2)
    return path


def test_a_packed_session_is_smaller_and_known_as_before() -> None:
    chatter: list[Event] = [Note(t=float(number), text=f"line {number}") for number in range(5_000)]
    path = save("20270101T000000Z-n-4711-aaaaaa", [*samples.run()[:-1], *chatter, End(t=6000.0, why="x")])
    before = look_at(path)
    packed = pack(path)
    assert before is not None
    assert packed is not None
    assert not path.exists()
    after = look_at(packed)
    assert after is not None
    assert (after.name, after.header, after.state, after.duration, after.read_to, after.closed) == (
        before.name,
        before.header,
        before.state,
        before.duration,
        before.read_to,
        before.closed,
    )
    assert after.packed
    assert after.size < before.size / 4
    assert packed.stat().st_mode & 0o777 == meta_path(packed).stat().st_mode & 0o777 == 0o600
    assert find("4711") == packed
    assert of_process(4711, 123456, "b007") == after
    assert Player(packed).end == 6000.0


def test_a_packed_session_without_its_summary_is_read_through() -> None:
    packed = pack(save("run"))
    assert packed is not None
    meta_path(packed).unlink()
    found = look_at(packed)
    assert found is not None
    assert (found.duration, found.closed, found.read_to) == (10.0, True, 200)


def test_only_what_is_finished_and_a_day_old_is_packed() -> None:
    save("fresh", age=0.0)
    live = SessionWriter(save("live"))
    save("old")
    tidy()
    live.close()
    assert {one.path.name for one in recordings()} == {"fresh.jsonl", "live.jsonl", "old.jsonl.gz"}


def test_a_session_that_somebody_holds_is_not_packed() -> None:
    path = save("run")
    writer = SessionWriter(path)
    assert pack(path) is None
    writer.close()
    assert path.exists()


def test_the_oldest_goes_first_announced_and_a_day_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "MOST_SESSIONS", 2)
    monkeypatch.setattr(over_budget, "__defaults__", (room.MOST_BYTES, 2, room.MOST_LOG_BYTES))
    for year in (2024, 2025, 2026, 2027):
        save(f"{year}", age=0.0)
    now = time.time()
    told = tidy(now)
    assert len(told) == 2
    assert all("will be deleted" in one and "pin" in one for one in told)
    assert tidy(now + NOTICE / 2) == []
    assert len(list(recordings())) == 4
    change_meta(find("2024"), pinned=True, announced=None)
    told = tidy(now + NOTICE + 1)
    assert any("2025 was deleted" in one for one in told)
    assert {one.name for one in recordings()} == {"2024", "2026", "2027"}


def test_neither_live_nor_pinned_sessions_are_too_many() -> None:
    writer = SessionWriter(save("2024"))
    change_meta(save("2025"), pinned=True)
    save("2026")
    save("2027")
    surplus = over_budget(recordings(), most_bytes=0, most_sessions=0)
    writer.close()
    assert [one.name for one in surplus] == ["2026", "2027"]


def test_bytes_count_too() -> None:
    paths = [save(str(year)) for year in (2024, 2025, 2026)]
    size = paths[0].stat().st_size
    assert [one.name for one in over_budget(recordings(), most_bytes=2 * size)] == ["2024"]


def test_words_on_a_session_are_kept_beside_it() -> None:
    path = save("run")
    assert change_meta(path, title="lr 0.1", note="x" * 5_000).title == "lr 0.1"
    assert len(read_meta(path).note or "") == 2_000
    assert find("lr 0.1") == path
    change_meta(path, title="", note="")
    assert not meta_path(path).exists()


@pytest.mark.parametrize("junk", [b"", b"{", b"[]", b'{"pinned": 3}', b"\xff"])
def test_broken_words_are_none(junk: bytes) -> None:
    path = save("run")
    meta_path(path).write_bytes(junk)
    assert read_meta(path) == Meta()


def test_a_log_that_was_read_through_is_still_found_when_packed() -> None:
    packed = pack(save("log", [samples.header(job=None), End(t=10.0, why="read", offset=200)]))
    found = of_log(1, 9, 200, samples.header().t0 - 5)
    assert found is not None
    assert found.path == packed


def keep_log(name: str, size: int = 1000) -> Path:
    log = logs_dir() / f"{name}.log"
    log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    log.write_bytes(b"x" * size)
    Path(exit_file(str(log))).write_text("{}")
    return log


def save_of(log: Path, name: str) -> Path:
    status = log.stat()
    header = samples.header(job=None, log=Log(str(log), status.st_dev, status.st_ino))
    return save(name, [header, End(t=1.0, why="done")])


def test_a_kept_log_goes_with_the_last_of_its_sessions() -> None:
    log, other = keep_log("a"), keep_log("b")
    save_of(log, "2024")
    save_of(log, "2025")
    save_of(other, "2026")
    library = list(recordings())
    newest, second, oldest = library
    delete(oldest, library)
    assert log.exists()
    delete(second, library)
    assert not log.exists()
    assert not Path(exit_file(str(log))).exists()
    assert other.exists()
    assert newest.path.exists()


def test_a_log_that_is_written_keeps_its_session() -> None:
    log = keep_log("a")
    save_of(log, "2024")
    with open(log) as file:
        assert lock(file.fileno())
        assert over_budget(recordings(), 0, 0, 0) == []
        library = list(recordings())
        delete(library[0], library)
        assert log.exists()
    assert lonely_over_budget([], 0) == [log]


def test_a_session_that_somebody_has_gone_on_with_is_not_deleted() -> None:
    path = save("run")
    library = list(recordings())
    writer = SessionWriter(path)
    delete(library[0], library)
    assert path.exists()
    writer.close()
    delete(library[0], library)
    assert not path.exists()


def test_large_logs_take_only_sessions_that_have_one() -> None:
    for year in (2023, 2025, 2027):
        save(str(year))
    save_of(keep_log("a"), "2024")
    change_meta(save_of(keep_log("b"), "2026"), pinned=True)
    save_of(keep_log("c"), "2028")
    assert [one.name for one in over_budget(recordings(), most_log_bytes=1999)] == ["2024", "2028"]
    assert [one.name for one in over_budget(recordings(), most_log_bytes=2000)] == ["2024"]
    assert over_budget(recordings(), most_log_bytes=3000) == []


def test_a_session_from_elsewhere_takes_no_log_of_ours_with_it() -> None:
    log = keep_log("a")
    theirs = samples.header(job=None, log=Log(str(log), 1, 2))
    save("theirs", [theirs, End(t=1.0, why="done")])
    library = list(recordings())
    delete(library[0], library)
    assert log.exists()


def test_a_log_without_a_session_is_announced_and_goes_a_day_later(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = keep_log("2024"), keep_log("2025")
    monkeypatch.setattr(lonely_over_budget, "__defaults__", (1000,))
    now = time.time()
    [told] = tidy(now)
    assert str(first) in told
    assert tidy(now + NOTICE / 2) == []
    [told] = tidy(now + NOTICE + 1)
    assert "was deleted" in told
    assert not first.exists()
    assert sorted(logs_dir().iterdir()) == [second, Path(exit_file(str(second)))]


def test_a_link_among_the_logs_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("mine")
    keep_log("a").unlink()
    (logs_dir() / "a.log").symlink_to(tmp_path / "precious")
    assert lonely_over_budget([], 0) == []


def test_the_claims_of_a_killed_recorder_go_with_its_session() -> None:
    path = save("run")
    owners = path.parent / OWNERS
    owners.mkdir()
    (owners / "run.3").write_text('{"pid":1,"host":"elsewhere"}')
    os.utime(owners / "run.3", (0, 0))
    assert pack(path) is not None
    assert not owners.exists()
