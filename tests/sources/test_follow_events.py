"""Following a real file through everything that happens to logs, woken by the kernel and by polling alone."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from floydtop.errors import FloydtopError
from floydtop.sources import growing
from floydtop.sources.chunks import Chunk, Idle, Item, Restart
from floydtop.sources.follow import follow
from tests.sources.jobs import Jobs, jobs, needs

__all__ = ["jobs"]


class Follower:
    """Follows a log in the background and keeps what was read."""

    def __init__(self, log: Path, watch: bool = True, **options: object) -> None:
        self.log = log
        self.items: list[Item] = []
        self._contents: list[list[bytes]] = [[]]
        self.stop = asyncio.Event()
        self._task = asyncio.ensure_future(
            self._run(follow(str(log), stop=self.stop, watch=watch, **options))
        )

    async def _run(self, items: AsyncIterator[Item]) -> None:
        async for item in items:
            self.items.append(item)
            if isinstance(item, Restart):
                self._contents.append([])
            elif isinstance(item, Chunk):
                self._contents[-1].append(item.data)

    @property
    def contents(self) -> list[bytes]:
        """What was read, one content for each restart."""
        return [b"".join(parts) for parts in self._contents]

    @property
    def reasons(self) -> list[str]:
        return [item.reason for item in self.items if isinstance(item, Restart)]

    async def until(self, condition: Callable[[], object], seconds: float = 20) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            if self._task.done():
                self._task.result()
                assert condition(), f"the follower ended with {self.contents}"
            assert time.monotonic() < deadline, f"only {self.contents} came"
            await asyncio.sleep(0.005)

    async def shows(self, *contents: bytes) -> None:
        await self.until(lambda: self.contents == list(contents))

    async def end(self) -> None:
        self.stop.set()
        await asyncio.wait_for(self._task, 20)


Start = Callable[..., Follower]


@pytest.fixture(params=["inotify", "polling"])
async def start(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Start]:
    """Starts followers; for the kernel's wake-ups alone the step is set so long that it cannot help."""
    polling = request.param == "polling"
    monkeypatch.setattr(growing, "STEP_SECONDS", 0.02 if polling else 60)
    started: list[Follower] = []

    def one(**options: object) -> Follower:
        started.append(Follower(tmp_path / "train.log", watch=not polling, **options))
        return started[-1]

    yield one
    for follower in started:
        await follower.end()


def append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


async def test_appended_lines_come_as_they_are_written(start: Start, tmp_path: Path) -> None:
    log = tmp_path / "train.log"
    log.write_bytes(b"one\n")
    follower = start()
    await follower.shows(b"one\n")
    append(log, b"two\nthr")
    await follower.shows(b"one\ntwo\nthr")
    append(log, b"ee\n")
    await follower.shows(b"one\ntwo\nthree\n")


async def test_what_was_there_before_is_marked_as_history(start: Start, tmp_path: Path) -> None:
    log = tmp_path / "train.log"
    log.write_bytes(b"old\n" * 1000)
    follower = start()
    await follower.until(lambda: any(isinstance(item, Idle) for item in follower.items))
    append(log, b"new\n")
    await follower.until(lambda: follower.contents[0].endswith(b"new\n"))
    chunks = [item for item in follower.items if isinstance(item, Chunk)]
    assert b"".join(chunk.data for chunk in chunks if chunk.history) == b"old\n" * 1000
    assert {chunk.history_size for chunk in chunks} == {4000}
    assert chunks[-1].data == b"new\n"
    assert (chunks[-1].history, chunks[-1].offset) == (False, 4000)


async def test_an_empty_log_says_that_there_is_nothing_yet(start: Start, tmp_path: Path) -> None:
    (tmp_path / "train.log").touch()
    follower = start()
    await follower.until(lambda: follower.items == [Idle()])


async def test_a_log_that_is_not_there_yet_is_waited_for(start: Start, tmp_path: Path) -> None:
    follower = start()
    await follower.until(lambda: follower.items == [Idle(missing=True)])
    append(tmp_path / "train.log", b"first\n")
    await follower.shows(b"first\n")
    assert not any(item.history for item in follower.items if isinstance(item, Chunk))


async def test_a_truncated_log_is_read_from_its_start(start: Start, tmp_path: Path) -> None:
    log = tmp_path / "train.log"
    log.write_bytes(b"old line\n" * 10)
    follower = start()
    await follower.shows(b"old line\n" * 10)
    log.write_bytes(b"new\n")
    await follower.shows(b"old line\n" * 10, b"new\n")
    append(log, b"more\n")
    await follower.shows(b"old line\n" * 10, b"new\nmore\n")


async def test_a_log_truncated_and_refilled_beyond_its_old_size_loses_no_line(
    start: Start, tmp_path: Path
) -> None:
    log = tmp_path / "train.log"
    old = b"".join(b"old %d\n" % number for number in range(50))
    new = b"".join(b"new %d\n" % number for number in range(200))
    log.write_bytes(old)
    follower = start()
    await follower.shows(old)
    log.write_bytes(new)
    await follower.shows(old, new)
    assert follower.reasons == ["the log was rewritten"]


async def test_copytruncate_under_a_writer_that_appends(start: Start, tmp_path: Path) -> None:
    log = tmp_path / "train.log"
    with log.open("ab", buffering=0) as writer:
        writer.write(b"before\n" * 20)
        follower = start()
        await follower.shows(b"before\n" * 20)
        os.truncate(log, 0)
        writer.write(b"after\n")
        await follower.shows(b"before\n" * 20, b"after\n")


async def test_copytruncate_under_a_writer_that_does_not_append_leaves_a_hole_that_is_passed_over(
    start: Start, tmp_path: Path
) -> None:
    log = tmp_path / "train.log"
    with log.open("wb", buffering=0) as writer:
        writer.write(b"before\n" * 20)
        follower = start()
        await follower.shows(b"before\n" * 20)
        os.truncate(log, 0)
        writer.write(b"after\n")
        await follower.until(lambda: follower.contents[-1].endswith(b"after\n"))
        writer.write(b"more\n")
        await follower.until(lambda: follower.contents[-1].endswith(b"more\n"))
    assert [content.lstrip(b"\0") for content in follower.contents] == [b"before\n" * 20, b"after\nmore\n"]


async def test_a_renamed_log_is_read_to_its_end_before_the_new_one_is_begun(
    start: Start, tmp_path: Path
) -> None:
    log = tmp_path / "train.log"
    log.write_bytes(b"one\n")
    follower = start()
    await follower.shows(b"one\n")
    log.rename(tmp_path / "train.log.1")
    append(tmp_path / "train.log.1", b"late\n")
    log.touch()
    append(tmp_path / "train.log.1", b"later still\n")
    await follower.shows(b"one\nlate\nlater still\n")
    append(log, b"two\n")
    await follower.shows(b"one\nlate\nlater still\n", b"two\n")
    assert follower.reasons == ["the log was rotated"]


async def test_a_log_that_was_deleted_and_created_again(start: Start, tmp_path: Path) -> None:
    log = tmp_path / "train.log"
    log.write_bytes(b"one\n")
    follower = start()
    await follower.shows(b"one\n")
    log.unlink()
    await follower.until(lambda: follower.items[-1] == Idle(missing=True))
    append(log, b"two\n")
    await follower.shows(b"one\n", b"two\n")
    assert follower.reasons == ["the log was deleted and created again"]


async def test_a_log_that_is_gone_for_good_is_still_followed_by_its_inode(
    start: Start, tmp_path: Path
) -> None:
    log = tmp_path / "train.log"
    with log.open("wb", buffering=0) as writer:
        writer.write(b"one\n")
        follower = start()
        await follower.shows(b"one\n")
        log.unlink()
        writer.write(b"two\n")
        await follower.shows(b"one\ntwo\n")
        await follower.until(lambda: Idle(missing=True) in follower.items)


async def test_a_link_that_is_turned_to_the_next_run(start: Start, tmp_path: Path) -> None:
    (tmp_path / "run1").write_bytes(b"first run\n")
    (tmp_path / "run2").write_bytes(b"second run\n")
    (tmp_path / "train.log").symlink_to("run1")
    follower = start()
    await follower.shows(b"first run\n")
    (tmp_path / "next").symlink_to("run2")
    (tmp_path / "next").rename(tmp_path / "train.log")
    await follower.shows(b"first run\n", b"second run\n")


async def test_a_sparse_log_of_two_gibibytes_is_read_at_once(start: Start, tmp_path: Path) -> None:
    log = tmp_path / "train.log"
    size = 2 << 30
    with log.open("wb") as file:
        file.write(b"first\n")
        file.seek(size)
        file.write(b"last\n")
    follower = start()
    await follower.until(lambda: follower.contents[0].endswith(b"last\n"))
    assert follower.contents[0].replace(b"\0", b"") == b"first\nlast\n"
    assert len(follower.contents[0]) < 1 << 22
    last = [item for item in follower.items if isinstance(item, Chunk)][-1]
    assert last.offset + len(last.data) == size + 5


async def test_zero_bytes_at_the_end_wait_until_the_text_is_there(start: Start, tmp_path: Path) -> None:
    """As a network file system shows them while another host's bytes are on their way."""
    log = tmp_path / "train.log"
    log.write_bytes(b"one\n" + bytes(4096))
    follower = start()
    await follower.shows(b"one\n")
    with log.open("r+b") as file:
        file.seek(4)
        file.write(b"two\n" * 1024)
    await follower.shows(b"one\n" + b"two\n" * 1024)
    assert follower.reasons == []


async def test_a_log_read_before_is_taken_up_where_it_was_left(start: Start, tmp_path: Path) -> None:
    log = tmp_path / "train.log"
    log.write_bytes(b"read\nnew\n")
    follower = start(offset=5, before=b"read\n")
    await follower.shows(b"new\n")
    assert follower.reasons == []


async def test_a_log_read_before_that_holds_something_else_now_is_read_from_its_start(
    start: Start, tmp_path: Path
) -> None:
    log = tmp_path / "train.log"
    log.write_bytes(b"another run\n")
    follower = start(offset=5, before=b"read\n")
    await follower.shows(b"", b"another run\n")


async def test_a_log_shorter_than_where_it_was_left_is_read_from_its_start(
    start: Start, tmp_path: Path
) -> None:
    log = tmp_path / "train.log"
    log.write_bytes(b"short\n")
    follower = start(offset=1000)
    await follower.shows(b"", b"short\n")


async def test_the_bytes_written_just_before_the_stop_are_read(start: Start, tmp_path: Path) -> None:
    log = tmp_path / "train.log"
    log.write_bytes(b"one\n")
    follower = start()
    await follower.shows(b"one\n")
    append(log, b"last words" * 300_000 + bytes(20))
    await follower.end()
    assert follower.contents == [b"one\n" + b"last words" * 300_000 + bytes(20)]


async def test_a_deleted_log_is_read_through_the_process_that_holds_it(jobs: Jobs) -> None:
    pid = jobs.start("$PY train.py > out.log")
    log = jobs.directory / "out.log"
    while not log.stat().st_size:
        await asyncio.sleep(0.01)
    log.unlink()
    follower = Follower(log, fd_path=f"/proc/{pid}/fd/1")
    await follower.until(lambda: follower.contents[0].count(b"\n") > 30)
    assert follower.contents[0].startswith(b'{"metric": "loss", "value": 1.000, "step": 0}\n')
    jobs.end()
    await follower.until(lambda: Idle(missing=True) in follower.items)
    await follower.end()


async def test_two_writers_that_overwrite_each_other_do_not_start_the_log_anew(
    start: Start, tmp_path: Path
) -> None:
    """As `train.py > train.log 2> train.log` does: each stream has a position of its own."""
    log = tmp_path / "train.log"
    with log.open("wb", buffering=0) as output, log.open("r+b", buffering=0) as errors:
        output.write(b"".join(b"step %d\n" % step for step in range(5000)))
        follower = start()
        await follower.until(lambda: follower.contents[0].endswith(b"step 4999\n"))
        errors.seek(-30, os.SEEK_END)
        for step in range(5000, 5010):
            errors.write(b"!")
            output.write(b"step %d\n" % step)
            await follower.until(lambda step=step: follower.contents[-1].endswith(b"step %d\n" % step))
    assert follower.reasons == []


@pytest.mark.parametrize("watch", [True, False], ids=["inotify", "polling"])
async def test_a_log_rotated_several_times_between_two_looks_loses_no_line(jobs: Jobs, watch: bool) -> None:
    """A real writer that renames its log every 0.2 s; polling looks once a second."""
    jobs.program.write_text(
        "import logging, logging.handlers, os, time\n"
        "handler = logging.handlers.RotatingFileHandler('out.log', maxBytes=600, backupCount=100)\n"
        "logger = logging.getLogger(); logger.addHandler(handler)\n"
        "open('pid.new', 'w').write(str(os.getpid())); os.rename('pid.new', 'pid')\n"
        "for step in range(600):\n"
        "    logger.warning('step %06d', step); time.sleep(0.004)\n"
        "time.sleep(100)\n"
    )
    follower = Follower(jobs.directory / "out.log", watch=watch)
    jobs.start("exec $PY train.py")
    await follower.until(lambda: follower.contents[-1].endswith(b"step 000599\n"))
    await follower.end()
    lines = b"".join(follower.contents).splitlines()
    assert lines == [b"step %06d" % step for step in range(600)]


async def test_a_copy_that_somebody_made_of_the_log_is_not_read_as_part_of_it(
    start: Start, tmp_path: Path
) -> None:
    log = tmp_path / "train.log"
    log.write_bytes(b"one\n")
    follower = start()
    await follower.shows(b"one\n")
    (tmp_path / "train.log.copy").write_bytes(b"one\n")
    await asyncio.sleep(0.05)
    append(log, b"two\n")
    await follower.shows(b"one\ntwo\n")
    log.rename(tmp_path / "train.log.1")
    append(log, b"three\n")
    await follower.shows(b"one\ntwo\n", b"three\n")


@needs("tee")
async def test_a_job_killed_in_the_middle_leaves_every_byte(jobs: Jobs) -> None:
    jobs.start("$PY train.py 2>&1 | tee out.log")
    log = jobs.directory / "out.log"
    follower = Follower(log)
    await follower.until(lambda: follower.contents[0].count(b"\n") > 20)
    jobs.end()
    await follower.end()
    assert follower.contents == [log.read_bytes()]


async def test_a_log_that_may_not_be_read_is_an_error_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "loop.log").symlink_to("loop.log")
    with pytest.raises(FloydtopError, match=r"cannot be read"):
        await anext(follow(str(tmp_path / "loop.log"), stop=lambda: False))


async def test_a_callable_ends_the_following_too(tmp_path: Path) -> None:
    log = tmp_path / "train.log"
    log.write_bytes(b"all\n")
    items = [item async for item in follow(str(log), stop=lambda: True)]
    assert items == [Chunk(b"all\n", 0, True, 4), Idle()]


async def test_leaving_early_frees_every_descriptor(tmp_path: Path) -> None:
    log = tmp_path / "train.log"
    log.write_bytes(b"all\n")
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        items = follow(str(log), stop=asyncio.Event())
        await anext(items)
        await items.aclose()
    assert len(os.listdir("/proc/self/fd")) <= before


async def test_an_inotify_limit_reached_leaves_the_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All instances of the user are taken, as on a machine with many editors open: a process of its own."""
    program = (
        "import asyncio, ctypes, resource, sys\n"
        "from floydtop.sources.follow import Chunk, follow\n"
        "libc = ctypes.CDLL(None)\n"
        "held = []\n"
        "while (fd := libc.inotify_init()) >= 0: held.append(fd)\n"
        "async def main():\n"
        "    async for item in follow(sys.argv[1], stop=lambda: False):\n"
        "        if isinstance(item, Chunk): print(item.data.decode(), end='', flush=True)\n"
        "asyncio.run(main())\n"
    )
    log = tmp_path / "train.log"
    log.write_bytes(b"one\n")
    reader = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        program,
        str(log),
        stdout=subprocess.PIPE,
        env=dict(os.environ, PYTHONPATH=os.getcwd()),
    )
    assert reader.stdout is not None
    assert await reader.stdout.readline() == b"one\n"
    append(log, b"two\n")
    assert await reader.stdout.readline() == b"two\n"
    reader.kill()
    await reader.wait()
