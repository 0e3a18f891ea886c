"""The ranks of a job: which process is which, and which file is whose log, with real processes."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

import pytest

from floydtop.sources.output import Output, find_output
from floydtop.sources.target import resolve
from tests.sources.jobs import Jobs, jobs, wait_until

__all__ = ["jobs"]

LAUNCHER = """
import os, subprocess, sys
children = []
for rank in map(int, os.environ["RANKS"].split()):
    names = os.environ["VARIABLES"].split()
    own = {name: str(rank) for name in names} | {"JOB_PID_FILE": f"pid{rank}"}
    files = []
    for stream in ("out", "err"):
        path = os.environ["LOG"].format(rank=rank, stream=stream)
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        files.append(open(path, "a") if path != "-" else None)
    program = os.environ.get(f"PROGRAM{rank}", "train.py")
    streams = dict(zip(("stdout", "stderr"), files))
    children.append(subprocess.Popen([sys.executable, program], env=os.environ | own, **streams))
open("pid.new", "w").write(str(os.getpid()))
os.rename("pid.new", "pid")
for child in children:
    child.wait()
"""
TORCHRUN = "logs/attempt_0/{rank}/std{stream}.log"


def printed(path: Path) -> bool:
    return path.exists() and path.stat().st_size > 300


def launch(
    jobs: Jobs,
    log: str,
    variables: str = "RANK LOCAL_RANK",
    ranks: str = "0 1 2",
    prefix: str = "",
    to: str = "/dev/null",
) -> int:
    """Start a launcher like torchrun; its pid, once each rank has printed."""
    (jobs.directory / "launch.py").write_text(LAUNCHER)
    pid = jobs.start(
        f"export RANKS='{ranks}' VARIABLES='{variables}' LOG='{log}'; {prefix} $PY launch.py >> {to} 2>&1"
    )
    for rank in ranks.split() if log != "-" else ():
        wait_until(partial(printed, jobs.directory / log.format(rank=rank, stream="out")))
    return pid


def names(output: Output, directory: Path) -> list[tuple[int | None, str]]:
    return [(one.rank, os.path.relpath(one.path, directory)) for one in output.ranks]


def test_the_logs_of_torchrun_s_ranks_are_all_found_rank_0_first(jobs: Jobs) -> None:
    pid = launch(jobs, TORCHRUN)
    output = find_output(pid)
    assert names(output, jobs.directory) == [(n, f"logs/attempt_0/{n}/stdout.log") for n in range(3)]
    assert output.log == output.ranks[0]
    assert output.sentence.endswith("; ranks 1 and 2 have logs of their own.")


def test_what_the_launcher_copies_to_its_own_stdout_does_not_hide_the_ranks(jobs: Jobs) -> None:
    """torchrun --tee 3 > all.log: the launcher prints what its ranks print, each line with a prefix."""
    (jobs.directory / "all.log").write_text("[default0]:loss: 0.5\n" * 10)
    pid = launch(jobs, TORCHRUN, to="all.log")
    assert [rank for rank, _ in names(find_output(pid), jobs.directory)] == [0, 1, 2]


def test_ranks_that_share_the_launcher_s_stdout_are_one_log(jobs: Jobs) -> None:
    pid = launch(jobs, "-", to="all.log")
    wait_until(lambda: (jobs.directory / "all.log").stat().st_size > 300)
    output = find_output(pid)
    assert output.log is not None
    assert (output.log.path, output.ranks) == (str(jobs.directory / "all.log"), ())


def test_the_variable_in_which_the_processes_differ_tells_the_rank(jobs: Jobs) -> None:
    """Under srun all processes of a task have its SLURM_PROCID, and torchrun's each a RANK."""
    pid = launch(jobs, TORCHRUN, ranks="4 5", prefix="SLURM_PROCID=0")
    assert [rank for rank, _ in names(find_output(pid), jobs.directory)] == [4, 5]


def test_a_launcher_with_the_rank_of_its_machine_is_none_of_the_ranks(jobs: Jobs) -> None:
    (jobs.directory / "all.log").write_text("[default0]:loss: 0.5\n" * 10)
    pid = launch(jobs, TORCHRUN, ranks="0 1", prefix="RANK=0", to="all.log")
    assert names(find_output(pid), jobs.directory)[0] == (0, "logs/attempt_0/0/stdout.log")


@pytest.mark.parametrize("variable", ["OMPI_COMM_WORLD_RANK", "PMI_RANK", "SLURM_PROCID", "LOCAL_RANK"])
def test_launchers_of_other_kinds_are_known_by_their_variables(jobs: Jobs, variable: str) -> None:
    pid = launch(jobs, "out.{rank}.{stream}", variables=variable)
    assert [rank for rank, _ in names(find_output(pid), jobs.directory)] == [0, 1, 2]


@pytest.mark.parametrize(
    "log", ["run_rank{rank}.{stream}.log", "worker-{rank}.{stream}", "gpu{rank}/{stream}.txt"]
)
def test_where_no_variable_tells_the_names_of_the_files_do(jobs: Jobs, log: str) -> None:
    pid = launch(jobs, log, variables="")
    assert [rank for rank, _ in names(find_output(pid), jobs.directory)] == [0, 1, 2]


def test_jobs_with_different_names_are_no_ranks(jobs: Jobs) -> None:
    pid = launch(jobs, "seed{rank}.{stream}.log", variables="")
    output = find_output(pid)
    assert (output.log, output.ranks) == (None, ())
    assert "--log FILE" in output.sentence


def test_a_rank_that_alone_prints_metrics_comes_first(jobs: Jobs) -> None:
    """Megatron prints the loss on the last rank of a pipeline."""
    (jobs.directory / "quiet.py").write_text(
        "import time\nfor _ in range(9999): print('at work ' * 9, flush=True); time.sleep(0.05)\n"
    )
    pid = launch(jobs, TORCHRUN, prefix="PROGRAM0=quiet.py PROGRAM1=quiet.py")
    assert [rank for rank, _ in names(find_output(pid), jobs.directory)] == [2, 0, 1]


def test_a_rank_s_stderr_with_bars_does_not_hide_its_stdout(jobs: Jobs) -> None:
    program = jobs.program.read_text()
    jobs.program.write_text(
        program.replace("    time.sleep", "    print('loss: 0.5', file=sys.stderr)\n    time.sleep")
    )
    pid = launch(jobs, TORCHRUN)
    assert {os.path.basename(path) for _, path in names(find_output(pid), jobs.directory)} == {"stdout.log"}


def test_one_rank_by_itself_is_a_job_like_any_other(jobs: Jobs) -> None:
    pid = launch(jobs, TORCHRUN)
    rank = next(one.pid for one in find_output(pid).ranks if one.rank == 1)
    target = resolve(str(rank))
    assert (target.pid, target.ranks) == (rank, [])
    assert target.log == str(jobs.directory / "logs/attempt_0/1/stdout.log")


def test_a_target_holds_the_first_rank_s_log_and_the_others_beside_it(jobs: Jobs) -> None:
    pid = launch(jobs, TORCHRUN)
    target = resolve(str(pid))
    assert target.log == str(jobs.directory / "logs/attempt_0/0/stdout.log")
    assert [one.rank for one in target.ranks] == [1, 2]
