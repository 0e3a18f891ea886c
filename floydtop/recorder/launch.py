"""Start a job that outlives the terminal, with its output and its exit status kept."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path

from floydtop.errors import FloydtopError
from floydtop.recorder import kept


@dataclass(frozen=True)
class Launched:
    """A job that `launch` has started."""

    pid: int
    log: Path


def launch(command: list[str], name: str) -> Launched:
    """Start the command on a terminal of its own, 120 columns wide, detached from ours.

    It inherits environment, working directory and limits. A keeper process copies what it prints to a log
    and leaves its wait status beside that (`kept.exit_status`).

    Raises:
        FloydtopError: the log cannot be written, or the command cannot be started.
    """
    if not hasattr(os, "waitid"):
        raise FloydtopError(
            "`floydtop run` needs Linux: start the job with its output in a file, and name that."
        )
    log, descriptor = kept.create(name)
    try:
        said = kept.start_keeper(["run", kept.exit_file(str(log)), *command], subprocess.DEVNULL, descriptor)
    finally:
        os.close(descriptor)
    try:
        report = json.loads(said)
    except ValueError:
        report = {"error": said.strip().rpartition("\n")[2] or "its keeper ended"}
    if "pid" not in report:
        for path in (log, Path(kept.exit_file(str(log)))):
            with contextlib.suppress(OSError):
                path.unlink()
        raise FloydtopError(f"Cannot start {shlex.quote(command[0])}: {report['error']}.")
    return Launched(report["pid"], log)
