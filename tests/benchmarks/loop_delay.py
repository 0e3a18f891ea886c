"""floydtop with a clock in its event loop, which handles keys, too: how late does it come to them?

python -m tests.benchmarks.loop_delay FILE ARGUMENTS... runs floydtop with the arguments, and writes a line to
FILE for each look at the clock: monotonic time, and by how many seconds the look was late.
"""

from __future__ import annotations

import asyncio
import sys
import time

from floydtop.app import FloydtopApp
from floydtop.cli import main

EVERY = 0.01


class Clock:
    """Looks at the time every `EVERY` seconds, as long as the app runs."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin, in the loop that runs."""
        self._task = asyncio.get_running_loop().create_task(self._look())

    async def _look(self) -> None:
        with open(self._path, "w", buffering=1) as file:
            while True:
                due = time.monotonic() + EVERY
                await asyncio.sleep(EVERY)
                now = time.monotonic()
                file.write(f"{now:.4f} {now - due:.6f}\n")


def run(path: str, arguments: list[str]) -> int:
    """Run floydtop with a clock in it."""
    clock, listen = Clock(path), FloydtopApp.listen_to_signals

    def listen_and_look(app: FloydtopApp) -> None:
        clock.start()
        listen(app)

    FloydtopApp.listen_to_signals = listen_and_look  # type: ignore[method-assign]  # called as the loop begins
    return main(arguments)


if __name__ == "__main__":
    raise SystemExit(run(sys.argv[1], sys.argv[2:]))
