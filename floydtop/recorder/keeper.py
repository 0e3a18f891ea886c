"""Keep what a job prints in a log: a program of its own, run by its path, with nothing of floydtop loaded.

    keeper.py run EXIT_FILE COMMAND...   start the command on a terminal of its own
    keeper.py pipe EXIT_FILE             read standard input to its end
    keeper.py fifo EXIT_FILE PATH        the same for a FIFO, which may get another writer

Standard output is the log. The keeper is nobody's child, needs no terminal, and ends when nobody can print
any more; a signal does not end it before that, since the job would then die of its next print.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import select
import signal
import stat
import struct
import sys
import termios
import time

NAME = "floydtop-keeper"
"""The kernel's short name of this process, by which a log's writer is told from its keeper."""

BLOCK = 1 << 16
WINDOW = (50, 120)
"""Rows and columns of the job's terminal."""

RECORD_LENGTH = 512
"""Bytes of the exit file: written at the start and overwritten at the end, so that a full disk takes both."""

ZOMBIE_SECONDS = 2.0
"""How long the ended job stays uncollected: a recorder reads from it how it ended, on every kernel."""

NEXT_WRITER_SECONDS = 60.0
"""How long a FIFO without a writer is held open for the next one."""

_IGNORED = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGTSTP)


class Log:
    """The log on standard output, which may refuse bytes for a while: what is lost is counted in it.

    Attributes:
        lost: bytes that are missing from it.
        why: why the last of them are.
    """

    def __init__(self) -> None:
        self.lost = 0
        self.why = ""
        self._untold = 0

    def keep(self, data: bytes) -> None:
        """Append the bytes, or count them."""
        if self._untold and not self._tell_loss():
            self._lose(data)
            return
        try:
            while data:
                data = data[os.write(1, data) :]
        except OSError as error:
            self._lose(data)
            self.why = error.strerror or str(error)

    def close(self) -> None:
        """The last chance to tell of a loss."""
        if self._untold:
            self._tell_loss()

    def _lose(self, data: bytes) -> None:
        self.lost += len(data)
        self._untold += len(data)

    def _tell_loss(self) -> bool:
        sentence = f"\n[floydtop: {self._untold} bytes of output are missing here: {self.why}]\n".encode()
        try:
            written = os.write(1, sentence)
            if written < len(sentence):
                # There is room for a few bytes only: half a sentence would be taken for the job's.
                os.ftruncate(1, os.fstat(1).st_size - written)
                return False
        except OSError:
            return False
        self._untold = 0
        return True


def leave() -> bool:
    """Fork away from the process that waits for us; True in the one that goes on, under its own name."""
    if os.fork():
        return False
    for number in _IGNORED:
        signal.signal(number, signal.SIG_IGN)
    with contextlib.suppress(OSError), open("/proc/self/comm", "w") as name:
        name.write(NAME)
    return True


def report(**words: object) -> None:
    """Tell the process that waits for us, on standard error, and let go of it and of its directory."""
    with contextlib.suppress(OSError):
        os.write(2, json.dumps(words).encode())
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    os.chdir("/")


def identity() -> dict[str, object]:
    """This process as nobody else is: for file systems where no lock tells that it lives."""
    known: dict[str, object] = {"pid": os.getpid(), "host": os.uname().nodename}
    with contextlib.suppress(OSError), open("/proc/sys/kernel/random/boot_id") as file:
        known["boot"] = file.read().strip()
    with contextlib.suppress(OSError, IndexError), open("/proc/self/stat", "rb") as file:
        known["start"] = int(file.read().rpartition(b")")[2].split()[19])
    return known


def open_record(exit_file: str) -> int:
    """A new exit file that tells who keeps the log."""
    record = os.open(exit_file, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    os.pwrite(record, _record(None, None), 0)
    return record


def run(exit_file: str, command: list[str]) -> None:
    """Start the command, copy what it prints, and leave its wait status (waitpid(2)) in the exit file."""
    master, slave = os.openpty()
    _prepare(slave)
    try:
        record = open_record(exit_file)
    except OSError as error:
        report(error=f"the disk refuses {exit_file}: {error.strerror}")
        return
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    failed, fail = os.pipe()
    job = os.fork()
    if job == 0:
        _become(command, slave, fail)
    os.close(fail)
    if failure := os.read(failed, BLOCK):
        os.waitpid(job, 0)
        os.unlink(exit_file)
        report(error=failure.decode(errors="replace"))
        return
    os.pwrite(record, _record(job, None), 0)
    report(pid=job)
    _copy_terminal(job, master, slave, record, woken)


def _prepare(slave: int) -> None:
    """Give the terminal a size, and let it pass on what the job prints as it is (no CR before each LF)."""
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", *WINDOW, 0, 0))
    modes = termios.tcgetattr(slave)
    modes[1] &= ~termios.OPOST
    modes[3] &= ~termios.ECHO
    termios.tcsetattr(slave, termios.TCSANOW, modes)


def _become(command: list[str], slave: int, fail: int) -> None:
    """Turn the forked child into the job; says why into `fail` when it cannot be started.

    It prints to the terminal but cannot be asked anything: its stdin is empty, and the terminal is not its
    controlling one. A prompt (a login, a breakpoint) then fails at once instead of waiting for ever.
    """
    try:
        os.setsid()
        nothing = os.open(os.devnull, os.O_RDONLY)
        for descriptor, number in ((nothing, 0), (slave, 1), (slave, 2)):
            os.dup2(descriptor, number)
        signal.set_wakeup_fd(-1)
        for number in (*_IGNORED, signal.SIGCHLD, signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(number, signal.SIG_DFL)
        os.execvp(command[0], command)
    except (OSError, ValueError) as error:
        os.write(fail, (getattr(error, "strerror", None) or str(error)).encode())
    finally:
        os._exit(127)


def _record(pid: int | None, status: int | None, lost: int = 0, why: str = "") -> bytes:
    words = {"pid": pid, "status": status, "keeper": identity(), "lost": lost, "why": why}
    return json.dumps(words).ljust(RECORD_LENGTH - 1).encode() + b"\n"


def _copy_terminal(job: int, master: int, slave: int, record: int, woken: int) -> None:
    """Copy until the job has ended and nobody of its children holds the terminal any more."""
    os.set_blocking(master, False)
    log = Log()
    poll = select.poll()
    poll.register(master, select.POLLIN)
    poll.register(woken, select.POLLIN)
    ended_at: float | None = None
    collected = False
    open_ = True
    while open_ or not collected:
        for descriptor, _ in poll.poll(None if collected or ended_at is None else 100):
            if descriptor == woken:
                os.read(woken, BLOCK)
            elif not _copy_waiting(master, log):
                poll.unregister(master)
                open_ = False
        if ended_at is None and (status := _status(job)) is not None:
            # All that the job printed is in the log before its end is told.
            _copy_waiting(master, log)
            ended_at = time.monotonic()
            os.pwrite(record, _record(job, status, log.lost, log.why), 0)
            # Held until now: a job that closes its stdout early is not the end of the terminal.
            os.close(slave)
        if ended_at is not None and not collected and time.monotonic() - ended_at > ZOMBIE_SECONDS:
            os.waitpid(job, 0)
            collected = True
    log.close()


def _copy_waiting(master: int, log: Log) -> bool:
    """Copy what is there; False when nobody can print to the terminal any more (EIO)."""
    # A flood must not hide the end of the job; a terminal holds 64 KiB at most, and gives 4 KiB at a time.
    for _ in range(64):
        try:
            data = os.read(master, BLOCK)
        except BlockingIOError:
            return True
        except OSError:
            return False
        if not data:
            return False
        log.keep(data)
    return True


def _status(job: int) -> int | None:
    """The wait status of the job once it has ended; it stays uncollected."""
    end = os.waitid(os.P_PID, job, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    if end is None:
        return None
    return end.si_status << 8 if end.si_code == os.CLD_EXITED else end.si_status


def spool(fifo: str | None) -> None:
    """Copy standard input to its end; that of a FIFO is when no further writer comes."""
    log = Log()
    poll = select.poll()
    poll.register(0, select.POLLIN)
    left_at: float | None = None
    while True:
        poll.poll()
        try:
            data = os.read(0, BLOCK)
        except BlockingIOError:
            left_at = None
            continue
        if data:
            left_at = None
            log.keep(data)
            continue
        if fifo is None:
            break
        left_at = left_at or time.monotonic()
        if time.monotonic() - left_at > NEXT_WRITER_SECONDS or not _is_still(fifo):
            break
        # Without a writer a FIFO is at its end at once, and cannot be waited for.
        time.sleep(0.1)
    log.close()


def _is_still(fifo: str) -> bool:
    try:
        named, ours = os.stat(fifo), os.fstat(0)
    except OSError:
        return False
    return stat.S_ISFIFO(named.st_mode) and (named.st_dev, named.st_ino) == (ours.st_dev, ours.st_ino)


def main(arguments: list[str]) -> None:
    if not leave():
        return
    if arguments[0] == "run":
        run(arguments[1], arguments[2:])
        return
    # Without it, on a disk that is full, the lock must do.
    with contextlib.suppress(OSError):
        os.close(open_record(arguments[1]))
    report()
    spool(arguments[2] if arguments[0] == "fifo" else None)
    with contextlib.suppress(OSError):
        os.unlink(arguments[1])


if __name__ == "__main__":
    main(sys.argv[1:])
