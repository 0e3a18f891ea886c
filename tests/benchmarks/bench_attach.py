"""Figures for finding and following a job's output: python -m tests.benchmarks.bench_attach [GIBIBYTES]"""

from __future__ import annotations

import asyncio
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from floydtop.sources import descriptors
from floydtop.sources.chunks import Chunk
from floydtop.sources.follow import follow, read_all
from floydtop.sources.history import PROBES, OpenLog, sample
from floydtop.sources.output import find_output
from floydtop.sources.writers import find_writers

HOLDER = "import os, sys, time\nheld = [open(os.devnull) for _ in range(int(sys.argv[1]))]\ntime.sleep(1000)"
JOB = "import time\nfor step in range(10**6): print('loss:', 1 / (1 + step), flush=True); time.sleep(0.05)"


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        os.chdir(directory)
        crowd: list[subprocess.Popen[bytes]] = []
        try:
            find(crowd, processes=120, files=10, within=(100, 50))
            find(crowd, processes=430, files=60, within=(500, 500))
        finally:
            for process in crowd:
                process.kill()
                process.wait()
        asyncio.run(latency())
        asyncio.run(rest())
        reading()


def report(what: str, value: float, unit: str, limit: str) -> None:
    print(f"{what:<66} {value:>9.3f} {unit:<5} (asked: {limit})", flush=True)


def median_ms(call: Callable[[], object], rounds: int = 9) -> float:
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return statistics.median(times) * 1000


def find(crowd: list[subprocess.Popen[bytes]], processes: int, files: int, within: tuple[int, int]) -> None:
    while len(descriptors.pids()) < processes:
        crowd.append(subprocess.Popen([sys.executable, "-IS", "-c", HOLDER, str(files)]))
    time.sleep(2)
    seen = descriptors.snapshot()
    crowded = f"{len(seen.links)} processes, {sum(map(len, seen.links.values()))} open files"
    shell = subprocess.Popen(
        ["bash", "-c", '"$0" -c "$1" 2>&1 | cat | tee job.log >/dev/null', sys.executable, JOB],
        process_group=0,
    )
    with Path("plain.log").open("wb") as log:
        plain = subprocess.Popen([sys.executable, "-c", JOB], stdout=log)
    while not (
        Path("job.log").exists() and Path("job.log").stat().st_size and Path("plain.log").stat().st_size
    ):
        time.sleep(0.05)
    table = descriptors.process_table()
    behind = next(row.pid for row in table.values() if row.parent == shell.pid and "python" in row.name)
    report(f"pid -> file, {crowded}", median_ms(lambda: find_output(plain.pid)), "ms", f"< {within[0]}")
    report(f"pid -> pipe -> file, {crowded}", median_ms(lambda: find_output(behind)), "ms", f"< {within[0]}")
    report(f"log -> writer, {crowded}", median_ms(lambda: find_writers("plain.log")), "ms", f"< {within[1]}")
    report(
        f"log -> tee -> writer, {crowded}", median_ms(lambda: find_writers("job.log")), "ms", f"< {within[1]}"
    )
    os.killpg(shell.pid, 9)
    shell.wait()
    plain.kill()
    plain.wait()
    Path("job.log").unlink()
    Path("plain.log").unlink()


WRITER = """
import sys, time
with open("latency.log", "ab", buffering=0) as log:
    for _ in range(int(sys.argv[1])):
        time.sleep(float(sys.argv[2]))
        log.write(b"%.9f\\n" % time.monotonic())
"""


async def latency() -> None:
    for pace, count in ((0.02, 400), (0.01, 1000), (0.001, 3000)):
        Path("latency.log").write_bytes(b"")
        stop = asyncio.Event()
        delays: list[float] = []
        writer = subprocess.Popen([sys.executable, "-c", WRITER, str(count), str(pace)])
        used = resource.getrusage(resource.RUSAGE_SELF)
        began = time.monotonic()
        rest = b""
        async for item in follow("latency.log", stop=stop):
            if isinstance(item, Chunk):
                now = time.monotonic()
                *lines, rest = (rest + item.data).split(b"\n")
                delays += [now - float(line) for line in lines]
            if len(delays) >= count:
                break
        writer.wait()
        after = resource.getrusage(resource.RUSAGE_SELF)
        cpu = after.ru_utime + after.ru_stime - used.ru_utime - used.ru_stime
        delays.sort()
        report(
            f"write -> chunk, p95, a line each {pace * 1000:g} ms",
            delays[count * 95 // 100] * 1000,
            "ms",
            "< 5",
        )
        report("  CPU of the follower meanwhile", 100 * cpu / (time.monotonic() - began), "%", "-")


async def rest() -> None:
    seconds = 10
    stop = asyncio.Event()
    used = time.process_time()
    asyncio.get_running_loop().call_later(seconds, stop.set)
    async for _ in follow("latency.log", stop=stop):
        used = max(used, time.process_time()) if not stop.is_set() else used
    report("CPU of a follower at rest", 100 * (time.process_time() - used) / seconds, "%", "< 0.1")


def reading() -> None:
    line = b"epoch 1 batch 17 of 938, nothing to see here, all is well so far\n"
    block = (line * 19 + b'{"metric": "loss", "value": 0.4321, "step": 12345}\n') * 800
    gibibytes = float(sys.argv[1]) if len(sys.argv) > 1 else 1
    with open("large.log", "wb") as log:
        while log.tell() < gibibytes * (1 << 30):
            log.write(block)
    size = os.path.getsize("large.log")

    async def followed() -> None:
        async for item in follow("large.log", stop=lambda: True):
            assert item is not None

    def plainly() -> None:
        for chunk in read_all("large.log"):
            assert chunk.data

    plainly()
    report(f"read_all, {size >> 20} MiB in the page cache", size / median_ms(plainly, 5) / 1000, "MB/s", "-")
    once = median_ms(lambda: asyncio.run(followed()), 5)
    report("follow, the same", size / once / 1000, "MB/s", "-")
    with OpenLog("large.log") as open_log:
        first = median_ms(lambda: open_log.read(open_log.line_start(size - (1 << 20), 1 << 20), 2 << 20))
        report(f"last lines of {size / (1 << 30):.1f} GiB", first, "ms", "< 300")
        outline = median_ms(lambda: [sample(open_log, size, place / PROBES) for place in range(PROBES)])
        report("outline of it in 256 samples", outline, "ms", "< 1000")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    report("peak memory of this process", peak, "MiB", "-")


if __name__ == "__main__":
    main()
