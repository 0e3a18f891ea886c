"""The library stays within its budget, and nothing is deleted unannounced, live or pinned."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from floydtop.events import End, Event, Note
from floydtop.session import tidy as room
from floydtop.session.library import find, look_at, of_log, of_process, recordings, sessions_dir
from floydtop.session.meta import Meta, change_meta, meta_path, read_meta
from floydtop.session.player import Player
from floydtop.session.tidy import NOTICE, PACK_AFTER, over_budget, pack, tidy
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
    monkeypatch.setattr(over_budget, "__defaults__", (room.MOST_BYTES, 2))
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
