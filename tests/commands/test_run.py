"""`floydtop run`, pipes, FIFOs and packed logs, as a shell uses them without a terminal."""

from __future__ import annotations

import gzip
import json
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from floydtop.commands import run as run_room
from floydtop.commands.known import find_recording
from floydtop.commands.watch import record, say_goodbye
from floydtop.errors import FloydtopError
from floydtop.events import End, JobState, Metrics
from floydtop.recorder import kept
from floydtop.session.library import Recording, recordings
from floydtop.session.writer import SessionWriter
from floydtop.sources.target import resolve
from tests.commands.run import floydtop, refusal
from tests.recorder.jobs import events, until
from tests.session.samples import header

METRICS = "".join(f'{{"metric": "loss", "value": {1 / step}, "step": {step}}}\n' for step in range(1, 101))


def only_recording() -> Recording:
    """The one there is, once its recorder has closed it."""
    until(lambda: [recording.live for recording in recordings()] == [False])
    return next(recordings())


AWAIT = "until [ -e go ]; do sleep 0.02; done; "
"""Shell script of a job that waits for a file named `go` in its directory."""


def steps_of(recording: Recording) -> list[int | None]:
    return [event.step for event in events(recording.path) if isinstance(event, Metrics)]


def piped(shell: str, **options: object) -> subprocess.CompletedProcess[str]:
    """A shell command in which `floydtop` is ours."""
    return subprocess.run(  # type: ignore[call-overload,no-any-return]  # options are passed on
        ["bash", "-c", f'floydtop() {{ {sys.executable} -m floydtop "$@"; }}; {shell}'],
        capture_output=True,
        text=True,
        timeout=60,
        **options,
    )


@pytest.mark.parametrize(
    ("script", "end"),
    [("exit 0", (0, None)), ("exit 7", (7, None)), ("kill -9 $$", (None, "SIGKILL"))],
)
def test_a_run_job_is_recorded_to_its_exact_end(
    tmp_path: Path, script: str, end: tuple[int | None, str | None]
) -> None:
    script = f"{AWAIT} echo loss: 0.5; {script}"
    result = floydtop("run", "--no-watch", "--", "sh", "-c", script, cwd=tmp_path)
    (tmp_path / "go").touch()
    assert result.returncode == 0, result.stderr
    pid = re.match(
        r"Job (\d+) runs: `floydtop \1` shows it, `kill \1` ends the job; its output", result.stdout
    )
    assert pid is not None, result.stdout
    recording = only_recording()
    assert recording.header.job is not None
    assert recording.header.job.pid == int(pid[1])
    assert recording.header.job.command[:2] == ["sh", "-c"]
    assert recording.state is not None
    assert recording.state.exit is not None
    assert (recording.state.exit.code, recording.state.exit.signal) == end
    assert [event.values for event in events(recording.path) if isinstance(event, Metrics)] == [{"loss": 0.5}]


def test_modules_in_the_jobs_directory_are_not_taken_for_those_of_python(tmp_path: Path) -> None:
    for name in ("asyncio", "json", "random", "floydtop"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit(3)")
    # Not `python -m`, which looks into the directory itself; the installed command does not.
    command = [sys.executable, "-P", "-c", "import sys; from floydtop.cli import main; sys.exit(main())"]
    root = Path(__file__).parents[2]
    result = subprocess.run(
        [*command, "run", "--no-watch", "--", "sh", "-c", "echo loss: 0.5"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert result.returncode == 0, result.stderr
    recording = only_recording()
    assert [event.values for event in events(recording.path) if isinstance(event, Metrics)] == [{"loss": 0.5}]


def test_a_job_that_cannot_be_recorded_runs_and_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(target: object, *, interval: float) -> int:
        raise FloydtopError("The recorder could not be started.")

    monkeypatch.setattr(run_room, "record", refuse)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FloydtopError) as refused:
        run_room.run(["sh", "-c", AWAIT + "exit 7"], None, interval=60, detach=True, watching=False)
    found = re.fullmatch(
        r"The recorder could not be started\. Job (\d+) runs all the same, with its output in (.*)\.",
        str(refused.value),
    )
    assert found is not None
    (tmp_path / "go").touch()
    until(lambda: kept.exit_status(found[2]) == (int(found[1]), 7 << 8))


def test_a_job_that_is_over_at_once_is_recorded_all_the_same() -> None:
    result = floydtop("run", "--name", "quick", "--no-watch", "--", "sh", "-c", "echo loss: 0.5; exit 3")
    assert re.fullmatch(r"Job (\d+) has ended \(exited 3\): `floydtop replay \1`\n", result.stdout)
    recording = only_recording()
    assert recording.state is not None
    assert recording.state.exit is not None
    assert recording.state.exit.code == 3
    assert recording.header.log is not None
    assert "-quick-" in recording.header.log.path
    assert [event.values for event in events(recording.path) if isinstance(event, Metrics)] == [{"loss": 0.5}]


def test_without_a_terminal_it_is_said_how_to_watch(tmp_path: Path) -> None:
    result = floydtop("run", "sh", "-c", AWAIT, cwd=tmp_path)
    (tmp_path / "go").touch()
    assert result.returncode == 0
    unseen, runs = result.stdout.splitlines()
    assert unseen.startswith("This is no terminal to draw in")
    assert re.match(r"Job (\d+) runs: `floydtop \1` shows it", runs)
    only_recording()


def test_options_after_the_command_are_the_commands() -> None:
    floydtop("run", "--no-watch", "echo", "--name", "x", "--", "--no-watch")
    log = only_recording().header.log
    assert log is not None
    assert Path(log.path).read_text() == "--name x -- --no-watch\n"


def test_a_command_that_cannot_be_started_is_refused() -> None:
    assert refusal(floydtop("run", "--", "no-such-program")) == (
        "Cannot start no-such-program: No such file or directory."
    )
    assert list(recordings()) == []


def test_run_without_a_command_is_refused() -> None:
    result = floydtop("run", "--no-watch")
    assert result.returncode == 2
    assert "name the command to run" in result.stderr


def test_stopping_the_recording_does_not_stop_the_job() -> None:
    result = floydtop("run", "--no-watch", "--", "sleep", "60")
    pid = int(result.stdout.split()[1])
    try:
        assert floydtop("stop", pid).returncode == 0
        os.kill(pid, 0)
        log = only_recording().header.log
        assert log is not None
        assert kept.exit_status(log.path) == (pid, None)
    finally:
        os.kill(pid, signal.SIGTERM)
    until(lambda: kept.exit_status(log.path) == (pid, signal.SIGTERM))


def test_in_a_batch_script_of_slurm_it_tells_how_to_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """It returns at once, and Slurm ends what a script has started with the script."""
    monkeypatch.setenv("SLURM_JOB_ID", "5")
    told = floydtop("run", "--no-watch", "--", "sleep", "60").stdout
    pid = int(told.split()[1])
    os.kill(pid, signal.SIGTERM)
    assert f"`tail --pid={pid} -f /dev/null` waits for it.\n" in told


def test_what_is_piped_in_is_recorded_whole(tmp_path: Path) -> None:
    (tmp_path / "metrics").write_text(METRICS)
    result = piped("cat metrics | floydtop -", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert "This is no terminal to draw in" in result.stderr
    assert "It is recorded: `floydtop " in result.stderr
    recording = only_recording()
    assert steps_of(recording) == list(range(1, 101))
    assert isinstance(events(recording.path)[-1], End)


def test_a_piped_job_outlives_floydtop_and_its_end_is_recorded(tmp_path: Path) -> None:
    job = f"echo step 1 loss: 3; {AWAIT} for i in 2 3 4 5 6 7 8 9; do echo step $i loss: 0.$i; done; exit 4"
    result = piped(f"sh -c '{job}' | {{ floydtop -; touch go; }}; echo ${{PIPESTATUS[0]}}", cwd=tmp_path)
    assert result.stdout == "4\n"
    recording = only_recording()
    assert steps_of(recording) == list(range(1, 10))
    assert recording.state is not None
    assert recording.state.exit is not None
    assert recording.state.exit.code in (4, None), "told by kernels from 6.15 on"


def test_a_fifo_is_recorded_with_the_job_behind_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    job = subprocess.Popen(
        ["sh", "-c", f"exec sh -c '{AWAIT} echo step 1 loss: 0.5; exit 7' > fifo"], cwd=tmp_path
    )
    result = floydtop("fifo", cwd=tmp_path)
    assert f"`floydtop {job.pid}` shows it" in result.stderr
    assert floydtop("fifo", cwd=tmp_path).returncode == 0
    (tmp_path / "go").touch()
    assert job.wait() == 7
    recording = only_recording()
    (tmp_path / "fifo").unlink()
    assert recording.header.job is not None
    assert recording.header.job.pid == job.pid
    assert steps_of(recording) == [1]


def test_a_fifo_without_a_writer_says_that_it_waits(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    waiting = subprocess.Popen(
        [sys.executable, "-m", "floydtop", "fifo"], cwd=tmp_path, stderr=subprocess.PIPE, text=True
    )
    try:
        assert waiting.stderr is not None
        assert waiting.stderr.readline() == "Nobody writes to fifo yet: waiting for it, Ctrl-C gives up.\n"
        waiting.send_signal(signal.SIGINT)
        assert waiting.wait(timeout=20) == 130
        assert waiting.stderr.read() == ""
    finally:
        with suppress(ProcessLookupError):
            waiting.kill()
        waiting.stderr.close()
    assert list(recordings()) == []


def test_a_packed_log_is_read_once(tmp_path: Path) -> None:
    log = tmp_path / "train.log.gz"
    log.write_bytes(gzip.compress(METRICS.encode()))
    started = time.monotonic()
    record(resolve(str(log)), interval=60)
    recording = only_recording()
    assert time.monotonic() - started < 60, "a fresh plain log is waited for much longer"
    assert steps_of(recording) == list(range(1, 101))
    assert [event.state for event in events(recording.path) if isinstance(event, JobState)] == ["no-process"]
    known = find_recording(resolve(str(log)))
    assert known == recording.path


def test_a_packed_log_is_exported_and_summed_up(tmp_path: Path) -> None:
    log = tmp_path / "train.log.gz"
    log.write_bytes(gzip.compress(METRICS.encode()))
    assert floydtop("export", log).stdout.count("\n") == 100
    shot = json.loads(floydtop("status", "--json", log).stdout)
    assert (shot["metrics"]["loss"]["count"], shot["metrics"]["loss"]["min"]) == (100, 0.01)


@pytest.mark.parametrize("pack", ["cat", "gzip"])
def test_export_reads_standard_input_to_its_end(tmp_path: Path, pack: str) -> None:
    (tmp_path / "metrics").write_text(METRICS)
    result = piped(f"{pack} < metrics | floydtop export -", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert [json.loads(line)["step"] for line in result.stdout.splitlines()] == list(range(1, 101))
    assert list(recordings()) == []


def test_status_sums_up_standard_input(tmp_path: Path) -> None:
    (tmp_path / "metrics").write_text(METRICS)
    result = piped("cat metrics | floydtop status -", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert "log      standard input" in result.stdout
    assert "100 points  step 100" in result.stdout


@pytest.mark.parametrize("arguments", [["-"], ["export", "-"], ["status", "-"]])
def test_a_terminal_is_not_read_as_a_log(arguments: list[str]) -> None:
    master, slave = os.openpty()
    try:
        result = subprocess.run(
            [sys.executable, "-m", "floydtop", *arguments],
            stdin=slave,
            capture_output=True,
            text=True,
            timeout=60,
        )
    finally:
        os.close(master)
        os.close(slave)
    assert refusal(result).startswith("Nothing is piped in")


def test_a_recording_is_found_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "metrics").write_text(METRICS)
    piped("cat metrics | floydtop -", cwd=tmp_path)
    recording = only_recording()
    assert "100 points  step 100" in floydtop("status", recording.name).stdout
    assert floydtop("export", recording.name[:-2]).stdout.count("\n") == 100
    assert refusal(floydtop(recording.name)).startswith("This is no terminal to draw in")


def test_in_a_job_step_of_slurm_quitting_says_what_becomes_of_the_recorder(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "a.jsonl"
    writer = SessionWriter(path)
    writer.append([header()], now=0.0)
    monkeypatch.setenv("SLURM_STEP_ID", "0")
    say_goodbye(path)
    writer.close()
    assert capsys.readouterr().out.endswith(
        "Slurm ends the recorder with this job step, as most clusters are set up.\n"
    )
