"""The frames of a bar that goes on are points before its line ends, and the same points as at its end."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from floydtop.events import Metrics
from floydtop.parse import Parser
from floydtop.parse.lines import Line, LineSplitter


def bar(steps: int, *, late: bool) -> list[bytes]:
    """The frames of one bar as tqdm draws it: values at once, or a count before its values."""
    frames = [b"\r  0%%|          | 0/%d [00:00<?, ?it/s]" % steps]
    for n in range(1, steps + 1):
        head = b"\r%3d%%|###       | %d/%d [00:01<00:02, 9.50it/s" % (100 * n // steps, n, steps)
        if late:
            frames.append(head + (b", loss=%.3f]" % (1 / (n - 1)) if n > 1 else b"]"))
        frames.append(head + b", loss=%.3f]" % (1 / n))
    return frames


def values(events: list[object]) -> list[tuple[str, float, int | None]]:
    return [
        (name, value, event.step)
        for event in events
        if isinstance(event, Metrics)
        for name, value in event.values.items()
    ]


@settings(max_examples=150, deadline=None)
@given(st.integers(2, 60), st.booleans(), st.lists(st.integers(1, 900), max_size=12), st.booleans())
def test_a_bar_read_while_it_runs_gives_the_points_of_the_whole(
    steps: int, late: bool, cuts: list[int], torn: bool
) -> None:
    drawn = b"first\n" + b"".join(bar(steps, late=late)) + b"\nepoch 1: val_loss 0.25\n"
    whole, parts = Parser(), Parser()
    lines = LineSplitter().feed(drawn)
    expected = [event for line in lines for event in whole.read(line)]

    splitter, found, seen = LineSplitter(), [], list[Line]()
    start = 0
    for size in [*cuts, len(drawn)]:
        end = start + size
        if not torn:
            # To the end of a frame.
            end = drawn.find(b"\r", end) if drawn.find(b"\r", end) > 0 else len(drawn)
        for line in splitter.feed(drawn[start:end]):
            seen.append(line)
            found += parts.read(line)
        start = max(start, end)
        partial = splitter.take_frames()
        if partial is not None:
            found += parts.read_frames(partial, None)
    assert values(found) == values(expected)
    assert [(line.number, line.offset, line.text) for line in seen] == [
        (line.number, line.offset, line.text) for line in lines
    ]


def test_a_bar_longer_than_a_line_is_kept_goes_on_as_points() -> None:
    splitter, parser = LineSplitter(), Parser()
    frames = bar(3000, late=False)
    splitter.feed(b"".join(frames[:2000]))
    first = splitter.take_frames()
    assert first is not None
    assert first.cut
    assert values(parser.read_frames(first, 1.0))[-1][2] == 1997
    splitter.feed(b"".join(frames[2000:2100]))
    second = splitter.take_frames()
    assert second is not None
    assert [step for name, _, step in values(parser.read_frames(second, 2.0)) if name == "loss"] == list(
        range(1998, 2098)
    )
    rest = splitter.feed(b"".join(frames[2100:]) + b"\nnext\n")
    assert [line.offset for line in rest] == [0, len(b"".join(frames)) + 1]


def test_a_line_that_is_no_bar_is_left_alone() -> None:
    splitter = LineSplitter()
    for text in (b"Epoch 1/2", b"\r", b" - loss: 0.5"):
        splitter.feed(text)
        assert splitter.take_frames() is None
    assert splitter.finish()[0].raw == b"Epoch 1/2\r - loss: 0.5"
