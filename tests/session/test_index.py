"""A large session opens at its end first, and the second time from an index that is disposable."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import pytest

from floydtop.events import Event, Metrics, Note, OutputLine, Sample
from floydtop.session import index as room
from floydtop.session.format import Reader
from floydtop.session.index import index_dir, load, newest
from floydtop.session.session import Session
from tests.session import samples


@pytest.fixture(autouse=True)
def _small_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "WORTH", 1_000)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "run.jsonl"
    path.write_bytes(samples.as_bytes([samples.header(), *more(0, 500)]))
    return path


def test_a_session_that_has_ended_is_prepared_for_the_first_look(path: Path) -> None:
    room.prepare(path)
    assert len(list(index_dir().glob("*.idx"))) == 1
    path.write_bytes(b"{}\n")
    room.prepare(path)
    room.prepare(path.with_name("gone.jsonl"))


def more(first: int, last: int) -> list[Event]:
    return [
        event
        for number in range(first, last)
        for event in (
            OutputLine(text=f"line {number}", line=number + 1, t=float(number)),
            Metrics(values={"loss": 1.0 / (number + 1)}, t=float(number), step=number, line=number + 1),
            Sample(t=float(number), values={"cpu.percent": (1.0, 1.0, 1.0)}),
        )
    ]


def whole(path: Path) -> Session:
    session = Session()
    session.apply_all(Reader().feed(path.read_bytes()))
    return session


def known(session: Session) -> object:
    return (
        session.header,
        {name: (list(one.times), list(one.steps), list(one.values)) for name, one in session.metrics.items()},
        {name: list(one.means) for name, one in session.system.items()},
        list(session.lines),
        session.metric_lines,
        session.now,
        session.segments,
        [note.text for note in session.notes],
    )


def test_the_second_time_gives_what_the_first_gave(path: Path) -> None:
    told: list[tuple[int, int]] = []
    first = load(path, lambda done, size: told.append((done, size)))
    assert told[-1] == (path.stat().st_size,) * 2
    assert len(list(index_dir().glob("*.idx"))) == 1
    assert next(index_dir().glob("*.idx")).stat().st_mode & 0o777 == 0o600
    again: list[tuple[int, int]] = []
    second = load(path, lambda done, size: again.append((done, size)))
    assert again == [], "nothing was left to read"
    assert known(first.session) == known(second.session) == known(whole(path))


def test_what_was_added_since_is_read_on(path: Path) -> None:
    load(path)
    with path.open("ab") as file:
        file.write(samples.as_bytes(more(500, 600)) + b'{"k":"a","t":1')
    loaded = load(path)
    assert known(loaded.session) == known(whole(path))
    with path.open("ab") as file:
        file.write(b'000.0,"x":"done"}\n')
    with path.open("rb") as file:
        file.seek(loaded.offset)
        assert Reader().feed(file.read()) == [Note(t=1000.0, text="done")]


def test_another_file_of_that_name_is_read_anew(path: Path) -> None:
    load(path)
    path.write_bytes(samples.as_bytes([samples.header(id="other"), *more(7, 400)]))
    assert known(load(path).session) == known(whole(path))


@pytest.mark.parametrize("junk", [b"", b"\x80\x05", b"junk", b"N."])
def test_a_broken_index_is_no_index(path: Path, junk: bytes) -> None:
    load(path)
    (index,) = index_dir().glob("*.idx")
    index.write_bytes(junk)
    assert known(load(path).session) == known(whole(path))


class Evil:
    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, ("evil",)


@pytest.mark.parametrize("place", [0, 1])
def test_an_index_can_run_nothing(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: int
) -> None:
    monkeypatch.chdir(tmp_path)
    load(path)
    (index,) = index_dir().glob("*.idx")
    good = pickle.dumps(room._mark(path, path.stat().st_size))
    index.write_bytes((b"" if place == 0 else good) + pickle.dumps(Evil()))
    assert known(load(path).session) == known(whole(path))
    assert not (tmp_path / "evil").exists()


def test_the_newest_part_has_the_header_and_the_end(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "NEWEST", 2_000)
    part = newest(path)
    assert part.header == samples.header()
    assert part.now == 499.0
    assert 0 < len(part.metrics["loss"]) < 100
    monkeypatch.setattr(room, "NEWEST", 1 << 20)
    assert known(newest(path)) == known(whole(path))


def test_old_indexes_make_room(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load(path)
    monkeypatch.setattr(room, "MOST_BYTES", 1)
    other = tmp_path / "other.jsonl"
    other.write_bytes(path.read_bytes())
    load(other)
    assert len(list(index_dir().glob("*.idx"))) == 1
