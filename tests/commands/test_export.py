"""`floydtop export` prints what a log, a session or a job says, for other programs."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from floydtop.events import Metrics
from floydtop.recorder.assignment import Assignment
from floydtop.recorder.detach import Starting
from floydtop.session.library import new_path
from tests.commands.run import floydtop, refusal
from tests.recorder.jobs import events, job, until
from tests.session import samples

LOG = """\
Epoch 1/2
100/100 [==============================] - 20s - loss: 0.5 - val_loss: 0.75
{"metric": "bleu", "value": 0.1, "step": 100}
{"metric": "bleu", "value": Infinity, "step": 200}
{"metric": "broken"
Epoch 2/2
100/100 [==============================] - 20s - loss: 0.25 - val_loss: NaN
"""

COLUMNS = ["metric", "value", "step", "epoch", "time", "line", "group"]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    log = tmp_path / "train.log"
    log.write_text(LOG)
    return log


def exported(target: object, form: str = "jsonl") -> str:
    result = floydtop("export", str(target), "--format", form)
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    return result.stdout


def objects(text: str) -> list[dict[str, Any]]:
    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is no JSON")

    return [json.loads(line, parse_constant=refuse) for line in text.splitlines()]


def test_a_log_as_jsonl_has_one_object_for_each_value(log: Path) -> None:
    rows = objects(exported(log))
    assert all(list(row) == COLUMNS for row in rows)
    training = [
        (row["metric"], row["value"], row["step"], row["epoch"], row["line"])
        for row in rows
        if row["group"] == "training"
    ]
    assert training == [
        ("loss", 0.5, None, 1, 2),
        ("val_loss", 0.75, None, 1, 2),
        ("bleu", 0.1, 100, None, 3),
        ("bleu", "Infinity", 200, None, 4),
        ("loss", 0.25, None, 2, 7),
        ("val_loss", "NaN", None, 2, 7),
    ]
    assert {row["metric"] for row in rows if row["group"] == "timing"} == {"epoch_seconds"}
    assert {row["time"] for row in rows} == {None}, "a log does not tell when its lines were printed"


def test_jsonl_is_what_is_printed_without_a_format(log: Path) -> None:
    assert floydtop("export", log).stdout == exported(log)


def test_csv_says_the_same(log: Path) -> None:
    rows = objects(exported(log))
    table = list(csv.DictReader(io.StringIO(exported(log, "csv"))))
    assert list(table[0]) == COLUMNS
    assert [row["metric"] for row in table] == [row["metric"] for row in rows]
    assert [row["value"] for row in table] == [str(row["value"]) for row in rows]
    assert [row["step"] for row in table] == ["" if row["step"] is None else str(row["step"]) for row in rows]


def test_json_is_the_whole_as_one_document(log: Path) -> None:
    (document,) = objects(exported(log, "json").replace("\n", " "))
    assert document["metrics"]["loss"]["value"] == [0.5, 0.25]
    assert document["metrics"]["bleu"]["value"] == [0.1, "Infinity"]
    assert len(document["malformed"]) == 1


@pytest.mark.parametrize("form", ["jsonl", "csv", "json"])
def test_a_session_is_exported_by_path_and_by_name(form: str) -> None:
    path = new_path("test", 4711)
    path.parent.mkdir(parents=True)
    path.write_bytes(samples.as_bytes(samples.run()))
    text = exported(path, form)
    assert "epoch_seconds" in text
    assert exported(path.stem, form) == text
    assert exported(path.stem[:17], form) == text


def test_live_lines_of_a_session_have_times_and_history_has_none() -> None:
    path = new_path("test", 4711)
    path.parent.mkdir(parents=True)
    path.write_bytes(samples.as_bytes(samples.run()))
    assert [row["time"] for row in objects(exported(path))] == [None, 4.0, 4.0, 6.0, 6.0]


def test_a_job_is_exported_by_pid_from_its_log(tmp_path: Path) -> None:
    with job(tmp_path / "train.log") as child:
        child.metric("loss", 0.5, 1)
        (row,) = objects(exported(child.pid))
    assert (row["metric"], row["value"], row["step"], row["time"]) == ("loss", 0.5, 1, None)


def test_a_job_that_is_recorded_is_exported_with_times(tmp_path: Path) -> None:
    with job(tmp_path / "train.log") as child:
        session = new_path("test", child.pid)
        Starting(Assignment(session, child.pid, str(child.log))).wait()
        until(lambda: any(type(event).__name__ == "JobState" for event in events(session)))
        child.metric("loss", 0.5, 1)
        until(lambda: any(isinstance(event, Metrics) for event in events(session)))
        (row,) = objects(exported(child.pid))
    assert row["time"] > 0


def test_a_job_whose_output_cannot_be_read_is_told_in_one_sentence() -> None:
    nowhere = subprocess.DEVNULL
    with subprocess.Popen(
        [sys.executable, "-S", "-c", "input()"], stdin=subprocess.PIPE, stdout=nowhere, stderr=nowhere
    ) as child:
        said = refusal(floydtop("export", child.pid))
        child.communicate(b"\n")
    assert "--log FILE" in said


def test_an_empty_log_exports_nothing(tmp_path: Path) -> None:
    log = tmp_path / "empty.log"
    log.touch()
    assert exported(log) == ""
    assert exported(log, "csv").strip() == ",".join(COLUMNS)


def test_names_that_no_encoding_can_hold_are_still_printed(tmp_path: Path) -> None:
    log = tmp_path / "odd.log"
    log.write_bytes(b'{"metric": "\\ud800", "value": NaN}\n{"metric": "\xff", "value": 1}\n')
    for form in ("jsonl", "csv", "json"):
        exported(log, form)


@pytest.mark.parametrize("form", ["jsonl", "csv", "json"])
def test_a_reader_that_goes_away_is_no_error(tmp_path: Path, form: str) -> None:
    log = tmp_path / "long.log"
    with log.open("w") as file:
        for step in range(20_000):
            file.write(f'{{"metric": "loss", "value": {step}, "step": {step}}}\n')
    command = f"{sys.executable} -m floydtop export {log} --format {form}; echo status $? >&2"
    result = subprocess.run(
        ["sh", "-c", f"({command}) | head -c 10"], capture_output=True, text=True, timeout=60, check=False
    )
    assert len(result.stdout) == 10
    assert result.stderr == "status 0\n"


def test_a_reader_that_goes_away_from_a_short_answer_is_no_error(log: Path) -> None:
    ours, theirs = os.pipe()
    os.close(ours)
    for arguments in (["status", log], ["status", log, "--json"], ["export", log], ["sessions"], ["--help"]):
        result = subprocess.run(
            [sys.executable, "-m", "floydtop", *arguments], stdout=theirs, stderr=subprocess.PIPE, text=True
        )
        assert (result.returncode, result.stderr) == (0, ""), arguments
    os.close(theirs)
