"""The session file is private, has one writer, and says what it had to leave out."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from floydtop.errors import FloydtopError
from floydtop.events import Event, Gap, Metrics, Note, Present
from floydtop.session import writer as writing
from floydtop.session.format import Reader
from floydtop.session.writer import (
    SessionWriter,
    is_being_recorded,
    present_path,
    read_present,
    remove_present,
    write_present,
)
from tests.session import samples


def read(path: Path) -> list[Event]:
    return Reader().feed(path.read_bytes())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "floydtop" / "sessions" / "run.jsonl"


def test_a_session_is_for_its_owner_only(path: Path) -> None:
    before = os.umask(0)
    try:
        SessionWriter(path).close()
        write_present(path, Present(t=0.0))
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert present_path(path).stat().st_mode & 0o777 == 0o600


def test_a_symbolic_link_is_not_followed(path: Path, tmp_path: Path) -> None:
    precious = tmp_path / "precious.txt"
    precious.write_text("mine")
    path.parent.mkdir(parents=True)
    path.symlink_to(precious)
    with pytest.raises(FloydtopError, match="Cannot write the session"):
        SessionWriter(path)
    assert precious.read_text() == "mine"


def test_the_present_is_not_written_through_a_symbolic_link(path: Path, tmp_path: Path) -> None:
    precious = tmp_path / "precious.txt"
    precious.write_text("mine")
    SessionWriter(path).close()
    path.with_suffix(".now~").symlink_to(precious)
    write_present(path, Present(t=0.0))
    assert precious.read_text() == "mine"


def test_a_second_recorder_is_refused(path: Path) -> None:
    writer = SessionWriter(path)
    with pytest.raises(FloydtopError, match="Another recorder already writes"):
        SessionWriter(path)
    writer.close()
    SessionWriter(path).close()


def test_a_file_tells_whether_it_is_being_recorded(path: Path) -> None:
    assert not is_being_recorded(path)
    writer = SessionWriter(path)
    assert is_being_recorded(path)
    writer.close()
    assert not is_being_recorded(path)


def test_a_killed_recorder_lets_go_of_the_file(path: Path) -> None:
    source = (
        "import sys, pathlib\n"
        "from floydtop.session.writer import SessionWriter\n"
        "writer = SessionWriter(pathlib.Path(sys.argv[1]))\n"
        "print('holding', flush=True)\n"
        "sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", source, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "holding\n"
        assert is_being_recorded(path)
        child.send_signal(signal.SIGKILL)
        child.wait()
    assert not is_being_recorded(path)


def test_events_are_in_the_file_when_append_returns(path: Path) -> None:
    writer = SessionWriter(path)
    writer.append([Note(t=1.0, text="first")], now=1.0)
    assert read(path) == [Note(t=1.0, text="first")]
    writer.append([Note(t=2.0, text="second"), Note(t=3.0, text="third")], now=3.0, sync=True)
    assert len(read(path)) == 3
    writer.close()


def test_nothing_acknowledged_is_lost_when_the_writer_is_killed(path: Path) -> None:
    source = (
        "import sys, pathlib\n"
        "from floydtop.events import Note\n"
        "from floydtop.session.writer import SessionWriter\n"
        "writer = SessionWriter(pathlib.Path(sys.argv[1]))\n"
        "for number in range(10**9):\n"
        "    writer.append([Note(t=number, text='x' * 100)], now=number)\n"
        "    print(number, flush=True)\n"
    )
    with subprocess.Popen([sys.executable, "-c", source, path], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        for line in child.stdout:
            if int(line) >= 2_000:
                child.kill()
                break
        acknowledged = [2_000, *map(int, child.stdout)][-1]
    reader = Reader()
    events = reader.feed(path.read_bytes())
    assert len(events) >= acknowledged + 1
    assert (reader.damaged, reader.torn) == (0, False)


def test_a_torn_tail_is_mended_before_more_is_written(path: Path) -> None:
    path.parent.mkdir(parents=True)
    whole = samples.as_bytes([samples.header(), Note(t=1.0, text="kept")])
    path.write_bytes(whole + b'{"k":"a","t":2,"x":"half of')
    writer = SessionWriter(path)
    writer.append([samples.header(segment=1)], now=0.0)
    writer.close()
    reader = Reader()
    events = reader.feed(path.read_bytes())
    assert events[:2] == [samples.header(), Note(t=1.0, text="kept")]
    assert events[2:] == [samples.header(segment=1)]
    assert reader.damaged == 1


def test_a_full_disk_is_counted_as_a_gap_once_there_is_room() -> None:
    # A limit on the size of files refuses writes just as a full disk does; in a process of its own,
    # as the limit is for all files of a process.
    subprocess.run([sys.executable, "-c", FULL_DISK], check=True, timeout=30)


FULL_DISK = """
import pathlib, resource, tempfile
from floydtop.events import Gap, Note
from floydtop.session import writer as writing
from floydtop.session.format import Reader
from floydtop.session.writer import SessionWriter

with tempfile.TemporaryDirectory() as folder:
    path = pathlib.Path(folder) / "run.jsonl"
    writer = SessionWriter(path)
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    for number in range(100):
        writer.append([Note(t=number, text="some words")], now=number)
    lost = writer.lost
    assert 0 < lost < 100
    kept = Reader().feed(path.read_bytes())
    assert kept == [Note(t=number, text="some words") for number in range(100 - lost)], "no torn line"
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    writer.append([Note(t=200.0, text="there is room again")], now=200.0)
    writer.append([Note(t=201.0, text="all is well")], now=201.0)
    writer.close()
    reader = Reader()
    *_, gap, again, well = reader.feed(path.read_bytes())
    assert gap == Gap(t=200.0, lost=lost, why="File too large", since=100.0 - lost), gap
    assert (again.text, well.text) == ("there is room again", "all is well")
    assert reader.damaged == 0
"""


def test_half_a_write_is_taken_back(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = SessionWriter(path)
    writer.append([Note(t=0.0, text="whole")], now=0.0)
    write = os.write
    half = iter([True])

    def fill_up(fd: int, data: memoryview) -> int:
        if next(half, False):
            return write(fd, data[: len(data) // 2])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "write", fill_up)
    writer.append([Note(t=1.0, text="a"), Note(t=1.0, text="b")], now=1.0)
    monkeypatch.undo()
    writer.append([Note(t=2.0, text="c")], now=2.0)
    writer.close()
    assert read(path) == [
        Note(t=0.0, text="whole"),
        Gap(t=2.0, lost=2, why="No space left on device", since=1.0),
        Note(t=2.0, text="c"),
    ]


def test_what_is_no_file_is_refused_and_not_waited_for(path: Path) -> None:
    path.parent.mkdir(parents=True)
    os.mkfifo(path)
    for other in (path, Path(os.devnull)):
        with pytest.raises(FloydtopError, match="it is no file"):
            SessionWriter(other)


def test_a_session_that_was_deleted_is_written_no_more(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = SessionWriter(path)
    writer.append([Note(t=0.0, text="here")], now=0.0)
    shutil.rmtree(path.parent)
    monkeypatch.setattr(writing, "SYNC_EVERY", 0.0)
    writer.append([Note(t=1.0, text="nowhere")], now=1.0)
    assert writer.gone == "the session was deleted"
    writer.sync()
    writer.close()
    assert not path.parent.exists()


def test_a_session_that_was_moved_is_written_on(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = SessionWriter(path)
    monkeypatch.setattr(writing, "SYNC_EVERY", 0.0)
    path.rename(path.with_name("other.jsonl"))
    writer.append([Note(t=1.0, text="here")], now=1.0)
    assert writer.gone == ""
    writer.close()
    assert read(path.with_name("other.jsonl")) == [Note(t=1.0, text="here")]


def test_a_folder_that_cannot_be_made_is_told_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FloydtopError, match=os.strerror(errno.ENOTDIR)):
        SessionWriter(tmp_path / "file" / "sessions" / "run.jsonl")


def test_the_present_is_read_as_it_was_written(path: Path) -> None:
    SessionWriter(path).close()
    present = Present(t=3.0, values={"cpu.percent": 50.0}, metrics=[Metrics(values={"loss": 0.5}, epoch=2.0)])
    write_present(path, present)
    assert read_present(path) == present
    remove_present(path)
    assert read_present(path) is None
    remove_present(path)


def test_a_running_value_that_is_no_number_is_left_out_of_the_present(path: Path) -> None:
    SessionWriter(path).close()
    running = Metrics(values={"loss": float("nan"), "best": float("-inf"), "acc": 0.5})
    write_present(path, Present(t=0.0, values={"cpu.percent": float("nan")}, metrics=[running]))
    found = read_present(path)
    assert found is not None
    assert found.values == {}
    assert found.metrics[0].values == {"acc": 0.5}


def test_a_broken_present_is_none(path: Path) -> None:
    path.parent.mkdir(parents=True)
    for junk in (b"", b"{", b"\xff", b"[]", b'{"t":"now"}', msgspec.json.encode({"t": None})):
        present_path(path).write_bytes(junk)
        assert read_present(path) is None


def test_a_present_that_cannot_be_written_is_no_error(path: Path) -> None:
    write_present(path, Present(t=0.0))
    assert read_present(path) is None


def metrics(first: int, last: int) -> list[Event]:
    return [Metrics(values={"loss": 1.0}, step=step) for step in range(first, last)]


def written(path: Path) -> tuple[list[int | None], list[Gap]]:
    reader = Reader()
    events = reader.feed(path.read_bytes())
    assert reader.damaged == 0
    steps = [event.step for event in events if isinstance(event, Metrics)]
    return steps, [event for event in events if isinstance(event, Gap)]


def test_what_a_network_disk_took_and_could_not_keep_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """NFS and sshfs take bytes and say only at the next sync that there was no room for them."""
    path = tmp_path / "run.jsonl"
    writer = SessionWriter(path)
    writer.append(metrics(0, 10), now=1.0, sync=True)
    writer.append(metrics(10, 20), now=2.0)
    with monkeypatch.context() as full:
        full.setattr(os, "fdatasync", refuse)
        writer.append(metrics(20, 30), now=3.0)
        writer.sync()
        writer.append(metrics(30, 40), now=4.0)
        writer.sync()
    writer.append(metrics(40, 50), now=5.0)
    writer.close()
    steps, gaps = written(path)
    assert steps == [*range(10), *range(40, 50)]
    assert [(gap.lost, gap.since, gap.why) for gap in gaps] == [(30, 2.0, "No space left on device")]


def test_an_error_of_a_network_disk_may_be_that_of_an_earlier_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "run.jsonl"
    monkeypatch.setattr("floydtop.session.writer.is_remote", lambda _: True)
    writer = SessionWriter(path)
    writer.append(metrics(0, 10), now=1.0, sync=True)
    writer.append(metrics(10, 20), now=2.0)
    with monkeypatch.context() as full:
        full.setattr(os, "write", refuse)
        writer.append(metrics(20, 30), now=3.0)
    writer.append(metrics(30, 40), now=4.0)
    writer.close()
    steps, gaps = written(path)
    assert steps == [*range(10), *range(30, 40)]
    assert [(gap.lost, gap.since) for gap in gaps] == [(20, 2.0)]


def test_a_file_system_that_cannot_sync_keeps_what_it_took(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "run.jsonl"

    def none(_: int) -> None:
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))

    monkeypatch.setattr(os, "fdatasync", none)
    writer = SessionWriter(path)
    writer.append(metrics(0, 10), now=1.0, sync=True)
    writer.close()
    assert written(path) == ([*range(10)], [])


def refuse(*_: object) -> int:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
