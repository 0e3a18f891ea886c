"""What the command line costs before anything is drawn."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

from tests.benchmarks.figures import Figure, median_of
from tests.benchmarks.screen import FLOYDTOP


def help_page(folder: Path) -> list[Figure]:
    """Wall time of `floydtop --help`, from fork to exit; the first of eleven runs warms the disk cache."""
    seconds = [_wall_seconds([*FLOYDTOP, "--help"]) for _ in range(11)][1:]
    return [median_of("floydtop --help", seconds, "s", 0.1)]


def _wall_seconds(command: list[str]) -> float:
    started = time.monotonic()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - started
