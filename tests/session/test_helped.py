"""Two processes load a large session, and it is the same as with one, whatever becomes of the second."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from floydtop.errors import FloydtopError
from floydtop.events import Event
from floydtop.session import digest as digest_room
from floydtop.session import files, helped
from floydtop.session import index as room
from floydtop.session.digest import Digest, digest_file
from floydtop.session.files import stretches
from floydtop.session.format import Reader
from floydtop.session.helped import Helper, digests
from floydtop.session.index import load
from floydtop.session.session import Session
from tests.session import samples
from tests.session.test_digest import mixed, state

JUNK = [b"", b"{", b"\xff\xfe", b'{"k":"from the future"}', b'{"k":"m","v":7}', b"x" * 3_000, b"[" * 5_000]
BLOCK = 2_000


def written(path: Path, seed: int, parts: int = 8) -> bytes:
    """A session of several segments, with damaged lines, and a line at its end that is not finished."""
    noise = random.Random(seed)
    found = [samples.as_bytes([samples.header()])]
    for _ in range(parts):
        lines = samples.as_bytes(mixed(noise)).splitlines(keepends=True)
        for _ in range(noise.randint(0, 3)):
            lines.insert(noise.randint(0, len(lines)), noise.choice(JUNK) + b"\n")
        found += lines
    data = b"".join([*found, noise.choice([b"", b'{"k":"a","t":1'])])
    path.write_bytes(data)
    return data


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many stretches in a small file."""
    for module in (files, digest_room):
        monkeypatch.setattr(module, "BLOCK", BLOCK)
    monkeypatch.setattr(room, "WORTH", 1_000)
    monkeypatch.setattr(helped, "_cores", lambda: 2)


@pytest.fixture
def path(tmp_path: Path, small_blocks: None) -> Path:
    path = tmp_path / "run.jsonl"
    written(path, 1, parts=60)
    return path


@pytest.fixture
def fd(path: Path) -> Iterator[int]:
    fd = os.open(path, os.O_RDONLY)
    yield fd
    os.close(fd)


def told(found: Iterator[tuple[int, int, Digest]]) -> list[tuple[int, int, str, int, int]]:
    """Digests so that they can be compared: by what they add up to."""
    digested = []
    for start, stop, one in found:
        session = Session()
        session.journal = []
        session.take(one)
        digested.append((start, stop, state(session), one.damaged, one.strange))
    return digested


# -- where the file is cut --------------------------------------------------------------------------------


@given(st.lists(st.binary(max_size=30) | st.just(b"\n"), max_size=30), st.integers(1, 40), st.data())
@settings(max_examples=300, deadline=None)
def test_stretches_hold_every_whole_line_wherever_they_begin(
    parts: list[bytes], block: int, choice: st.DataObject
) -> None:
    data = b"".join(parts)
    read = os.memfd_create("session") if hasattr(os, "memfd_create") else None
    if read is None:
        pytest.skip("no memfd here")
    with os.fdopen(read, "w+b") as file, pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "BLOCK", block)
        patch.setattr(files, "_END", 5)
        file.write(data)
        file.flush()
        found = list(stretches(file.fileno(), 0, len(data)))
        ends = [0, *(stop for _, stop in found)]
        assert [start for start, _ in found] == ends[:-1]
        assert ends[-1] == data.rfind(b"\n") + 1
        assert all(data[stop - 1 : stop] == b"\n" for _, stop in found)
        # Whoever goes on from an index cuts as whoever reads all of it.
        begun = choice.draw(st.integers(0, len(found)))
        assert list(stretches(file.fileno(), ends[begun], len(data))) == found[begun:]


def test_a_line_without_an_end_is_read_in_bounded_memory(tmp_path: Path, small_blocks: None) -> None:
    path = tmp_path / "run.jsonl"
    before, after = samples.as_bytes([samples.header()]), samples.as_bytes(samples.run()[1:])
    path.write_bytes(before + b"x" * 20 * BLOCK + b"\n" + after)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("floydtop.session.format.LONGEST_LINE", 3 * BLOCK)
        patch.setattr("floydtop.session.pages.MOST_READ", 4 * BLOCK)
        loaded = load(path)
        assert loaded.session.damaged == 1
        assert [line.text for line in loaded.story.at(100.0).lines] == [
            line.text for line in loaded.session.lines
        ]
        assert len(loaded.session.lines) == 2


# -- the same, whoever digests -----------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
def test_two_processes_tell_what_one_tells(tmp_path: Path, small_blocks: None, seed: int) -> None:
    path = tmp_path / "run.jsonl"
    size = len(written(path, seed, parts=40))
    fd = os.open(path, os.O_RDONLY)
    alone = told(digests(fd, 0, size, helped=False))
    assert told(digests(fd, 0, size, helped=True)) == alone
    os.close(fd)
    assert len(alone) > 20


@pytest.mark.parametrize("seed", range(3))
def test_a_load_adds_up_to_what_events_do_one_by_one(tmp_path: Path, small_blocks: None, seed: int) -> None:
    path = tmp_path / "run.jsonl"
    data = written(path, seed)
    reader = Reader()
    whole = Session(room.POINTS_SHOWN)
    whole.journal = []
    for event in reader.feed(data):
        whole.apply(event)
    whole.damaged, whole.strange = reader.damaged, reader.strange
    loaded = load(path, helped=True)
    loaded.session.journal, whole.journal = [], []
    assert state(loaded.session) == state(whole)
    assert loaded.torn == reader.torn
    assert loaded.offset == len(data) - reader.pending


def test_progress_is_told_and_an_index_is_left(path: Path) -> None:
    seen: list[tuple[int, int]] = []
    loaded = load(path, lambda done, size: seen.append((done, size)), helped=True)
    assert seen[-1] == (loaded.offset, path.stat().st_size)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert state_of(load(path).session) == state_of(loaded.session)


def state_of(session: Session) -> str:
    session.journal = []
    return state(session)


def test_a_newer_session_is_refused(path: Path) -> None:
    with path.open("ab") as file:
        file.write(samples.as_bytes([samples.header(v=2)]) + b"{}\n" * 10_000)
    with pytest.raises(FloydtopError, match="upgrade floydtop"):
        load(path, helped=True)


# -- a helper that is no help ------------------------------------------------------------------------------


@pytest.fixture
def helpers(monkeypatch: pytest.MonkeyPatch) -> list[Helper]:
    """The helpers that are started."""
    started: list[Helper] = []

    class Seen(Helper):
        def __init__(self, fd: int) -> None:
            super().__init__(fd)
            started.append(self)

    monkeypatch.setattr(helped, "Helper", Seen)
    return started


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
@pytest.mark.parametrize("after", [0, 5])
def test_a_helper_that_dies_or_hangs_loses_nothing(
    path: Path, fd: int, helpers: list[Helper], monkeypatch: pytest.MonkeyPatch, number: int, after: int
) -> None:
    monkeypatch.setattr(helped, "PATIENCE", 0.5)
    size = path.stat().st_size
    alone = told(digests(fd, 0, size, helped=False))

    def disturbed() -> Iterator[tuple[int, int, Digest]]:
        for place, one in enumerate(digests(fd, 0, size, helped=True)):
            if place == after:
                (helper,) = helpers
                assert helper.pid is not None
                deadline = time.monotonic() + 10
                while after and not helper._greeted and time.monotonic() < deadline:
                    time.sleep(0.01)
                    helper.has_time()
                os.kill(helper.pid, number)
            yield one

    assert told(disturbed()) == alone
    assert helpers[0].pid is None


@pytest.mark.parametrize("entry", ["raise SystemExit(3)", "print('no digest', flush=True); input()"])
def test_one_that_cannot_work_is_done_without(
    path: Path, fd: int, monkeypatch: pytest.MonkeyPatch, entry: str
) -> None:
    monkeypatch.setattr(helped, "PATIENCE", 0.5)
    monkeypatch.setattr(helped, "ENTRY", entry)
    size = path.stat().st_size
    assert told(digests(fd, 0, size, helped=True)) == told(digests(fd, 0, size, helped=False))


def test_one_that_cannot_be_started_is_done_without(
    path: Path, fd: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/nonexistent/python")
    helper = Helper(fd)
    assert not helper.has_time()
    assert helper.has_answer()
    helper.ask(0, 10)
    assert helper.answer() is None
    assert load(path, helped=True).session.applied > 0


@pytest.mark.parametrize(("cores", "size", "used"), [(1, 1_000, 0), (2, 10**9, 0), (2, 1_000, 1)])
def test_only_a_large_file_on_several_cores_is_helped(
    path: Path, helpers: list[Helper], monkeypatch: pytest.MonkeyPatch, cores: int, size: int, used: int
) -> None:
    monkeypatch.setattr(helped, "_cores", lambda: cores)
    monkeypatch.setattr(room, "WORTH", size)
    load(path, helped=True)
    assert len(helpers) == used


def test_a_recorder_prepares_an_index_on_one_core(path: Path, helpers: list[Helper]) -> None:
    room.prepare(path)
    assert helpers == []


def test_the_helper_ends_with_the_load(path: Path) -> None:
    before = {child.pid for child in psutil.Process().children()}
    load(path, helped=True)
    assert {child.pid for child in psutil.Process().children()} <= before


VIEWER = """
import os, sys, time
from floydtop.session.helped import Helper
helper = Helper(os.open(sys.argv[1], os.O_RDONLY))
while not helper.has_time():
    time.sleep(0.01)
helper.ask(0, os.stat(sys.argv[1]).st_size)
print(helper.pid, flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("answered", [True, False])
def test_no_helper_is_left_when_the_viewer_is_killed(tmp_path: Path, answered: bool) -> None:
    path = tmp_path / "run.jsonl"
    event: list[Event] = samples.run()
    # Either it waits for us to ask, or an answer of some megabytes waits for us to read it.
    path.write_bytes(samples.as_bytes(event) * (1 if answered else 20_000))
    viewer = subprocess.Popen([sys.executable, "-c", VIEWER, str(path)], stdout=subprocess.PIPE)
    assert viewer.stdout is not None
    helper = psutil.Process(int(viewer.stdout.readline()))
    time.sleep(0.5)
    assert helper.is_running()
    viewer.kill()
    viewer.wait()
    viewer.stdout.close()
    deadline = time.monotonic() + 10
    while helper.is_running() and helper.status() != psutil.STATUS_ZOMBIE and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not helper.is_running() or helper.status() == psutil.STATUS_ZOMBIE


def test_the_helper_is_small(path: Path, fd: int) -> None:
    with Helper(fd) as helper:
        while not helper.has_time():
            time.sleep(0.01)
        helper.ask(0, path.stat().st_size)
        assert helper.answer() is not None
        assert helper.pid is not None
        assert psutil.Process(helper.pid).memory_info().rss < 40 << 20


def test_a_digest_of_a_file_that_shrinks_is_of_what_is_left(path: Path, fd: int) -> None:
    size = path.stat().st_size
    os.truncate(path, size // 2)
    assert digest_file(fd, 0, size)
    load(path, helped=True)
