"""Run a command as nobody's child: `python detach.py COMMAND ...` prints the new process's pid and ends.

The command leads its own session and is adopted by init when this process ends, so that it neither
dies with the terminal nor turns into a zombie of whoever asked for it. A helper process does this
since fork() in a process with threads, as the app is, may deadlock. Standard output of the command
is this process's standard error.
"""

from __future__ import annotations

import os
import signal
import sys


def spawn(command: list[str]) -> int:
    """Start the command in a session of its own, all signals at their default action; its pid.

    Raises:
        OSError: the command cannot be executed.
    """
    return os.posix_spawn(
        command[0],
        command,
        os.environ,
        file_actions=[(os.POSIX_SPAWN_DUP2, sys.stderr.fileno(), sys.stdout.fileno())],
        setsid=True,
        setsigmask=[],
        # Python ignores SIGPIPE, nohup SIGHUP, a shell's background jobs SIGINT; a child would inherit that.
        setsigdef=[signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGPIPE, signal.SIGTERM],
    )


if __name__ == "__main__":
    print(spawn(sys.argv[1:]))
