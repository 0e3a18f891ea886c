"""The floydtop command as a shell runs it, without a terminal."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def floydtop(*arguments: str | int | Path, **options: object) -> subprocess.CompletedProcess[str]:
    """Run it to its end; what it prints is text."""
    return subprocess.run(  # type: ignore[call-overload,no-any-return]  # options are passed on
        [sys.executable, "-m", "floydtop", *map(os.fspath, map(str, arguments))],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        **options,
    )


def refusal(result: subprocess.CompletedProcess[str]) -> str:
    """The one sentence of a command that refused, after checking that it was just that."""
    assert result.returncode == 2, (result.returncode, result.stderr)
    assert result.stdout == ""
    assert result.stderr.startswith("floydtop: "), result.stderr
    assert result.stderr.endswith("\n")
    assert result.stderr.count("\n") == 1, result.stderr
    assert "Traceback" not in result.stderr
    return result.stderr.removeprefix("floydtop: ").strip()
