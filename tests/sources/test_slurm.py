"""`floydtop slurm:123`: what Slurm tells about a job, by a stand-in for its command."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from floydtop.errors import FloydtopError
from floydtop.sources import slurm
from floydtop.sources.target import resolve
from tests.sources.jobs import Jobs, jobs, wait_until

__all__ = ["jobs"]

TOLD = (
    "JobId=123 JobName={name} UserId=ann(1000) GroupId=ann(1000) JobState={state} Reason={reason} "
    "Dependency=(null) ExitCode={exit} RunTime=00:00:02 NodeList={nodes} BatchHost=n1 NumNodes=1 "
    "Command=/home/ann/job.sh WorkDir=/home/ann StdErr={output} StdIn=/dev/null StdOut={output} Power= \n"
)


def told(**changed: str) -> str:
    facts = {"name": "train", "state": "RUNNING", "reason": "None", "exit": "0:0", "nodes": "n1"}
    return TOLD.format(**facts | {"output": "/none/slurm-123.out"} | changed)


class Scontrol:
    """A stand-in for scontrol that prints what it was told to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        program = folder / "scontrol"
        program.write_text(
            f'#!/bin/sh\ncat "{folder}/$1" 2>/dev/null && exit 0\ncat "{folder}/error" >&2\nexit 1\n'
        )
        program.chmod(0o755)

    def tells(self, job: str | bytes, pids: str = "") -> None:
        (self.folder / "show").write_bytes(job if isinstance(job, bytes) else job.encode())
        if pids:
            (self.folder / "listpids").write_text(f"PID      JOBID    STEPID   LOCALID GLOBALID\n{pids}")

    def fails(self, error: str) -> None:
        (self.folder / "error").write_text(error)


@pytest.fixture
def scontrol(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scontrol:
    stand_in = Scontrol(tmp_path / "slurm")
    monkeypatch.setenv("PATH", f"{stand_in.folder}:{os.environ['PATH']}")
    return stand_in


def test_a_job_of_this_node_is_watched_by_its_batch_script(jobs: Jobs, scontrol: Scontrol) -> None:
    pid = jobs.start("exec $PY train.py > slurm-123.out")
    wait_until(lambda: (jobs.directory / "slurm-123.out").stat().st_size)
    steps = f"{os.getpid()}  123  0  0  0\n{pid}  123  batch  0  0\n{os.getpid()}  123  batch  -  -\n"
    scontrol.tells(told(output=str(jobs.directory / "slurm-123.out")), steps)
    target = resolve("slurm:123")
    assert (target.pid, target.log) == (pid, str(jobs.directory / "slurm-123.out"))
    assert target.notes == []


def test_a_step_is_watched_by_its_first_task(jobs: Jobs, scontrol: Scontrol) -> None:
    pid = jobs.start("exec $PY train.py > out.log")
    scontrol.tells(told(), f"1  123  batch  0  0\n{pid}  123  4  0  0\n1  123  5  0  0\n")
    assert resolve("slurm:123.4").pid == pid


def test_a_job_of_several_nodes_says_that_only_this_one_is_seen(jobs: Jobs, scontrol: Scontrol) -> None:
    pid = jobs.start("exec $PY train.py > out.log")
    scontrol.tells(told(nodes="n[1-4]"), f"{pid}  123  batch  0  0\n")
    assert any("runs on n[1-4]" in note for note in resolve("slurm:123").notes)


def test_a_job_of_another_node_is_followed_by_its_log(tmp_path: Path, scontrol: Scontrol) -> None:
    log = tmp_path / "slurm 123 A=b.out"
    log.write_text("loss 1\n")
    scontrol.tells(told(output=str(log), nodes="n7"))
    scontrol.fails("There are no steps for job 123 on node vm.\n")
    target = resolve("slurm:123")
    assert (target.kind, target.log) == ("log", str(log))
    assert target.notes == [
        "Slurm job 123 runs on n7, its log is followed from here: "
        "`srun --jobid=123 --overlap --pty floydtop slurm:123` shows what it uses."
    ]


def test_a_finished_job_is_shown_with_its_end(tmp_path: Path, scontrol: Scontrol) -> None:
    log = tmp_path / "slurm-123.out"
    log.write_text("loss 1\n")
    scontrol.tells(told(output=str(log), state="FAILED", exit="1:0"))
    target = resolve("slurm:123")
    assert (target.kind, target.log) == ("log", str(log))
    assert target.notes[0] == "Slurm job 123 is FAILED, exit code 1:0."


@pytest.mark.parametrize(
    ("job", "error", "said"),
    [
        ("", "slurm_load_jobs error: Invalid job id specified\n", "Slurm knows no job 123, it forgets one"),
        (
            "",
            "slurm_load_jobs error: Unable to contact slurm controller\n",
            "Unable to contact slurm controller",
        ),
        ("", "", "does not tell about job 123 (no reason given)"),
        ("No jobs in the system\n", "", "is not understood"),
        (told(state="PENDING", reason="Priority"), "", "has not started (PENDING, Priority)"),
        (told(nodes="n7"), "", "prints to /none/slurm-123.out on n7, which is not seen from here"),
        (told(output="").replace("StdOut=", ""), "", "keeps no log of it"),
        (
            told().replace("123", "124") + told(),
            "",
            "an array of 2 jobs: name one, such as slurm:124, slurm:123.",
        ),
    ],
)
def test_what_cannot_be_watched_is_one_sentence(scontrol: Scontrol, job: str, error: str, said: str) -> None:
    scontrol.fails(error)
    if job:
        scontrol.tells(job)
    with pytest.raises(FloydtopError) as raised:
        resolve("slurm:123")
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)


def test_the_one_task_of_an_array_that_still_runs_is_meant(tmp_path: Path, scontrol: Scontrol) -> None:
    log = tmp_path / "a.out"
    log.write_text("loss 1\n")
    done, waits = told(state="COMPLETED").replace("123", "124"), told(state="PENDING").replace("123", "125")
    scontrol.tells(done + told(output=str(log)) + waits)
    assert resolve("slurm:123").log == str(log)


def test_without_slurm_that_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(FloydtopError, match=r"no scontrol on this machine .* slurm-123\.out"):
        resolve("slurm:123")


def test_a_slurm_that_does_not_answer_is_not_waited_for(
    scontrol: Scontrol, monkeypatch: pytest.MonkeyPatch
) -> None:
    (scontrol.folder / "scontrol").write_text("#!/bin/sh\nexec sleep 60\n")
    monkeypatch.setattr(slurm, "PATIENCE", 0.2)
    with pytest.raises(FloydtopError, match="has not answered about job 123"):
        resolve("slurm:123")


@pytest.mark.parametrize(
    "text", ["slurm:", "slurm:abc", "slurm:1;ls", "slurm:1_", "slurm:1.x", "slurm:" + "9" * 99]
)
def test_what_is_no_number_of_a_job_never_reaches_slurm(text: str, scontrol: Scontrol) -> None:
    with pytest.raises(FloydtopError, match="names no job of Slurm's"):
        resolve(text)


def test_a_log_of_such_a_name_is_that_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("slurm:123").write_text("loss 1\n")
    assert resolve("slurm:123").log == str(tmp_path / "slurm:123")


def test_a_name_full_of_fields_does_not_move_the_log(scontrol: Scontrol) -> None:
    name = "x StdOut=/etc/passwd Power= JobState=COMPLETED NodeList=evil"
    job = slurm.parse(told(name=name))
    assert job is not None
    assert (job.output, job.state, job.nodes) == ("/none/slurm-123.out", "RUNNING", "n1")


@given(st.binary(max_size=300))
def test_odd_answers_never_crash(noise: bytes) -> None:
    line = noise.decode("utf-8", "replace")
    slurm.parse(line)
    slurm.parse("JobId=1" + line)
    slurm.parse(told() + line)


@pytest.mark.parametrize(
    "pids", ["\0", "x 1 2 0\n-5 1 batch 0 0\n", "99999999999999999999 1 batch 0 0\n", "1 2 3"]
)
def test_odd_pids_are_no_process(tmp_path: Path, scontrol: Scontrol, pids: str) -> None:
    log = tmp_path / "a.out"
    log.write_text("loss 1\n")
    scontrol.tells(told(output=str(log)), pids)
    assert resolve("slurm:123").kind == "log"


def test_the_command_line_takes_it(tmp_path: Path, scontrol: Scontrol) -> None:
    log = tmp_path / "a.out"
    log.write_text('{"metric": "loss", "value": 0.5, "step": 7}\n')
    scontrol.tells(told(output=str(log), state="COMPLETED"))
    done = subprocess.run(
        [sys.executable, "-m", "floydtop", "status", "slurm:123"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "loss" in done.stdout
    assert "step 7" in done.stdout
