"""The process tree of a real job."""

from __future__ import annotations

import json
import os
import pwd
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from floydtop.errors import FloydtopError
from floydtop.events import Reading
from floydtop.sources import procfs
from floydtop.sources.process import JobTree
from tests.sources.children import BUSY, Stopwatch, line, program, stranger, tell, until

FAMILY = """
import os, subprocess, sys, threading
leaf = [sys.executable, "-S", "-c", "input()"]
child = subprocess.Popen([*leaf[:3], f"import subprocess; subprocess.run({leaf!r})"], stdin=subprocess.PIPE)
started = threading.Event()
def fork():
    threads.append(subprocess.Popen(leaf, stdin=subprocess.PIPE))
    started.set()
    threading.Event().wait()
threads = []
threading.Thread(target=fork, daemon=True).start()
started.wait()
print("ready", flush=True)
input()
"""
"""A root with a child, a grandchild, and a child that another thread started: four processes."""


def cores_between(tree: JobTree, seconds: float) -> Reading:
    """Two readings some seconds apart; the second."""
    tree.read(thorough=True)
    time.sleep(seconds)
    return tree.read(thorough=True)


def test_whole_family_is_found_whichever_thread_started_it() -> None:
    with program(FAMILY) as child:
        line(child)
        tree = JobTree.open(child.pid)

        def complete() -> bool:
            tree.read(thorough=False)
            return len(tree.pids()) == 4

        until(complete)
        tree.close()


def test_family_is_found_without_the_kernels_lists_of_children(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(procfs, "lists_children", lambda: False)
    with program(FAMILY) as child:
        line(child)
        tree = JobTree.open(child.pid)

        def complete() -> bool:
            tree.read(thorough=False)
            return len(tree.pids()) == 4

        until(complete)
        tree.close()


def test_member_stays_one_when_its_parent_is_gone() -> None:
    source = """
import os, sys, time
pid = os.fork()
if pid == 0:
    os.setsid()
    pid = os.fork()
    if pid == 0:
        time.sleep(60)
    print(pid, flush=True)
    sys.stdin.readline()
    os._exit(0)
os.waitpid(pid, 0)
print("waited", flush=True)
sys.stdin.readline()
"""
    with program(source) as child:
        grandchild = int(line(child))
        tree = JobTree.open(child.pid)
        assert grandchild in tree.pids()
        tell(child)
        assert line(child) == "waited"
        tree.read(thorough=True)
        assert grandchild in tree.pids()
        os.kill(grandchild, signal.SIGKILL)
        tree.close()


def test_orphan_of_the_jobs_process_group_is_taken_in() -> None:
    source = """
import os, sys, time
if os.fork() == 0:
    if os.fork() == 0:
        print(os.getpid(), flush=True)
        time.sleep(60)
    os._exit(0)
os.wait()
sys.stdin.readline()
"""
    with program(source) as child:
        orphan = int(line(child))
        until(lambda: Path(f"/proc/{orphan}/stat").read_text().split()[3] != str(child.pid))
        tree = JobTree.open(child.pid)
        tree.read(thorough=False)
        assert orphan in tree.pids()
        tree.close()


def test_cpu_time_of_forty_short_children_is_counted_within_three_percent_of_the_truth() -> None:
    source = f"""
{BUSY}
import os, resource, sys
input()
for _ in range(40):
    pid = os.fork()
    if pid == 0:
        import time
        end = time.process_time() + 0.03
        while time.process_time() < end: pass
        os._exit(0)
    os.waitpid(pid, 0)
used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
print(sum(u.ru_utime + u.ru_stime for u in used), flush=True)
input()
"""
    with program(source) as child:
        tree = JobTree.open(child.pid)
        with procfs.process(child.pid) as handle:
            before = procfs.stat(handle)
        watch = Stopwatch(lambda: tree.read(thorough=True))
        tell(child)
        truth = float(line(child)) - before.own
        least, most = watch.amount("cpu.cores")
        # The kernel shows hundredths of a second, of four counters.
        assert 0.97 * least - 0.04 < truth < 1.03 * most + 0.04
        tree.close()


def test_job_that_drops_its_childrens_time_is_flagged_partial() -> None:
    source = "import signal\nsignal.signal(signal.SIGCHLD, signal.SIG_IGN)\nprint(1, flush=True)\ninput()"
    with program(source) as child:
        line(child)
        tree = JobTree.open(child.pid)
        tree.read(thorough=True)
        assert "partial" in tree.facts()[2]["cpu"]
        assert "SIGCHLD" in tree.facts()[2]["cpu"]
        tree.close()


def test_plain_job_is_not_flagged_partial() -> None:
    with program(FAMILY) as child:
        line(child)
        tree = JobTree.open(child.pid)
        cores_between(tree, 0.1)
        assert "partial" not in tree.facts()[2]["cpu"]
        tree.close()


def test_first_reading_has_no_rates_and_says_why() -> None:
    with program("input()") as child:
        tree = JobTree.open(child.pid)
        reading = tree.read(thorough=True)
        for name in ("cpu.cores", "cpu.percent", "disk.read_bytes_per_s", "disk.write_bytes_per_s"):
            assert name not in reading.values
            assert reading.unknown[name] == "needs a second reading"
        assert reading.values["memory.bytes"] > 0
        assert 0 < reading.values["memory.percent"] < 100
        assert 0 < reading.values["disk.percent"] <= 100
        tree.close()


def test_reading_of_an_ended_job_holds_no_numbers() -> None:
    with program("input()") as child:
        tree = JobTree.open(child.pid)
        tree.read(thorough=True)
        child.kill()
        until(tree.has_ended)
        reading = tree.read(thorough=True)
        assert reading.values == {}
        assert "the job has ended" in reading.unknown.values()
        tree.close()


def test_written_bytes_of_waited_children_are_counted(tmp_path: Path) -> None:
    source = f"""
import os, subprocess, sys
input()
code = "import os, sys; f = open(sys.argv[1], 'wb', 0); f.write(b'x' * (8 << 20)); os.fsync(f.fileno())"
for name in "abc":
    subprocess.run([sys.executable, "-S", "-c", code, os.path.join({str(tmp_path)!r}, name)])
print("written", flush=True)
input()
"""
    with program(source) as child:
        tree = JobTree.open(child.pid)
        watch = Stopwatch(lambda: tree.read(thorough=True))
        tell(child)
        assert line(child) == "written"
        least, most = watch.amount("disk.write_bytes_per_s")
        if most == 0:
            pytest.skip("the kernel counts no writes on this file system (tmpfs)")
        assert 0.9 * least < 24 << 20 < 1.1 * most
        tree.close()


def test_stopped_job_is_told_from_a_running_one() -> None:
    with program("input()") as child:
        tree = JobTree.open(child.pid)
        assert tree.state() == "running"
        child.send_signal(signal.SIGSTOP)
        until(lambda: tree.state() == "stopped")
        child.send_signal(signal.SIGCONT)
        until(lambda: tree.state() == "running")
        tree.close()


def test_description_names_command_directory_user_and_start(tmp_path: Path) -> None:
    before = time.time()
    with program("print(1, flush=True); input()", cwd=tmp_path) as child:
        line(child)
        tree = JobTree.open(child.pid)
        job = tree.describe()
        assert (job.pid, job.command[:2], job.cwd) == (child.pid, [sys.executable, "-S"], str(tmp_path))
        assert job.user == pwd.getpwuid(os.getuid()).pw_name
        assert before - 0.1 < tree.started < time.time() + 0.1
        tree.close()


def test_arguments_that_are_not_text_are_shown_without_harm() -> None:
    with program("input()") as child:
        command = [sys.executable, "-S", "-c", "input()", b"caf\xe9\x1b[31m"]
        hostile = subprocess.Popen(command, stdin=subprocess.PIPE)
        tree = JobTree.open(hostile.pid)
        assert tree.describe().command[-1] == "caf\ufffd\x1b[31m"
        tree.close()
        hostile.kill()
        hostile.communicate()
        assert child.poll() is None


@pytest.mark.parametrize("pid", [0, -1, 2**22 + 1, 2**31, 2**70])
def test_wrong_pid_gets_one_sentence(pid: int) -> None:
    with pytest.raises(FloydtopError, match=f"^There is no process {pid} here"):
        JobTree.open(pid)


def test_thread_id_is_answered_with_the_pid_to_give() -> None:
    source = """
import threading
started = threading.Thread(target=threading.Event().wait, daemon=True)
started.start()
print(started.native_id, flush=True)
input()
"""
    with program(source) as child:
        thread = int(line(child))
        with pytest.raises(FloydtopError, match=f"{thread} is a thread of process {child.pid}"):
            JobTree.open(thread)


def test_stranger_with_the_jobs_pid_is_never_read() -> None:
    with program(f"{BUSY}\nprint(1, flush=True)\nbusy(60)") as child:
        line(child)
        tree = JobTree.open(child.pid)
        cores_between(tree, 0.1)
    with stranger(child.pid, f"{BUSY}\nbusy(60)"):
        assert tree.read(thorough=True).values == {}
        assert tree.state() == "exited"
        assert tree.describe().cwd is None
        tree.close()


def test_member_whose_pid_went_to_a_stranger_is_forgotten() -> None:
    source = """
import subprocess, sys
worker = subprocess.Popen([sys.executable, "-S", "-c", "input()"], stdin=subprocess.PIPE)
print(worker.pid, flush=True)
sys.stdin.readline()
worker.kill()
worker.wait()
print("gone", flush=True)
sys.stdin.readline()
"""
    with program(source) as child:
        worker = int(line(child))
        begun = procfs.ticks_now()
        tree = JobTree.open(child.pid)
        tree.read(thorough=True)
        assert worker in tree.pids()
        tell(child)
        assert line(child) == "gone"
        # The kernel tells start times in hundredths of a second: let one pass.
        until(lambda: procfs.ticks_now() > begun + 2)
        with stranger(worker, "input()"):
            for thorough in (False, True):
                tree.read(thorough)
                assert tree.pids() == {child.pid}
        tree.close()


def test_cores_are_those_that_any_thread_may_run_on() -> None:
    allowed = sorted(os.sched_getaffinity(0))
    if len(allowed) < 2:
        pytest.skip("one core: there is nothing to pin to")
    source = f"""
import os, threading
os.sched_setaffinity(0, {{{allowed[0]}}})
print("one", flush=True)
input()
def pin():
    os.sched_setaffinity(0, {{{allowed[1]}}})
    pinned.set()
    threading.Event().wait()
pinned = threading.Event()
threading.Thread(target=pin, daemon=True).start()
pinned.wait()
print("two", flush=True)
input()
"""
    with program(source) as child:
        tree = JobTree.open(child.pid)
        for word, cores in [("one", 1.0), ("two", 2.0)]:
            assert line(child) == word
            tree.read(thorough=True)
            assert tree.facts()[0] == cores
            tell(child)
        tree.close()


def test_own_job_of_an_ordinary_user_is_read_in_full() -> None:
    if os.getuid() != 0:
        pytest.skip("only root can start processes as another user")
    observer = f"""
import asyncio, json, os, subprocess, sys
sys.path[:0] = {sys.path!r}
from floydtop.sources.process import JobTree
os.setgid(65534); os.setuid(65534)
os.chdir("/")
pipe = subprocess.PIPE
job = subprocess.Popen(["sh", "-c", "echo 1; read line; exit 4"], stdin=pipe, stdout=pipe)
job.stdout.readline()
tree = JobTree.open(job.pid)
tree.read(thorough=True)
reading = tree.read(thorough=True)
user = tree.describe().user
job.stdin.close()
end = asyncio.run(tree.ended())
print(json.dumps([reading.values, reading.unknown, tree.facts()[2], user, end.code]))
"""
    done = subprocess.run([sys.executable, "-c", observer], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    values, unknown, notes, user, code = json.loads(done.stdout)
    assert unknown == {}
    assert {"cpu.percent", "memory.percent", "disk.percent", "disk.write_bytes_per_s"} <= values.keys()
    assert notes["memory"] == "PSS of 1 process"
    assert (user, code) == (pwd.getpwuid(65534).pw_name, 4)


def test_job_of_another_user_is_read_as_far_as_the_kernel_allows(tmp_path: Path) -> None:
    if os.getuid() != 0:
        pytest.skip("only root can start a process that watches as another user")
    with program(f"{BUSY}\nprint(1, flush=True)\nbusy(60)") as child:
        line(child)
        observer = f"""
import os, sys, time, json
sys.path[:0] = {sys.path!r}
from floydtop.sources.process import JobTree
os.setgid(65534); os.setuid(65534)
tree = JobTree.open({child.pid})
tree.read(thorough=True)
time.sleep(0.5)
reading = tree.read(thorough=True)
job = tree.describe()
print(json.dumps([reading.values, reading.unknown, tree.facts()[2], job.command, job.cwd, job.user]))
"""
        done = subprocess.run([sys.executable, "-c", observer], capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()
    values, unknown, notes, command, cwd, user = json.loads(done.stdout)
    assert values["cpu.cores"] > 0.1
    assert values["memory.bytes"] > 1 << 20
    assert notes["memory"].startswith("at most")
    assert "hidden" in unknown["disk.percent"]
    assert "hidden" in unknown["disk.write_bytes_per_s"]
    assert command[0] == sys.executable
    assert (cwd, user) == (None, "root")
