"""Run by tmux in place of `cat > FIFO`: copies the pane's output, and leaves when its reader has gone.

A `cat` would stay, and keep the pane's pipe taken, until the job next prints something. This file is run
by its path, as a program of its own, with nothing of floydtop loaded.
"""

from __future__ import annotations

import contextlib
import os
import select
import sys


def main(fifo: str) -> None:
    try:
        # The reader is there before us; to wait for one that was killed meanwhile would be for ever.
        out = os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)
    except OSError:
        return
    finally:
        with contextlib.suppress(OSError):
            os.unlink(fifo)
            os.rmdir(os.path.dirname(fifo))
    os.set_blocking(out, True)
    os.write(out, b"\0")
    poll = select.poll()
    poll.register(0, select.POLLIN)
    poll.register(out, 0)  # POLLERR is always reported: the reader has closed its end
    while True:
        for descriptor, _ in poll.poll():
            if descriptor == out:
                return
            data = os.read(0, 65536)
            if not data:
                return
            while data:
                data = data[os.write(out, data) :]


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except BrokenPipeError:
        sys.exit(0)
