"""`floydtop plot` prints one chart, for scripts and chats."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from tests.commands.run import floydtop, refusal

ROOT = Path(__file__).parents[2]
SESSION = ROOT / "tests" / "data" / "sessions" / "demo.jsonl"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    log = tmp_path / "train.log"
    lines = [f'{{"loss": {1 / step}, "val_loss": {2 / step}, "step": {step}}}' for step in range(1, 200)]
    log.write_text("\n".join(lines) + "\n")
    return log


def chart(*arguments: str | int | Path, **options: object) -> list[str]:
    result = floydtop("plot", *arguments, **options)
    assert (result.returncode, result.stderr) == (0, "")
    return result.stdout.splitlines()


def test_a_chart_has_the_size_that_was_asked_for(log: Path) -> None:
    lines = chart(log, "loss", "--width", 60, "--height", 15)
    assert len(lines) == 15
    assert max(map(len, lines)) <= 60
    assert lines[0].split() == ["━━", "loss"]


def test_several_metrics_are_told_apart_without_colours(log: Path) -> None:
    lines = chart(log, "loss", "val_loss")
    assert lines[0].split() == ["━━", "loss", "●", "━━", "val_loss", "○"]
    assert "\x1b" not in "".join(lines)
    assert all(sum(mark in line for line in lines[1:]) == 1 for mark in "●○")


def test_without_a_name_the_most_important_metrics_are_drawn() -> None:
    assert chart(SESSION)[0].split() == ["━━", "loss", "●", "━━", "val_loss", "○"]


@pytest.mark.parametrize(
    ("axis", "label"), [("time", "time since the job's start"), ("step", "epoch"), ("epoch", "epoch")]
)
def test_the_axis_is_the_one_that_was_asked_for(axis: str, label: str) -> None:
    assert chart(SESSION, "accuracy", "--x", axis)[-1].strip() == label


def test_a_system_metric_can_be_drawn_over_steps() -> None:
    lines = chart(SESSION, "cpu.percent", "--x", "step")
    assert lines[-1].strip() == "step"
    assert any("%" in line for line in lines)


def test_ascii_is_ascii(log: Path) -> None:
    assert "\n".join(chart(log, "loss", "val_loss", "--glyphs", "ascii", "--smooth", 0.5)).isascii()


def test_a_locale_without_unicode_gets_ascii(log: Path) -> None:
    surroundings = os.environ | {"LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    assert "\n".join(chart(log, "loss", env=surroundings)).isascii()


def test_the_glyphs_of_the_settings_are_taken(log: Path) -> None:
    lines = chart(log, "loss", env=os.environ | {"FLOYDTOP_GLYPHS": "block"})
    assert any("▀" in line for line in lines)


def test_a_logarithmic_axis_says_what_it_hides(tmp_path: Path) -> None:
    log = tmp_path / "train.log"
    log.write_text("".join(f'{{"loss": {3 - step}, "step": {step}}}\n' for step in range(1, 9)))
    assert chart(log, "loss", "--log")[-1].split("   ")[-2:] == ["log scale", "6 values not above zero"]


def test_smoothing_is_said(log: Path) -> None:
    assert chart(log, "loss", "--smooth", 0.9)[-1].endswith("smoothed 0.9")


def test_a_log_can_be_piped_in(log: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "floydtop", "plot", "-", "loss"],
        input=log.read_bytes(),
        capture_output=True,
        timeout=60,
        check=True,
    )
    assert "loss" in result.stdout.decode().splitlines()[0]


def test_an_unknown_metric_is_answered_with_those_that_are_alike(log: Path) -> None:
    assert refusal(floydtop("plot", log, "Los")) == (
        f"There is no metric Los in {log}: is loss or val_loss meant?"
    )
    assert refusal(floydtop("plot", log, "zzz")) == (
        f"There is no metric zzz in {log}: there are loss, val_loss."
    )


def test_a_log_without_metrics_is_no_chart(tmp_path: Path) -> None:
    log = tmp_path / "empty.log"
    log.write_text("nothing here\n")
    assert refusal(floydtop("plot", log)) == f"There are no metrics in {log} so far."


def test_an_axis_that_nobody_told_is_one_sentence(log: Path) -> None:
    assert refusal(floydtop("plot", log, "loss", "--x", "time")) == (
        "There is no time known for loss: try another --x."
    )


def test_nothing_but_nan_is_drawn_as_marks(tmp_path: Path) -> None:
    log = tmp_path / "nan.log"
    log.write_text("".join(f'{{"loss": NaN, "step": {step}}}\n' for step in range(1, 9)))
    assert "×" in "\n".join(chart(log, "loss"))


def test_names_from_the_job_do_not_steer_the_terminal(tmp_path: Path) -> None:
    log = tmp_path / "train.log"
    log.write_text('{"metric": "loss\\u001b]0;owned\\u0007", "value": 1, "step": 1}\n')
    assert "\x1b" not in "\n".join(chart(log))


@pytest.mark.parametrize("number", [["--width", "5"], ["--height", "x"], ["--smooth", "1"]])
def test_a_number_out_of_bounds_is_refused(log: Path, number: list[str]) -> None:
    result = floydtop("plot", log, *number)
    assert result.returncode == 2
    assert "must be a number from" in result.stderr


@pytest.mark.parametrize(("surroundings", "colours"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_colours_are_for_terminals_that_want_them(
    log: Path, surroundings: dict[str, str], colours: bool
) -> None:
    master, slave = pty.openpty()
    environment = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    with subprocess.Popen(
        [sys.executable, "-m", "floydtop", "plot", str(log), "loss", "--height", "10"],
        stdout=slave,
        env=environment | {"TERM": "xterm-256color"} | surroundings,
    ) as process:
        os.close(slave)
        shown = b""
        while True:
            try:
                block = os.read(master, 65536)
            except OSError:
                break
            if not block:
                break
            shown += block
    os.close(master)
    assert process.returncode == 0
    assert "loss" in shown.decode()
    assert (b"\x1b[38;2;" in shown) is colours
