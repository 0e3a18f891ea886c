"""One recorder for a session where locks fail or are known on one host alone: NFS and Lustre, by a shim."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from floydtop.events import End, Header, Metrics
from floydtop.recorder import kept
from floydtop.session.format import Reader
from floydtop.session.hold import OWNERS
from floydtop.session.library import new_path
from floydtop.session.owner import HEARTBEAT
from floydtop.session.writer import SYNC_EVERY
from tests.recorder.jobs import Job, events, job, until

pytestmark = pytest.mark.skipif(
    shutil.which("cc") is None, reason="LOUD: no C compiler to build the shim with"
)

SHIM = """
#include <errno.h>
int flock(int fd, int operation) {
    if (@ERROR@) {
        errno = @ERROR@;
        return -1;
    }
    return 0;
}
"""

KINDS = {"no lock daemon": errno.ENOLCK, "mounted without flock": errno.ENOSYS, "no locks": errno.EOPNOTSUPP}
ALWAYS = {"locks known on one host": 0}


@pytest.fixture(params=[*KINDS, *ALWAYS])
def shim(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return build(tmp_path, (KINDS | ALWAYS)[request.param])


def build(folder: Path, error: int) -> str:
    source, library = folder / "shim.c", folder / "shim.so"
    source.write_text(SHIM.replace("@ERROR@", str(error)))
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source], check=True, capture_output=True)
    return str(library)


@pytest.fixture
def child(tmp_path: Path) -> Iterator[Job]:
    with job(tmp_path / "train.log") as running:
        yield running


def recorder(shim: str, session: Path, child: Job, *before: str) -> subprocess.Popen[str]:
    """A recorder, not detached, that knows locks only as the shim tells of them."""
    target = ["--pid", str(child.pid), "--log", str(child.log), "--interval", "1"]
    return subprocess.Popen(
        [*before, sys.executable, "-m", "floydtop", "record", str(session), *target],
        env=os.environ | {"LD_PRELOAD": shim},
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process: subprocess.Popen[str]) -> str:
    """What a recorder said that was refused."""
    _, said = process.communicate(timeout=30)
    assert process.returncode == 2, said
    return said


def points(session: Path) -> list[int | None]:
    return [event.step for event in Reader().feed(session.read_bytes()) if isinstance(event, Metrics)]


def finish(*recorders: subprocess.Popen[str]) -> None:
    for one in recorders:
        one.kill()
        one.communicate()


def test_a_second_recorder_is_refused_and_a_dead_one_followed(shim: str, child: Job) -> None:
    session = new_path("test", None)
    first = recorder(shim, session, child)
    child.metric("loss", 1.0, 1)
    until(lambda: session.exists() and points(session) == [1])
    assert "Another recorder already writes" in ended(recorder(shim, session, child))
    first.kill()
    first.communicate()
    child.metric("loss", 1.0, 2)
    second = recorder(shim, session, child)
    until(lambda: points(session) == [1, 2])
    second.send_signal(signal.SIGTERM)
    second.communicate(timeout=30)
    found = events(session)
    assert [event.segment for event in found if isinstance(event, Header)] == [0, 1]
    assert isinstance(found[-1], End)
    assert not (session.parent / OWNERS).exists()


def test_of_several_at_once_one_records(shim: str, child: Job) -> None:
    session = new_path("test", None)
    racers = [recorder(shim, session, child) for _ in range(3)]
    until(lambda: sum(racer.poll() is None for racer in racers) == 1)
    until(lambda: session.stat().st_size > 0)
    assert sum(racer.poll() is None for racer in racers) == 1
    assert [event.segment for event in events(session) if isinstance(event, Header)] == [0]
    finish(*racers)


def host(name: str) -> list[str]:
    """Another host's name, for all that a process can tell."""
    return ["unshare", "--uts", "sh", "-c", f'hostname {name}; exec "$@"', "sh"]


def names_of_hosts_can_be_set() -> bool:
    command = [*host("elsewhere"), "hostname"]
    return (
        shutil.which("unshare") is not None
        and shutil.which("hostname") is not None
        and subprocess.run(command, capture_output=True, check=False).returncode == 0
    )


def age(session: Path) -> None:
    """Let all signs of life be older than a recorder on another host may be silent."""
    past = time.time() - HEARTBEAT - 30.0
    for path in (*session.parent.iterdir(), *(session.parent / OWNERS).iterdir()):
        os.utime(path, (past, past))


@pytest.mark.skipif(
    not names_of_hosts_can_be_set(), reason="LOUD: another host's name needs root and unshare"
)
def test_of_two_hosts_one_records_and_who_slept_too_long_writes_no_more(child: Job, tmp_path: Path) -> None:
    shim, session = build(tmp_path, 0), new_path("test", None)
    one = recorder(shim, session, child, *host("one"))
    child.metric("loss", 1.0, 1)
    until(lambda: session.exists() and points(session) == [1])
    assert "Another recorder" in ended(recorder(shim, session, child, *host("two")))
    one.send_signal(signal.SIGSTOP)
    age(session)
    two = recorder(shim, session, child, *host("two"))
    child.metric("loss", 1.0, 2)
    until(lambda: points(session) == [1, 2])
    time.sleep(SYNC_EVERY)  # after less silence than that nobody takes over, and it does not look
    one.send_signal(signal.SIGCONT)
    one.communicate(timeout=30)
    child.metric("loss", 1.0, 3)
    until(lambda: points(session) == [1, 2, 3])
    found = events(session)
    assert [event.host for event in found if isinstance(event, Header)] == ["one", "two"]
    assert not any(isinstance(event, End) for event in found)
    finish(two)


def test_a_kept_log_is_held_as_long_as_its_keeper_lives(shim: str, tmp_path: Path) -> None:
    source = (
        "import subprocess, sys\n"
        "from floydtop.recorder import kept\n"
        "log, file = kept.create('x')\n"
        "reading, writing = sys.stdin.fileno(), file\n"
        "kept.start_keeper(['pipe', kept.exit_file(str(log))], reading, writing)\n"
        "print(log, flush=True)\n"
    )
    ask = "import sys; from floydtop.recorder import kept; print(kept.is_held(sys.argv[1]))"
    environment = os.environ | {"LD_PRELOAD": shim}
    with subprocess.Popen(
        [sys.executable, "-c", source],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
        text=True,
    ) as starter:
        assert starter.stdout is not None
        assert starter.stdin is not None
        log = starter.stdout.readline().strip()

        def is_held() -> str:
            done = subprocess.run(
                [sys.executable, "-c", ask, log], env=environment, check=True, capture_output=True, text=True
            )
            return done.stdout.strip()

        assert is_held() == "True"
        starter.stdin.close()
        until(lambda: is_held() == "False")
    assert not Path(kept.exit_file(log)).exists()
