"""A session for other programs: one row per metric value, or the whole as one document."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import msgspec

from floydtop.events import Event, Metrics, Present, Progress, Row, gpu_index
from floydtop.session.format import encode_json, spell, without_surrogates
from floydtop.session.series import Series
from floydtop.session.session import Session

ROWS_AT_ONCE = 1000
"""Rows that are encoded together: 0.1 us each, where one at a time takes 2."""


COLUMNS = Row.__struct_fields__


def rows(events: Iterable[Event]) -> Iterator[Row]:
    """One row per metric value."""
    for event in events:
        if isinstance(event, Metrics):
            t = None if event.approximate else event.t
            for name, value in event.values.items():
                number = value if value - value == 0 else spell(value)
                yield Row(name, number, event.step, event.epoch, t, event.line, event.group)


def blocks_of(events: Iterable[Event]) -> Iterator[list[Row]]:
    """The rows of events, many at a time."""
    found = rows(events)
    while block := list(islice(found, ROWS_AT_ONCE)):
        yield block


def to_jsonl(blocks: Iterable[list[Row]]) -> Iterator[bytes]:
    """Rows as JSON Lines."""
    encode = msgspec.json.Encoder().encode_lines
    for block in blocks:
        try:
            yield encode(block)
        except UnicodeEncodeError:
            yield b"".join(encode_json(row) + b"\n" for row in block)


def to_csv(blocks: Iterable[list[Row]]) -> Iterator[bytes]:
    """Rows as CSV (RFC 4180) with a header; unknown cells are empty."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for block in blocks:
        writer.writerows(map(msgspec.structs.astuple, block))
        yield without_surrogates(text.getvalue()).encode()
        text.seek(0)
        text.truncate()
    yield without_surrogates(text.getvalue()).encode()


def to_document(session: Session) -> bytes:
    """The whole session as one JSON document.

    Keys: header, state, exit, ended, facts, metrics {name: {group, time, step, value}}, system {name: {time,
    mean, min, max}}, log [{line, time, text}], malformed, notes, gaps. Values that are not finite are
    strings, unknown times and steps null.
    """
    document = {
        "header": session.header,
        "state": session.state,
        "exit": session.exit,
        "ended": session.end,
        "facts": session.facts,
        "metrics": {
            name: {
                "group": series.group,
                "time": [None if math.isnan(t) else t for t in series.times],
                "step": [None if math.isnan(x) else x for x in series.steps],
                "value": [spell(value) for value in series.values],
            }
            for name, series in session.metrics.items()
        },
        "system": {
            name: {
                "time": list(series.times),
                "mean": list(series.means),
                "min": list(series.lows),
                "max": list(series.highs),
            }
            for name, series in session.system.items()
        },
        "log": [{"line": line.line, "time": line.t, "text": line.text} for line in session.lines],
        "malformed": list(session.malformed),
        "notes": list(session.notes),
        "gaps": session.gaps,
    }
    return msgspec.json.format(encode_json(document), indent=1) + b"\n"


def snapshot(session: Session, present: Present | None = None) -> dict[str, Any]:
    """What `floydtop status --json` prints: the state, the newest readings, and each metric's summary.

    Args:
        present: the present reading of a live recording; without it the newest sample speaks.
    """
    values, unknown = _readings(session, present)
    system = _system(session, values)
    job = _job(session)
    _explain_missing(session, system, unknown)
    _explain_job(session, job, unknown)
    return {
        "state": session.state,
        "exit": _exit(session),
        "job": job,
        "system": system,
        "metrics": {name: _summary(series) for name, series in session.metrics.items()},
        "progress": _progress(session, unknown),
        "malformed": session.malformed_count,
        "recording": not session.finished,
        "notes": session.facts.notes if session.facts else {},
        "unknown": unknown,
    }


def _progress(session: Session, unknown: dict[str, str]) -> dict[str, Any]:
    progress = session.progress
    told = progress.latest or Progress()
    steps = [series for series in session.metrics.values() if series.group == "training" and series.has_steps]
    at_step = max((one.last_step or 0 for one in steps if not one.in_epochs), default=None)
    at_epoch = max((one.in_epoch_units()[-1] for one in steps if one.has_epochs), default=None)
    found = {
        "share": progress.share,
        "epoch": at_epoch if told.epoch is None else told.epoch,
        "epochs": told.epochs,
        "step": at_step if told.step is None else told.step,
        "steps": told.steps,
        "steps_per_second": progress.steps_per_second,
        "eta_seconds": progress.eta_seconds(session.now),
    }
    for name, value in found.items():
        if value is None:
            unknown[f"progress.{name}"] = _why_no_progress(session, name)
    return found


def _why_no_progress(session: Session, name: str) -> str:
    if name == "eta_seconds" and session.state == "exited":
        return "the job has ended"
    if name == "steps_per_second" or (name == "eta_seconds" and session.progress.share is not None):
        return "too little progress was seen at known times"
    return "the output does not tell"


def _job(session: Session) -> dict[str, Any]:
    header = session.header
    job = header.job if header else None
    log = header.log if header else None
    return {
        "pid": job.pid if job else None,
        "command": " ".join(job.command) if job else None,
        "cwd": job.cwd if job else None,
        "log": log.path if log else None,
        "started": header.t0 + job.t if header and job and job.t is not None else None,
        "elapsed": round(session.now - session.origin, 3) if job else None,
    }


def _explain_missing(session: Session, system: dict[str, Any], unknown: dict[str, str]) -> None:
    """A null has its reason, also where no reading was ever tried."""
    if session.state == "no-process":
        reason = "no process on this machine writes the log"
    elif session.state == "exited":
        reason = "the job has ended, and it was not read before"
    else:
        reason = "not read yet"
    for room, fields in system.items():
        if isinstance(fields, dict):
            for name, value in fields.items():
                if value is None:
                    unknown.setdefault(f"{room}.{name}", reason)
    for gpu in system["gpus"]:
        for name, value in gpu.items():
            if value is None:
                unknown.setdefault(f"gpu.{gpu['index']}.{name}", "the driver does not tell")
    if not system["gpus"]:
        notes = session.facts.notes if session.facts else {}
        unknown.setdefault("gpus", notes.get("gpu", reason))


def _explain_job(session: Session, job: dict[str, Any], unknown: dict[str, str]) -> None:
    """What is not known of the job, and of how it ended."""
    if job["pid"] is None:
        reason = "no process on this machine is known to write the log"
    else:
        reason = "the process does not tell"
    for name, value in job.items():
        if value is None:
            unknown[f"job.{name}"] = "the output goes to no file that is known" if name == "log" else reason
    if session.state == "exited":
        if session.exit is None:
            unknown["exit"] = "nobody saw it end"
        elif session.exit.code is None and session.exit.signal is None:
            unknown["exit.code"] = session.exit.how or "nobody saw it end"


def _exit(session: Session) -> dict[str, Any] | None:
    if session.exit is None:
        return None
    exit_ = session.exit
    return {"code": exit_.code, "signal": exit_.signal, "oom": exit_.oom, "how": exit_.how}


def _readings(session: Session, present: Present | None) -> tuple[dict[str, float], dict[str, str]]:
    if present is not None and present.values:
        return present.values, dict(present.unknown)
    return {name: series.means[-1] for name, series in session.system.items()}, dict(session.unknown)


def _system(session: Session, values: dict[str, float]) -> dict[str, Any]:
    get = values.get
    gpus = session.facts.gpus if session.facts else []
    names = {gpu.index: gpu.name for gpu in gpus if gpu.of_job}
    indices = sorted({index for index in map(gpu_index, values) if index is not None} | names.keys())
    return {
        "cpu": {"percent": get("cpu.percent"), "cores": get("cpu.cores")},
        "memory": {"bytes": get("memory.bytes"), "percent": get("memory.percent")},
        "disk": {
            "percent": get("disk.percent"),
            "read_bytes_per_s": get("disk.read_bytes_per_s"),
            "write_bytes_per_s": get("disk.write_bytes_per_s"),
        },
        "gpus": [
            {
                "index": index,
                "name": names.get(index),
                "utilization": get(f"gpu.{index}.utilization"),
                "memory_bytes": get(f"gpu.{index}.memory_bytes"),
                "memory_percent": get(f"gpu.{index}.memory_percent"),
                "job_memory_bytes": get(f"gpu.{index}.job_memory_bytes"),
            }
            for index in indices
        ],
    }


def _summary(series: Series) -> dict[str, Any]:
    finite = series.count > series.not_finite
    step = series.last_step
    return {
        "last": spell(series.last),
        "min": series.minimum if finite else None,
        "max": series.maximum if finite else None,
        "count": series.count,
        "not_finite": series.not_finite,
        "step": int(step) if step is not None and not series.in_epochs else None,
        "epoch": step if series.in_epochs else None,
        "group": series.group,
    }
