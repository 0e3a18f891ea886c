"""What other programs get: rows, one document, and the snapshot of `floydtop status`."""

from __future__ import annotations

import csv
import io
import json
import math

import msgspec
import pytest

from floydtop.events import Facts, Gpu, JobState, Metrics, Present, Progress, Sample
from floydtop.session.export import COLUMNS, blocks_of, rows, snapshot, to_csv, to_document, to_jsonl
from floydtop.session.session import Session
from tests.session import samples

ROWS = [
    {"metric": "loss", "value": 2.0, "step": 1, "epoch": None, "time": None, "line": 1, "group": "training"},
    {"metric": "loss", "value": 1.0, "step": 2, "epoch": None, "time": 4.0, "line": 3, "group": "training"},
    {"metric": "acc", "value": 0.5, "step": 2, "epoch": None, "time": 4.0, "line": 3, "group": "training"},
    {"metric": "loss", "value": "NaN", "step": 3, "epoch": None, "time": 6.0, "line": 5, "group": "training"},
    {
        "metric": "epoch_seconds",
        "value": 1.5,
        "step": None,
        "epoch": 2.0,
        "time": 6.0,
        "line": 6,
        "group": "timing",
    },
]


@pytest.fixture
def session() -> Session:
    session = Session()
    session.apply_all(samples.run())
    return session


def test_there_is_one_row_for_each_value_with_null_for_what_is_not_known() -> None:
    assert [msgspec.structs.asdict(row) for row in rows(samples.run())] == ROWS


def test_jsonl_has_one_object_a_row_with_the_columns_in_order() -> None:
    lines = b"".join(to_jsonl(blocks_of(samples.run()))).splitlines()
    assert [json.loads(line) for line in lines] == ROWS
    assert tuple(json.loads(lines[0])) == COLUMNS


def test_the_columns_are_those_that_are_promised() -> None:
    assert COLUMNS == ("metric", "value", "step", "epoch", "time", "line", "group")


def test_csv_has_the_same_columns_and_empty_cells_for_what_is_not_known() -> None:
    table = list(csv.DictReader(io.StringIO(b"".join(to_csv(blocks_of(samples.run()))).decode())))
    assert tuple(table[0]) == COLUMNS
    assert [row["value"] for row in table] == ["2.0", "1.0", "0.5", "NaN", "1.5"]
    assert (table[0]["time"], table[0]["epoch"], table[3]["value"]) == ("", "", "NaN")


def test_a_table_larger_than_one_block_is_whole() -> None:
    events = [Metrics(values={"loss": float(number)}, step=number) for number in range(10_000)]
    table = list(csv.DictReader(io.StringIO(b"".join(to_csv(blocks_of(events))).decode())))
    assert [float(row["value"]) for row in table] == [float(number) for number in range(10_000)]


def test_names_of_metrics_are_only_data() -> None:
    name = 'a,"b"\n=1+1\ud800'
    events = [Metrics(values={name: math.inf})]
    (row,) = csv.DictReader(io.StringIO(b"".join(to_csv(blocks_of(events))).decode()))
    assert row["metric"] == name.replace("\ud800", "\ufffd")
    (line,) = b"".join(to_jsonl(blocks_of(events))).splitlines()
    assert json.loads(line)["value"] == "Infinity"


def test_the_document_is_plain_json_with_everything_in_it(session: Session) -> None:
    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is no JSON")

    document = json.loads(to_document(session), parse_constant=refuse)
    assert document["header"]["job"]["pid"] == 4711
    assert document["state"] == "exited"
    assert document["exit"]["signal"] == "SIGKILL"
    assert document["metrics"]["loss"] == {
        "group": "training",
        "time": [-15.0, 4.0, 6.0],
        "step": [1, 2, 3],
        "value": [2.0, 1.0, "NaN"],
    }
    assert document["metrics"]["epoch_seconds"]["step"] == [2]
    assert document["system"]["cpu.percent"]["max"] == [60.0, 90.0]
    assert [line["text"] for line in document["log"]][1] == "Epoch 2"
    assert len(document["malformed"]) == len(document["gaps"]) == len(document["notes"]) == 1


def test_a_document_of_nothing_is_still_one() -> None:
    assert json.loads(to_document(Session()))["header"] is None


def test_a_document_takes_text_that_is_no_unicode() -> None:
    session = Session()
    session.apply(Metrics(values={"\udfff": 1.0}))
    assert list(json.loads(to_document(session))["metrics"]) == ["\ufffd"]


def test_a_snapshot_of_an_ended_job(session: Session) -> None:
    shot = snapshot(session)
    assert shot["state"] == "exited"
    assert shot["exit"] == {"code": None, "signal": "SIGKILL", "oom": False, "how": "told by the kernel"}
    job = shot["job"]
    assert (job["pid"], job["command"], job["log"]) == (4711, "python train.py", "/home/ada/train.log")
    assert job["elapsed"] == 40.0
    assert shot["system"]["cpu"] == {"percent": 70.0, "cores": None}
    loss = shot["metrics"]["loss"]
    assert (loss["last"], loss["min"], loss["max"], loss["count"]) == ("NaN", 1.0, 2.0, 3)
    assert (loss["step"], loss["epoch"]) == (3, None)
    assert (shot["metrics"]["epoch_seconds"]["step"], shot["metrics"]["epoch_seconds"]["epoch"]) == (
        None,
        2.0,
    )


def nulls(shot: dict[str, object]) -> set[str]:
    """The readings of a snapshot that are null, by the names that `unknown` uses."""
    system = shot["system"]
    assert isinstance(system, dict)
    found = {
        f"{room}.{name}"
        for room in ("cpu", "memory", "disk")
        for name, value in system[room].items()
        if value is None
    }
    found |= {
        f"gpu.{gpu['index']}.{name}" for gpu in system["gpus"] for name, value in gpu.items() if value is None
    }
    job = shot["job"]
    assert isinstance(job, dict)
    return found | {f"job.{name}" for name, value in job.items() if value is None}


@pytest.mark.parametrize("state", ["running", "exited", "no-process", None])
def test_every_reading_that_is_null_has_its_reason(state: str | None) -> None:
    session = Session()
    session.apply(samples.header(job=None, log=None))
    if state is not None:
        session.apply(JobState(t=0.0, state=state))  # type: ignore[arg-type]  # the literals, one by one
    session.apply(Facts(t=0.0, gpus=[Gpu(index=1)]))
    shot = snapshot(session)
    assert nulls(shot)
    assert nulls(shot) <= shot["unknown"].keys()
    assert all(shot["unknown"].values())


def test_an_exit_that_is_not_known_has_its_reason() -> None:
    session = Session()
    session.apply_all([*samples.run()[:4], JobState(t=1.0, state="exited")])
    shot = snapshot(session)
    assert shot["exit"] is None
    assert shot["unknown"]["exit"]


def test_a_machine_without_gpus_says_why(session: Session) -> None:
    session.system.pop("gpu.0.utilization")
    session.apply(Facts(t=9.0, notes={"gpu": "no NVIDIA driver"}))
    shot = snapshot(session)
    assert shot["system"]["gpus"] == []
    assert shot["unknown"]["gpus"] == "no NVIDIA driver"


def test_the_reason_of_a_sample_is_passed_on() -> None:
    session = Session()
    session.apply_all([samples.header(), Sample(t=1.0, values={}, unknown={"disk.percent": "NFS is silent"})])
    assert snapshot(session)["unknown"]["disk.percent"] == "NFS is silent"


def test_the_present_reading_speaks_before_the_newest_sample(session: Session) -> None:
    present = Present(t=11.0, values={"cpu.percent": 12.0}, progress=Progress(epoch=2, epochs=9))
    session.present = present
    shot = snapshot(session, present)
    assert shot["system"]["cpu"]["percent"] == 12.0
    assert shot["progress"]["epochs"] == 9
    assert shot["unknown"]["memory.bytes"]


def test_what_is_not_known_of_the_progress_is_null_and_has_a_reason(session: Session) -> None:
    shot = snapshot(session)
    assert shot["progress"] == {
        "share": None,
        "epoch": None,
        "epochs": None,
        "step": 3,
        "steps": None,
        "steps_per_second": None,
        "eta_seconds": None,
    }
    assert shot["unknown"]["progress.eta_seconds"] == "the job has ended"
    assert shot["unknown"]["progress.share"] == "the output does not tell"


def test_progress_tells_how_far_how_fast_and_how_long_still() -> None:
    session = Session()
    for step in range(1, 51):
        session.apply(Progress(t=2.0 * step, step=step, steps=100))
    assert snapshot(session)["progress"] == {
        "share": 0.5,
        "epoch": None,
        "epochs": None,
        "step": 50,
        "steps": 100,
        "steps_per_second": 0.5,
        "eta_seconds": 100.0,
    }


def test_a_metric_of_nothing_but_nan_has_no_extremes() -> None:
    session = Session()
    session.apply(Metrics(values={"loss": math.nan}))
    summary = snapshot(session)["metrics"]["loss"]
    assert (summary["last"], summary["min"], summary["max"], summary["not_finite"]) == ("NaN", None, None, 1)
