"""The command that shows the output of a job in a container or a service, from its cgroups."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

import pytest

from floydtop.sources.containers import command_for, output_command
from floydtop.sources.descriptors import Descriptor, Process, process_table
from floydtop.sources.lost import sentence
from floydtop.sources.output import find_output
from floydtop.sources.trail import Stop
from floydtop.sources.unix_peer import peer_name
from tests.sources.cgroups import group
from tests.sources.jobs import Jobs, jobs

__all__ = ["jobs"]

IDENTITY = "3f2a" * 16


@pytest.mark.parametrize(
    ("cgroups", "command"),
    [
        (f"0::/system.slice/docker-{IDENTITY}.scope\n", "docker logs -f 3f2a3f2a3f2a 2>&1 | floydtop -"),
        (
            f"12:memory:/docker/{IDENTITY}\n1:name=systemd:/docker/{IDENTITY}\n",
            "docker logs -f 3f2a3f2a3f2a 2>&1 | floydtop -",
        ),
        (
            f"0::/machine.slice/libpod-{IDENTITY}.scope/container\n",
            "podman logs -f 3f2a3f2a3f2a 2>&1 | floydtop -",
        ),
        (
            f"0::/kubepods.slice/kubepods-pod1.slice/cri-containerd-{IDENTITY}.scope\n",
            "crictl logs -f 3f2a3f2a3f2a 2>&1 | floydtop -",
        ),
        ("0::/system.slice/train.service\n", "journalctl -f --no-tail -o cat -u train.service | floydtop -"),
        (
            "0::/user.slice/user-1000.slice/user@1000.service/app.slice/train.service\n",
            "journalctl --user -f --no-tail -o cat -u train.service | floydtop -",
        ),
        ("0::/user.slice/user-1000.slice/session-3.scope\n", None),
        ("0::/user.slice/user-1000.slice/user@1000.service/app.slice/vte-spawn.scope\n", None),
        ("0::/\n", None),
        ("", None),
    ],
)
def test_the_command_is_the_one_for_the_container(cgroups: str, command: str | None) -> None:
    assert command_for(cgroups) == command


def test_a_process_that_is_gone_has_no_command() -> None:
    assert output_command(99999999) is None


@pytest.mark.parametrize(
    ("name", "command"),
    [
        (f"docker-{IDENTITY}.scope", "docker logs -f 3f2a3f2a3f2a 2>&1 | floydtop -"),
        ("train.service", "journalctl -f --no-tail -o cat -u train.service | floydtop -"),
    ],
)
def test_a_job_in_the_cgroup_of_a_container_or_service_is_told_apart(
    jobs: Jobs, name: str, command: str
) -> None:
    (jobs.directory / "serve.py").write_text(
        "import socket, subprocess, sys\n"
        "ours, theirs = socket.socketpair()\n"
        "child = subprocess.Popen([sys.executable, 'train.py'], stdout=theirs, stderr=theirs)\n"
        "theirs.close()\n"
        "while ours.recv(4096): pass\n"
    )
    with group("output", "cpuacct") as outer:
        inner = outer / name
        inner.mkdir()
        pid = jobs.start("$PY serve.py")
        (inner / "cgroup.procs").write_text(str(pid))
        said = find_output(pid).sentence
        (outer / "cgroup.procs").write_text(str(pid))
        inner.rmdir()
    assert said.endswith(f"goes to its container or service: {command} --pid {pid}.")


JOURNALD = """
import os, socket, sys
os.makedirs("systemd/journal")
with socket.socket(socket.AF_UNIX) as server:
    server.bind("./systemd/journal/stdout")
    server.listen()
    open("ready", "w").close()
    served = server.accept()[0]
    while served.recv(4096): pass
"""
CAT = """
import os, socket, subprocess, sys, time
while not os.path.exists("ready"): time.sleep(0.01)
stream = socket.socket(socket.AF_UNIX)
stream.connect("systemd/journal/stdout")
os.dup2(stream.fileno(), 1)
os.dup2(stream.fileno(), 2)
os.execvp("sh", ["sh", "-c", '"$PY" train.py; true'])
"""


def test_a_job_that_prints_to_the_journal_is_named_with_all_its_processes(jobs: Jobs) -> None:
    """As under `systemd-cat`, whose job is in no service; a line is known by the process that printed it."""
    (jobs.directory / "journald.py").write_text(JOURNALD)
    (jobs.directory / "cat.py").write_text(CAT)
    child = jobs.start("$PY journald.py & exec $PY cat.py")
    pid = next(row.parent for row in process_table().values() if row.pid == child)
    said = find_output(pid).sentence
    assert said == (
        f"The output of process {pid} goes to the journal of systemd: "
        f"journalctl -f --no-tail -o cat _PID={pid} _PID={child} | floydtop - --pid {pid}."
    )


def test_the_other_end_of_a_socket_is_only_told_where_it_has_a_name() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs, socket.socket() as other:
        for end in (ours, other):
            assert peer_name(os.fstat(end.fileno()).st_ino) is None
    assert peer_name(1) is None
    assert peer_name(1 << 40) is None


INSIDE = """
mount -t proc proc /proc || { echo not permitted; exit; }
sleep 100 &
exec "$PY" -c 'import sys; from floydtop.sources.output import find_output
print(find_output(int(sys.argv[1])).sentence)' $!
"""


@pytest.mark.skipif(os.getuid() != 0, reason="only root can make a process namespace")
def test_a_pipe_that_is_read_outside_the_container_is_said_to_be() -> None:
    done = subprocess.run(
        ["unshare", "-mp", "--fork", "sh", "-c", INSIDE],
        capture_output=True,
        text=True,
        check=False,
        env=dict(os.environ, PYTHONPATH=os.getcwd(), PY=sys.executable),
    )
    if "not permitted" in done.stdout + done.stderr:
        pytest.skip("NOT TESTED IN A CONTAINER: namespaces or mounts are not permitted here")
    assert "whose reader is not in sight, as in a container" in done.stdout, done.stderr


TERMINALS = """
import os, subprocess, sys
subprocess.run(["mount", "-t", "devpts", "-o", "newinstance,ptmxmode=0666", "devpts", "/dev/pts"], check=True)
subprocess.run(["mount", "--bind", "/dev/pts/ptmx", "/dev/ptmx"], check=True)
held = [os.openpty() for _ in range(int(sys.argv[1]) + 1)]
terminal = held[-1][1]
print(os.ttyname(terminal), flush=True)
job = subprocess.Popen([sys.executable, "train.py"], stdin=terminal, stdout=terminal, stderr=terminal)
while os.read(held[-1][0], 4096): pass
"""
OWNER = """
import os, sys
master, terminal = os.openpty()
print(os.ttyname(terminal), flush=True)
sys.stdin.read()
"""


@pytest.mark.skipif(os.getuid() != 0, reason="only root can mount the terminals of a container")
def test_a_container_s_terminal_is_not_ours_of_the_same_name(jobs: Jobs) -> None:
    """The first one of each container is /dev/pts/0, and so is somebody's on this machine."""
    (jobs.directory / "terminals.py").write_text(TERMINALS)
    with subprocess.Popen(
        [sys.executable, "-c", OWNER], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as ours:
        assert ours.stdin is not None
        assert ours.stdout is not None
        terminal = ours.stdout.readline().decode().strip()
        number = terminal.rpartition("/")[2]
        pid = jobs.start(f"exec unshare -m $PY terminals.py {number} > said 2>&1")
        said = (jobs.directory / "said").read_text().strip()
        if said != terminal:
            pytest.skip(f"NOT TESTED WITH A CONTAINER'S TERMINALS: {said}")
        steps = "\n".join(find_output(pid).steps)
        ours.stdin.close()
    assert f"{terminal} -> python" in steps
    assert f"(process {ours.pid})" not in steps


def test_tmux_in_a_container_is_named_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its socket lies in there: from here it would be that of another server."""
    monkeypatch.setattr("floydtop.sources.containers.container", lambda _: IDENTITY)
    server = Process(7, 1, "tmux: server", "S", 0, 0)
    end = Stop(Descriptor(os.getpid(), 1, "/dev/pts/0"), (server,))
    said = sentence(os.getpid(), "/dev/pts/0", end)
    assert said.startswith("goes to tmux in its container: run floydtop in there, or ")
