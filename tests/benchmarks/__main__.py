"""Print the figures of this machine as Markdown: `python -m tests.benchmarks [NAME ...] [--peers DIR]`."""

from __future__ import annotations

import argparse
import importlib
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.benchmarks import command_line, freshness, peers, screen
from tests.benchmarks.figures import HEADING, Figure, machine

FIGURES: dict[str, Callable[[Path], list[Figure]]] = {
    "help": command_line.help_page,
    "start": screen.first_chart,
    "rest": screen.finished_session_at_rest,
    "live": screen.silent_live_job,
    "busy": screen.busy_live_job,
    "slow-link": screen.busy_live_job_on_a_slow_link,
    "freshness": freshness.freshness,
}
"""Each takes a folder that is empty at first and cleared afterwards."""

PRINTED = sorted(path.stem for path in Path(__file__).parent.glob("bench_*.py"))
"""Benchmarks that print tables of their own."""


def main() -> None:
    """Run the benchmarks that were named, or all of them."""
    names = [*FIGURES, *PRINTED, "peers"]
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"some of: {' '.join(names)} (default: all)")
    parser.add_argument(
        "--peers",
        type=Path,
        metavar="DIR",
        help="a virtual environment with wandb and nvitop, made there if missing",
    )
    options = parser.parse_args()
    if unknown := set(options.names) - set(names):
        parser.error(f"there is no benchmark {' '.join(sorted(unknown))}")
    chosen = options.names or names
    print(f"{machine()}\n\n{HEADING}")
    for name, benchmark in FIGURES.items():
        if name in chosen:
            _print(benchmark)
    if "peers" in chosen:
        for benchmark in peers.benchmarks(options.peers):
            _print(benchmark)
    for name in PRINTED:
        if name in chosen:
            print(f"\n{name}\n")
            importlib.import_module(f"tests.benchmarks.{name}").main()


def _print(benchmark: Callable[[Path], list[Figure]]) -> None:
    with tempfile.TemporaryDirectory(prefix="floydtop-benchmark-") as folder:
        for figure in benchmark(Path(folder)):
            print(figure.row(), flush=True)


if __name__ == "__main__":
    main()
