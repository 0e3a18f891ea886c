"""How fast whole logs are read: `floydtop export` of logs of 100 MB, beside `grep -c` on the same file.

python -m tests.benchmarks.bench_parse [MEGABYTES] [NAME ...]
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.benchmarks.figures import machine

LOGS = Path(__file__).parents[1] / "data" / "logs"
MEGABYTES = 100

CHATTER = (
    "[{n}] loading shard {n} of dataset, {k} files in queue, cache at /data/cache/{n}.bin\n"
    "worker {k} fetched batch from queue, {n} bytes\n"
    "INFO: connection to storage node {k} is alive\n"
)


def _chatter(count: int) -> str:
    return "".join(CHATTER.format(n=n * 7919 % 100_000, k=n % 64) for n in range(count))


def chatter() -> bytes:
    """Lines without metrics."""
    return _chatter(5000).encode()


def sparse_json() -> bytes:
    """A metric object in one line of 20."""
    lines = _chatter(4000).splitlines(keepends=True)
    return "".join(
        f'{{"metric": "loss", "value": {1 / (n + 1):.6f}, "step": {n}}}\n' if n % 20 == 0 else line
        for n, line in enumerate(lines)
    ).encode()


def dense_json() -> bytes:
    """Nothing but metric objects."""
    return "".join(
        f'{{"metric": "{name}", "value": {1 / (n + 1):.6f}, "step": {n}}}\n'
        for n in range(5000)
        for name in ("loss", "accuracy")
    ).encode()


def keras_bars() -> bytes:
    """Keras bars rewritten by backspaces and carriage returns, 200 frames an epoch."""
    epochs = []
    for epoch in range(1, 21):
        frames = "".join(
            f"\r{n:>3}/200 [{'=' * (n // 8):.<25}] - ETA: {200 - n}s"
            f" - loss: {1 / n:.4f} - accuracy: {n / 200:.4f}"
            for n in range(1, 200)
        )
        last = "\r200/200 [=========================] - 1s 5ms/step - loss: 0.1234 - accuracy: 0.9876\n"
        epochs.append(f"Epoch {epoch}/20\n{frames}{last}")
    return "".join(epochs).encode()


GENERATED: dict[str, tuple[Callable[[], bytes], str, float | None]] = {
    "chatter without metrics": (chatter, "loss", 200.0),
    "JSON, 1 line in 20": (sparse_json, '"metric"', 400.0),
    "dense JSON": (dense_json, '"metric"', 90.0),
    "Keras bars": (keras_bars, "loss", 800.0),
}
"""Content, what grep looks for, and the MB/s that are aimed at."""

AIM = 40.0
"""MB/s aimed at for every other format."""


def cases() -> Iterator[tuple[str, bytes, str, float | None]]:
    """Name, content to repeat, what grep looks for, aim."""
    for name, (make, needle, aim) in GENERATED.items():
        yield name, make(), needle, aim
    for log in sorted(LOGS.rglob("*.pipe.log")):
        content = log.read_bytes()
        yield (
            f"{log.parent.name}/{log.name.removesuffix('.pipe.log')}",
            content.rstrip(b"\n") + b"\n",
            "loss",
            AIM,
        )


def _cpu_seconds(command: list[str]) -> float:
    """User and system CPU of a command; the wall time of a busy machine would mean little."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=False, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main(megabytes: int = MEGABYTES, wanted: list[str] | None = None) -> None:
    """Print a row for each log: CPU time, less that of exporting a log of one line."""
    print(f"{machine()}\n\n| log, repeated to {megabytes} MB | MB/s | aim | kept | times `grep -c` |")
    print("| --- | ---: | ---: | --- | ---: |")
    with tempfile.TemporaryDirectory(prefix="floydtop-benchmark-") as folder:
        path = Path(folder) / "train.log"
        export = [sys.executable, "-m", "floydtop", "export", str(path)]
        path.write_text("loss 1\n")
        start = min(_cpu_seconds(export) for _ in range(3))
        for name, content, needle, aim in cases():
            if wanted and not any(word in name for word in wanted):
                continue
            path.write_bytes(content * (megabytes * 1_000_000 // len(content) + 1))
            size = path.stat().st_size / 1e6
            ours = max(0.01, _cpu_seconds(export) - start)
            grep = _cpu_seconds(["grep", "-c", needle, str(path)])
            verdict = "" if aim is None else "yes" if size / ours >= aim else "**no**"
            print(
                f"| {name} | {size / ours:.0f} | {aim:.0f} | {verdict} | {ours / max(grep, 0.01):.0f} |",
                flush=True,
            )


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:] if word.isdecimal()]
    main(numbers[0] if numbers else MEGABYTES, [word for word in sys.argv[1:] if not word.isdecimal()])
