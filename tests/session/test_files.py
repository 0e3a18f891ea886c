"""A session is read in pieces, packed or not, and what is broken costs only itself."""

from __future__ import annotations

import gzip
import os
import random
import tracemalloc
from pathlib import Path

import pytest

from floydtop.errors import FloydtopError
from floydtop.events import Event, Note
from floydtop.session.files import name_of, read_events
from floydtop.session.format import Reader
from floydtop.session.player import Player
from tests.session import samples


def read(path: Path) -> tuple[list[Event], Reader]:
    reader = Reader()
    return [event for events in read_events(path, reader) for event in events], reader


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run.jsonl.gz"


def test_a_packed_session_is_read_as_the_plain_one(path: Path) -> None:
    path.write_bytes(gzip.compress(samples.as_bytes(samples.run())))
    events, reader = read(path)
    assert repr(events) == repr(samples.run())
    assert (reader.damaged, reader.torn) == (0, False)
    assert Player(path).end == 10.0


def test_packed_pieces_may_follow_each_other_and_zeros_them(path: Path) -> None:
    run = samples.run()
    pieces = [gzip.compress(samples.as_bytes(part)) for part in (run[:5], run[5:])]
    path.write_bytes(b"".join(pieces) + bytes(512))
    events, reader = read(path)
    assert (len(events), reader.damaged) == (len(run), 0)


def test_a_packed_session_cut_at_any_byte_gives_what_is_whole_and_says_so(path: Path) -> None:
    data = gzip.compress(samples.as_bytes(samples.run()))
    for cut in range(2, len(data)):
        path.write_bytes(data[:cut])
        events, reader = read(path)
        assert repr(events) == repr(samples.run()[: len(events)])
        assert reader.damaged >= 1


def test_a_packed_session_with_any_byte_flipped_is_read_without_an_error(path: Path) -> None:
    data = gzip.compress(samples.as_bytes(samples.run()))
    for place in range(2, len(data)):
        broken = bytearray(data)
        broken[place] ^= 0x10
        path.write_bytes(bytes(broken))
        try:
            events, _ = read(path)
        except FloydtopError as refusal:
            assert "\n" not in str(refusal)  # noqa: PT017 (both ways are right)
        else:
            assert len(events) <= len(samples.run())


def test_what_comes_before_a_flipped_byte_is_kept_and_the_damage_is_said(path: Path) -> None:
    run = [
        samples.header(),
        *(Note(t=float(n), text=random.Random(n).randbytes(30).hex()) for n in range(200)),
    ]
    data = gzip.compress(samples.as_bytes(run))
    broken = bytearray(data)
    broken[len(data) * 3 // 4] ^= 0xFF
    path.write_bytes(bytes(broken))
    events, reader = read(path)
    same = next(n for n, (a, b) in enumerate(zip(events, [*run, None], strict=False)) if a != b)
    assert same > 120, f"{same} of {len(run)} events before the damage"
    assert reader.damaged >= 1


def test_a_hole_of_zero_bytes_costs_the_line_it_is_in(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    run = samples.run()
    path.write_bytes(samples.as_bytes(run[:5]) + bytes(4096) + b"\n" + samples.as_bytes(run[5:]))
    events, reader = read(path)
    assert (len(events), reader.damaged) == (len(run), 1)


def test_a_packed_line_without_end_does_not_fill_the_memory(path: Path) -> None:
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(samples.as_bytes([samples.header()]))
        for _ in range(64):
            file.write(bytes(b"x" * (1 << 20)))
        file.write(b"\n" + samples.as_bytes([Note(t=1.0, text="after it")]))
    tracemalloc.start()
    events, reader = read(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (len(events), reader.damaged) == (2, 1)
    assert peak < 100 << 20


def test_progress_reaches_the_end(path: Path) -> None:
    path.write_bytes(gzip.compress(samples.as_bytes(samples.run())))
    told: list[tuple[int, int]] = []
    for _ in read_events(path, Reader(), lambda done, size: told.append((done, size))):
        pass
    assert told[-1] == (path.stat().st_size, path.stat().st_size)


def test_a_fifo_is_refused_without_waiting_for_a_writer(tmp_path: Path) -> None:
    fifo = tmp_path / "run.jsonl"
    os.mkfifo(fifo)
    with pytest.raises(FloydtopError, match="it is no file"):
        read(fifo)


def test_names_are_those_of_the_files() -> None:
    assert name_of(Path("a/run.jsonl")) == name_of(Path("b/run.jsonl.gz")) == "run"
    assert name_of(Path("lr-0.1.jsonl.gz")) == "lr-0.1"
