"""A log on a real network file system: sshfs over an sshd on the loopback interface."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.sshd import WHY_NOT, ssh_server
from tests.recorder.jobs import until

pytestmark = pytest.mark.skipif(
    bool(WHY_NOT) or shutil.which("sshfs") is None or not os.access("/dev/fuse", os.R_OK | os.W_OK),
    reason=WHY_NOT or "LOUD: a network file system needs sshfs (apt-get install sshfs) and /dev/fuse",
)


class Remote:
    """A folder of this machine, mounted again under another name by way of ssh."""

    def __init__(self, folder: Path, ssh: str) -> None:
        self.far, self.near = folder / "far", folder / "near"
        self.far.mkdir()
        self.near.mkdir()
        *client, host = shlex.split(ssh)
        self._ssh = shlex.join(word for word in client if word != "-tt")
        self._host = host
        self.server: subprocess.Popen[bytes] | None = None

    def mount(self) -> None:
        command = ["sshfs", "-f", "-o", f"ssh_command={self._ssh}", f"{self._host}:{self.far}", self.near]
        self.server = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        until(lambda: os.path.ismount(self.near) or self.server is None or self.server.poll() is not None)
        if self.server.poll() is not None:
            pytest.skip("LOUD: sshfs does not mount here")

    def unmount(self) -> None:
        if self.server is not None:
            self.server.kill()
            self.server.wait()
        subprocess.run(["umount", "-l", self.near], check=False, stderr=subprocess.DEVNULL)

    def prints(self, first: int, last: int) -> None:
        with (self.far / "train.log").open("a") as file:
            file.writelines(
                f'{{"metric": "loss", "value": 1, "step": {step}}}\n' for step in range(first, last)
            )


@pytest.fixture
def remote(tmp_path: Path) -> Iterator[Remote]:
    with ssh_server(tmp_path) as ssh:
        remote = Remote(tmp_path, ssh)
        remote.mount()
        yield remote
        remote.unmount()


def test_a_log_that_grows_on_another_machine_is_read_once_through_the_death_of_its_mount(
    remote: Remote, tmp_path: Path
) -> None:
    session = tmp_path / "session.jsonl"

    def events(kind: str) -> list[dict[str, object]]:
        if not session.exists():
            return []
        return [one for one in map(json.loads, session.read_text().splitlines()) if one["k"] == kind]

    def said(words: str) -> bool:
        return any(words in str(event["x"]) for event in events("a"))

    remote.prints(0, 10)
    command = [sys.executable, "-m", "floydtop", "record", session, "--log", remote.near / "train.log"]
    recorder = subprocess.Popen(command)
    try:
        until(lambda: len(events("m")) == 10)
        remote.prints(10, 20)
        # No inotify here, and the attributes of the file are remembered for a while.
        until(lambda: len(events("m")) == 20, 40)
        remote.unmount()
        until(lambda: said("cannot be read"))
        remote.prints(20, 30)
        remote.mount()
        until(lambda: said("can be read again"))
        until(lambda: len(events("m")) == 30, 40)
        recorder.send_signal(signal.SIGTERM)
        recorder.wait(timeout=20)
    finally:
        recorder.kill()
        recorder.wait()
    assert [event["s"] for event in events("m")] == list(range(30))
