"""Start a recorder that outlives the terminal, and stop one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from floydtop.errors import FloydtopError
from floydtop.recorder.assignment import Assignment
from floydtop.session.hold import is_being_recorded
from floydtop.session.library import Recording as SessionFile
from floydtop.sources import descriptors

MOMENT = 1.0
"""Seconds after which a person wonders what is waited for."""

READY_WITHIN = 10.0
"""Seconds a recorder may take to write its header, on a slow and busy machine."""


class Starting:
    """A recorder on its way, in a session of its own and nobody's child."""

    def __init__(self, assignment: Assignment) -> None:
        self._session = assignment.session
        self._complaints = assignment.session.with_suffix(".err")
        self._size_before = self._session.stat().st_size if self._session.exists() else 0
        try:
            self._session.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
            errors = os.open(self._complaints, flags, 0o600)
        except OSError as error:
            raise FloydtopError(f"Cannot write to {self._session.parent}: {error.strerror}.") from None
        try:
            # The recorder forks once more, so that it is nobody's child and never a zombie of ours.
            self._process = subprocess.Popen(
                _command(assignment),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                env=_environment(),
                start_new_session=True,
            )
        finally:
            os.close(errors)

    def wait(self) -> None:
        """Wait for its first line.

        Raises:
            FloydtopError: it did not start; the message is the recorder's own.
        """
        deadline = time.monotonic() + READY_WITHIN
        while time.monotonic() < deadline:
            # The process that we started ends as soon as it has forked; the recorder is its child.
            ended = self._process.poll()
            if ended is not None:
                if self._has_begun():
                    self._complaints.unlink(missing_ok=True)
                    return
                said = _last_words(self._complaints.read_text(errors="replace"))
                if said is None and ended:
                    said = f"The recorder could not be started: it exited with {ended}."
                if said is not None:
                    self._complaints.unlink(missing_ok=True)
                    raise FloydtopError(said)
            time.sleep(0.005)
        self._complaints.unlink(missing_ok=True)
        raise FloydtopError(f"The recorder did not start within {READY_WITHIN:.0f} seconds.")

    def _has_begun(self) -> bool:
        try:
            return self._session.stat().st_size > self._size_before
        except OSError:
            return False


def _last_words(complaints: str) -> str | None:
    """What a recorder that failed said at last; a mere warning is none."""
    if not complaints.endswith("\n"):
        return None
    last = complaints.splitlines()[-1]
    if last.startswith("floydtop: "):
        return last.removeprefix("floydtop: ")
    failed = "Traceback (most recent call last)" in complaints and not last.startswith((" ", "Traceback"))
    return last if failed else None


def _command(assignment: Assignment) -> list[str]:
    # -P: a random.py in the directory that we are called in, often the job's, is not Python's.
    command = [sys.executable, "-P", "-m", "floydtop", "record", str(assignment.session), "--detach"]
    command += ["--interval", str(assignment.interval)]
    if assignment.pid is not None:
        command += ["--pid", str(assignment.pid)]
    if assignment.log is not None:
        command += ["--log", assignment.log]
    if assignment.reopen is not None:
        command += ["--reopen", assignment.reopen]
    for note in assignment.notes:
        command += ["--note", note]
    if assignment.rules:
        command += ["--rules", msgspec.json.encode(assignment.rules).decode()]
    return command


def _environment() -> dict[str, str]:
    """Ours, with the way to the source tree when we run from one, which -P would leave out."""
    environment = dict(os.environ)
    root = Path(__file__).parents[2]
    if root.name not in ("site-packages", "dist-packages"):
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(root), os.environ.get("PYTHONPATH")]))
    return environment


def leave_terminal() -> bool:
    """Fork away from the process that waits for us; True in the one that goes on."""
    if os.fork():
        return False
    os.chdir("/")
    return True


def stop(
    recording: SessionFile,
    patience: float = 10.0,
    waiting: Callable[[str], None] = lambda words: print(words, file=sys.stderr),
) -> None:
    """End a live recording and wait until its file is closed, for as long as the recorder gets on.

    Args:
        patience: seconds without a sign of life (CPU time, a write) after which it is given up.
        waiting: is told what is waited for, when that takes more than a moment.

    Raises:
        FloydtopError: its recorder is on another machine, not ours to signal, or does not end.
    """
    if recording.header.host != os.uname().nodename:
        raise FloydtopError(f"That recorder runs on {recording.header.host}: stop it there.")
    pid = _writer_of(recording)
    try:
        os.kill(pid, signal.SIGTERM)
    except OSError as error:
        raise FloydtopError(f"Cannot stop recorder {pid}: {error.strerror}.") from None
    began = last = time.monotonic()
    signs, told = _signs_of_life(pid, recording.path), False
    while is_being_recorded(recording.path):
        time.sleep(0.02)
        now = time.monotonic()
        if (new := _signs_of_life(pid, recording.path)) != signs:
            signs, last = new, now
        process = descriptors.process(pid)
        if process is not None and process.state in "Tt":
            raise FloydtopError(f"Recorder {pid} is stopped, and ends when it goes on: `kill -CONT {pid}`.")
        if now - last > patience:
            raise FloydtopError(
                f"Recorder {pid} did not end, and gave no sign of life for {patience:.0f} seconds: "
                f"`kill -9 {pid}` ends it, and loses nothing that is in the session."
            )
        if not told and now - began > MOMENT:
            told = True
            log = recording.header.log
            what = f"what it has read of {log.path}" if log is not None else "its last readings"
            waiting(f"Waiting for recorder {pid} to write down {what}: it gets on.")


def _writer_of(recording: SessionFile) -> int:
    """The process that writes a session: never a stranger that has got the pid of a dead recorder."""
    if not Path("/proc/self/fd").exists():
        return recording.header.recorder
    status = recording.path.stat()
    holders, _ = descriptors.holders(status.st_dev, status.st_ino)
    writers = {holder.pid for holder in holders if descriptors.writes(holder)}
    if recording.header.recorder in writers:
        return recording.header.recorder
    if len(writers) == 1:
        return writers.pop()
    raise FloydtopError(
        f"No process can be seen that writes {recording.name}: its recorder may be another user's."
    )


def _signs_of_life(pid: int, session: Path) -> tuple[int, int]:
    """What changes while a recorder works: its CPU time, and the size of its file."""
    process = descriptors.process(pid)
    try:
        size = session.stat().st_size
    except OSError:
        size = 0
    return (process.ticks if process is not None else 0), size
