"""Whether a session can be read now: on a network mount that has died, whoever asks waits for ever.

So a process of its own asks: it may be stuck for good without holding up our screen, nor our exit, which a
thread of ours in such a wait would (the kernel lets no process go before all of its threads).
"""

from __future__ import annotations

import contextlib
import functools
import os
import select
import subprocess
import sys
import threading
import time
from pathlib import Path

PATIENCE = 0.3
"""Seconds that a screen waits for an answer; what comes later is heard at the next question."""
LONG_PATIENCE = 3.0
"""The same of a command, and of the first question: an interpreter takes a while to start."""
ASK_EVERY = 0.1
"""Seconds: the mount that answered just now is not asked again for each slice of a large session."""
_NETWORK = (
    "nfs",
    "cifs",
    "smb",
    "fuse",
    "ceph",
    "lustre",
    "gpfs",
    "beegfs",
    "glusterfs",
    "9p",
    "afs",
    "pvfs",
)
_ASKER = """
import os, sys
while os.read(0, 1):
    try:
        os.close(os.open(sys.argv[1], os.O_RDONLY))
    except OSError:
        pass
    os.write(1, b"!")
"""


def is_remote(path: Path) -> bool:
    """Whether a file lies on a network file system, by the mount of its device (proc_pid_mountinfo(5))."""
    try:
        device = os.stat(path).st_dev
        mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    number = f"{os.major(device)}:{os.minor(device)}"
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        if before.split()[2:3] == [number]:
            return after.startswith(_NETWORK)
    return False


def answers(path: str) -> bool:
    """Whether a file on a network mount can be opened now; one on a local disk is not asked.

    Which mount it lies on is told by its name alone: to look the file up could take for ever.
    """
    return _pulse_of(path).beats(LONG_PATIENCE) if _is_below_network_mount(path) else True


def _is_below_network_mount(path: str) -> bool:
    nearest, kind = "", ""
    try:
        mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        point = before.split()[4].replace("\\040", " ").rstrip("/") + "/"
        # Of two mounts on one place the later one is seen.
        if path.startswith(point) and len(point) >= len(nearest):
            nearest, kind = point, after
    return kind.startswith(_NETWORK)


class Pulse:
    """Asks before each reading whether a file can be opened."""

    def __init__(self, path: Path) -> None:
        self._asker = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _ASKER, str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._asked_at = 0.0
        self._waiting = False
        self._one_at_a_time = threading.Lock()

    def beats(self, patience: float = PATIENCE) -> bool:
        """Whether the last question was answered; asks a new one when it is time.

        Args:
            patience: seconds to wait for the answer to a new one; for an older one nobody waits.
        """
        with self._one_at_a_time:
            return self._ask(patience)

    def _ask(self, patience: float) -> bool:
        now, wait = time.monotonic(), 0.0
        if not self._waiting and now - self._asked_at >= ASK_EVERY:
            assert self._asker.stdin is not None
            wait = patience if self._asked_at else max(patience, LONG_PATIENCE)
            self._asked_at = now
            with contextlib.suppress(OSError):
                os.write(self._asker.stdin.fileno(), b"?")
                self._waiting = True
        if self._waiting:
            assert self._asker.stdout is not None
            if select.select([self._asker.stdout], [], [], wait)[0]:
                os.read(self._asker.stdout.fileno(), 1)
                self._waiting = False
        return not self._waiting

    @property
    def silence(self) -> float:
        """Seconds since the question that was not answered, 0 when it was."""
        return time.monotonic() - self._asked_at if self._waiting else 0.0

    def close(self) -> None:
        """End the asker, without waiting for it: it may be stuck."""
        self._asker.kill()
        # Nobody is to wait for it, nor to be warned of it.
        self._asker.returncode = 0
        for end in (self._asker.stdin, self._asker.stdout):
            if end is not None:
                with contextlib.suppress(OSError):
                    end.close()


@functools.lru_cache(maxsize=8)
def _pulse_of(path: str) -> Pulse:
    """One asker for each log, which ends when we do."""
    return Pulse(Path(path))
