"""What did the user name? A process, a log or a recorded session."""

from __future__ import annotations

import os
import pwd
import re
import shlex
import stat
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Literal, TypeVar

import msgspec

from floydtop.errors import FloydtopError
from floydtop.sources import descriptors, output, slurm, steps
from floydtop.sources.candidates import Candidate
from floydtop.sources.containers import LOGGERS
from floydtop.sources.finished import is_gzip, read_all
from floydtop.sources.patience import NoAnswer, Patient
from floydtop.sources.ptrace import COST, address, why_not
from floydtop.sources.trail import FILTERS

Answer = TypeVar("Answer")

PATIENCE = 5.0
"""Seconds that a file which the user named may take to answer: a sleeping disk needs a few."""
AT_ONCE = FILTERS | LOGGERS
"""Programs through which a line comes as soon as it is printed."""
LATE = "The log is packed as it is written: what the job prints comes some hundred lines later."
_FIRST_BLOCK = 65536
_SESSION = re.compile(rb'"format"\s{0,8}:\s{0,8}"floydtop-session"')
_BYTE_ORDER_MARKS = (b"\xff\xfe", b"\xfe\xff")
_NUL_RUN = re.compile(rb"\0+")
# Control characters that no text has; backspace, tab, line ends, form feed, bell and escape are text here.
_NOT_TEXT = bytes(set(range(32)) - set(b"\a\b\t\n\v\f\r\x1b"))
_PACKED = {
    b"\xfd7zXZ": ("xz", "xz -dc"),
    b"BZh": ("bzip2", "bzip2 -dc"),
    b"\x28\xb5\x2f\xfd": ("zstd", "zstd -dc"),
    b"PK\x03\x04": ("zip", "unzip -p"),
}


@dataclass(frozen=True, slots=True)
class Target:
    """What is to be monitored or shown."""

    kind: Literal["job", "log", "session"]
    """`log`: a log that no process of this machine writes."""
    pid: int | None = None
    log: str | None = None
    """Absolute path."""
    fd_path: str | None = None
    """/proc/PID/fd/N when the log was deleted while the job holds it: the only way to its bytes."""
    terminal: str | None = None
    """Address of the terminal that shows the output, for `follow`, when no file holds it."""
    session: str | None = None
    """Absolute path."""
    notes: list[str] = field(default_factory=list)
    """Sentences that a person should read: where the output goes, what could not be looked at."""
    candidates: list[Candidate] = field(default_factory=list)
    """Files that are about as likely the job's output, when no one is clearly it; the likeliest first."""
    ranks: list[Candidate] = field(default_factory=list)
    """The logs of the job's other ranks, when `log` is that of one rank."""
    named: bool = False
    """The user named the log, or wants what the job prints to be traced."""


def resolve(
    text: str | None, *, pid: int | None = None, log: str | None = None, ptrace: bool = False
) -> Target:
    """Tell what the user named, and find the other half: a job's log, a log's job.

    Digits are a pid, unless there is no such process but a file of that name; `slurm:123` is a job of
    Slurm's; all else is a path.

    Args:
        text: a pid, a path or a job of Slurm's as typed.
        pid: a process named explicitly.
        log: a log named explicitly.
        ptrace: trace the job's writes when its output cannot be read in any other way.

    Raises:
        FloydtopError: it does not exist, may not be read, or is not text.
    """
    if text is not None:
        if text.isdigit() and (descriptors.process(int(text)) is not None or not mode_of(text)):
            pid = int(text)
        elif log is None and pid is None and slurm.is_named(text):
            return _slurm(text, ptrace)
        elif log is None and pid is None and _is_session(text):
            return Target("session", session=os.path.abspath(text))
        else:
            log = text if log is None else log
    if pid is not None:
        return _job(pid, log, ptrace)
    if log is None:
        raise FloydtopError("Name a process or a log: floydtop PID, or floydtop FILE.")
    return _log(log)


def _job(pid: int, log: str | None, ptrace: bool) -> Target:
    notes = []
    thread, pid = pid, descriptors.leader(pid)
    if thread != pid:
        notes.append(f"{thread} is a thread of process {pid}, which is watched.")
    row = descriptors.process(pid)
    if row is None:
        if _runs_unseen(pid):
            raise FloydtopError(
                f"Process {pid} is hidden from you (hidepid of /proc): run floydtop as its owner or as root, "
                "or name its log."
            )
        raise FloydtopError(f"There is no process {pid} on this machine, and no file of that name here.")
    if row.state in "ZX":
        raise FloydtopError(
            f"Process {pid} ({row.name}) has already ended; its parent has not collected it yet."
        )
    if log is not None:
        return Target("job", pid, _checked(log), notes=notes, named=True)
    try:
        found = output.find_output(pid)
    except PermissionError:
        # The kernel still tells what it uses: that is shown, with the reason for what is missing.
        notes.append(
            f"Process {pid} ({row.name}) belongs to {_owner(pid)}: where its output goes may not be looked "
            "at. Name it with --log FILE, or run floydtop as that user or as root."
        )
        return Target("job", pid, notes=notes)
    except OSError as error:
        raise FloydtopError(f"Process {pid} ({row.name}) has just ended.") from error
    if found.log is None and found.lost_in and ptrace:
        refused = why_not()
        if refused is not None:
            raise FloydtopError(refused)
        notes.append(f"The writes of process {pid} are traced: {COST}.")
        return Target("job", pid, terminal=address(pid, found.lost_in), notes=notes, named=True)
    if found.log is None and found.terminal is None and not found.candidates:
        log = _log_of_slurm(pid)
        if log is not None:
            notes.append(
                f"Slurm sends what process {pid} prints to its srun: the log of the job is shown, {log}."
            )
            return Target("job", pid, log, notes=notes)
    if found.log is None:
        notes.append(found.sentence)
        return Target("job", pid, terminal=found.terminal, notes=notes, candidates=list(found.candidates))
    if not found.log.main and not found.log.metric_words:
        notes.append(
            f"{found.log.path} may not be all that the job prints: name another log with --log FILE."
        )
    if is_gzip(found.log.fd_path or found.log.path):
        notes.append(LATE)
    elif found.log.through and not found.log.metric_words and not AT_ONCE.issuperset(found.log.through):
        # `conda run` prints what its job has printed when that has ended.
        way = " and ".join(found.log.through)
        notes.append(f"What the job prints goes through {way}, and may come late to {found.log.path}.")
    if found.log.deleted:
        notes.append(
            f"The log {found.log.path} was deleted; it is read through the process that holds it, and is "
            f"lost when that ends. To save it: cp {found.log.fd_path} SAVED.log (later, what the recording "
            f"has of its text: floydtop sessions export {pid})."
        )
    return Target("job", pid, found.log.path, found.log.fd_path, notes=notes, ranks=list(found.ranks[1:]))


def _log(log: str) -> Target:
    path = _checked(log)
    try:
        writers = output.find_writers(path)
    except OSError as error:
        raise FloydtopError(f"The log {log} cannot be looked at: {error.strerror}.") from error
    notes = []
    if len(writers.pids) > 1:
        others = ", ".join(map(str, writers.pids[1:]))
        notes.append(f"Process {writers.pids[0]} is watched; the log is also written by {others} (--pid N).")
    if not writers.pids:
        unseen = ""
        if descriptors.hides_others():
            unseen = ", as far as can be seen: those of others are hidden (hidepid of /proc)"
        elif writers.uninspected:
            unseen = f", as far as can be seen: {writers.uninspected} belong to others"
        notes.append(f"No process of this machine writes {log}{unseen}.")
        return Target("log", log=path, notes=notes)
    if is_gzip(path):
        notes.append(LATE)
    return Target("job", writers.pids[0], path, notes=notes, named=True)


def _slurm(text: str, ptrace: bool) -> Target:
    """A job of Slurm's: its processes where it runs on this machine, else its log."""
    job = slurm.find(slurm.named(text)[0])
    if job.state in slurm.WAITING:
        raise FloydtopError(
            f"Slurm job {job.number} has not started ({job.state}, {job.reason}): wait for that."
        )
    pid = slurm.root_of(job.number, slurm.named(text)[1]) if job.lives else None
    if pid is not None and descriptors.process(pid) is not None:
        target = _job(pid, None, ptrace)
        if "," in job.nodes or "[" in job.nodes:
            target.notes.append(
                f"Slurm job {job.number} runs on {job.nodes}: the system is shown of this node."
            )
        return target
    if job.output is None:
        where = f"runs on {job.nodes}" if job.lives else f"is {job.state}"
        raise FloydtopError(
            f"Slurm job {job.number} {where}, and Slurm keeps no log of it: name the file it prints to."
        )
    if not mode_of(job.output):
        raise FloydtopError(
            f"Slurm job {job.number} prints to {job.output} on {job.nodes}, which is not seen from here: "
            f"try `srun --jobid={job.number} --overlap --pty floydtop {text}`."
        )
    target = _log(job.output)
    if job.lives and target.pid is None:
        note = (
            f"Slurm job {job.number} runs on {job.nodes}, its log is followed from here: "
            f"`srun --jobid={job.number} --overlap --pty floydtop {text}` shows what it uses."
        )
        return replace(target, notes=[note])
    if not job.lives:
        target.notes.insert(0, f"Slurm job {job.number} is {job.state}, exit code {job.exit}.")
    return target


def _log_of_slurm(pid: int) -> str | None:
    """The log of the job of Slurm's that a process is a task of, where its srun is on another machine."""
    task = steps.task(pid)
    if task is None or task.port is None:
        return None
    try:
        job = slurm.find(task.job)
        return job.output if job.output is not None and mode_of(job.output) else None
    except FloydtopError:
        return None


def _runs_unseen(pid: int) -> bool:
    """Whether there is such a process of somebody else's: kill(2) tells, and does nothing with signal 0."""
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except (OSError, OverflowError):
        return False
    return False


def _owner(pid: int) -> str:
    try:
        user = os.stat(f"/proc/{pid}").st_uid
    except OSError:
        return "somebody else"
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return f"user {user}"


def _checked(log: str) -> str:
    """The absolute path of a log that can be read and is text."""
    block = _first_block(log)
    for magic, (name, command) in _PACKED.items():
        if block.startswith(magic):
            way = f"{command} {shlex.quote(log)} | floydtop -"
            raise FloydtopError(f"{log} is {name}-compressed, and floydtop unpacks gzip alone: try `{way}`.")
    if not is_text(block):
        raise FloydtopError(f"{log} is a binary file: floydtop reads logs, which are text.")
    return os.path.abspath(log)


def is_text(block: bytes) -> bool:
    """Whether the beginning of a file looks like the output of a program, zero bytes here and there allowed.

    A log that was truncated under its writer begins with thousands of zeros, and jobs print a stray zero
    byte; an image, an archive or a checkpoint has some control character in every twenty bytes.
    """
    if block.startswith(_BYTE_ORDER_MARKS):
        return True
    text = _NUL_RUN.sub(b"\0", block)
    odd = len(text) - len(text.translate(None, _NOT_TEXT))
    return odd <= 1 + len(text) // 50


def _is_session(path: str) -> bool:
    """Whether the file says in its first line that it is a recorded session.

    Raises:
        FloydtopError: it says so, but the line is broken; or it cannot be read.
    """
    first = _first_block(path).partition(b"\n")[0]
    if not _SESSION.search(first):
        return False
    try:
        header = msgspec.json.decode(first)
    except (msgspec.DecodeError, RecursionError):
        header = None
    if not isinstance(header, dict) or header.get("k") != "h":
        raise FloydtopError(f"{path} is a broken session: its first line is not a whole header.")
    return True


def mode_of(path: str) -> int:
    """The type and mode of a file, 0 when there is none.

    Raises:
        FloydtopError: its file system does not answer.
    """

    def mode() -> int:
        try:
            return os.stat(path).st_mode
        except OSError:
            return 0

    return _patiently(path, mode)


def _patiently(path: str, question: Callable[[], Answer]) -> Answer:
    try:
        return Patient[Answer]("its file system", PATIENCE).ask(question)
    except NoAnswer as silence:
        raise FloydtopError(f"{path} cannot be read: {silence}, as on a dead network mount.") from None


def _first_block(path: str) -> bytes:
    """The first bytes that are there: unpacked, and behind a hole.

    Raises:
        FloydtopError: no such file, a directory, a device, or not readable. A FIFO is left unread.
    """
    return _patiently(path, partial(_read_first_block, path))


def _read_first_block(path: str) -> bytes:
    try:
        mode = os.stat(path).st_mode
    except OSError as error:
        why = "there is no such file" if isinstance(error, FileNotFoundError) else error.strerror
        raise FloydtopError(f"{path} cannot be read: {why}.") from error
    if stat.S_ISDIR(mode):
        raise FloydtopError(f"{path} is a directory: name a log file or a process in it.")
    if stat.S_ISFIFO(mode):
        return b""
    if not stat.S_ISREG(mode):
        raise FloydtopError(f"{path} is a device or a socket: name a log file or a process.")
    for chunk in read_all(path):
        return chunk.data[:_FIRST_BLOCK]
    return b""
