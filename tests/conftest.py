"""What all tests share: a state directory of their own, so that no recording of the user's is touched."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import settings

# The same examples each time where a change is judged; new ones are looked for on developers' machines.
settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("ci")


@pytest.fixture(autouse=True)
def state_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The state directory of one test; recorders that the test leaves behind are killed at its end."""
    home = tmp_path / "state"
    monkeypatch.setenv("XDG_STATE_HOME", str(home))
    runtime = tmp_path / "runtime"
    runtime.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    yield home
    sessions = home / "floydtop" / "sessions"
    if not sessions.is_dir():
        return
    from floydtop.session.library import look_at

    for path in sessions.glob("*.jsonl"):
        recording = look_at(path)
        if recording is not None and recording.live and recording.header.recorder != os.getpid():
            with suppress(OSError):
                os.kill(recording.header.recorder, signal.SIGKILL)
