"""How processes end that are not our children."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import time
from collections.abc import Iterator

import pytest

from floydtop.events import Exit
from floydtop.sources import ending, procfs
from floydtop.sources.ending import OomWatch
from floydtop.sources.linux import LinuxTree
from tests.sources.children import KERNEL, line, program, tell, until

kernel_tells = pytest.mark.skipif(
    KERNEL < (6, 15), reason="kernels before 6.15 do not tell the exit code of a process that was waited for"
)

PARENT = """
import subprocess, sys
for how in sys.stdin:
    source = "import sys; sys.stdin.read()\\n" + how
    child = subprocess.Popen([sys.executable, "-S", "-c", source], stdin=subprocess.PIPE)
    print(child.pid, flush=True)
    sys.stdin.readline()
    child.stdin.close()
    child.wait()
"""
"""Starts a child for each line, ends it on the next, and waits for it at once, as a shell does."""


@pytest.fixture
def tree() -> Iterator[LinuxTree]:
    with program("input()\nraise SystemExit(7)") as child:
        found = LinuxTree.open(child.pid)
        yield found
        found.close()


@kernel_tells
@pytest.mark.parametrize(
    ("how", "code", "name"),
    [
        ("raise SystemExit(0)", 0, None),
        ("raise SystemExit(7)", 7, None),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", None, "SIGKILL"),
    ],
)
async def test_exit_of_a_grandchild_that_its_parent_waits_for_is_known(
    how: str, code: int | None, name: str | None
) -> None:
    with program(PARENT) as parent:
        assert parent.stdin is not None
        for _ in range(20):
            parent.stdin.write(how.encode() + b"\n")
            parent.stdin.flush()
            grandchild = LinuxTree.open(int(line(parent)))
            tell(parent)
            end = await grandchild.ended()
            assert (end.code, end.signal) == (code, name)
            grandchild.close()


async def test_exit_of_a_zombie_is_known_before_its_parent_asks() -> None:
    source = """
import os, sys, time
pid = os.fork()
if pid == 0:
    sys.stdin.readline()
    os._exit(9)
print(pid, flush=True)
time.sleep(60)
"""
    with program(source) as parent:
        zombie = LinuxTree.open(int(line(parent)))
        tell(parent)
        end = await zombie.ended()
        assert end.code == 9
        assert zombie.state() == "exited"
        zombie.close()


async def test_process_that_is_a_zombie_from_the_start_has_ended() -> None:
    with program(
        "import os, time\npid = os.fork()\nif pid == 0: os._exit(3)\nprint(pid, flush=True)\ntime.sleep(60)"
    ) as parent:
        pid = int(line(parent))

        def ended() -> bool:
            with procfs.process(pid) as handle:
                return procfs.stat(handle).zombie

        until(ended)
        tree = LinuxTree.open(pid)
        assert (await tree.ended()).code == 3
        tree.close()


async def test_end_is_noticed_within_a_second() -> None:
    with program("input()") as child:
        tree = LinuxTree.open(child.pid)
        killed = time.monotonic()
        child.kill()
        end = await tree.ended()
        assert end.signal == "SIGKILL"
        assert time.monotonic() - killed < 1.0
        tree.close()


async def test_several_can_wait_for_the_same_end() -> None:
    with program("input()") as child:
        tree = LinuxTree.open(child.pid)
        impatient, *patient = (asyncio.create_task(tree.ended()) for _ in range(3))
        await asyncio.sleep(0)
        impatient.cancel()
        child.kill()
        ends = await asyncio.gather(*patient)
        assert [end.signal for end in ends] == ["SIGKILL", "SIGKILL"]
        tree.close()


async def test_exit_that_nobody_tells_is_unknown_and_not_zero(
    tree: LinuxTree, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(pidfd: int) -> int | None:
        raise OSError("this kernel does not tell")

    monkeypatch.setattr(ending, "wait_status", refuse)
    monkeypatch.setattr(ending, "zombie_status", lambda handle: None)
    os.kill(tree.describe().pid, signal.SIGTERM)
    end = await tree.ended()
    assert (end.code, end.signal) == (None, None)
    assert "unknown" in end.how


async def test_without_a_pidfd_the_end_is_still_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ending, "open_pidfd", lambda pid: None)
    with program("input()") as child:
        tree = LinuxTree.open(child.pid)
        assert not tree.has_ended()
        child.kill()
        assert (await tree.ended()).signal == "SIGKILL"
        tree.close()


def test_pidfd_opens_without_help_from_the_interpreter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "pidfd_open")
    pidfd = ending.open_pidfd(os.getpid())
    assert pidfd is not None
    os.close(pidfd)
    with pytest.raises(ProcessLookupError):
        ending.open_pidfd(2**22 + 1)


def test_container_that_refuses_pidfds_is_lived_with(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(pid: int) -> int:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "pidfd_open", refuse)
    assert ending.open_pidfd(os.getpid()) is None


def test_wait_statuses_are_read_as_waitpid_writes_them() -> None:
    assert ending.describe(0, "") == Exit(code=0)
    assert ending.describe(7 << 8, "") == Exit(code=7)
    assert ending.describe(9, "") == Exit(signal="SIGKILL")
    assert ending.describe(0x80 | 11, "") == Exit(signal="SIGSEGV")
    assert ending.describe(40, "").signal == "signal 40"


def test_kill_while_the_oom_counter_rises_is_an_out_of_memory_kill() -> None:
    kills = {"cgroup /job": 1, "this machine": 4}
    watch = OomWatch(lambda: dict(kills))
    watch.remember()
    kills["cgroup /job"] = 2
    watch.remember()
    end = watch.verdict(Exit(signal="SIGKILL", how="seen"))
    assert end.oom
    assert "cgroup /job" in end.how


def test_kill_while_someone_elses_cgroup_runs_out_is_not_ours() -> None:
    kills = {"cgroup /job": 1, "this machine": 4}
    watch = OomWatch(lambda: dict(kills))
    kills["this machine"] = 5
    assert not watch.verdict(Exit(signal="SIGKILL")).oom


def test_cgroup_that_went_with_the_job_leaves_the_verdict_to_the_one_above() -> None:
    kills = {"cgroup /slice/job": 0, "cgroup /slice": 3}
    watch = OomWatch(lambda: dict(kills))
    del kills["cgroup /slice/job"]
    kills["cgroup /slice"] = 4
    assert watch.verdict(Exit(signal="SIGKILL")).oom


def test_job_that_fails_after_a_worker_was_killed_says_so_and_keeps_its_code() -> None:
    kills = {"cgroup /job": 0}
    watch = OomWatch(lambda: dict(kills))
    kills["cgroup /job"] = 1
    end = watch.verdict(Exit(code=1, how="seen"))
    assert (end.code, end.oom) == (1, False)
    assert "another process" in end.how
