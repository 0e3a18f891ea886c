"""What the benchmarks look at: a generated session, and a job that computes in silence."""

from __future__ import annotations

import json
import math
import random
import sys
from collections.abc import Iterator
from pathlib import Path

from floydtop.events import Clock, End, Event, Exit, Header, Job, JobState, Metrics, OutputLine, Sample
from floydtop.session.format import FORMAT, VERSION, encode

METRICS = ("loss", "val_loss", "accuracy", "val_accuracy", *(f"layer{n:02d}/gradient" for n in range(16)))
"""The names of 20 metrics."""


def values(step: int, steps: int, noise: random.Random) -> dict[str, float]:
    """Noisy falling curves, as losses are, one value for each metric."""
    trend = 2 * math.exp(-5 * step / steps) + 0.2
    return {name: round(trend * (1 + n / 10) + noise.gauss(0, 0.05), 6) for n, name in enumerate(METRICS)}


def write_session(path: Path, steps: int = 1000, *, one_metric_a_line: bool = False) -> Path:
    """A finished session of 20 metrics over `steps` steps of a second.

    Args:
        one_metric_a_line: each value was printed as a line of its own, as FloydHub's JSON lines are; else
            a step's 20 values were in one line.
    """
    path.write_bytes(b"".join(map(encode, _events(steps, one_metric_a_line))))
    return path


def _events(steps: int, one_metric_a_line: bool) -> Iterator[Event]:
    yield Header(
        format=FORMAT,
        v=VERSION,
        id="0" * 32,
        t0=1_700_000_000.0,
        boot="",
        host="benchmark",
        interval=60.0,
        by="floydtop",
        recorder=1,
        job=Job(pid=4711, start=1, command=["python", "train.py"], t=0.0),
    )
    yield Clock(t=0.0, wall=1_700_000_000.0)
    yield JobState(t=0.0, state="running")
    noise, number = random.Random(1), 0
    for step in range(steps):
        now = values(step, steps, noise)
        for part in [{name: value} for name, value in now.items()] if one_metric_a_line else [now]:
            number += 1
            yield OutputLine(text=json.dumps({"step": step, **part}), line=number, t=float(step))
            yield Metrics(values=part, t=float(step), step=step, line=number)
        if step % 60 == 0:
            busy = 50 + 30 * math.sin(step / 100)
            yield Sample(
                t=float(step),
                values={
                    "cpu.percent": (busy, busy - 10, busy + 10),
                    "cpu.cores": (busy / 50, busy / 50, busy / 50),
                    "memory.bytes": (2e9, 1.9e9, 2.1e9),
                    "memory.percent": (12.5, 12.0, 13.0),
                    "disk.percent": (40.0, 40.0, 40.0),
                    "disk.read_bytes_per_s": (1e6, 0.0, 5e6),
                    "disk.write_bytes_per_s": (2e5, 0.0, 1e6),
                },
            )
    yield JobState(t=float(steps), state="exited", exit=Exit(code=0))
    yield End(t=float(steps), why="the job ended")


SILENT_JOB = """
import json, random, time
for step in range(100):
    for name in ("loss", "accuracy"):
        print(json.dumps({"metric": name, "value": random.random(), "step": step}), flush=True)
held = []
while True:
    until = time.monotonic() + random.uniform(0.2, 1.5)
    while time.monotonic() < until:
        sum(range(10000))
    held.append(bytearray(random.randrange(1, 4) << 20))
    del held[:-8]
    with open("scratch", "wb") as file:
        file.write(bytes(random.randrange(1 << 20)))
    time.sleep(random.uniform(0.2, 1.5))
"""
"""A job that prints two metrics at first and then nothing, while its CPU, memory and disk use move."""


def silent_job() -> list[str]:
    """The command line of the silent job; it runs until it is killed and leaves one file where it works."""
    return [sys.executable, "-c", SILENT_JOB]


BUSY_JOB = """
import json, random, sys, time
from tests.benchmarks.data import values
steps, noise, start = 100_000, random.Random(1), time.monotonic()
for step in range(steps):
    print(json.dumps({"step": step, **values(step % 1000, 1000, noise)}), flush=True)
    time.sleep(max(0.0, start + (step + 1) / 10 - time.monotonic()))
"""
"""A job that prints 20 metrics ten times a second."""


def busy_job() -> list[str]:
    """The command line of the busy job, to be run where `tests` can be imported."""
    return [sys.executable, "-c", BUSY_JOB]
