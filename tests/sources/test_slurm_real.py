"""Jobs of a real Slurm: what the tasks of srun print and use is the job's, though they are a daemon's."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from floydtop.sources.family import Family
from floydtop.sources.output import find_output
from floydtop.sources.procfs import open_process
from floydtop.sources.target import resolve
from floydtop.sources.writers import find_writers
from tests.sources.jobs import PROGRAM, wait_until
from tests.sources.slurm_cluster import WHY_NOT, cluster

pytestmark = pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)

Batch = Callable[[str], str]


@pytest.fixture(scope="module")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder that jobs run in."""
    folder = tmp_path_factory.mktemp("slurm")
    with cluster(folder) as environment, pytest.MonkeyPatch.context() as patch:
        patch.setenv("SLURM_CONF", environment["SLURM_CONF"])
        work = folder / "work"
        work.mkdir()
        (work / "train.py").write_text(PROGRAM.replace('os.environ["JOB_PID_FILE"]', '"pid%d" % os.getpid()'))
        yield work


@pytest.fixture
def batch(slurm: Path) -> Iterator[Batch]:
    started = []

    def submit(script: str) -> str:
        text = f"#!/bin/bash\n#SBATCH -n 3\n{script.replace('$PY', sys.executable)}\n"
        done = subprocess.run(
            ["sbatch", "--parsable"], input=text, cwd=slurm, capture_output=True, text=True, check=True
        )
        started.append(done.stdout.strip())
        return started[-1]

    yield submit
    for job in started:
        subprocess.run(["scancel", job], check=False)
        wait_until(lambda job=job: not pids(job))  # type: ignore[misc]


def pids(job: str) -> dict[tuple[str, str], int]:
    """The processes of a job by step and rank."""
    told = subprocess.run(["scontrol", "listpids", job], capture_output=True, text=True, check=False)
    rows = [line.split() for line in told.stdout.splitlines()[1:]]
    return {(row[2], row[3]): int(row[0]) for row in rows if len(row) > 3 and "-" not in row[0] + row[3]}


def printed(path: Path) -> bool:
    return path.exists() and path.stat().st_size > 500


def test_a_batch_script_is_watched_by_its_id_and_by_its_log(slurm: Path, batch: Batch) -> None:
    job = batch("$PY train.py; true")
    log = slurm / f"slurm-{job}.out"
    wait_until(lambda: printed(log))
    script = pids(job)["batch", "0"]
    assert (resolve(f"slurm:{job}").pid, resolve(f"slurm:{job}").log) == (script, str(log))
    assert find_writers(str(log)).pids == [script]


def test_what_the_tasks_of_srun_use_and_print_is_the_batch_script_s(slurm: Path, batch: Batch) -> None:
    job = batch("srun $PY train.py")
    log = slurm / f"slurm-{job}.out"
    wait_until(lambda: printed(log) and len(pids(job)) == 4)
    ranks = {pid for (step, _), pid in pids(job).items() if step == "0"}
    script = pids(job)["batch", "0"]
    handle = open_process(script)
    try:
        family = Family(handle)
        family.look(True)
        assert ranks <= family.pids
    finally:
        os.close(handle)
    assert find_writers(str(log)).pids == [script]
    for pid in (script, *ranks):
        found = find_output(pid).log
        assert found is not None
        assert found.path == str(log)


def test_tasks_that_begin_later_join_the_job(slurm: Path, batch: Batch) -> None:
    job = batch(f"while [ ! -e go ]; do sleep 0.05; done; srun {sys.executable} train.py")
    wait_until(lambda: ("batch", "0") in pids(job))
    handle = open_process(pids(job)["batch", "0"])
    try:
        family = Family(handle)
        family.look(True)
        (slurm / "go").touch()
        wait_until(lambda: len(pids(job)) == 4)
        wait_until(lambda: set(pids(job).values()) <= set(family.look(False)))
    finally:
        os.close(handle)


def test_ranks_with_logs_of_their_own_are_found_together(slurm: Path, batch: Batch) -> None:
    job = batch("srun --output=rank-%t.log $PY train.py")
    wait_until(lambda: all(printed(slurm / f"rank-{rank}.log") for rank in range(3)))
    target = resolve(f"slurm:{job}")
    assert target.log == str(slurm / "rank-0.log")
    assert [Path(one.path).name for one in target.ranks] == ["rank-1.log", "rank-2.log"]


def test_each_of_two_sruns_has_its_own_tasks_and_log(slurm: Path, batch: Batch) -> None:
    job = batch(
        "srun -n1 --exact -o one-%j.log $PY train.py &\nsrun -n1 --exact -o two-%j.log $PY train.py &\nwait"
    )
    logs = [slurm / f"{name}-{job}.log" for name in ("one", "two")]
    wait_until(lambda: all(map(printed, logs)))
    for log in logs:
        (client,) = find_writers(str(log)).pids
        handle = open_process(client)
        try:
            family = Family(handle)
            family.look(True)
            (task,) = family.pids & {pid for (step, _), pid in pids(job).items() if step != "batch"}
        finally:
            os.close(handle)
        found = find_output(task).log
        assert found is not None
        assert found.path == str(log)


def test_a_job_that_has_ended_is_its_log(slurm: Path, batch: Batch) -> None:
    job = batch("echo loss 1; exit 3")
    asked = ["scontrol", "show", "job", "-o", job]
    wait_until(lambda: b"JobState=FAILED" in subprocess.run(asked, capture_output=True, check=False).stdout)
    target = resolve(f"slurm:{job}")
    assert (target.kind, target.log) == ("log", str(slurm / f"slurm-{job}.out"))
    assert target.notes[0] == f"Slurm job {job} is FAILED, exit code 3:0."


def test_a_job_that_slurm_does_not_know_is_one_sentence(slurm: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "floydtop", "status", "slurm:99999"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("floydtop: Slurm knows no job 99999")
    assert done.stderr.count("\n") == 1
