"""Where a running job's output goes, for each way of starting one that people really use."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from floydtop.errors import FloydtopError
from floydtop.sources.candidates import PLAUSIBLE
from floydtop.sources.descriptors import descendants, process_table
from floydtop.sources.output import Output, explain, find_output
from floydtop.sources.target import resolve
from floydtop.sources.writers import find_writers
from tests.sources.jobs import Jobs, jobs, needs, wait_until

__all__ = ["jobs"]


def written(path: Path) -> Path:
    """Wait until the job has printed a few lines to the file."""
    wait_until(lambda: path.exists() and path.stat().st_size > 300)
    return path


def log_of(output: Output) -> str:
    assert output.log is not None, output.sentence
    return output.log.path


def test_stdout_to_a_regular_file(jobs: Jobs) -> None:
    pid = jobs.start("$PY train.py > out.log 2>&1")
    written(jobs.directory / "out.log")
    assert log_of(find_output(pid)) == str(jobs.directory / "out.log")


def test_a_log_in_shared_memory(jobs: Jobs) -> None:
    if not os.access("/dev/shm", os.W_OK):
        pytest.skip("NOT TESTED WITH SHARED MEMORY: /dev/shm cannot be written")
    log = Path(f"/dev/shm/floydtop-test-{os.getpid()}.log")
    try:
        pid = jobs.start(f"$PY train.py > {log}; true")
        written(log)
        assert log_of(find_output(pid)) == str(log)
        assert find_writers(str(log)).pids == [pid]
    finally:
        log.unlink(missing_ok=True)


def test_nohup_in_the_background(jobs: Jobs) -> None:
    pid = jobs.start("nohup $PY train.py >> nohup.out 2>&1 & wait")
    written(jobs.directory / "nohup.out")
    assert log_of(find_output(pid)) == str(jobs.directory / "nohup.out")


def test_a_renamed_log_is_found_under_its_new_name(jobs: Jobs) -> None:
    pid = jobs.start("$PY train.py > out.log")
    os.rename(written(jobs.directory / "out.log"), jobs.directory / "old.log.1")
    assert log_of(find_output(pid)) == str(jobs.directory / "old.log.1")


def test_a_deleted_log_is_reached_through_the_process(jobs: Jobs) -> None:
    pid = jobs.start("$PY train.py > out.log")
    written(jobs.directory / "out.log").unlink()
    output = find_output(pid)
    assert log_of(output) == str(jobs.directory / "out.log")
    assert output.log is not None
    assert output.log.fd_path is not None
    assert Path(output.log.fd_path).read_bytes().startswith(b'{"metric": "loss"')


def test_a_file_that_is_named_deleted_is_not_taken_for_one(jobs: Jobs) -> None:
    pid = jobs.start("$PY train.py > 'out.log (deleted)'")
    written(jobs.directory / "out.log (deleted)")
    output = find_output(pid)
    assert output.log is not None
    assert (output.log.path, output.log.fd_path) == (str(jobs.directory / "out.log (deleted)"), None)


def test_both_streams_through_tee(jobs: Jobs) -> None:
    pid = jobs.start("$PY train.py 2>&1 | tee out.log")
    written(jobs.directory / "out.log")
    assert log_of(find_output(pid)) == str(jobs.directory / "out.log")


@needs("ts")
def test_of_the_copies_that_one_tee_writes_the_first_is_taken(jobs: Jobs) -> None:
    pid = jobs.start("$PY train.py 2>&1 | ts | tee a.log b.log")
    written(jobs.directory / "a.log")
    written(jobs.directory / "b.log")
    output = find_output(pid)
    assert log_of(output) == str(jobs.directory / "a.log")
    assert [os.path.basename(one.path) for one in output.candidates] == ["a.log", "b.log"]


def test_several_filters_and_a_shell_redirect(jobs: Jobs) -> None:
    pid = jobs.start("$PY train.py 2>&1 | grep --line-buffered loss | tee -a middle.txt | cat > end.bin")
    written(jobs.directory / "middle.txt")
    written(jobs.directory / "end.bin")
    assert log_of(find_output(pid)) == str(jobs.directory / "middle.txt")


def test_process_substitution_of_both_streams(jobs: Jobs) -> None:
    pid = jobs.start("$PY train.py > >(tee out.log) 2> >(tee err.log)")
    written(jobs.directory / "out.log")
    assert log_of(find_output(pid)) == str(jobs.directory / "out.log")


def test_tee_into_a_process_substitution(jobs: Jobs) -> None:
    pid = jobs.start("$PY train.py | tee >(cat > copy.log)")
    written(jobs.directory / "copy.log")
    assert log_of(find_output(pid)) == str(jobs.directory / "copy.log")


def test_a_pipe_that_the_job_and_its_filter_were_both_born_with_leads_nowhere(jobs: Jobs) -> None:
    """As the job server of make does, and the pipes of tools that run a shell for somebody."""
    (jobs.directory / "collect.py").write_text(
        "import sys\nlog = open('tool.log', 'w')\nlog.write(sys.stdin.read())\n"
    )
    output = find_output(jobs.start("exec 7> >($PY collect.py); $PY train.py 2>&1 | cat > /dev/null"))
    assert output.log is None
    assert output.candidates == ()
    assert "(cat, process" in output.sentence


def test_the_pipes_of_a_program_that_is_no_filter_are_not_followed(jobs: Jobs) -> None:
    """A program that reads the job's output may feed others: their files are not the job's."""
    (jobs.directory / "wrapper.py").write_text(
        "import subprocess, sys\n"
        "other = subprocess.Popen(['sh', '-c', 'cat > other.log'], stdin=subprocess.PIPE)\n"
        "job = subprocess.Popen([sys.executable, 'train.py'], stdout=subprocess.PIPE)\n"
        "log = open('kept.log', 'wb')\n"
        "for line in job.stdout: log.write(line); log.flush()\n"
    )
    pid = jobs.start("$PY wrapper.py")
    written(jobs.directory / "kept.log")
    output = find_output(pid)
    assert log_of(output) == str(jobs.directory / "kept.log")
    assert [os.path.basename(one.path) for one in output.candidates] == ["kept.log"]


@needs("script")
def test_a_typescript(jobs: Jobs) -> None:
    pid = jobs.start('script -q -f -c "$PY train.py" session.typescript')
    written(jobs.directory / "session.typescript")
    assert log_of(find_output(pid)) == str(jobs.directory / "session.typescript")


def test_a_log_file_opened_by_the_job_itself_wins_over_dev_null(jobs: Jobs) -> None:
    jobs.program.write_text(
        jobs.program.read_text()
        .replace("flush=True", "flush=True, file=log")
        .replace("for step", "log = open('own.log', 'w')\nfor step")
    )
    pid = jobs.start("$PY train.py > /dev/null 2>&1")
    written(jobs.directory / "own.log")
    assert log_of(find_output(pid)) == str(jobs.directory / "own.log")


def test_text_with_metrics_wins_over_binary_files_that_grow_beside_it(jobs: Jobs) -> None:
    """Event files of TensorBoard, caches and checkpoints are open for writing as the log is."""
    jobs.program.write_text(
        "events = open('events.out.tfevents.1.log', 'ab', buffering=0)\nlog = open('own.txt', 'w')\n"
        + jobs.program.read_text().replace(
            "flush=True)", "flush=True, file=log); events.write(b'loss: 0.5 step: 1' + bytes(90))"
        )
    )
    pid = jobs.start("$PY train.py > /dev/null 2>&1")
    written(jobs.directory / "own.txt")
    output = find_output(pid)
    assert log_of(output) == str(jobs.directory / "own.txt")
    assert not [one for one in output.candidates if one.path.endswith("1.log") and one.score >= PLAUSIBLE]


def test_processes_that_come_and_go_during_the_look_do_not_end_it(jobs: Jobs) -> None:
    loop = "while :; do for i in 1 2 3 4 5 6; do /bin/true > gone.log & done; wait; echo loss: 0.5; done"
    shell = jobs.start(f"{loop} > out.log", wait=False)
    log = written(jobs.directory / "out.log")
    for _ in range(10):
        assert log_of(find_output(shell)) == str(log)
        assert find_writers(str(log)).pids[:1] == [shell]
        for pid in descendants(shell, process_table())[1:]:
            try:
                resolve(str(pid))
            except FloydtopError as error:
                assert "ended" in str(error) or "no process" in str(error)  # noqa: PT017 (it may not be raised)


def test_the_shell_script_that_started_the_job_finds_the_job_s_log(jobs: Jobs) -> None:
    (jobs.directory / "run.sh").write_text("echo start\n$PY train.py > out.log\necho done\n")
    shell = jobs.start("exec bash run.sh > run.log", wait=False)
    jobs.pid()
    written(jobs.directory / "out.log")
    assert log_of(find_output(shell)) == str(jobs.directory / "out.log")


LAUNCHER = """
import os, subprocess, sys
children = []
for rank in range(4):
    directory = f"logs/attempt_0/{rank}"
    os.makedirs(directory)
    environment = dict(os.environ, RANK=str(rank), JOB_PID_FILE=f"pid{rank}")
    out = open(f"{directory}/stdout.log", "w")
    err = open(f"{directory}/stderr.log", "w")
    children.append(subprocess.Popen([sys.executable, "train.py"], env=environment, stdout=out, stderr=err))
open("pid.new", "w").write(str(os.getpid()))
os.rename("pid.new", "pid")
for child in children:
    child.wait()
"""


def test_the_first_rank_of_a_launcher_is_taken_and_the_others_are_offered(jobs: Jobs) -> None:
    (jobs.directory / "launch.py").write_text(LAUNCHER)
    pid = jobs.start("$PY launch.py > /dev/null 2>&1")
    logs = [jobs.directory / f"logs/attempt_0/{rank}/stdout.log" for rank in range(4)]
    for log in logs:
        written(log)
    output = find_output(pid)
    assert log_of(output) == str(logs[0])
    assert {one.path for one in output.candidates} >= {str(log) for log in logs}


def test_two_equally_likely_logs_are_offered_and_none_is_taken(jobs: Jobs) -> None:
    (jobs.directory / "two.sh").write_text(
        "JOB_PID_FILE=pid1 $PY train.py > a.log & JOB_PID_FILE=pid2 $PY train.py > b.log & wait\n"
    )
    shell = jobs.start("exec bash two.sh", wait=False)
    written(jobs.directory / "a.log")
    written(jobs.directory / "b.log")
    output = find_output(shell)
    assert output.log is None
    assert [os.path.basename(one.path) for one in output.candidates] == ["a.log", "b.log"]
    assert "--log" in output.sentence


def test_dev_null_is_named(jobs: Jobs) -> None:
    output = find_output(jobs.start("$PY train.py > /dev/null 2>&1"))
    assert output.log is None
    assert "/dev/null" in output.sentence
    assert "--log FILE" in output.sentence


def test_closed_streams_are_named(jobs: Jobs) -> None:
    jobs.program.write_text(jobs.program.read_text().replace("print(", "str(").replace(", flush=True", ""))
    output = find_output(jobs.start("$PY train.py >&- 2>&-"))
    assert output.log is None
    assert "closed" in output.sentence


def test_a_pipe_that_ends_in_no_file_names_its_reader(jobs: Jobs) -> None:
    output = find_output(jobs.start("$PY train.py 2>&1 | cat > /dev/null"))
    assert output.log is None
    assert "(cat, process" in output.sentence


def test_a_stderr_without_numbers_is_taken_only_when_there_is_nothing_else(jobs: Jobs) -> None:
    pid = jobs.start("$PY train.py > /dev/null 2> err.log")
    assert log_of(find_output(pid)) == str(jobs.directory / "err.log")


def test_a_socket_is_named(jobs: Jobs, tmp_path: Path) -> None:
    (jobs.directory / "serve.py").write_text(
        "import socket, subprocess, sys\n"
        "ours, theirs = socket.socketpair()\n"
        "child = subprocess.Popen([sys.executable, 'train.py'], stdout=theirs, stderr=theirs)\n"
        "theirs.close()\n"
        "while ours.recv(4096): pass\n"
    )
    output = find_output(jobs.start("$PY serve.py"))
    assert output.log is None
    assert "socket" in output.sentence


def test_tracing_is_not_offered_where_it_cannot_be_had(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    pid = jobs.start("$PY train.py > /dev/null 2>&1")
    monkeypatch.setenv("PATH", str(jobs.directory))
    assert "--ptrace" not in find_output(pid).sentence
    with pytest.raises(FloydtopError, match="strace command, which is not installed"):
        resolve(str(pid), ptrace=True)


@needs("strace")
def test_a_bare_terminal_is_named_with_its_owner_and_what_would_help(jobs: Jobs) -> None:
    (jobs.directory / "terminal.py").write_text(
        "import os, pty, sys\npty.spawn([sys.executable, 'train.py'])\n"
    )
    output_of = jobs.start("$PY terminal.py > /dev/null")
    output = find_output(output_of)
    assert output.log is None
    assert "/dev/pts/" in output.sentence
    assert f"process {os.getppid()}" not in output.sentence
    assert f"`floydtop {output_of} --ptrace`" in output.sentence


def test_a_program_that_keeps_what_it_reads_is_named_with_the_file(jobs: Jobs) -> None:
    """`conda run` prints what its job has printed when that has ended."""
    (jobs.directory / "run.py").write_text(
        "import subprocess, sys\nsubprocess.run([sys.executable, 'train.py'], stdout=subprocess.PIPE)\n"
    )
    pid = jobs.start("$PY run.py > out.log")
    output = find_output(pid)
    assert output.sentence.startswith(f"The output goes to {jobs.directory / 'out.log'}, through python")
    assert "may come late" in resolve(str(pid)).notes[0]


def test_a_notebook_s_kernel_is_known_and_tracing_is_not_offered(jobs: Jobs) -> None:
    """What a notebook prints goes through sockets, and its stdout is a pipe to itself."""
    program = jobs.program.read_text()
    (jobs.directory / "ipykernel_launcher.py").write_text(
        f"import os, sys\nreader, writer = os.pipe()\nos.dup2(writer, 1)\nos.dup2(writer, 2)\n{program}"
    )
    output = find_output(jobs.start("$PY -m ipykernel_launcher"))
    assert output.log is None
    assert "notebook" in output.sentence
    assert "--ptrace" not in output.sentence


def test_another_user_s_process_is_refused(jobs: Jobs) -> None:
    if os.getuid() != 0:
        pytest.skip("only root can start a process that it may not look at afterwards as nobody")
    pid = jobs.start("$PY train.py > out.log")
    program = (
        "import os, sys\n"
        f"sys.path.insert(0, {os.getcwd()!r})\n"
        "from floydtop.sources.output import find_output\n"
        "os.setgid(65534); os.setuid(65534)\n"
        f"try: find_output({pid})\n"
        "except PermissionError: print('refused')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stdout == "refused\n", done.stderr


def test_explain_tells_what_was_looked_at(jobs: Jobs) -> None:
    pid = jobs.start("$PY train.py 2>&1 | tee out.log")
    written(jobs.directory / "out.log")
    lines = "\n".join(explain(pid))
    assert "train.py" in lines
    assert "stdout -> pipe:" in lines
    assert "through tee" in lines
    assert lines.endswith(f"The output goes to {jobs.directory / 'out.log'}, through tee.")
