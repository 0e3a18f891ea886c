"""A large session file is digested by two processes: ours, and a helper beside it that may die at any time.

JSON and columns are three quarters of what loading costs, and hang on nothing that comes before. What they
add up to is put together here alone, in the order of the file: it is the same whoever digested what.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import subprocess
import sys
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from floydtop.session.digest import Digest, digest_file
from floydtop.session.files import stretches
from floydtop.session.helper import GREETING, SIZE, STRETCH, unpack

ENTRY = "import sys; sys.path.append(sys.argv.pop(1)); from floydtop.session.helper import main; main()"
"""Unlike `-m`, this takes nothing from the working directory, and works from a checkout."""

PATIENCE = 10.0
"""Seconds of silence after which it is given up: a stretch takes 5 ms."""

AT_ONCE = 6
"""Stretches that it is asked for at a time: it goes on while we draw, and four answers wait in the pipe."""

MOST_AHEAD = 10
"""Stretches digested or asked for before it is their turn: 0.25 MB each."""

PIPE = 1 << 20
"""Bytes of a pipe: in the usual 64 KiB an answer has no room, and the helper would wait for us to read."""


def digests(fd: int, start: int, stop: int, *, helped: bool) -> Iterator[tuple[int, int, Digest]]:
    """What a plain session file tells, stretch by stretch: where each begins and ends, and its digest.

    Args:
        start: where a line begins, and the first stretch.
        helped: whether a helper is to take its part of the work; on a single core it does not.

    Raises:
        FloydtopError: a header of a newer version.
        OSError: it cannot be read.
    """
    rest = stretches(fd, start, stop)
    if not helped or _cores() < 2:
        for first, last in rest:
            yield first, last, digest_file(fd, first, last)
        return
    ahead: deque[tuple[int, int, Digest | None]] = deque()
    with Helper(fd) as helper:
        while True:
            while helper.has_time() and (piece := next(rest, None)) is not None:
                helper.ask(*piece)
                ahead.append((*piece, None))
            due = ahead and (ahead[0][2] is not None or helper.has_answer() or len(ahead) >= MOST_AHEAD)
            if not due and (piece := next(rest, None)) is not None:
                ahead.append((*piece, digest_file(fd, *piece)))
            elif ahead:
                first, last, told = ahead.popleft()
                told = told if told is not None else helper.answer()
                yield first, last, told if told is not None else digest_file(fd, first, last)
            else:
                return


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Helper:
    """A process that digests stretches of an open file, and answers in the order in which it is asked.

    One that could not be started or has ended has no time, and owes nothing but None.
    """

    def __init__(self, fd: int) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._greeted = False
        self._owes = 0
        with contextlib.suppress(OSError):
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-W", "ignore", "-c", ENTRY, str(Path(__file__).parents[2]), str(fd)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                bufsize=0,
                pass_fds=(fd,),
                # Ctrl-C in the terminal is meant for the app alone. When we end, so does its input, and it.
                start_new_session=True,
            )
            assert self._process.stdout is not None
            with contextlib.suppress(AttributeError):
                fcntl.fcntl(self._process.stdout, fcntl.F_SETPIPE_SZ, PIPE)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._drop()

    @property
    def pid(self) -> int | None:
        """Its pid while it runs."""
        return self._process.pid if self._process is not None else None

    def has_time(self) -> bool:
        """Whether to ask it for more."""
        if not self._greeted and self._can_read(0):
            # Python may print something else before, if it is told to (`sitecustomize`).
            self._greeted = self._read(len(GREETING)) == GREETING
            if not self._greeted:
                self._drop()
        return self._greeted and self._process is not None and self._owes < AT_ONCE

    def has_answer(self) -> bool:
        """Whether `answer` need not be waited for."""
        return self._process is None or (self._owes > 0 and self._can_read(0))

    def ask(self, start: int, stop: int) -> None:
        """Have a stretch digested."""
        self._owes += 1
        if self._process is not None and self._process.stdin is not None:
            try:
                self._process.stdin.write(STRETCH.pack(start, stop))
            except OSError:
                self._drop()

    def answer(self) -> Digest | None:
        """The digest of the stretch that was asked for first; None when none will come."""
        self._owes -= 1
        frame = self._frame()
        return unpack(frame) if frame is not None else None

    def _frame(self) -> bytes | None:
        head = self._read(SIZE.size)
        return self._read(*SIZE.unpack(head)) if head is not None else None

    def _read(self, size: int) -> bytes | None:
        """So many bytes of its answers; None, and it is dropped, when they do not come."""
        read = bytearray()
        while len(read) < size:
            some = b""
            if self._can_read(PATIENCE) and self._process is not None and self._process.stdout is not None:
                some = self._process.stdout.read(size - len(read))
            if not some:
                self._drop()
                return None
            read += some
        return bytes(read)

    def _can_read(self, seconds: float) -> bool:
        if self._process is None or self._process.stdout is None:
            return False
        waiting = select.poll()
        waiting.register(self._process.stdout, select.POLLIN)
        return bool(waiting.poll(seconds * 1000))

    def _drop(self) -> None:
        """End it, and expect nothing more."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
        # One that a dead network disk holds ends when that answers.
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(1.0)
