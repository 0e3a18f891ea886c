"""`floydtop run`, `CMD | floydtop -` and `floydtop FIFO`: jobs whose output floydtop keeps itself."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from floydtop.commands.watch import monitor, need_terminal, record, watch
from floydtop.errors import FloydtopError

if TYPE_CHECKING:
    from floydtop.recorder.launch import Launched
    from floydtop.sources.target import Target


def run(command: list[str], name: str | None, *, interval: float, detach: bool, watching: bool) -> int:
    """Start a job that outlives the terminal, record it, and watch it unless nobody wants to or can.

    Raises:
        FloydtopError: it cannot be started.
    """
    from floydtop.commands.plain import state_words
    from floydtop.recorder.kept import told_exit
    from floydtop.recorder.launch import launch

    unseen = _why_unseen() if watching else None
    job = launch(command, name or os.path.basename(command[0]))
    log = str(job.log)
    kept = f"`kill {job.pid}` ends the job; its output is kept in {log}"
    if watching and unseen is None:
        status = _attach(job, lambda target: monitor(target, interval=interval, detach=detach))
        if told_exit(log) is None:
            print(f"The job goes on too: {kept}")
            _say_what_slurm_does(job.pid)
        return status
    _attach(job, lambda target: record(target, interval=interval))
    if unseen is not None:
        print(unseen)
    end = told_exit(log)
    if end is None:
        print(f"Job {job.pid} runs: `floydtop {job.pid}` shows it, {kept}")
        _say_what_slurm_does(job.pid)
    else:
        print(f"Job {job.pid} has ended ({state_words('exited', end)}): `floydtop replay {job.pid}`")
    return 0


def _say_what_slurm_does(pid: int) -> None:
    if "SLURM_JOB_ID" in os.environ:
        print(f"Slurm ends it with this script or step: `tail --pid={pid} -f /dev/null` waits for it.")


def _attach(job: Launched, attach: Callable[[Target], int]) -> int:
    """Attach to the job, or to what it left when it was over before anybody could take hold of it."""
    from floydtop.recorder.kept import told_exit
    from floydtop.sources.target import Target

    log = str(job.log)
    try:
        return attach(Target("job", pid=job.pid, log=log))
    except FloydtopError as error:
        if told_exit(log) is None:
            raise FloydtopError(
                f"{error} Job {job.pid} runs all the same, with its output in {log}."
            ) from error
        return attach(Target("log", log=log))


def watch_pipe(pid: int | None, *, interval: float, detach: bool) -> int:
    """Keep and watch what is piped in; keys come from the terminal.

    Raises:
        FloydtopError: nothing is piped in, or the log of it cannot be written.
    """
    if os.isatty(0):
        raise FloydtopError("Nothing is piped in: COMMAND | floydtop -, or floydtop FILE.")
    file = _file_on_stdin()
    if file is not None:
        take_keys_from_terminal()
        return watch(file, pid, None, interval=interval, detach=detach)
    from floydtop.recorder.spool import spool_pipe

    log = spool_pipe(0)
    _be_named_as_viewer()
    take_keys_from_terminal()
    return _show_kept(log, pid, "the pipe", interval=interval, detach=detach)


def watch_fifo(path: str, pid: int | None, *, interval: float, detach: bool) -> int:
    """Keep and watch what is written to a FIFO.

    Raises:
        FloydtopError: it cannot be read, or somebody else reads it.
    """
    from floydtop.recorder.spool import spool_fifo

    def waiting() -> None:
        print(f"Nobody writes to {path} yet: waiting for it, Ctrl-C gives up.", file=sys.stderr)

    log = spool_fifo(path, waiting)
    return _show_kept(log, pid, path, interval=interval, detach=detach)


def _show_kept(log: Path, pid: int | None, origin: str, *, interval: float, detach: bool) -> int:
    from floydtop.recorder.spool import writer_of
    from floydtop.sources.target import Target

    job = pid or writer_of(log)
    notes = [f"What came through {origin} is kept in {log}."]
    if job is None:
        notes.append(f"The process that writes to {origin} is not known here: it has ended or is not yours.")
        target = Target("log", log=str(log), notes=notes)
    else:
        target = Target("job", pid=job, log=str(log), notes=notes)
    unseen = _why_unseen()
    if unseen is None:
        return monitor(target, interval=interval, detach=detach)
    record(target, interval=interval)
    print(f"{unseen} It is recorded: `floydtop {job or log}` shows it.", file=sys.stderr)
    return 0


def _file_on_stdin() -> str | None:
    """The path of a file that stdin was redirected from, as in `floydtop - < train.log`."""
    try:
        path = os.readlink("/proc/self/fd/0")
        return path if os.path.isfile(path) and os.path.samestat(os.stat(path), os.fstat(0)) else None
    except OSError:
        return None


def _be_named_as_viewer() -> None:
    """Take a name by which the recorder tells us from the job, whose process group a pipeline shares."""
    from floydtop.sources.family import VIEWER

    with contextlib.suppress(OSError), open("/proc/self/comm", "w") as name:
        name.write(VIEWER)


def take_keys_from_terminal() -> None:
    """Put the terminal in place of the pipe as stdin, where Textual reads keys."""
    try:
        terminal = os.open("/dev/tty", os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return
    os.dup2(terminal, 0)
    os.close(terminal)


def _why_unseen() -> str | None:
    """Why nothing can be drawn here, None when it can."""
    try:
        need_terminal()
    except FloydtopError as why:
        return str(why)
    return None
