"""From a log to the job that writes it, with real processes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from floydtop.sources import descriptors
from floydtop.sources.writers import find_writers
from tests.sources.jobs import Jobs, jobs, needs, wait_until

__all__ = ["jobs"]


def written(path: Path) -> str:
    wait_until(lambda: path.exists() and path.stat().st_size > 100)
    return str(path)


def test_a_redirect_leads_to_the_job(jobs: Jobs) -> None:
    pid = jobs.start("$PY train.py > out.log 2>&1; true")
    assert find_writers(written(jobs.directory / "out.log")).pids == [pid]


def test_a_hard_link_and_a_rename_lead_to_the_job_all_the_same(jobs: Jobs) -> None:
    pid = jobs.start("$PY train.py > out.log; true")
    log = written(jobs.directory / "out.log")
    os.link(log, jobs.directory / "other.log")
    os.rename(log, jobs.directory / "moved.log")
    assert find_writers(str(jobs.directory / "other.log")).pids == [pid]
    assert find_writers(str(jobs.directory / "moved.log")).pids == [pid]


@pytest.mark.skipif(os.getuid() != 0, reason="only root can mount a directory in another place")
def test_a_log_seen_through_a_bind_mount_leads_to_the_job(jobs: Jobs) -> None:
    pid = jobs.start("mkdir logs elsewhere; $PY train.py > logs/out.log; true")
    written(jobs.directory / "logs" / "out.log")
    program = 'mount --bind logs elsewhere && exec $PY -c "$LOOK" elsewhere/out.log'
    look = (
        "import sys; from floydtop.sources.writers import find_writers; print(find_writers(sys.argv[1]).pids)"
    )
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", program],
        cwd=jobs.directory,
        capture_output=True,
        text=True,
        check=False,
        env=dict(os.environ, PYTHONPATH=os.getcwd(), PY=sys.executable, LOOK=look),
    )
    if done.returncode:
        pytest.skip(f"NOT TESTED WITH A BIND MOUNT: {done.stderr}")
    assert done.stdout == f"[{pid}]\n"


def test_tee_is_walked_up_to_the_job(jobs: Jobs) -> None:
    pid = jobs.start("$PY train.py 2>&1 | tee out.log; true")
    assert find_writers(written(jobs.directory / "out.log")).pids == [pid]


def test_several_filters_are_walked_up_to_the_job(jobs: Jobs) -> None:
    pid = jobs.start("$PY train.py 2>&1 | grep --line-buffered loss | tee /dev/null | cat > out.log; true")
    assert find_writers(written(jobs.directory / "out.log")).pids == [pid]


@needs("ts")
def test_ts_and_tee_are_walked_up_to_the_job(jobs: Jobs) -> None:
    pid = jobs.start("$PY train.py 2>&1 | ts | tee a.log b.log; true")
    assert find_writers(written(jobs.directory / "b.log")).pids == [pid]


def test_process_substitution_is_walked_up_to_the_job(jobs: Jobs) -> None:
    pid = jobs.start("$PY train.py > >(tee out.log) 2> >(tee err.log); true")
    assert find_writers(written(jobs.directory / "out.log")).pids == [pid]


@needs("script")
def test_script_is_walked_down_to_what_runs_in_it(jobs: Jobs) -> None:
    pid = jobs.start('script -q -f -c "$PY train.py; true" out.log')
    (writer,) = find_writers(written(jobs.directory / "out.log")).pids
    assert pid in descriptors.descendants(writer, descriptors.process_table())
    assert descriptors.process_table()[writer].name != "script"


def test_a_script_with_its_own_redirect_is_the_root_of_the_job(jobs: Jobs) -> None:
    (jobs.directory / "run.sh").write_text("echo start\n$PY train.py\necho done\n")
    shell = jobs.start("exec bash run.sh > out.log 2>&1", wait=False)
    jobs.pid()
    assert find_writers(written(jobs.directory / "out.log")).pids == [shell]


def test_workers_of_a_job_are_not_named_beside_it(jobs: Jobs) -> None:
    jobs.program.write_text(
        "import os\nos.fork()\nos.environ['JOB_PID_FILE'] += str(os.getpid())\n" + jobs.program.read_text()
    )
    shell = jobs.start("exec $PY train.py > out.log", wait=False)
    assert find_writers(written(jobs.directory / "out.log")).pids == [shell]


def test_two_jobs_that_share_a_log_are_both_named(jobs: Jobs) -> None:
    first = jobs.start("JOB_PID_FILE=one exec $PY train.py > out.log", wait=False)
    second = jobs.start("JOB_PID_FILE=two exec $PY train.py >> out.log", wait=False)
    wait_until((jobs.directory / "two").exists)
    wait_until((jobs.directory / "one").exists)
    assert sorted(find_writers(written(jobs.directory / "out.log")).pids) == sorted([first, second])


def test_a_finished_log_has_no_writer(tmp_path: Path) -> None:
    log = tmp_path / "out.log"
    log.write_text("done\n")
    assert find_writers(str(log)).pids == []


def test_a_reader_is_not_a_writer(jobs: Jobs) -> None:
    log = jobs.directory / "out.log"
    log.write_text("done\n")
    jobs.start("exec tail -f out.log", wait=False)
    assert find_writers(str(log)).pids == []


def test_floydtop_itself_is_not_a_writer(tmp_path: Path) -> None:
    log = tmp_path / "out.log"
    with log.open("w"):
        assert find_writers(str(log)).pids == []


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_another_user_is_told_how_many_processes_could_not_be_looked_at(jobs: Jobs) -> None:
    jobs.start("$PY train.py > out.log; true")
    log = written(jobs.directory / "out.log")
    program = (
        "import os, sys\n"
        "from floydtop.sources.writers import find_writers\n"
        "os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        "found = find_writers('/etc/passwd')\n"
        "print(found.pids, found.uninspected > 0)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=False,
        env=dict(os.environ, PYTHONPATH=os.getcwd()),
    )
    assert done.stdout == "[] True\n", done.stderr
    assert log
