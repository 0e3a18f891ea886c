"""`floydtop check` and the schema's own validator come to the same verdict."""

from __future__ import annotations

import gzip
import json
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from floydtop.errors import FloydtopError
from floydtop.events import Event
from floydtop.session.format import encode
from floydtop.session.validate import Validator, check
from tests.session import samples

SCHEMA = json.loads((files("floydtop.session") / "session-v1.schema.json").read_text())
OURS, THEIRS = Validator(SCHEMA), Draft202012Validator(SCHEMA)

whole = st.integers() | st.sampled_from([2**63 - 1, 2**63, -(2**63), -(2**63) - 1])
junk = st.none() | st.booleans() | whole | st.floats(allow_nan=False) | st.text(max_size=3)
junk = junk | st.lists(junk, max_size=4) | st.dictionaries(st.text(max_size=2), junk, max_size=2)


@given(samples.events)
@settings(max_examples=50, deadline=None)
def test_what_is_written_is_sound(event: Event) -> None:
    assert OURS.complaint(json.loads(encode(event))) is None


@given(samples.events, st.data())
@settings(max_examples=80, deadline=None)
def test_a_changed_line_is_judged_as_the_schema_says(event: Event, data: st.DataObject) -> None:
    line = json.loads(encode(event))
    key = data.draw(st.sampled_from(sorted(line)))
    if data.draw(st.booleans()):
        line[key] = data.draw(junk) if key != "k" else line[key]
    elif key != "k":
        del line[key]
    # 1.0 is an integer to JSON Schema; to us, and to whoever reads, it is a float.
    if not any(isinstance(one, float) and one.is_integer() for one in _all(line)):
        assert (OURS.complaint(line) is None) == THEIRS.is_valid(line)


def _all(thing: object) -> list[object]:
    if isinstance(thing, dict):
        return [one for value in thing.values() for one in _all(value)]
    if isinstance(thing, list):
        return [one for value in thing for one in _all(value)]
    return [thing]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run.jsonl"


def test_a_sound_session_is_counted(path: Path) -> None:
    path.write_bytes(gzip.compress(samples.as_bytes(samples.run())))
    found = check(path)
    assert found.sound
    assert (found.lines, found.segments, found.gaps, found.lost) == (17, 1, 1, 3)
    assert found.kinds["m"] == 4


def test_every_kind_of_damage_is_told_with_its_line(path: Path) -> None:
    lines = [encode(event) for event in samples.run()]
    lines[2] = bytes(300) + b"\n"
    lines[3] = b'{"k":"j","t":\n'
    lines[4] = b'{"k":"dream"}\n'
    lines[5] = b'{"k":"m","v":{"a":1},"g":"other"}\n'
    path.write_bytes(b"".join(lines)[:-5])
    found = check(path)
    assert not found.sound
    assert (found.damaged, found.strange, found.torn) == (3, 1, True)
    assert [one.split(":")[0] for one in found.complaints] == ["line 3", "line 4", "line 6"]
    assert "power cut" in found.complaints[0]


def test_what_is_no_session_is_refused(path: Path) -> None:
    path.write_text('{"metric": "loss"}\n')
    with pytest.raises(FloydtopError, match="no floydtop session"):
        check(path)
    path.write_bytes(encode(samples.header(v=2)))
    with pytest.raises(FloydtopError, match="upgrade floydtop"):
        check(path)
