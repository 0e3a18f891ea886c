"""Be the recorder; whoever starts or stops one loads none of this, which takes 80 ms and 4 MB."""

from __future__ import annotations

import asyncio
import os
import signal

from floydtop.recorder.assignment import Assignment
from floydtop.recorder.recording import Recording


def record(assignment: Assignment) -> None:
    """Be the recorder until the job ends, SIGTERM or SIGINT; a lost terminal (SIGHUP) does not matter."""
    asyncio.run(_record(assignment))
    # Not before: a recorder is to start fast and stay small.
    from floydtop.session import index

    os.nice(10)
    index.prepare(assignment.session)


async def _record(assignment: Assignment) -> None:
    recording = Recording(assignment)
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, recording.stop, "stopped")
    loop.add_signal_handler(signal.SIGINT, recording.stop, "stopped")
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    await recording.run()
    if recording.silent:
        # A thread that waits for a dead mount would hold up our exit for ever.
        os._exit(0)
