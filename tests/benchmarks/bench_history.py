"""How fast a log that is already huge is attached to, beside grep, lnav and toolong in the same run.

python -m tests.benchmarks.bench_history [GIGABYTES OF THE LARGEST LOG] [FOLDER]

lnav and toolong (`tl`) are measured where they are on the PATH. The logs are real bytes, not holes.
"""

from __future__ import annotations

import contextlib
import os
import pty
import random
import re
import select
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.benchmarks.bench_parse import CHATTER
from tests.benchmarks.figures import HEADING, Figure, machine, median_of
from tests.benchmarks.screen import FLOYDTOP
from tests.benchmarks.terminal import CHART, Terminal
from tests.benchmarks.usage import family, resident_mebibytes

LAST = 987_654_321
"""Step of the last line: who shows it has come to the end."""

OLD = 1_000_000_000
"""Unix time of the logs' last change: nobody writes them."""


def mix(block: int) -> bytes:
    """4,000 lines, a metric in one of 20."""
    noise, chatter = random.Random(block), CHATTER.splitlines()
    return (
        "\n".join(
            _metric("loss", n, noise)
            if n % 20 == 0
            else chatter[n % 3].format(n=n * 7919 % 100_000, k=n % 64)
            for n in range(block * 4000, (block + 1) * 4000)
        ).encode()
        + b"\n"
    )


def dense(block: int) -> bytes:
    """8,000 metrics and nothing else."""
    noise = random.Random(block)
    steps = range(block * 4000, (block + 1) * 4000)
    return "\n".join(_metric(name, n, noise) for n in steps for name in ("loss", "accuracy")).encode() + b"\n"


def keras(block: int) -> bytes:
    """Ten epochs, each one bar of 2,000 frames in one line."""
    epochs = []
    for epoch in range(block * 10 + 1, block * 10 + 11):
        frames = "".join(
            f"\r{n:4d}/2000 [{'=' * (n // 70)}>{'.' * (28 - n // 70)}] - ETA: {(2000 - n) // 100}s"
            f" - loss: {1 / (n + epoch):.4f} - accuracy: {n / 2000:.4f}"
            for n in range(1, 2000)
        )
        last = f"\r2000/2000 [{'=' * 30}] - 1s 5ms/step - loss: {1 / epoch:.4f} - accuracy: 0.9876"
        epochs.append(f"Epoch {epoch}/100000\n{frames}{last}\n")
    return "".join(epochs).encode()


def _metric(name: str, step: int, noise: random.Random) -> str:
    value = 2 / (step + 9) ** 0.5 + noise.gauss(0, 0.05)
    return f'{{"metric": "{name}", "value": {value:.6f}, "step": {step}}}'


def write_log(path: Path, make: Callable[[int], bytes], size: float) -> None:
    """A log of so many bytes; its blocks repeat after the first hundred megabytes."""
    blocks: list[bytes] = []
    with path.open("wb") as file:
        while file.tell() < min(size, 1e8):
            blocks.append(make(len(blocks)))
            file.write(blocks[-1])
        while file.tell() < size:
            file.write(blocks[file.tell() % len(blocks)])
        file.write(f'{{"metric": "loss", "value": 0.5, "step": {LAST}}}\n'.encode())
    os.utime(path, (OLD, OLD))


@dataclass
class Run:
    """What one recorder did."""

    wall: float
    cpu: float
    peak: float
    """Mebibytes."""
    seen: dict[str, float] = field(default_factory=dict)
    """Seconds from its header to the first record of a kind."""


_KINDS = {
    "last values": re.compile(rb'\{"k":"m"'),
    "outline": re.compile(rb'\{"k":"hist"[^\n]*"sampled":true'),
    "first stretch": re.compile(rb'\{"k":"hist"(?![^\n]*"sampled":true)'),
}


def record(log: Path, session: Path) -> Run:
    """Record a finished log to its end."""
    session.unlink(missing_ok=True)
    began = time.monotonic()
    process = subprocess.Popen([*FLOYDTOP, "record", str(session), "--log", str(log)])
    seen: dict[str, float] = {}
    header, offset, peak = 0.0, 0, 0.0
    while True:
        pid, _, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            process.returncode = 0
            wall = time.monotonic() - began
            return Run(wall, usage.ru_utime + usage.ru_stime, peak, seen)
        time.sleep(0.005)
        with contextlib.suppress(ValueError, OSError):
            # The kernel's own maximum for a child counts our memory, too, from before its exec.
            peak = resident_mebibytes(process.pid, "VmHWM")
        if len(seen) == len(_KINDS) or not session.exists():
            continue
        with session.open("rb") as file:
            file.seek(offset)
            data = file.read()
        now = time.monotonic()
        header = header or (now if data else 0.0)
        offset += data.rfind(b"\n") + 1
        for kind, pattern in _KINDS.items():
            if kind not in seen and pattern.search(data):
                seen[kind] = now - header


def _grep(log: Path) -> tuple[float, float]:
    """Wall and CPU seconds of `grep -c`; into a pipe, since to /dev/null it stops at the first hit."""
    before, began = os.times(), time.monotonic()
    with subprocess.Popen(["grep", "-c", '"metric"', str(log)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.read()
    after = os.times()
    cpu = after.children_user - before.children_user + after.children_system - before.children_system
    return time.monotonic() - began, cpu


def throughput(folder: Path) -> Iterator[Figure]:
    """Logs of 1 GB, of dense JSON 268 MB, from the recorder's start to its end."""
    idle = record(_idle(folder), folder / "idle.jsonl")
    yield Figure("recorder of a log of one line: CPU", idle.cpu, "s")
    yield Figure("the same: memory at its highest", idle.peak, "MiB")
    for what, make, size, aim in (
        ("1 GB, 1 JSON metric in 20 lines", mix, 1e9, 400),
        ("268 MB of JSON metrics", dense, 268e6, 90),
        ("1 GB of Keras bars", keras, 1e9, 800),
    ):
        log = folder / "train.log"
        write_log(log, make, size)
        wall, cpu = _grep(log)
        run = record(log, folder / "run.jsonl")
        ours = max(0.01, run.cpu - idle.cpu)
        note = f"{run.wall:.1f} s, {ours / max(cpu, 0.01):.0f} times the CPU of grep -c ({wall:.2f} s)"
        yield Figure(f"{what}: not read at {aim} MB/s, by CPU", aim * ours / (size / 1e6), "times", 1.0, note)
        yield Figure(f"{what}: speed", size / 1e6 / ours, "MB/s")
        yield Figure(f"{what}: memory above idle", run.peak - idle.peak, "MiB", 40)


def _idle(folder: Path) -> Path:
    log = folder / "one.log"
    log.write_text("loss: 0.5\n")
    os.utime(log, (OLD, OLD))
    return log


def largest(folder: Path, gigabytes: float) -> Iterator[Figure]:
    """A log of 10 GB: what is there when."""
    log = folder / "large.log"
    needed = (gigabytes + 2) * 1e9
    if shutil.disk_usage(folder).free < needed:
        print(f"(10 GB: skipped, {folder} has no {needed / 1e9:.0f} GB free)")
        return
    write_log(log, mix, gigabytes * 1e9)
    idle = record(_idle(folder), folder / "idle.jsonl")
    run = record(log, folder / "run.jsonl")
    what = f"{gigabytes:g} GB"
    yield Figure(f"{what}: last values, after the header", run.seen.get("last values", 99.0), "s", 0.3)
    yield Figure(f"{what}: outline, after the header", run.seen.get("outline", 99.0), "s", 1.0)
    yield Figure(f"{what}: all of it", run.wall, "s", None, f"{gigabytes * 1e3 / run.cpu:.0f} MB/s by CPU")
    yield Figure(f"{what}: memory above idle", run.peak - idle.peak, "MiB", 40)
    waits = [_until_shown([*FLOYDTOP, str(log)], CHART, folder, n)[0] for n in range(3)]
    yield median_of(f"{what}: first screen with a chart", waits, "s", 1.5)
    log.unlink()


def peers(folder: Path) -> Iterator[Figure]:
    """The same 1 GB in lnav and toolong until their last line shows."""
    log = folder / "train.log"
    write_log(log, mix, 1e9)
    waits = [_until_shown([*FLOYDTOP, str(log)], CHART, folder, 10 + n) for n in range(3)]
    yield median_of("1 GB: first screen with a chart", [wait for wait, _ in waits], "s")
    yield Figure("1 GB: memory of the app then", max(memory for _, memory in waits), "MiB")
    for name in ("lnav", "tl"):
        if shutil.which(name) is None:
            print(f"({name}: skipped, it is not installed)")
            continue
        keys = ("G",) if name == "lnav" else ("End",)
        wait, memory = _until_shown([name, str(log)], re.compile(str(LAST)), folder, 20, keys)
        yield Figure(f"1 GB in {name}: last line on the screen", wait, "s")
        yield Figure(f"1 GB in {name}: memory then", memory, "MiB")


def _until_shown(
    command: list[str], shown: re.Pattern[str], folder: Path, number: int, keys: tuple[str, ...] = ()
) -> tuple[float, float]:
    """Seconds from Enter until a pattern is on the screen, and the mebibytes that the program has then."""
    state = folder / f"state{number}"
    with Terminal(command, {"XDG_STATE_HOME": str(state)}) as terminal:
        time.sleep(0.2)
        began = terminal.go()
        for _ in range(1200):
            try:
                end = terminal.wait_for(shown, within=0.3)
                break
            except TimeoutError:
                for key in keys:
                    terminal.press(key)
        else:
            raise TimeoutError(f"{command[0]} does not show {shown.pattern}:\n{terminal.screen()}")
        memory = sum(resident_mebibytes(one.pid) for one in family([terminal.pid]))
    _stop_recorders(state)
    return end - began, memory


def _stop_recorders(state: Path) -> None:
    """End what still reads."""
    for session in state.rglob("*.jsonl"):
        subprocess.run([*FLOYDTOP, "stop", session.stem], env=_environment(state), capture_output=True)


def _environment(state: Path) -> dict[str, str]:
    return os.environ | {"XDG_STATE_HOME": str(state), "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"}


def delays(folder: Path) -> Iterator[Figure]:
    """By how much the loop that answers keys is late, while the recorder reads 2 GB and afterwards."""
    log, state, told = folder / "train.log", folder / "keys", folder / "delays"
    write_log(log, mix, 2e9)
    command = [sys.executable, "-m", "tests.benchmarks.loop_delay", str(told), str(log)]
    with _app(command, state) as terminal:
        _wait_for(terminal, b"loss", 30.0)
        _drain(terminal, 8.0)
        ends = [time.monotonic()]
        _stop_recorders(state)
        _drain(terminal, 3.0)
        ends.append(time.monotonic())
        _drain(terminal, 8.0)
    looks = [tuple(map(float, line.split())) for line in told.read_text().splitlines()[:-1]]
    busy = [late for at, late in looks if ends[0] - 8.0 < at < ends[0]]
    quiet = [late for at, late in looks if at > ends[1]]
    spread = (
        f"p95 {_p95(busy) * 1e3:.1f} ms beside {_p95(quiet) * 1e3:.1f} ms, worst {max(busy) * 1e3:.0f} ms"
    )
    extra = (_p95(busy) - _p95(quiet)) * 1e3
    yield Figure("a key while a past is read: extra delay, p95", extra, "ms", 10, spread)


def _p95(values: list[float]) -> float:
    return statistics.quantiles(values, n=20)[-1]


@contextlib.contextmanager
def _app(command: list[str], state: Path) -> Iterator[int]:
    """A program in a pty of its own; its master end."""
    pid, master = pty.fork()
    if pid == 0:
        os.execvpe(command[0], command, _environment(state))
    termios.tcsetwinsize(master, (50, 160))
    try:
        yield master
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(master)


def _wait_for(master: int, words: bytes, within: float) -> None:
    """Read until the words have come."""
    seen, deadline = b"", time.monotonic() + within
    while words not in seen:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([master], [], [], left)[0]:
            raise TimeoutError(f"No {words!r} within {within:.0f} s.")
        seen = seen[-len(words) :] + os.read(master, 1 << 16)


def _drain(master: int, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        if select.select([master], [], [], left)[0]:
            os.read(master, 1 << 16)


def main(gigabytes: float = 10.0, parent: str | None = None) -> None:
    """Print the figures as a table."""
    print(f"{machine()}\n\n{HEADING}")
    parts: list[Callable[[Path], Iterator[Figure]]] = [
        throughput,
        lambda folder: largest(folder, gigabytes),
        delays,
        peers,
    ]
    for part in parts:
        with tempfile.TemporaryDirectory(prefix="floydtop-benchmark-", dir=parent) as folder:
            for figure in part(Path(folder)):
                print(figure.row(), flush=True)


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 10.0, sys.argv[2] if len(sys.argv) > 2 else None)
