"""Full disks, broken disks, signals: monitoring goes on, and what is missing is counted."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from floydtop.events import End, Event, Gap, Header, Metrics, Note
from floydtop.recorder.assignment import Assignment
from floydtop.recorder.detach import Starting
from floydtop.session.format import Reader
from floydtop.session.library import look_at
from floydtop.session.owner import start_of
from floydtop.session.place import fallback_dir, sessions_dir, writable_path
from floydtop.session.writer import is_being_recorded
from tests.recorder.jobs import Job, job, until

ROOT = os.geteuid() == 0


@pytest.fixture
def child(tmp_path: Path) -> Iterator[Job]:
    with job(tmp_path / "train.log") as running:
        yield running


@contextmanager
def tmpfs(folder: Path, options: str) -> Iterator[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"LOUD: no tmpfs can be mounted here: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def readable(session: Path) -> tuple[list[Event], Reader]:
    reader = Reader()
    return reader.feed(session.read_bytes()), reader


def points(session: Path) -> list[int | None]:
    return [one.step for one in readable(session)[0] if isinstance(one, Metrics)]


def start(session: Path, child: Job) -> int:
    Starting(Assignment(session, child.pid, str(child.log), interval=1.0)).wait()
    recording = look_at(session)
    assert recording is not None
    return recording.header.recorder


needs_root = pytest.mark.skipif(not ROOT, reason="LOUD: mounting a tmpfs needs root")


@needs_root
def test_a_full_disk_stops_neither_the_recorder_nor_the_count(tmp_path: Path, child: Job) -> None:
    with tmpfs(tmp_path / "small", "size=256k") as folder:
        session = folder / "run.jsonl"
        start(session, child)
        (folder / "ballast").write_bytes(bytes(100 << 10))
        text = '{"metric": "loss", "value": 1, "step": %d}'
        child.do(f"for n in range(3000): print({text!r} % n); sys.stdout.flush()")
        child.do("print('done', flush=True)")
        until(lambda: "done" in child.log.read_text())
        time.sleep(2.0)  # for the recorder to be refused: nothing shows that
        (folder / "ballast").unlink()
        child.metric("loss", 0.5, 5_000)
        until(lambda: 5_000 in points(session))
        child.process.kill()
        until(lambda: not is_being_recorded(session))
        events, reader = readable(session)
    steps = [one.step for one in events if isinstance(one, Metrics)]
    gaps = [one for one in events if isinstance(one, Gap)]
    assert reader.damaged == 0
    assert gaps
    assert all("No space left" in gap.why for gap in gaps)
    assert sum(gap.lost for gap in gaps) >= 3_001 - len(steps) > 0
    assert steps == sorted(set(steps), key=lambda step: step or 0)
    assert isinstance(events[-1], End)


@needs_root
def test_a_session_folder_that_is_read_only_is_replaced_and_told(tmp_path: Path) -> None:
    with tmpfs(sessions_dir(), "ro"):
        path, note = writable_path("host", 1)
        assert path.parent == fallback_dir()
        assert note is not None
        assert "Read-only" in note
        assert path.parent.stat().st_mode & 0o777 == 0o700


@needs_root
def test_a_session_folder_that_is_full_is_replaced_and_told(tmp_path: Path) -> None:
    with tmpfs(sessions_dir(), "size=16k"):
        (sessions_dir() / "ballast").write_bytes(bytes(12 << 10))
        path, note = writable_path("host", 1)
        assert path.parent == fallback_dir()
        assert note is not None
        assert "No space" in note


def test_a_folder_that_somebody_else_may_write_is_not_used() -> None:
    sessions_dir().parent.mkdir(parents=True)
    sessions_dir().write_text("a file in its place")
    fallback_dir().mkdir(parents=True)
    fallback_dir().chmod(0o777)
    with pytest.raises(Exception, match="others can write there"):
        writable_path("host", 1)


SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <string.h>
#include <stdio.h>
#include <unistd.h>
ssize_t write(int fd, const void *data, size_t size) {
    static ssize_t (*real)(int, const void *, size_t);
    char link[64], path[4096];
    if (!real) real = dlsym(RTLD_NEXT, "write");
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length > 6) {
        path[length] = 0;
        if (!strcmp(path + length - 6, ".jsonl") && access("@BROKEN@", F_OK) == 0) {
            errno = EIO;
            return -1;
        }
    }
    return real(fd, data, size);
}
"""


@pytest.mark.skipif(shutil.which("cc") is None, reason="LOUD: no C compiler to build the EIO shim with")
def test_a_disk_with_errors_is_survived_and_the_gap_counted(
    tmp_path: Path, child: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, session = tmp_path / "broken", sessions_dir() / "run.jsonl"
    source = tmp_path / "shim.c"
    source.write_text(SHIM.replace("@BROKEN@", str(broken)))
    subprocess.run(
        ["cc", "-shared", "-fPIC", "-o", tmp_path / "shim.so", source, "-ldl"],
        check=True,
        capture_output=True,
    )
    monkeypatch.setenv("LD_PRELOAD", str(tmp_path / "shim.so"))
    start(session, child)
    monkeypatch.delenv("LD_PRELOAD")
    child.metric("loss", 1.0, 1)
    until(lambda: 1 in points(session))
    broken.touch()
    child.metric("loss", 1.0, 2)
    until(lambda: child.log.read_text().count("\n") == 2)
    time.sleep(1.5)
    broken.unlink()
    child.metric("loss", 1.0, 3)
    until(lambda: 3 in points(session))
    events, reader = readable(session)
    gaps = [one for one in events if isinstance(one, Gap)]
    assert (points(session), reader.damaged) == ([1, 3], 0)
    assert sum(gap.lost for gap in gaps) >= 1
    assert "Input/output error" in gaps[0].why


def test_a_recorder_that_is_stopped_goes_on_where_it_was(child: Job) -> None:
    session = sessions_dir() / "run.jsonl"
    recorder = start(session, child)
    child.metric("loss", 1.0, 1)
    until(lambda: 1 in points(session))
    os.kill(recorder, signal.SIGSTOP)
    for step in range(2, 50):
        child.metric("loss", 1.0, step)
    os.kill(recorder, signal.SIGCONT)
    until(lambda: 49 in points(session))
    assert points(session) == list(range(1, 50))


@pytest.mark.parametrize(("number", "ends"), [("SIGHUP", False), ("SIGTERM", True), ("SIGINT", True)])
def test_a_signal_ends_the_recording_properly_or_not_at_all(child: Job, number: str, ends: bool) -> None:
    session = sessions_dir() / "run.jsonl"
    recorder = start(session, child)
    child.metric("loss", 1.0, 1)
    os.kill(recorder, signal.Signals[number])
    if ends:
        until(lambda: not is_being_recorded(session))
        assert isinstance(readable(session)[0][-1], End)
        assert points(session) == [1]
    else:
        child.metric("loss", 1.0, 2)
        until(lambda: points(session) == [1, 2])
        assert is_being_recorded(session)


RACER = """
import sys
from floydtop.commands.watch import record
from floydtop.sources.target import resolve
record(resolve(sys.argv[1]), interval=1.0)
"""


def test_of_many_starters_at_once_one_wins_and_all_find_its_recording(child: Job) -> None:
    child.print("hello")
    racers = [subprocess.Popen([sys.executable, "-c", RACER, str(child.pid)]) for _ in range(4)]
    assert [racer.wait(60) for racer in racers] == [0] * 4
    sessions = list(sessions_dir().glob("*.jsonl"))
    assert len(sessions) == 1
    assert is_being_recorded(sessions[0])


def test_a_killed_recording_of_a_process_is_continued_by_its_pid(child: Job) -> None:
    child.metric("loss", 1.0, 1)
    subprocess.run([sys.executable, "-c", RACER, str(child.pid)], check=True, timeout=60)
    (session,) = sessions_dir().glob("*.jsonl")
    until(lambda: points(session) == [1])
    recording = look_at(session)
    assert recording is not None
    os.kill(recording.header.recorder, signal.SIGKILL)
    child.metric("loss", 1.0, 2)
    until(lambda: not is_being_recorded(session))
    subprocess.run([sys.executable, "-c", RACER, str(child.pid)], check=True, timeout=60)
    assert list(sessions_dir().glob("*.jsonl")) == [session]
    until(lambda: points(session) == [1, 2])
    events, _ = readable(session)
    assert [one.segment for one in events if isinstance(one, Header)] == [0, 1]
    now = look_at(session)
    assert now is not None
    assert now.header.recorder != recording.header.recorder
    assert now.header.segment == 1


def test_the_place_that_cannot_be_written_is_noted_in_the_session(child: Job) -> None:
    sessions_dir().parent.mkdir(parents=True)
    sessions_dir().write_text("a file in its place")
    subprocess.run([sys.executable, "-c", RACER, str(child.pid)], check=True, timeout=60)
    (session,) = fallback_dir().glob("*.jsonl")
    notes = [one.text for one in readable(session)[0] if isinstance(one, Note)]
    assert any(re.search("cannot be written", note) for note in notes)
    recording = look_at(session)
    assert recording is not None
    os.kill(recording.header.recorder, signal.SIGKILL)


def test_a_recorder_whose_session_was_deleted_ends(child: Job) -> None:
    session = sessions_dir() / "run.jsonl"
    recorder = start(session, child)
    shutil.rmtree(session.parent)
    # Nobody could see or stop it any more.
    until(lambda: start_of(recorder) is None)
    assert not session.parent.exists()
    assert child.process.poll() is None


async def test_a_sync_happens_without_further_events() -> None:
    from floydtop.recorder.recording import Recording

    log = sessions_dir().parent / "x.log"
    log.parent.mkdir(parents=True)
    log.write_text("")
    recording = Recording(Assignment(sessions_dir() / "run.jsonl", None, str(log)))
    synced = asyncio.Event()
    real = recording.writer.sync
    recording.writer.sync = lambda: (real(), synced.set())[0]  # type: ignore[method-assign]
    task = asyncio.create_task(recording.run())
    async with asyncio.timeout(20):
        await asyncio.sleep(0.5)
        synced.clear()
        await synced.wait()
        recording.stop("seen")
        await task
