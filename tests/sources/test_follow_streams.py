"""Logs that are no plain files: FIFOs, pipes, gzip."""

from __future__ import annotations

import asyncio
import gzip
import os
from pathlib import Path

import pytest

from floydtop.errors import FloydtopError
from floydtop.sources.chunks import Chunk, Idle
from floydtop.sources.finished import read_all
from floydtop.sources.stream import follow_descriptor
from tests.sources.jobs import Jobs, jobs
from tests.sources.test_follow_events import Follower

__all__ = ["jobs"]


async def test_a_fifo_gives_what_one_job_after_the_other_writes(tmp_path: Path) -> None:
    fifo = tmp_path / "train.fifo"
    os.mkfifo(fifo)
    follower = Follower(fifo)
    await follower.until(lambda: Idle() in follower.items)
    for word in (b"first\n", b"second\n"):
        writer = await asyncio.to_thread(os.open, fifo, os.O_WRONLY)
        os.write(writer, word)
        await follower.until(lambda word=word: follower.contents[0].endswith(word))
        os.close(writer)
    await follower.end()
    assert follower.contents == [b"first\nsecond\n"]


async def test_a_job_that_prints_to_a_fifo_is_not_held_up(jobs: Jobs) -> None:
    fifo = jobs.directory / "train.fifo"
    os.mkfifo(fifo)
    jobs.program.write_text(
        "import sys\nfor line in range(100000): print('line', line)\nopen('done', 'w').close()\n"
    )
    follower = Follower(fifo)
    jobs.start("$PY train.py > train.fifo", wait=False)
    await follower.until((jobs.directory / "done").exists)
    await follower.end()
    assert follower.contents[0].splitlines() == [b"line %d" % line for line in range(100000)]


async def test_a_pipe_is_read_to_its_end_and_closed() -> None:
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    os.write(writer, b"all of it\n")
    os.close(writer)
    items = [item async for item in follow_descriptor(reader, stop=asyncio.Event())]
    assert items == [Chunk(b"all of it\n", 0), Idle()]
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(reader)


async def test_what_is_in_a_pipe_when_the_stop_comes_is_read() -> None:
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    os.write(writer, b"last words\n")
    stop = asyncio.Event()
    stop.set()
    items = [item async for item in follow_descriptor(reader, stop=stop, offset=7)]
    assert items == [Chunk(b"last words\n", 7), Idle()]
    os.close(writer)


async def test_a_gzip_log_is_followed_unpacked(tmp_path: Path) -> None:
    log = tmp_path / "train.log.gz"
    log.write_bytes(gzip.compress(b"loss: 1\n" * 500_000))
    follower = Follower(log)
    await follower.until(lambda: Idle() in follower.items)
    await follower.end()
    assert follower.contents == [b"loss: 1\n" * 500_000]
    assert {item.history_size for item in follower.items if isinstance(item, Chunk)} == {4_000_000}


@pytest.mark.parametrize("watch", [True, False], ids=["inotify", "polling"])
async def test_a_gzip_log_that_grows_is_followed_as_it_is_packed(tmp_path: Path, watch: bool) -> None:
    log = tmp_path / "train.log.gz"
    text = b"".join(b"loss: %d\n" % number for number in range(50_000))
    packed = gzip.compress(text) + gzip.compress(b"a second member\n")
    log.write_bytes(packed[:30_000])
    follower = Follower(log, watch=watch)
    await follower.until(lambda: Idle() in follower.items)
    begun = b"".join(follower.contents)
    assert text.startswith(begun)
    assert len(begun) > 50_000
    assert {item.history_size for item in follower.items if isinstance(item, Chunk)} <= {0}
    for start in range(30_000, len(packed), 20_000):
        with log.open("ab") as file:
            file.write(packed[start : start + 20_000])
    await follower.until(lambda: b"".join(follower.contents) == text + b"a second member\n")
    await follower.end()


async def test_a_gzip_log_that_is_rotated_is_unpacked_anew(tmp_path: Path) -> None:
    log = tmp_path / "train.log.gz"
    log.write_bytes(gzip.compress(b"the first run\n"))
    follower = Follower(log)
    await follower.until(lambda: Idle() in follower.items)
    log.rename(tmp_path / "train.log.1.gz")
    log.write_bytes(gzip.compress(b"the second run\n"))
    await follower.until(lambda: follower.contents == [b"the first run\n", b"the second run\n"])
    await follower.end()


def whole(path: Path) -> bytes:
    return b"".join(chunk.data for chunk in read_all(str(path)))


def test_members_of_a_gzip_log_are_one_log(tmp_path: Path) -> None:
    log = tmp_path / "train.log.gz"
    log.write_bytes(gzip.compress(b"one\n") + gzip.compress(b"two\n"))
    assert whole(log) == b"one\ntwo\n"


def test_a_gzip_log_that_is_still_being_written_gives_what_is_there(tmp_path: Path) -> None:
    log = tmp_path / "train.log.gz"
    text = b"".join(b"loss: %d\n" % number for number in range(100_000))
    log.write_bytes(gzip.compress(text)[:-5000])
    found = whole(log)
    assert text.startswith(found)
    assert len(found) > 500_000


def test_a_gzip_bomb_comes_in_bounded_blocks(tmp_path: Path) -> None:
    log = tmp_path / "bomb.gz"
    log.write_bytes(gzip.compress(bytes(64 << 20)))
    sizes = [len(chunk.data) for chunk in read_all(str(log))]
    assert sum(sizes) == 64 << 20
    assert max(sizes) <= 1 << 20


def test_a_finished_log_is_read_whole_with_its_offsets(tmp_path: Path) -> None:
    log = tmp_path / "train.log"
    text = b"".join(b"loss: %d\n" % number for number in range(300_000))
    log.write_bytes(text)
    chunks = list(read_all(str(log)))
    assert b"".join(chunk.data for chunk in chunks) == text
    assert [chunk.offset for chunk in chunks] == [number << 20 for number in range(len(chunks))]


def test_holes_of_a_finished_log_are_passed_over(tmp_path: Path) -> None:
    log = tmp_path / "train.log"
    with log.open("wb") as file:
        file.write(b"first\n")
        file.seek(1 << 31)
        file.write(b"last\n")
        file.truncate(1 << 32)
    found = whole(log)
    assert found.replace(b"\0", b"") == b"first\nlast\n"
    assert len(found) < 1 << 22


def test_a_log_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FloydtopError, match="No such file"):
        whole(tmp_path / "none.log")
