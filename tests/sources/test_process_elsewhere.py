"""Jobs in mount and pid namespaces of their own, as containers have, and on file systems of their own."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from floydtop.sources import disk
from floydtop.sources.process import JobTree
from tests.sources.children import KERNEL, line, program, tell, until

MIB = 1 << 20


def isolated(*flags: str) -> list[str]:
    """The start of a command that runs in namespaces of its own; skips where that is not allowed."""
    command = ["unshare", *flags]
    try:
        subprocess.run([*command, "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip(f"no right to {' '.join(command)} here (needs root)")
    return command


def started(command: list[str]) -> subprocess.Popen[bytes]:
    """Starts a command with pipes, in a session of its own."""
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)


def ended(child: subprocess.Popen[bytes]) -> None:
    child.kill()
    child.communicate()


@pytest.mark.parametrize(
    ("options", "setup", "name", "percent"),
    [
        ("size=16m", "open('data', 'wb').write(b'x' * (12 << 20))", "disk.percent", 75.0),
        ("nr_inodes=100", "[open(str(i), 'w').close() for i in range(94)]", "disk.inodes_percent", 95.0),
    ],
)
def test_disk_is_that_of_the_jobs_own_mount_namespace(
    options: str, setup: str, name: str, percent: float, tmp_path: Path
) -> None:
    folder = tmp_path / "mounted"
    folder.mkdir()
    source = f"import os; os.chdir({str(folder)!r}); {setup}; print(1, flush=True); input()"
    mount = f'mount -t tmpfs -o {options} floydtop-test {folder} && exec {sys.executable} -S -c "{source}"'
    job = started([*isolated("--mount"), "sh", "-c", mount])
    try:
        assert line(job) == "1"
        tree = JobTree.open(job.pid)
        assert tree.read(thorough=True).values[name] == pytest.approx(percent, abs=3)
        assert list(folder.iterdir()) == []
        tree.close()
    finally:
        ended(job)


async def test_job_in_a_pid_namespace_is_watched_from_outside() -> None:
    source = """
import os, subprocess, sys
worker = subprocess.Popen([sys.executable, "-S", "-c", "input()"], stdin=subprocess.PIPE)
print(os.getpid(), flush=True)
sys.stdin.readline()
worker.kill()
raise SystemExit(5)
"""
    job = started([*isolated("--pid", "--fork", "--mount-proc"), sys.executable, "-S", "-c", source])
    try:
        assert line(job) == "1"
        inner = int(Path(f"/proc/{job.pid}/task/{job.pid}/children").read_text())
        tree = JobTree.open(inner)
        reading = tree.read(thorough=True)
        assert len(tree.pids()) == 2
        assert reading.values["memory.bytes"] > MIB
        tell(job)
        end = await tree.ended()
        assert end.code == 5 or "unknown" in end.how
        tree.close()
    finally:
        ended(job)


def test_job_in_a_pid_namespace_is_watched_from_inside() -> None:
    observer = f"""
import asyncio, json, subprocess, sys, time
sys.path[:0] = {sys.path!r}
from floydtop.sources.process import JobTree
loop = [sys.executable, "-S", "-c", "while True: pass"]
job = subprocess.Popen(loop)
tree = JobTree.open(job.pid)
tree.read(thorough=True)
time.sleep(0.5)
reading = tree.read(thorough=True)
job.kill()
end = asyncio.run(tree.ended())
job.wait()
print(json.dumps([job.pid, reading.values, end.signal]))
"""
    command = [*isolated("--pid", "--fork", "--mount-proc"), sys.executable, "-c", observer]
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    pid, values, name = json.loads(done.stdout)
    assert pid < 100
    assert values["cpu.cores"] > 0.1
    assert values["memory.bytes"] > MIB
    assert name == "SIGKILL"


def test_process_that_proc_hides_is_said_to_be_hidden() -> None:
    observer = f"""
import os, sys
sys.path[:0] = {sys.path!r}
from floydtop.errors import FloydtopError
from floydtop.sources import doctor
from floydtop.sources.process import JobTree
os.setgid(65534); os.setuid(65534)
try:
    JobTree.open({os.getpid()})
except FloydtopError as error:
    print(error)
print(doctor._processes())
"""
    if KERNEL < (5, 8):
        pytest.skip("before Linux 5.8 all mounts of /proc share the option, that of the machine too")
    mount = 'mount -t proc -o hidepid=2 proc /proc && exec "$0" -c "$1"'
    command = [*isolated("--mount"), "sh", "-c", mount, sys.executable, observer]
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    error, finding = done.stdout.decode().splitlines()
    assert error.startswith(f"Process {os.getpid()} is hidden from you")
    assert finding.startswith("partly")


def test_file_system_of_the_log_is_read_if_it_is_another(tmp_path: Path) -> None:
    shared_memory = Path("/dev/shm")
    if not os.access(shared_memory, os.W_OK) or shared_memory.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no second file system to write to")
    here, there = tmp_path / "log", shared_memory / f"floydtop-test-{os.getpid()}.log"
    here.touch()
    there.touch()
    try:
        with program("input()", cwd=tmp_path) as child:
            tree = JobTree.open(child.pid)
            tree.watch_log(str(here))
            assert "disk.log_percent" not in tree.read(thorough=True).values
            tree.watch_log(str(there))
            reading = tree.read(thorough=True)
            assert 0 <= reading.values["disk.log_percent"] <= 100, reading
            tree.close()
    finally:
        there.unlink()


def test_dead_file_server_holds_up_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    release = threading.Event()

    def hang(path: str) -> disk.Fullness:
        release.wait(60)
        raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))

    monkeypatch.setattr(disk, "fullness", hang)
    monkeypatch.setattr(disk, "PATIENCE", 0.05)
    with program("print(1, flush=True); input()") as child:
        line(child)
        tree = JobTree.open(child.pid)
        reading = tree.read(thorough=True)
        assert "has not answered for" in reading.unknown["disk.percent"]
        assert reading.values["memory.bytes"] > MIB
        release.set()

        def told() -> bool:
            return "Stale" in tree.read(thorough=False).unknown["disk.percent"]

        until(told)
        tree.close()
