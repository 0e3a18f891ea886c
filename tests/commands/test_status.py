"""`floydtop status` prints one snapshot, whether a recorder runs or not, and invents nothing."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from floydtop.recorder.assignment import Assignment
from floydtop.recorder.detach import Starting, stop
from floydtop.session.library import look_at, new_path
from floydtop.session.writer import read_present
from tests.commands.run import floydtop
from tests.recorder.jobs import Job, events, job, until
from tests.session import samples

NUMBER = {"type": ["number", "null"]}
VALUE = {"anyOf": [{"type": "number"}, {"enum": ["NaN", "Infinity", "-Infinity"]}]}


def room(*names: str) -> dict[str, Any]:
    return {"type": "object", "required": list(names), "properties": dict.fromkeys(names, NUMBER)}


SHAPE: dict[str, Any] = {
    "type": "object",
    "required": ["state", "exit", "job", "system", "metrics", "unknown"],
    "properties": {
        "state": {"enum": ["running", "stopped", "exited", "no-process"]},
        "exit": {
            "type": ["object", "null"],
            "required": ["code", "signal"],
            "properties": {"code": {"type": ["integer", "null"]}, "signal": {"type": ["string", "null"]}},
        },
        "job": {
            "type": "object",
            "required": ["pid", "command", "log"],
            "properties": {
                "pid": {"type": ["integer", "null"]},
                "command": {"type": ["string", "null"]},
                "log": {"type": ["string", "null"]},
            },
        },
        "system": {
            "type": "object",
            "required": ["cpu", "memory", "disk", "gpus"],
            "properties": {
                "cpu": room("percent", "cores"),
                "memory": room("bytes", "percent"),
                "disk": room("percent", "read_bytes_per_s", "write_bytes_per_s"),
                "gpus": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["index", "name", "utilization", "memory_bytes", "memory_percent"],
                    },
                },
            },
        },
        "metrics": {
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "required": ["last", "min", "max", "count", "step", "epoch"],
                "properties": {
                    "last": VALUE,
                    "min": NUMBER,
                    "max": NUMBER,
                    "count": {"type": "integer"},
                    "step": {"type": ["integer", "null"]},
                    "epoch": NUMBER,
                },
            },
        },
        "unknown": {"type": "object", "additionalProperties": {"type": "string", "minLength": 3}},
    },
}
"""The promise of `floydtop status --json`."""


@pytest.fixture
def child(tmp_path: Path) -> Iterator[Job]:
    with job(tmp_path / "train.log") as running:
        running.metric("loss", 2.0, 1)
        running.metric("loss", 1.0, 2)
        yield running


def snapshot(*arguments: object) -> dict[str, Any]:
    """What it prints as JSON, after checking its shape and that each null reading has its reason."""

    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is no JSON")

    result = floydtop("status", *map(str, arguments), "--json")
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    shot: dict[str, Any] = json.loads(result.stdout, parse_constant=refuse)
    Draft202012Validator(SHAPE).validate(shot)
    for name in ("cpu", "memory", "disk"):
        for field, value in shot["system"][name].items():
            assert value is not None or f"{name}.{field}" in shot["unknown"]
    for gpu in shot["system"]["gpus"]:
        for field, value in gpu.items():
            assert value is not None or f"gpu.{gpu['index']}.{field}" in shot["unknown"]
    for field, value in shot["job"].items():
        assert value is not None or f"job.{field}" in shot["unknown"]
    return shot


def check_running(shot: dict[str, Any], child: Job) -> None:
    assert (shot["state"], shot["exit"]) == ("running", None)
    assert shot["job"]["pid"] == child.pid
    assert shot["job"]["log"] == str(child.log)
    assert shot["job"]["command"].endswith("exec(line)\n")
    loss = shot["metrics"]["loss"]
    assert (loss["last"], loss["min"], loss["max"], loss["count"]) == (1.0, 1.0, 2.0, 2)
    assert (loss["step"], loss["epoch"]) == (2, None)
    assert shot["system"]["memory"]["bytes"] > 1e6
    assert shot["system"]["cpu"]["percent"] >= 0
    assert shot["system"]["gpus"] or shot["unknown"]["gpus"]


def test_a_job_that_nobody_records_is_looked_at_twice(child: Job, state_home: Path) -> None:
    check_running(snapshot(child.pid), child)
    assert not state_home.exists(), "looking leaves nothing behind"


def test_a_log_leads_to_the_job_that_writes_it(child: Job) -> None:
    check_running(snapshot(child.log), child)


def test_a_job_that_is_recorded_is_told_from_its_session(child: Job) -> None:
    session = new_path("test", child.pid)
    Starting(Assignment(session, child.pid, str(child.log))).wait()
    until(lambda: (present := read_present(session)) is not None and "cpu.percent" in present.values)
    until(lambda: len([event for event in events(session) if "Metrics" in type(event).__name__]) == 2)
    shot = snapshot(child.pid)
    check_running(shot, child)
    assert shot["recording"]
    assert snapshot()["job"]["pid"] == child.pid, "without a target: the last session"


def test_a_job_that_was_killed_says_so_from_its_session(child: Job) -> None:
    session = new_path("test", child.pid)
    Starting(Assignment(session, child.pid, str(child.log))).wait()
    child.process.kill()
    until(lambda: not look_at(session).live)  # type: ignore[union-attr]  # it was started above
    shot = snapshot(session)
    assert shot["state"] == "exited"
    assert shot["exit"]["signal"] == "SIGKILL"
    assert not shot["recording"]
    assert "killed by SIGKILL" in floydtop("status", session).stdout


def test_a_log_that_nobody_writes_has_metrics_and_no_readings(tmp_path: Path) -> None:
    log = tmp_path / "old.log"
    log.write_text('{"metric": "loss", "value": NaN, "epoch": 3}\n')
    shot = snapshot(log)
    assert shot["state"] == "no-process"
    assert shot["system"]["cpu"] == {"percent": None, "cores": None}
    loss = shot["metrics"]["loss"]
    assert (loss["last"], loss["min"], loss["max"], loss["step"], loss["epoch"]) == (
        "NaN",
        None,
        None,
        None,
        3,
    )


def test_an_ending_that_nobody_saw_is_never_a_success(tmp_path: Path) -> None:
    from floydtop.events import Exit, JobState

    path = tmp_path / "run.jsonl"
    unknown = JobState(t=1.0, state="exited", exit=Exit(how="its parent collected it"))
    path.write_bytes(samples.as_bytes([samples.header(), unknown]))
    assert snapshot(path)["unknown"]["exit.code"] == "its parent collected it"
    assert "exit code unknown" in floydtop("status", path).stdout


def test_plain_words_show_hostile_names_harmless(tmp_path: Path) -> None:
    log = tmp_path / "evil.log"
    log.write_text('{"metric": "\\u001b]0;owned\\u0007[red]", "value": 1}\n')
    result = floydtop("status", log)
    assert result.returncode == 0
    assert "\x1b" not in result.stdout
    assert "[red]" in result.stdout


def test_plain_words_name_everything(child: Job) -> None:
    lines = floydtop("status", child.pid).stdout.splitlines()
    assert lines[0] == "state    running"
    starts = [line.split()[0] for line in lines]
    assert starts[1:6] == ["job", "log", "cpu", "memory", "disk"]
    assert f"pid {child.pid}" in lines[1]
    assert any(line.startswith("loss") and "2 points" in line and "step 2" in line for line in lines)


def test_a_stopped_recording_of_a_job_that_runs_is_not_taken_for_the_present(child: Job) -> None:
    session = new_path("test", child.pid)
    Starting(Assignment(session, child.pid, str(child.log))).wait()
    stop(look_at(session))  # type: ignore[arg-type]  # it was started above
    child.metric("loss", 0.5, 3)
    assert snapshot(child.pid)["metrics"]["loss"]["last"] == 0.5


def test_numbers_are_numbers(tmp_path: Path) -> None:
    log = tmp_path / "big.log"
    log.write_text('{"metric": "loss", "value": 1e308}\n{"metric": "loss", "value": -Infinity}\n')
    loss = snapshot(log)["metrics"]["loss"]
    assert (loss["last"], loss["min"], loss["not_finite"]) == ("-Infinity", 1e308, 1)
    assert math.isfinite(loss["max"])
