"""Events of every kind, made by hypothesis and by hand, for the tests of the session's rooms."""

from __future__ import annotations

from typing import get_args, get_type_hints

import msgspec
from hypothesis import strategies as st

from floydtop.events import (
    Clock,
    End,
    Event,
    Exit,
    Facts,
    Gap,
    Gpu,
    Header,
    Job,
    JobState,
    Log,
    Malformed,
    Metrics,
    Note,
    OutputLine,
    Sample,
)
from floydtop.session.format import FORMAT, VERSION, encode

KINDS: tuple[type[msgspec.Struct], ...] = get_args(Event)

finite = st.floats(allow_nan=False, allow_infinity=False)
whole = st.integers(-(2**63), 2**63 - 1)
words = st.text(max_size=20)
values = st.dictionaries(words, st.floats(), max_size=4)


def _of(kind: type[msgspec.Struct], **known: st.SearchStrategy[object]) -> st.SearchStrategy[msgspec.Struct]:
    """Instances of a record, with each field drawn by its type unless it is `known`."""
    hints = get_type_hints(kind)
    fields = {name: _by_type(hints[name]) for name in kind.__struct_fields__}
    return st.builds(kind, **(fields | known))


def _by_type(hint: object) -> st.SearchStrategy[object]:
    if hint in _PLAIN:
        return _PLAIN[hint]
    arguments = get_args(hint)
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return _of(hint)
    if type(None) in arguments:
        return st.none() | st.one_of(*(_by_type(one) for one in arguments if one is not type(None)))
    origin = getattr(hint, "__origin__", None)
    if origin is list:
        return st.lists(_by_type(arguments[0]), max_size=3)
    if origin is dict:
        return st.dictionaries(*map(_by_type, arguments), max_size=3)
    if origin is tuple:
        return st.tuples(*map(_by_type, arguments))
    return st.sampled_from(arguments)


_PLAIN: dict[object, st.SearchStrategy[object]] = {
    int: whole,
    float: finite,
    str: words,
    bool: st.booleans(),
}

_KNOWN: dict[type, dict[str, st.SearchStrategy[object]]] = {
    Header: {"format": st.just(FORMAT), "v": st.just(VERSION)},
    Metrics: {"values": values},
}

events: st.SearchStrategy[Event] = st.one_of(*(_of(kind, **_KNOWN.get(kind, {})) for kind in KINDS))
"""Any event that floydtop may write."""


def header(**changes: object) -> Header:
    """The header of a recording of pid 4711 and its log."""
    plain = Header(
        format=FORMAT,
        v=VERSION,
        id="5f0c",
        t0=1_795_437_653.0,
        boot="b007",
        host="node1",
        interval=60.0,
        by="floydtop 0.1.0",
        recorder=4712,
        job=Job(pid=4711, start=123456, command=["python", "train.py"], cwd="/home/ada", user="ada", t=-30.0),
        log=Log(path="/home/ada/train.log", device=1, inode=9),
    )
    return msgspec.structs.replace(plain, **changes)


def run() -> list[Event]:
    """A small run of ten seconds: two samples, three losses of which one is NaN, and a violent end."""
    return [
        header(),
        Clock(t=0.0, wall=1_795_437_653.0),
        Facts(t=0.1, cpu_cores=4.0, memory_bytes=8 << 30, gpus=[Gpu(0, "H200")], notes={"cpu": "quota"}),
        JobState(t=0.1, state="running"),
        OutputLine(text='{"metric": "loss", "value": 2.0, "step": 1}', line=1),
        Metrics(values={"loss": 2.0}, t=-15.0, approximate=True, step=1, line=1),
        Sample(t=1.0, values={"cpu.percent": (50.0, 40.0, 60.0)}, unknown={"disk.percent": "NFS is silent"}),
        OutputLine(text="Epoch 2", line=2, offset=44, t=3.0),
        Metrics(values={"loss": 1.0, "acc": 0.5}, t=4.0, step=2, line=3),
        Malformed(text='{"metric": "loss"', why="not JSON", line=4, t=5.0),
        Metrics(values={"loss": float("nan")}, t=6.0, step=3, line=5),
        Metrics(values={"epoch_seconds": 1.5}, t=6.0, epoch=2.0, line=6, group="timing"),
        Gap(t=7.0, lost=3, why="No space left on device", since=6.5),
        Note(t=8.0, text="The log was truncated.", level="warning"),
        Sample(t=9.0, values={"cpu.percent": (70.0, 60.0, 90.0), "gpu.0.utilization": (80.0, 70.0, 99.0)}),
        JobState(t=9.5, state="exited", exit=Exit(signal="SIGKILL", how="told by the kernel")),
        End(t=10.0, why="the job ended", offset=200),
    ]


def as_bytes(events: list[Event]) -> bytes:
    """The lines of events."""
    return b"".join(map(encode, events))
