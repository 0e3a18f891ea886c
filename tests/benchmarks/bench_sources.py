"""Print what watching a job costs, and how true it is: `python -m tests.benchmarks bench_sources`."""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest

from floydtop.events import Exit
from floydtop.sources import cgroup, procfs
from floydtop.sources.family import Family
from floydtop.sources.process import JobTree
from tests.benchmarks.figures import HEADING, Figure, median_of
from tests.sources.cgroups import group, join, set_quota
from tests.sources.children import line, program, tell

SAMPLER = """
import asyncio, json, sys, time
from contextlib import aclosing
from floydtop.sources import procfs
from floydtop.sources.process import JobTree
from floydtop.sources.system import sample

async def main():
    tree = JobTree.open(int(sys.argv[1]))
    began, cpu = time.monotonic(), time.process_time()
    async with aclosing(sample(tree, None, now=lambda: time.monotonic() - began, interval=60)) as told:
        async for event in told:
            if time.monotonic() - began > 30:
                break
    print(json.dumps([
        (time.process_time() - cpu) / (time.monotonic() - began) * 60,
        # Not getrusage: that peak outlives exec, and is the one of who started us.
        procfs.size(procfs.read("/proc/self/status"), "VmHWM") / 2**20,
    ]))

asyncio.run(main())
"""
"""Samples a job for half a minute; prints its CPU seconds a minute and its peak RSS in MiB."""

WORKERS = """
import os, sys, time
for _ in range({workers}):
    if os.fork() == 0:
        time.sleep(1000)
print(1, flush=True)
sys.stdin.readline()
"""

CHILDREN = """
import os, sys, time
print(1, flush=True)
sys.stdin.readline()
for _ in range(40):
    pid = os.fork()
    if pid == 0:
        end = time.process_time() + 0.1
        while time.process_time() < end: pass
        os._exit(0)
    os.waitpid(pid, 0)
print("done", flush=True)
sys.stdin.readline()
"""

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

ENDINGS = ("raise SystemExit(0)", "raise SystemExit(7)", "import os; os.kill(os.getpid(), 9)")


def cpu_milliseconds(work: Callable[[], object], repeat: int = 31) -> list[float]:
    times = []
    for _ in range(repeat):
        start = time.process_time()
        work()
        times.append((time.process_time() - start) * 1000)
    return times


def one_tick() -> Iterator[Figure]:
    with program(WORKERS.format(workers=19)) as child:
        line(child)
        tree = JobTree.open(child.pid)
        tree.read(thorough=True)
        yield median_of(
            "one tick, 20 processes", cpu_milliseconds(lambda: tree.read(thorough=True)), "ms", 10
        )
        yield median_of(
            "one present reading, 20 processes", cpu_milliseconds(lambda: tree.read(thorough=False)), "ms"
        )
        tree.close()


def discovery() -> Iterator[Figure]:
    with contextlib.ExitStack() as others, program(WORKERS.format(workers=3)) as child:
        line(child)
        while len(_pids()) < 1600:
            sleeper = subprocess.Popen(["sleep", "1000"])
            others.callback(sleeper.wait)
            others.callback(sleeper.kill)
        handle = procfs.open_process(child.pid)
        family = Family(handle)
        family.look(thorough=True)
        what = f"discovery, {len(_pids())} processes on the machine"
        yield median_of(what, cpu_milliseconds(lambda: family.look(thorough=True)), "ms", 2)


def _pids() -> list[str]:
    return [name for name in procfs.names() if name.isdigit()]


def sampler() -> Iterator[Figure]:
    with program(WORKERS.format(workers=3)) as child:
        line(child)
        command = [sys.executable, "-c", SAMPLER, str(child.pid)]
        seconds, size = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    yield Figure("sampling every 60 s, present every 2 s", seconds, "CPU s/min", 0.2, "4 processes, 30 s")
    yield Figure("peak RSS of a process that only samples", size, "MiB", 40)


def waited_children() -> Iterator[Figure]:
    """Read as a tree, though it has a cgroup, which tells the truth."""
    with group("benchmark", "cpuacct") as directory:
        stranger = program(f"{join(directory)}print(1, flush=True)\ninput()")
        with program(join(directory) + CHILDREN) as child, stranger as other:
            line(child), line(other)
            tree = JobTree.open(child.pid)
            level = cgroup.Level(str(directory), 1 if (directory / "cpuacct.usage").exists() else 2, "")
            tree.read(thorough=True)
            began, before = time.monotonic(), cgroup.cpu_seconds(level) or 0.0
            tell(child)
            line(child)
            cores = tree.read(thorough=False).values["cpu.cores"]
            seconds, truth = cores * (time.monotonic() - began), (cgroup.cpu_seconds(level) or 0.0) - before
            tree.close()
    note = f"{seconds:.2f} s, by the cgroup {truth:.2f} s"
    yield Figure(
        "error of the CPU time, 40 x 0.1 s of waited children", 100 * abs(seconds / truth - 1), "%", 3, note
    )


def quota() -> Iterator[Figure]:
    with group("benchmark", "cpu") as directory:
        set_quota(directory, 0.3)
        with program(f"{join(directory)}print(1, flush=True)\nwhile True: pass") as child:
            line(child)
            tree = JobTree.open(child.pid)
            tree.read(thorough=True)
            time.sleep(5)
            values = tree.read(thorough=True).values
            tree.close()
    note = f"{values['cpu.percent']:.1f} %, throttled {values.get('cpu.throttled_percent', 0.0):.0f} %"
    yield Figure(
        "busy loop in a quota of 0.3 cores, away from 100 %", 100 - values["cpu.percent"], "%", 3, note
    )


def shared_pages() -> Iterator[Figure]:
    with program(READERS) as child:
        for _ in range(8):
            line(child)
        tree = JobTree.open(child.pid)
        size = tree.read(thorough=True).values["memory.bytes"] / 2**20
        tree.close()
    yield Figure(
        "error of the memory, 400 MiB and 8 readers", 100 * abs(size / 404 - 1), "%", 10, f"{size:.0f} MiB"
    )


def endings() -> Iterator[Figure]:
    wrong, longest = 0, 0.0
    for how, expected in zip(ENDINGS, [(0, None), (7, None), (None, "SIGKILL")], strict=True):
        for _ in range(20):
            with program(f"import sys\nsys.stdin.readline()\n{how}") as child:
                tree = JobTree.open(child.pid)
                tell(child)
                end, seconds = asyncio.run(_end(tree))
                wrong += (end.code, end.signal) != expected
                longest = max(longest, seconds)
                tree.close()
    yield Figure("exit codes wrong or unknown, of 60", wrong, "", 0)
    yield Figure("end noticed after the zombie is seen, longest of 60", longest, "s", 1)


async def _end(tree: JobTree) -> tuple[Exit, float]:
    """How it ended, and how many seconds after it could be seen to have."""
    waiting = asyncio.create_task(tree.ended())
    while not tree.has_ended():
        await asyncio.sleep(0.001)
    seen = time.monotonic()
    return await waiting, time.monotonic() - seen


def main() -> None:
    print(HEADING)
    for benchmark in (one_tick, discovery, sampler, waited_children, quota, shared_pages, endings):
        try:
            for figure in benchmark():
                print(figure.row(), flush=True)
        except pytest.skip.Exception as reason:
            print(f"| {benchmark.__name__} | skipped: {reason} | | | |")
