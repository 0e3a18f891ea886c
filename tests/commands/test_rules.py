"""The user's own rules for reading output, as commands take them; what is read in which lines."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from floydtop.events import Metrics, Note
from floydtop.parse.rules import Expression, Rules
from floydtop.recorder.assignment import Assignment
from floydtop.recorder.detach import Starting
from floydtop.session.library import new_path
from tests.commands.run import floydtop, refusal
from tests.recorder.jobs import events, job, until

EXPRESSION = r"round (?P<step>\d+) of .* loss (?P<loss>[\d.eE+-]+)"
LOG = """\
Epoch 1/2
20/20 - 1s - loss: 0.5 - val_loss: 0.75
round 3 of many, my loss 2.5e-1
{"metric": "bleu", "value": true}
hello
"""


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "train.log"
    path.write_text(LOG)
    return path


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "config" / "floydtop" / "config.toml"
    path.parent.mkdir(parents=True)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    path.write_text(
        "ignore = ['*_seconds', 'loss']\n[rename]\n'val_*' = 'held out *'\n"
        f"[[pattern]]\nmatch = '{EXPRESSION}'\n"
    )
    return path


def points(result: subprocess.CompletedProcess[str]) -> list[tuple[str, float, int | None]]:
    assert result.returncode == 0, result.stderr
    rows = map(json.loads, result.stdout.splitlines())
    return [(row["metric"], row["value"], row["step"]) for row in rows]


def test_a_pattern_of_the_command_line_reads_a_line(log: Path) -> None:
    found = points(floydtop("export", log, "--pattern", EXPRESSION))
    assert ("loss", 0.25, 3) in found
    assert ("val_loss", 0.75, None) in found


def test_metrics_are_chosen_and_renamed_on_the_command_line(log: Path) -> None:
    options = ("--only", "*loss", "--ignore", "loss", "--rename", "val_loss=held out")
    assert points(floydtop("export", log, *options)) == [("held out", 0.75, None)]


def test_the_configuration_holds_rules_and_the_command_line_adds_to_them(log: Path, config: Path) -> None:
    assert points(floydtop("export", log)) == [("held out loss", 0.75, None)]
    shown = floydtop("config").stdout
    assert all(word in shown for word in (EXPRESSION, "held out *", "*_seconds"))
    assert "is no setting" not in shown
    assert points(floydtop("export", log, "--rename", "val_*=*")) == [("loss", 0.75, None)]


def test_status_reads_a_log_by_the_rules(log: Path) -> None:
    shot = json.loads(floydtop("status", log, "--json", "--pattern", EXPRESSION, "--only", "loss").stdout)
    assert {name: metric["last"] for name, metric in shot["metrics"].items()} == {"loss": 0.25}


@pytest.mark.parametrize(
    "options",
    [["--pattern", "(?P<loss>"], ["--pattern", r"loss \d+"], ["--rename", "loss"]],
    ids=["no expression", "no named group", "no new name"],
)
def test_a_bad_rule_gets_one_sentence(log: Path, options: list[str]) -> None:
    for command in (["export", str(log)], ["status", str(log)], [str(log)], ["run"]):
        refusal(floydtop(*command, *options))


def test_a_bad_rule_of_the_configuration_gets_one_sentence(log: Path, config: Path) -> None:
    config.write_text("only = 'loss'\n")
    assert str(config) in refusal(floydtop("export", log))


def test_a_slow_expression_is_stopped_and_that_is_said(tmp_path: Path) -> None:
    log = tmp_path / "train.log"
    log.write_text(("x" * 1500 + "\n") * 5 + "step 1: loss 0.5\n")
    result = floydtop("export", log, "--pattern", "(?P<x>x*x*x*x*x*x*x*x*)y")
    assert points(result) == [("loss", 0.5, 1)]
    assert "is not used any more" in result.stderr


def test_a_detached_recorder_reads_by_the_rules(tmp_path: Path) -> None:
    rules = Rules((Expression(EXPRESSION),), ignore=("val_*",), rename={"loss": "l"})
    with job(tmp_path / "train.log") as child:
        session = new_path("test", child.pid)
        Starting(Assignment(session, child.pid, str(child.log), rules=rules)).wait()
        child.print("val_loss: 0.5")
        child.print("round 3 of many, my loss 2.5e-1")
        until(lambda: any(isinstance(event, Metrics) for event in events(session)))
        (point,) = (event for event in events(session) if isinstance(event, Metrics))
        assert (point.values, point.step) == ({"l": 0.25}, 3)
        said = refusal(floydtop("export", child.pid, "--pattern", EXPRESSION))
        assert "recording" in said
        chosen = floydtop("export", child.pid, "--rename", "l=m")
        assert points(chosen) == [("m", 0.25, 3)]


def test_a_recorder_notes_by_which_rules_it_reads_and_which_it_had_to_stop(tmp_path: Path) -> None:
    command = ["run", "--no-watch", "--pattern", "(?P<x>x*x*x*x*x*x*x*x*)y", "--", "cat", "slow.log"]
    (tmp_path / "slow.log").write_text(("x" * 1500 + "\n") * 5)
    ran = floydtop(*command, cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    home = Path(os.environ["XDG_STATE_HOME"]) / "floydtop" / "sessions"

    def notes() -> str:
        found = [event for path in home.glob("*.jsonl") for event in events(path)]
        return " ".join(event.text for event in found if isinstance(event, Note))

    until(lambda: "is not used any more" in notes())
    assert "rules of yours: the expression '(?P<x>" in notes()


def test_each_line_of_a_log_is_explained(log: Path) -> None:
    result = floydtop("export", log, "--explain", "--pattern", EXPRESSION, "--ignore", "val_*")
    rows = [row.split(None, 2) for row in result.stdout.splitlines()]
    assert [(row[0], row[1]) for row in rows] == [
        ("1", "keras"),
        ("2", "keras"),
        ("3", "pattern"),
        ("4", "json"),
        ("5", "-"),
    ]
    assert "loss=0.5 (epoch 1)" in rows[1][2]
    assert "val_loss=" not in rows[1][2]
    assert "loss=0.25 (step 3)" in rows[2][2]
    assert "boolean" in rows[3][2]
    assert "no number" in rows[4][2]
    assert "hello" in rows[4][2]


def test_a_recording_is_not_explained(tmp_path: Path) -> None:
    with job(tmp_path / "train.log") as child:
        session = new_path("test", child.pid)
        Starting(Assignment(session, child.pid, str(child.log))).wait()
        assert "recording" in refusal(floydtop("export", session, "--explain"))


def test_formats_are_listed_one_a_line() -> None:
    lines = floydtop("formats").stdout.splitlines()
    names = [line.split()[0] for line in lines]
    assert len(names) == len(set(names)) >= 11
    assert {"json", "keras", "tqdm", "text"} <= set(names)
