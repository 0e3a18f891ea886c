"""Jobs in real containers: a docker daemon of ours, and an image of a shell and a sleep of this machine."""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import tarfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from floydtop.recorder.glance import glance
from floydtop.sources.output import find_output
from floydtop.sources.target import resolve
from floydtop.sources.writers import find_writers
from tests.sources.jobs import wait_until

_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"
_DAEMON = shutil.which("dockerd", path=_PATH)

pytestmark = pytest.mark.skipif(
    _DAEMON is None or shutil.which("docker") is None or os.geteuid() != 0,
    reason="NOT TESTED IN A REAL CONTAINER: needs root and docker (apt-get install docker.io)",
)

JOB = 'i=1; while :; do echo "epoch $i loss: 0.$i"; i=$((i+1)); sleep 0.1; done'
"""Prints a metric ten times a second."""

Container = Callable[..., int]


@pytest.fixture(scope="module")
def docker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder in which the daemon keeps everything; its client is told of it by DOCKER_HOST."""
    folder = tmp_path_factory.mktemp("docker")
    command = [
        str(_DAEMON),
        "--iptables=false",
        "--ip6tables=false",
        "--bridge=none",
        f"--data-root={folder}/data",
    ]
    command += [f"--exec-root={folder}/exec", f"--pidfile={folder}/pid", f"--host=unix://{folder}/socket"]
    said = folder / "said"
    with said.open("wb") as file, pytest.MonkeyPatch.context() as patch:
        daemon = subprocess.Popen(command, stdout=file, stderr=file)
        patch.setenv("DOCKER_HOST", f"unix://{folder}/socket")
        deadline = time.monotonic() + 30
        while subprocess.run(["docker", "info"], capture_output=True, check=False).returncode:
            if daemon.poll() is not None or time.monotonic() > deadline:
                daemon.kill()
                daemon.wait()
                pytest.skip(f"NOT TESTED IN A REAL CONTAINER: {said.read_text()[-300:]}")
            time.sleep(0.1)
        subprocess.run(["docker", "import", "-", "job"], input=_image(), capture_output=True, check=True)
        yield folder
        daemon.terminate()
        daemon.wait()


def _image() -> bytes:
    """A tar of a shell, a sleep and a tee with the libraries they need."""
    programs = [shutil.which(name) for name in ("sh", "sleep", "tee")]
    files = {Path(program) for program in programs if program is not None}
    for program in list(files):
        told = subprocess.run(["ldd", program], capture_output=True, text=True, check=False).stdout
        files.update(Path(path) for path in re.findall(r"(/\S+) \(0x", told))
    image = io.BytesIO()
    with tarfile.open(fileobj=image, mode="w") as tar:
        for file in files:
            tar.add(file.resolve(), arcname=str(file).lstrip("/"))
    return image.getvalue()


@pytest.fixture
def container(docker: Path) -> Iterator[Container]:
    started: list[str] = []

    def start(*options: str, job: str = JOB) -> int:
        command = ["docker", "run", "-d", "--network=none", *options, "job", "sh", "-c", job]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"NOT TESTED IN A REAL CONTAINER: {done.stderr}")
        started.append(done.stdout.strip())
        asked = ["docker", "inspect", "-f", "{{.State.Pid}}", started[-1]]
        return int(subprocess.run(asked, capture_output=True, text=True, check=True).stdout)

    yield start
    subprocess.run(["docker", "rm", "-f", *started], capture_output=True, check=False)


@pytest.mark.parametrize("options", [[], ["-t"]])
def test_what_a_container_prints_is_read_from_docker_s_log(container: Container, options: list[str]) -> None:
    pid = container(*options)
    wait_until(lambda: find_output(pid).log)
    log = find_output(pid).log
    assert log is not None
    assert log.through == ("dockerd",)
    assert find_writers(log.path).pids == [pid]
    target = resolve(str(pid))
    assert target.notes == []
    wait_until(lambda: "loss" in glance(pid, target.log, None).metrics)


def test_a_log_in_the_container_s_own_file_system_is_read_through_the_job(container: Container) -> None:
    pid = container(job=f"exec > /train.log; {JOB}")
    wait_until(lambda: (log := find_output(pid).log) is not None and log.metric_words > 3)
    log = find_output(pid).log
    assert log is not None
    assert (log.path, log.deleted) == ("/train.log", False)
    assert log.fd_path is not None
    assert glance(pid, log.path, log.fd_path).metrics


@pytest.mark.parametrize("options", [["--log-driver=local"], ["--log-driver=local", "-t"]])
def test_what_no_file_holds_is_named_with_the_command_that_gives_it(
    container: Container, options: list[str]
) -> None:
    pid = container(*options)
    sentence = find_output(pid).sentence
    command = re.search(r"(docker logs -f [0-9a-f]{12} 2>&1) \| floydtop - --pid (\d+)\.$", sentence)
    assert command is not None, sentence
    assert int(command[2]) == pid
    with subprocess.Popen(["sh", "-c", f"exec {command[1]}"], stdout=subprocess.PIPE) as client:
        assert client.stdout is not None
        assert b"loss" in client.stdout.readline()
        client.kill()
