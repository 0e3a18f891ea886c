"""A small real training job, so that `floydtop demo` has something true to show anywhere."""

from __future__ import annotations

import os
import sys

from floydtop.errors import FloydtopError


def start(log_path: str, seconds: float = 120) -> int:
    """Start the training job in the background, its output appended to a log file; returns its pid.

    The job leads its own session, is not our child, reads nothing, and works in the log's directory.

    Args:
        log_path: where its stdout and stderr go; created, with its directory, when missing.
        seconds: about how long it trains.

    Raises:
        FloydtopError: the log cannot be written, or the job cannot be started.
    """
    import subprocess
    from pathlib import Path

    log = Path(log_path).absolute()
    here = Path(__file__).parent
    # -P keeps the log's directory off sys.path: a random.py that lies there would break the job.
    job = [sys.executable, "-P", "-m", "floydtop.demo.train", "--seconds", f"{seconds:g}"]
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            detached = subprocess.run(
                [sys.executable, "-I", "-S", str(here / "detach.py"), *job],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=output,
                cwd=log.parent,
                env=_environment(here.parent.parent),
                check=True,
            )
    except OSError as error:
        raise FloydtopError(
            f"Cannot start the demo with log {log}: {error.strerror}; name another log."
        ) from error
    except subprocess.CalledProcessError as error:
        raise FloydtopError(f"Cannot start the demo: {sys.executable} failed; see {log}.") from error
    return int(detached.stdout)


def _environment(root: os.PathLike[str]) -> dict[str, str]:
    """Our environment, with the source tree on PYTHONPATH when floydtop runs from one.

    An installed package is found anyway, and site-packages ahead of the standard library could hide
    parts of it.
    """
    environment = dict(os.environ)
    if os.path.basename(root) not in ("site-packages", "dist-packages"):
        before = environment.get("PYTHONPATH")
        environment["PYTHONPATH"] = f"{os.fspath(root)}{os.pathsep}{before}" if before else os.fspath(root)
    return environment
