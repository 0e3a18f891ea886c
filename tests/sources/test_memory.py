"""Memory of a real process tree."""

from __future__ import annotations

import threading
import time

import pytest

from floydtop.events import Reading
from floydtop.sources import memory, procfs
from floydtop.sources.family import Family
from floydtop.sources.limits import Limits
from floydtop.sources.memory import MemoryMeter, Taken
from floydtop.sources.process import JobTree
from tests.sources.children import line, program, tell, until

MIB = 1 << 20

READERS = """
import os, sys
data = b"x" * (400 << 20)
for _ in range(8):
    if os.fork() == 0:
        for page in range(0, len(data), 4096):
            data[page]
        os.write(1, b"read\\n")
        sys.stdin.readline()
        os._exit(0)
sys.stdin.readline()
"""
"""A data set of 400 MiB that eight forked workers read, as a DataLoader does."""


def test_pages_shared_with_forked_readers_count_once() -> None:
    with program(READERS) as child:
        assert [line(child) for _ in range(8)] == ["read"] * 8
        tree = JobTree.open(child.pid)
        reading = tree.read(thorough=True)
        notes = tree.facts()[2]
        if notes["memory"].startswith("at most"):
            pytest.skip("PSS is hidden from us here (no CAP_SYS_PTRACE)")
        assert notes["memory"] == "PSS of 9 processes"
        assert reading.values["memory.bytes"] == pytest.approx(404 * MIB, rel=0.1)
        tree.close()


def test_peak_remembers_what_was_freed_before_we_came() -> None:
    source = "data = b'x' * (80 << 20)\ndel data\nprint(1, flush=True)\ninput()"
    with program(source) as child:
        line(child)
        tree = JobTree.open(child.pid)
        reading = tree.read(thorough=True)
        assert reading.values["memory.bytes"] < 40 * MIB
        assert reading.values["memory.peak_bytes"] > 80 * MIB
        tree.close()


def meter(pid: int) -> MemoryMeter:
    handle = procfs.open_process(pid)
    family = Family(handle)
    return MemoryMeter(family, Limits(handle, family))


def test_costly_map_is_read_at_ticks_and_carried_in_between(monkeypatch: pytest.MonkeyPatch) -> None:
    with program("input()") as child:
        sizes = iter(range(1000, 2000))
        # Half a second of work: not again within 100 s for a gauge, nor within 10 s for the record.
        monkeypatch.setattr(memory, "_measure", lambda sights: (Taken(next(sizes), 0, 0, 1, 0), 0.5))
        watched = meter(child.pid)
        now = time.monotonic()
        seen = []
        for seconds, thorough in [
            (0, True),
            (2, False),
            (60, False),
            (61, True),
            (62, True),
            (101, False),
            (162, False),
        ]:
            monkeypatch.setattr(time, "monotonic", lambda seconds=seconds: now + seconds)
            reading = Reading()
            watched.read(reading, thorough)
            seen.append(reading.values["memory.bytes"])
        assert seen == [1000, 1000, 1000, 1001, 1001, 1001, 1002]


def test_map_that_cannot_be_read_in_time_gives_at_most_the_rss(monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()

    def hang(sights: object) -> tuple[Taken, float]:
        release.wait(30)
        return Taken(5 * MIB, 0, 0, 1, 0), 0.001

    monkeypatch.setattr(memory, "PATIENCE", 0.05)
    monkeypatch.setattr(memory, "_measure", hang)
    with program("print(1, flush=True); input()") as child:
        line(child)
        watched = meter(child.pid)
        reading = Reading()
        watched.read(reading, thorough=True)
        assert reading.values["memory.bytes"] > MIB
        assert watched.note.startswith(
            "at most: sum of RSS, because reading the job's memory map has not answered"
        )
        release.set()

        def answered() -> bool:
            watched.read(reading, thorough=True)
            return reading.values["memory.bytes"] == 5 * MIB

        until(answered)


def test_zombie_takes_no_memory() -> None:
    source = """
import os, sys
pid = os.fork()
if pid == 0: os._exit(0)
print(pid, flush=True)
sys.stdin.readline()
"""
    with program(source) as child:
        line(child)
        tree = JobTree.open(child.pid)
        until(lambda: bool(tree.read(thorough=True)) and tree.pids() == {child.pid})
        assert tree.read(thorough=True).values["memory.bytes"] > MIB
        assert not tree.facts()[2]["memory"].startswith("at most")
        tell(child)
        tree.close()


def test_swap_is_shown_from_the_first_byte_on(monkeypatch: pytest.MonkeyPatch) -> None:
    with program("input()") as child:
        watched = meter(child.pid)
        seen = []
        for swapped in (0, 4096, 0):
            monkeypatch.setattr(
                memory, "_measure", lambda sights, swapped=swapped: (Taken(MIB, swapped, 0, 1, 0), 0.0)
            )
            reading = Reading()
            watched.read(reading, thorough=True)
            seen.append(reading.values.get("memory.swap_bytes"))
        assert seen == [None, 4096, 0]
