"""The demo's training job, run as users run it: what it prints is whole, honest and ends as it should."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest

from floydtop import demo
from floydtop.demo.data import spirals
from floydtop.demo.train import epochs_within, learning_rate, macro_f1
from floydtop.errors import FloydtopError

RESULT = re.compile(
    r"40/40 \[={30}\] - \d+s \d+(?:us|ms|s)/step"
    r" - loss: (\d\.\d{4}) - accuracy: (\d\.\d{4}) - val_loss: (\d\.\d{4}) - val_accuracy: (\d\.\d{4}) *"
)
FRAME = re.compile(
    r"[ \d]\d/40 \[=*>?\.*\] - ETA: (?:\d+s|\d+:\d\d) - loss: \d\.\d{4} - accuracy: \d\.\d{4} *"
)
COMMAND = [sys.executable, "-m", "floydtop.demo.train"]


def run(*arguments: str) -> str:
    done = subprocess.run([*COMMAND, *arguments], capture_output=True, check=True, timeout=100)
    assert done.stderr == b""
    return done.stdout.decode("ascii")


def eventually(condition: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.02)


@pytest.fixture(scope="module")
def printed() -> str:
    """What four epochs print."""
    return run("--epochs", "4", "--seed", "3")


@pytest.fixture
def job(tmp_path: Path) -> Iterator[tuple[int, Path]]:
    """The demo in the background, and its log."""
    log = tmp_path / "deep" / "train.log"
    pid = demo.start(str(log), seconds=60)
    yield pid, log
    if Path(f"/proc/{pid}").exists():
        os.kill(pid, signal.SIGKILL)


def test_every_epoch_has_its_header_and_its_result_line(printed: str) -> None:
    finals = [line.split("\r")[-1] for line in printed.split("\n")]
    assert [line for line in finals if line.startswith("Epoch")] == [f"Epoch {n}/4" for n in range(1, 5)]
    results = [line for line in finals if "/step" in line]
    assert len(results) == 4
    assert all(RESULT.fullmatch(line) for line in results)


def test_every_other_frame_has_the_shape_of_keras(printed: str) -> None:
    frames = [segment for segment in re.split(r"[\b\r\n]+", printed) if "ETA" in segment]
    assert len(frames) >= 4
    assert all(FRAME.fullmatch(frame) for frame in frames)


def test_json_metric_lines_carry_a_step_or_an_epoch_but_no_name_has_both(printed: str) -> None:
    finals = [line.split("\r")[-1] for line in printed.split("\n")]
    metrics = [json.loads(line) for line in finals if line.startswith("{")]
    steps = {
        name: [m["step"] for m in metrics if m["metric"] == name] for name in ("grad_norm", "learning_rate")
    }
    assert steps["grad_norm"] == steps["learning_rate"] == [20, 40, 60, 80, 100, 120, 140, 160]
    assert [m["epoch"] for m in metrics if m["metric"] == "f1_score"] == [1, 2, 3, 4]
    assert len(metrics) == 20
    assert all(isinstance(m["value"], float) for m in metrics)


def test_values_are_those_of_a_network_that_learns(printed: str) -> None:
    losses = [float(match[1]) for match in RESULT.finditer(printed)]
    assert losses[-1] < losses[0]
    assert all(match[1] != match[3] for match in RESULT.finditer(printed))


def test_last_line_says_that_it_is_finished(printed: str) -> None:
    assert printed.endswith(" seconds.\n")
    assert printed.splitlines()[-1].startswith("Training finished after 4 epochs")


def test_the_same_seed_trains_to_the_same_values(printed: str) -> None:
    def values(text: str) -> list[tuple[str, ...]]:
        return [match.groups() for match in RESULT.finditer(text)]

    assert values(run("--epochs", "2", "--seed", "8")) == values(run("--epochs", "2", "--seed", "8"))


def test_wrong_arguments_end_with_usage_and_status_two() -> None:
    for arguments in (["--seconds", "nan"], ["--seconds", "-1"], ["--epochs", "0"]):
        done = subprocess.run([*COMMAND, *arguments], capture_output=True, check=False)
        assert done.returncode == 2
        assert b"usage:" in done.stderr


def test_rate_warms_up_to_its_peak_and_falls_to_nothing() -> None:
    rates = [learning_rate(step, 400) for step in range(400)]
    peak = rates.index(max(rates))
    assert peak in (19, 20)
    assert rates[:peak] == sorted(rates[:peak])
    assert rates[peak:] == sorted(rates[peak:], reverse=True)
    assert rates[-1] < 0.001 * max(rates)


def test_f1_is_one_for_right_answers_and_counts_a_missed_class_as_zero() -> None:
    assert macro_f1([0, 1, 2], [0, 1, 2]) == 1
    assert macro_f1([0, 0, 0], [0, 1, 2]) == pytest.approx(1 / 6)


def test_longer_runs_get_more_epochs() -> None:
    training, validation = spirals(100, Random(1)), spirals(20, Random(2))
    assert epochs_within(0.001, training, validation) == 1
    assert epochs_within(20, training, validation) > 3


def test_started_job_is_alive_and_writes_to_its_log(job: tuple[int, Path]) -> None:
    pid, log = job
    assert Path(f"/proc/{pid}/fd/1").samefile(log)
    assert Path(f"/proc/{pid}/fd/2").samefile(log)
    assert os.readlink(f"/proc/{pid}/fd/0") == os.devnull
    assert Path(f"/proc/{pid}/cwd").samefile(log.parent)
    eventually(lambda: b"Epoch 1/" in log.read_bytes())
    assert b"floydtop.demo.train" in Path(f"/proc/{pid}/cmdline").read_bytes()


def test_started_job_is_not_our_child_and_leads_its_own_session(job: tuple[int, Path]) -> None:
    pid, _ = job
    with pytest.raises(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    assert os.getsid(pid) == pid != os.getsid(0)


def test_sigterm_ends_the_started_job_at_once(job: tuple[int, Path]) -> None:
    pid, log = job
    eventually(lambda: b"Epoch 1/" in log.read_bytes())
    os.kill(pid, signal.SIGTERM)
    eventually(lambda: ended(pid))
    assert b"Traceback" not in log.read_bytes()


def ended(pid: int) -> bool:
    """Gone, or a zombie: a container's init may be slow to reap."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return True
    return stat.rpartition(")")[2].split()[0] in "ZX"


def test_log_keeps_what_was_in_it(tmp_path: Path) -> None:
    log = tmp_path / "train.log"
    log.write_text("before\n")
    pid = demo.start(str(log), seconds=60)
    try:
        eventually(lambda: "Epoch 1/" in log.read_text())
        assert log.read_text().startswith("before\n")
    finally:
        os.kill(pid, signal.SIGKILL)


def test_a_module_beside_the_log_does_not_shadow_ours(tmp_path: Path) -> None:
    (tmp_path / "random.py").write_text("raise SystemExit('the wrong one')\n")
    log = tmp_path / "train.log"
    pid = demo.start(str(log), seconds=60)
    try:
        eventually(lambda: "Epoch 1/" in log.read_text())
    finally:
        os.kill(pid, signal.SIGKILL)


def test_a_log_that_cannot_be_written_is_said_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(FloydtopError, match="Is a directory"):
        demo.start(str(tmp_path))


def test_importing_the_demo_loads_nothing_heavy() -> None:
    code = (
        "import sys, floydtop.demo; print(*(sorted({'subprocess', 'pathlib', 'asyncio'} & set(sys.modules))))"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", code], capture_output=True, check=True, cwd=Path(__file__).parents[2]
    )
    assert done.stdout.strip() == b""
