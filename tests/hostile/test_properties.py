"""What holds of any input, a thousand examples each: of parser, cleaner, session reader, and writing."""

from __future__ import annotations

import gzip
import io
import json
import math
from unicodedata import bidirectional, category

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from floydtop.app.safe import LONGEST, MARKS, clean
from floydtop.errors import FloydtopError
from floydtop.events import Event, Metrics
from floydtop.parse import LineSplitter, Parser
from floydtop.session.export import snapshot, to_document
from floydtop.session.files import blocks
from floydtop.session.format import Reader, encode
from floydtop.session.session import Session
from tests.fuzz import seeds
from tests.hostile.payloads import PAYLOADS
from tests.session import samples

thousand = settings(
    max_examples=1000, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)

pieces = (
    st.sampled_from([*seeds.SCRAPS, *seeds.FOUND, *seeds.LINES]) | st.binary(max_size=8) | st.just(b" 0.5")
)
output = st.lists(pieces, max_size=12).map(b"".join)
"""What a job may print: parts of what real ones print, and anything else."""

session_pieces = st.sampled_from([*seeds.SCRAPS, *seeds.sessions()]) | st.binary(max_size=8)
files = st.lists(session_pieces, max_size=8).map(b"".join)
"""What a session file may hold."""

# Hypothesis warns of an example that takes more than 30,000 characters to print.
words = st.text(max_size=12) | st.sampled_from(sorted(p for p in PAYLOADS.values() if len(p) < 3000))
texts = st.lists(words, max_size=5).map("".join)
"""What may be shown: anything, and what attacks terminals."""


def parsed(data: bytes) -> list[Event]:
    parser, splitter = Parser(), LineSplitter()
    return [event for line in splitter.feed(data) + splitter.finish() for event in parser.read(line)]


@thousand
@given(output)
def test_whatever_is_printed_is_parsed_and_can_be_written(data: bytes) -> None:
    for event in parsed(data):
        assert len(Reader().feed(encode(event))) == 1


@thousand
@given(output, st.integers(0, 200))
def test_where_a_read_ends_does_not_matter(data: bytes, place: int) -> None:
    whole, parts = LineSplitter(), LineSplitter()
    expected = whole.feed(data) + whole.finish()
    found = parts.feed(data[:place]) + parts.feed(data[place:]) + parts.finish()
    assert [(one.number, one.offset, one.raw) for one in found] == [
        (one.number, one.offset, one.raw) for one in expected
    ]


@thousand
@given(output)
def test_a_look_at_an_unfinished_line_changes_nothing(data: bytes) -> None:
    splitter, parser = LineSplitter(), Parser()
    found: list[Event] = []
    for line in splitter.feed(data) + splitter.finish():
        parser.peek(line)
        found += parser.read(line)
    assert list(map(encode, found)) == list(map(encode, parsed(data)))


@thousand
@given(st.from_regex(r"[A-Za-z_]{1,12}", fullmatch=True), st.floats(width=32), st.integers(0, 10**9))
def test_a_metric_object_gives_its_very_value(name: str, value: float, step: int) -> None:
    line = json.dumps({"metric": name, "value": value, "step": step}).encode() + b"\n"
    [event] = parsed(line)
    assert isinstance(event, Metrics)
    assert event.step == step
    assert repr(event.values) == repr({name: value})


@thousand
@given(texts)
def test_clean_text_moves_no_cursor_and_hides_nothing(text: str) -> None:
    for one in clean(text):
        assert one.isprintable()
        assert category(one) not in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
        assert bidirectional(one) not in ("LRE", "RLE", "PDF", "LRO", "RLO", "LRI", "RLI", "FSI", "PDI")


@thousand
@given(texts)
def test_clean_text_is_clean(text: str) -> None:
    assert clean(clean(text)) == clean(text)


@thousand
@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=200))
def test_plain_text_stays_as_it_is(text: str) -> None:
    assert clean(text) == text


@thousand
@given(st.sampled_from(["e", "\u0301", "\t", "\x1b[31m", "\x00"]), st.integers(1, 5000))
def test_clean_text_is_not_much_longer_than_the_most_that_is_shown(one: str, times: int) -> None:
    found = clean(one * times)
    assert len(found) <= 4 * LONGEST
    assert found.count("\u0301") <= MARKS


@thousand
@given(files)
def test_any_file_is_read_or_refused_in_a_sentence(data: bytes) -> None:
    reader, session = Reader(), Session()
    refusal = ""
    try:
        for block in blocks(io.BytesIO(data)):
            session.apply_all(reader.feed(block))
    except FloydtopError as error:
        refusal = str(error)
    assert "\n" not in refusal
    msgspec.json.encode(snapshot(session, None))
    msgspec.json.decode(to_document(session))


@thousand
@given(st.lists(samples.events, max_size=2), st.integers(0, 600))
def test_a_file_that_was_cut_gives_what_is_whole(events: list[Event], place: int) -> None:
    data = samples.as_bytes(events)
    reader = Reader()
    found = reader.feed(data[:place])
    assert list(map(repr, found)) == list(map(repr, events[: len(found)]))
    assert len(found) == data[:place].count(b"\n")
    assert reader.damaged == 0


@thousand
@given(st.lists(samples.events, min_size=1, max_size=2), st.binary(max_size=20), st.integers(0, 2))
def test_a_broken_line_costs_only_itself(events: list[Event], junk: bytes, place: int) -> None:
    lines = [encode(event) for event in events]
    lines.insert(place, b"\xff" + junk.replace(b"\n", b"") + b"\n")
    reader = Reader()
    found = reader.feed(b"".join(lines))
    assert list(map(repr, found)) == list(map(repr, events))
    assert reader.damaged == 1


@thousand
@given(samples.events)
def test_what_is_written_is_what_is_read(event: Event) -> None:
    reader = Reader()
    [found] = reader.feed(encode(event))
    assert repr(found) == repr(event)
    assert encode(found) == encode(event)


@thousand
@given(st.lists(st.binary(max_size=60), max_size=3))
def test_packed_files_give_the_bytes_that_were_packed(parts: list[bytes]) -> None:
    whole = b"".join(parts)
    packed = b"".join(gzip.compress(part, 1) for part in parts)
    if parts:
        assert b"".join(blocks(io.BytesIO(packed))) == whole


@thousand
@given(st.lists(samples.events, max_size=3))
def test_any_events_add_up_to_something_that_can_be_shown(events: list[Event]) -> None:
    session = Session()
    session.apply_all(events)
    assert session.now >= 0.0
    for series in session.metrics.values():
        assert len(series.times) == len(series.values)
        assert not math.isnan(session.now)
    msgspec.json.encode(snapshot(session, None))
    msgspec.json.decode(to_document(session))
