"""The same measurements of the nearest peers, where pip can install them: W&B LEET and nvitop."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from tests.benchmarks.figures import Figure, median_of
from tests.benchmarks.freshness import ages, watch
from tests.benchmarks.screen import RUNS, SETTLE
from tests.benchmarks.terminal import CHART, CHARTS, Terminal
from tests.benchmarks.usage import over
from tests.nvml_stub import Scene, build

PACKAGES = ("wandb", "nvitop")

OFFLINE = {"WANDB_MODE": "offline", "WANDB_SILENT": "true", "WANDB_ERROR_REPORTING": "false"}

WRITE_RUN = """
import os, random, sys, time, wandb
from tests.benchmarks.data import values
steps, pause = int(sys.argv[1]), float(sys.argv[2])
run, noise = wandb.init(project="benchmark", dir=os.getcwd()), random.Random(1)
print(run.dir, flush=True)
with open("stamps", "w", buffering=1) as stamps:
    for step in range(steps):
        stamps.write(f"{time.monotonic()}\\n")
        run.log(values(step % 1000, 1000, noise))
        time.sleep(pause)
run.finish()
"""
"""Log the same 20 metrics through wandb into an offline run; when each step was logged stands in a file."""


def benchmarks(venv: Path | None) -> list[Callable[[Path], list[Figure]]]:
    """The peers' benchmarks that can run; says which cannot and why."""
    if venv is None:
        print("(peers: skipped, no --peers DIR)")
        return []
    python = venv / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", venv], check=True)
        subprocess.run(
            [python, "-m", "pip", "install", "-q", *PACKAGES], check=False, stderr=subprocess.DEVNULL
        )
    found = {
        "wandb": [
            partial(leet_first_chart, venv),
            partial(leet_at_rest, venv),
            partial(leet_slow_run, venv),
            partial(leet_busy_run, venv),
            partial(leet_freshness, venv),
        ],
        "nvitop": [partial(nvitop, venv)],
    }
    runnable: list[Callable[[Path], list[Figure]]] = []
    for package, measurements in found.items():
        if (venv / "bin" / package).exists():
            runnable += measurements
        else:
            print(f"(peers: {package} skipped, pip could not install it)")
    return runnable


def leet_first_chart(venv: Path, folder: Path) -> list[Figure]:
    """As `screen.first_chart`, of `wandb leet RUN` on an offline run with the same values."""
    run = _write_run(venv, folder)
    seconds = []
    for _ in range(RUNS):
        with _leet(venv, run, folder) as terminal:
            time.sleep(0.2)
            seconds.append(-terminal.go() + terminal.wait_for(CHART))
    return [median_of("LEET: first chart, 20 x 1,000 points", seconds, "s")]


def leet_at_rest(venv: Path, folder: Path, seconds: float = 60.0) -> list[Figure]:
    """As `screen.finished_session_at_rest`."""
    run = _write_run(venv, folder)
    return _steady("LEET: finished run at rest", _leet(venv, run, folder), CHART, seconds)


def leet_slow_run(venv: Path, folder: Path, seconds: float = 60.0) -> list[Figure]:
    """LEET on a live run that logs every 30 s: near to a job that prints nothing."""
    writer = _start_writer(venv, folder, "40", "30")
    try:
        run = _run_folder(writer)
        time.sleep(35)
        return _steady(
            "LEET: live run, one log in 30 s", _leet(venv, run, folder), re.compile(r"\w"), seconds
        )
    finally:
        writer.kill()
        writer.wait()


def leet_busy_run(venv: Path, folder: Path, seconds: float = 60.0) -> list[Figure]:
    """As `screen.busy_live_job`, which counts the recorder too; what wandb writes with is not counted."""
    writer = _start_writer(venv, folder, "100000", "0.1")
    try:
        run = _run_folder(writer)
        time.sleep(20)
        return _steady("LEET: live run, 20 metrics x 10 steps/s", _leet(venv, run, folder), CHARTS, seconds)
    finally:
        writer.kill()
        writer.wait()


def leet_freshness(venv: Path, folder: Path) -> list[Figure]:
    """As `freshness.freshness`, by the `_step` that LEET shows of the run."""
    figures = []
    for rate, count in ((1.0, 90), (10.0, 600)):
        place = folder / f"{rate:g}"
        place.mkdir()
        writer = _start_writer(venv, place, "100000", str(1 / rate))
        try:
            run = _run_folder(writer)
            time.sleep(35)
            with _leet(venv, run, place) as terminal:
                terminal.go()
                terminal.wait_for(_STEP)
                shown = watch(terminal, _newest_step, count / rate)
                written = list(map(float, (place / "stamps").read_text().split()))
        finally:
            writer.kill()
            writer.wait()
        figures += ages(f"LEET: step to screen at {rate:g} steps/s", written, shown)
    return figures


_STEP = re.compile(r"\b_step\W+(\d+)")


def _newest_step(screen: str) -> int | None:
    found = _STEP.search(screen)
    # Its first step is 0.
    return int(found[1]) + 1 if found else None


def nvitop(venv: Path, folder: Path, seconds: float = 60.0) -> list[Figure]:
    """nvitop beside two GPUs of the NVML stub (it refuses to start without a driver)."""
    scene = Scene(folder / "scene.txt").gpu(0).gpu(1)
    environment = {"LD_LIBRARY_PATH": str(build()), "NVML_SCENE": str(scene.path)}
    terminal = Terminal([str(venv / "bin" / "nvitop"), "-m"], environment)
    return _steady("nvitop: two GPUs", terminal, re.compile("H100"), seconds)


def _steady(what: str, terminal: Terminal, shown: re.Pattern[str], seconds: float) -> list[Figure]:
    with terminal:
        terminal.go()
        terminal.wait_for(shown)
        time.sleep(SETTLE)
        rest = over(seconds, [terminal.pid], terminal.bytes_sent)
    note = f"over {seconds:.0f} s"
    return [
        Figure(f"{what}: to the terminal", rest.bytes_per_minute / 1000, "kB/min", None, note),
        Figure(f"{what}: CPU", rest.cpu_per_minute, "s/min", None, note),
    ]


def _leet(venv: Path, run: Path, folder: Path) -> Terminal:
    return Terminal([str(venv / "bin" / "wandb"), "leet", str(run)], OFFLINE | {"HOME": str(folder)})


def _write_run(venv: Path, folder: Path) -> Path:
    writer = _start_writer(venv, folder, "1000", "0")
    run = _run_folder(writer)
    writer.wait()
    return run


def _start_writer(venv: Path, folder: Path, *arguments: str) -> subprocess.Popen[str]:
    root = Path(__file__).parents[2]
    packages = Path(
        sys.prefix, "lib", f"python{sys.version_info.major}.{sys.version_info.minor}", "site-packages"
    )
    return subprocess.Popen(
        [venv / "bin" / "python", "-c", WRITE_RUN, *arguments],
        cwd=folder,
        env=os.environ | OFFLINE | {"HOME": str(folder), "PYTHONPATH": f"{root}:{packages}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def _run_folder(writer: subprocess.Popen[str]) -> Path:
    """The run's folder, from the first line that the writer prints: the parent of its `files`."""
    assert writer.stdout is not None
    return Path(writer.stdout.readline().strip()).parent
