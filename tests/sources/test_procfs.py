"""The files of /proc."""

from __future__ import annotations

import os
import threading
import time

import pytest

from floydtop.sources import procfs
from tests.sources.children import line, program


def test_stat_is_read_right_for_a_name_with_spaces_and_parentheses() -> None:
    text = (
        b"42 (a) b (c)) S 7 8 9 0 -1 4194560 1 2 0 0 150 50 25 75 20 0 3 0 8679 5124096 924 "
        + b"0 " * 27
        + b"9"
    )
    stat = procfs.parse_stat(text)
    assert (stat.pid, stat.name, stat.state, stat.parent, stat.group, stat.session) == (
        42,
        "a) b (c)",
        "S",
        7,
        8,
        9,
    )
    assert (stat.own, stat.waited) == (200 / procfs.TICKS_PER_SECOND, 100 / procfs.TICKS_PER_SECOND)
    assert (stat.threads, stat.start, stat.wait_status) == (3, 8679, 9)
    assert stat.rss == 924 * procfs.PAGE_BYTES


def test_own_stat_agrees_with_the_interpreter() -> None:
    with procfs.process(os.getpid()) as handle:
        stat = procfs.stat(handle)
    assert (stat.pid, stat.parent, stat.session) == (os.getpid(), os.getppid(), os.getsid(0))
    assert stat.own == pytest.approx(time.process_time(), abs=0.1)


def test_start_time_becomes_the_time_of_day_it_was() -> None:
    before = time.time()
    with program("print(1, flush=True); input()") as child:
        line(child)
        with procfs.process(child.pid) as handle:
            started = procfs.unix_time(procfs.stat(handle).start)
    assert before - 0.1 < started < time.time() + 0.1


def test_handle_of_an_ended_process_reads_nothing() -> None:
    with program("input()") as child:
        handle = procfs.open_process(child.pid)
    try:
        with pytest.raises(procfs.GONE):
            procfs.stat(handle)
    finally:
        os.close(handle)


def test_children_of_every_thread_are_found() -> None:
    started: list[int] = []
    stop = threading.Event()

    def fork_one() -> None:
        with program("input()") as child:
            started.append(child.pid)
            stop.wait(10)

    thread = threading.Thread(target=fork_one)
    thread.start()
    try:
        while not started:
            time.sleep(0.01)
        with procfs.process(os.getpid()) as handle:
            assert started[0] in procfs.children(handle, procfs.stat(handle))
    finally:
        stop.set()
        thread.join()


def test_lines_are_found_by_their_whole_name() -> None:
    text = b"Pss_Anon: 9 kB\nPss:  12 kB\ncancelled_write_bytes: 7\nwrite_bytes: 8\nSigIgn:\t0001"
    assert procfs.field(text, "Pss_Anon") == "9 kB"
    assert procfs.size(text, "Pss") == 12288
    assert procfs.field(text, "write_bytes") == "8"
    assert procfs.field(text, "SigIgn") == "0001"
    assert procfs.field(text, "Absent") is None
    assert procfs.size(text, "SwapPss") is None


def test_counters_are_found_by_their_whole_name() -> None:
    text = b"nr_periods 7\noom_kill_disable 0\nlow max\noom_kill 3\n"
    assert procfs.counter(text, "nr_periods") == 7
    assert procfs.counter(text, "oom_kill") == 3
    assert procfs.counter(text, "oom") is None
    assert procfs.counter(b"", "oom_kill") is None
