"""Which processes of this machine look like training jobs, with real ones among all that run here."""

from __future__ import annotations

import os
from pathlib import Path

from floydtop.sources.jobs import LikelyJob, likely_jobs
from tests.sources.jobs import Jobs, jobs, wait_until
from tests.sources.test_ranks import TORCHRUN, launch

__all__ = ["jobs"]


def found() -> dict[int, LikelyJob]:
    return {job.pid: job for job in likely_jobs(most=10_000)}


def printed(path: Path) -> bool:
    return path.exists() and path.stat().st_size > 300


def test_an_interpreter_that_prints_is_likely_and_its_log_is_told(jobs: Jobs) -> None:
    pid = jobs.start("$PY train.py > out.log; true")
    wait_until(lambda: printed(jobs.directory / "out.log"))
    job = found()[pid]
    assert "prints" in job.reasons
    assert job.log == str(jobs.directory / "out.log")
    assert job.command[-1] == "train.py"


def test_an_interpreter_that_neither_prints_nor_computes_is_left_out(jobs: Jobs) -> None:
    (jobs.directory / "wait.py").write_text(
        "open('pid', 'w').write(str(__import__('os').getpid()))\ninput()\n"
    )
    pid = jobs.start("sleep 100 | $PY wait.py > /dev/null 2>&1")
    wait_until(lambda: os.readlink(f"/proc/{pid}/fd/1") == "/dev/null")
    assert pid not in found()


def test_an_interpreter_that_computes_is_likely_though_its_output_is_thrown_away(jobs: Jobs) -> None:
    (jobs.directory / "busy.py").write_text(
        "open('pid', 'w').write(str(__import__('os').getpid()))\nwhile True: pass\n"
    )
    pid = jobs.start("$PY busy.py > /dev/null 2>&1")
    wait_until(lambda: pid in found(), 60)
    assert found()[pid].log is None
    assert any(reason.endswith("s of CPU time") for reason in found()[pid].reasons)


def test_a_launcher_stands_for_its_ranks(jobs: Jobs) -> None:
    pid = launch(jobs, TORCHRUN)
    job = found()[pid]
    assert job.log == str(jobs.directory / TORCHRUN.format(rank=0, stream="out"))
    assert not {rank for rank in found() if rank != pid} & set(children(pid))


def children(pid: int) -> list[int]:
    return [int(text) for text in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_a_deleted_log_can_still_be_read(jobs: Jobs) -> None:
    pid = jobs.start("$PY train.py > out.log; true")
    wait_until(lambda: printed(jobs.directory / "out.log"))
    (jobs.directory / "out.log").unlink()
    log = found()[pid].log
    assert log is not None
    assert Path(log).read_bytes().startswith(b'{"metric": "loss"')


def test_floydtop_itself_is_no_job(jobs: Jobs) -> None:
    assert os.getpid() not in found()
