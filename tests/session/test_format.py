"""The session format survives what happens to files: chunks, torn lines, flipped bytes, other versions."""

from __future__ import annotations

import json
import math

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from floydtop.errors import FloydtopError
from floydtop.events import Event, Header, Metrics, Note, OutputLine, Sample
from floydtop.session.format import LONGEST_LINE, Reader, encode, is_session, spell
from tests.session import samples


def same(one: Event, other: Event) -> bool:
    """Whether two events are equal, NaN being equal to itself."""
    return repr(one) == repr(other)


def read(data: bytes) -> tuple[list[Event], Reader]:
    reader = Reader()
    return reader.feed(data), reader


@given(st.lists(samples.events, max_size=6), st.lists(st.integers(1, 40), min_size=1, max_size=20))
@settings(max_examples=150, deadline=None)
def test_what_is_written_is_read_again_whatever_the_chunks(events: list[Event], sizes: list[int]) -> None:
    data = samples.as_bytes(events)
    reader = Reader()
    found: list[Event] = []
    position = 0
    while position < len(data):
        size = sizes[position % len(sizes)]
        found += reader.feed(data[position : position + size])
        position += size
    assert len(found) == len(events)
    assert all(map(same, found, events))
    assert (reader.damaged, reader.strange, reader.torn) == (0, 0, False)


@given(samples.events)
@settings(max_examples=100, deadline=None)
def test_a_line_is_one_json_object_that_any_program_can_read(event: Event) -> None:
    line = encode(event)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1

    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is no JSON")

    assert isinstance(json.loads(line, parse_constant=refuse), dict)


def test_numbers_that_are_not_finite_are_words() -> None:
    event = Metrics(values={"a": math.nan, "b": math.inf, "c": -math.inf, "d": 1.5})
    assert json.loads(encode(event))["v"] == {"a": "NaN", "b": "Infinity", "c": "-Infinity", "d": 1.5}
    assert spell(1e308) == 1e308


def test_a_reading_that_is_no_number_costs_only_itself() -> None:
    sample = Sample(t=1.0, values={"gpu.0.power": (math.nan,) * 3, "cpu.percent": (1.0, 1.0, 1.0)})
    (found,), reader = read(encode(sample))
    assert isinstance(found, Sample)
    assert found.values == {"cpu.percent": (1.0, 1.0, 1.0)}
    assert "gpu.0.power" in found.unknown
    assert reader.damaged == 0


def test_a_path_that_is_no_unicode_is_still_written() -> None:
    name = b"/data/r\xe9sultats.log".decode("utf-8", "surrogateescape")
    (note,), _ = read(encode(Note(t=0.0, text=name)))
    assert isinstance(note, Note)
    assert note.text == "/data/r\ufffdsultats.log"


@given(st.characters(categories=["Cs"]))
def test_lone_surrogates_anywhere_in_text_are_written(surrogate: str) -> None:
    data = encode(OutputLine(text=surrogate, line=1)) + encode(Metrics(values={surrogate: math.nan}))
    found, reader = read(data)
    assert (len(found), reader.damaged) == (2, 0)


def test_a_session_cut_at_any_byte_keeps_all_whole_lines() -> None:
    lines = [encode(event) for event in samples.run()]
    data = b"".join(lines)
    for cut in range(len(data) + 1):
        found, reader = read(data[:cut])
        whole = data[:cut].count(b"\n")
        assert len(found) == whole
        assert reader.damaged == 0
        assert reader.torn == (not data[:cut].endswith(b"\n") and cut > 0)


def test_a_flipped_byte_costs_at_most_the_lines_it_touches() -> None:
    events = samples.run()
    data = samples.as_bytes(events)
    first = len(encode(events[0]))
    for place in range(first, len(data)):
        for bit in (0x01, 0x20, 0x80):
            broken = bytearray(data)
            broken[place] ^= bit
            found, reader = read(bytes(broken))
            touched = 2 if data[place : place + 1] == b"\n" else 1
            assert len(events) - len(found) <= touched
            # Whatever is lost is told.
            assert len(found) + reader.damaged + reader.strange + reader.torn >= len(events) - (touched - 1)


def test_a_flipped_byte_in_the_first_line_is_refused_in_one_sentence_or_read_past() -> None:
    events = samples.run()
    data = samples.as_bytes(events)
    for place in range(len(encode(events[0])) - 1):
        broken = bytearray(data)
        broken[place] ^= 0x01
        try:
            found, _ = read(bytes(broken))
        except FloydtopError as refusal:
            assert "\n" not in str(refusal)  # noqa: PT017 (both ways are right)
        else:
            assert len(found) >= len(events) - 1


@given(st.binary(max_size=300))
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_read_without_an_error(data: bytes) -> None:
    reader = Reader()
    reader.feed(data + b"\n")
    assert not reader.torn


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


@given(
    st.sampled_from(["m", "s", "l", "j", "i", "end", "gap", "bad", "zz", 7, None]),
    st.dictionaries(st.sampled_from(["t", "v", "n", "x", "s", "e", "miss", "state", "why"]), json_values),
)
@settings(max_examples=200, deadline=None)
def test_an_object_of_the_wrong_shape_is_counted_and_passed_over(
    kind: object, rest: dict[str, object]
) -> None:
    line = json.dumps({"k": kind} | rest).encode() + b"\n"
    found, reader = read(line)
    assert len(found) + reader.damaged + reader.strange == 1


@pytest.mark.parametrize(
    "line",
    [
        b"[" * 100_000,
        b'{"k":"m","deep":' + b"[" * 5_000 + b"]" * 5_000 + b"}",
        b'{"k":"m","v":{"a":[]}}',
        b'{"k":"m","v":{"a":true}}',
        b'{"k":"m","v":{"a":1e999}}',
        b'{"k":"m","v":{"a":NaN}}',
        b'{"k":"l","n":' + b"9" * 5_000 + b',"x":""}',
        b'{"k":"l","n":1,"x":"\xff\xfe"}',
        b'\xef\xbb\xbf{"k":"l","n":1,"x":""}',
    ],
    ids=lambda line: line[:20].decode("latin-1"),
)
def test_a_hostile_line_costs_only_itself(line: bytes) -> None:
    good = encode(Note(t=1.0, text="still here"))
    found, reader = read(good + line + b"\n" + good)
    assert len(found) == 2
    assert reader.damaged == 1


def test_a_line_without_an_end_does_not_fill_the_memory() -> None:
    reader = Reader()
    block = b"x" * (1 << 20)
    for _ in range(3 * (LONGEST_LINE >> 20)):
        assert reader.feed(block) == []
        assert len(reader._rest) <= LONGEST_LINE + len(block)
    found = reader.feed(b"\n" + encode(Note(t=1.0, text="after it")))
    assert len(found) == 1
    assert reader.damaged == 1


def test_unknown_kinds_are_counted_and_passed_over() -> None:
    found, reader = read(b'{"k":"dream","t":1}\n' + encode(Note(t=2.0, text="awake")))
    assert [type(event) for event in found] == [Note]
    assert (reader.strange, reader.damaged) == (1, 0)


def test_unknown_keys_are_passed_over() -> None:
    (note,), reader = read(b'{"k":"a","t":1,"x":"hello","colour":{"red":[1,2]}}\n')
    assert note == Note(t=1, text="hello")
    assert (reader.strange, reader.damaged) == (0, 0)


def test_a_newer_version_is_refused_in_one_sentence() -> None:
    with pytest.raises(FloydtopError, match=r"^[^\n.]*format 2 [^\n]*upgrade floydtop\.$"):
        Reader().feed(encode(samples.header(v=2)))


def test_a_newer_version_of_another_shape_is_refused_just_so() -> None:
    with pytest.raises(FloydtopError, match="upgrade floydtop"):
        Reader().feed(b'{"k":"h","format":"floydtop-session","v":2,"t0":{"wall":"12:00"}}\n')


def test_another_format_is_refused() -> None:
    with pytest.raises(FloydtopError, match="no floydtop session"):
        Reader().feed(encode(samples.header(format="somebody-elses")))


def test_a_second_segment_begins_with_a_header_in_mid_file() -> None:
    data = samples.as_bytes([samples.header(), Note(t=1.0, text="a"), samples.header(segment=1)])
    found, _ = read(data)
    assert [event.segment for event in found if isinstance(event, Header)] == [0, 1]


def test_a_file_is_known_as_a_session_by_its_first_line() -> None:
    assert is_session(encode(samples.header()))
    assert not is_session(b'{"metric": "loss", "value": 1}\n')
    assert not is_session(b"")
    assert not is_session(encode(Note(t=0.0, text='"format":"floydtop-session"')))


def test_times_are_kept_to_the_last_bit() -> None:
    t = 0.1 + 0.2
    (event,), _ = read(encode(Note(t=t, text="")))
    assert msgspec.structs.astuple(event)[0] == t


@pytest.mark.parametrize(
    "command", [["tar", *["shard-000001.tar"] * 60_000], ["python", "-c", "\x1b" * 500_000]]
)
def test_a_session_with_an_endless_command_line_is_still_known_as_one(command: list[str]) -> None:
    job = samples.header().job
    assert job is not None
    line = encode(samples.header(job=msgspec.structs.replace(job, command=command)))
    assert len(line) < 65_536
    (header,), _ = read(line)
    assert isinstance(header, Header)
    assert header.job is not None
    assert header.job.command[0] == command[0]
    assert header.job.command[-1].endswith("more arguments)")


def test_an_ordinary_command_line_is_kept_whole() -> None:
    (header,), _ = read(encode(samples.header()))
    assert header == samples.header()
