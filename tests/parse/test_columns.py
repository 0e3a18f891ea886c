"""Lines that are read together, as columns, mean what they mean one by one."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from floydtop.events import Row
from floydtop.parse import Parser
from floydtop.parse.bulk import Bulk
from floydtop.parse.lines import LineSplitter
from tests.parse.test_sink import Point, by_line, points_of, points_of_rows

TEMPLATES = (
    "Epoch {a}/9",
    "{a}/{b} [=====] - 1s {c}ms/step - loss: {x} - val_loss: {y}",
    "{b}/{b} [=====] - 1s {c}ms/step - loss: {x} - val_loss: {y}",
    "{b}/{b} [=====] - 1s {c}ms/step - loss: {x}",
    " {a}/{b} [=>...] - ETA: {c}s - loss: {x}\r{b}/{b} [=====] - {c}s - loss: {y}",
    "\x1b[1m{b}/{b}\x1b[0m \x1b[1m0s\x1b[0m {c}ms/step - loss: {x}",
    "step {a}: loss {x}, lr {y}",
    "step {a}: loss {x}",
    "[rank{r}] step {a}: loss {x}",
    "Test set: Average loss: {x}, Accuracy: {a}/{b} ({c}%)",
    "[{a}]\ttrain-rmse:{x}+{y}\ttest-rmse:{y}+{x}",
    "[{a}]\ttrain-logloss:{x}\teval-auc:{x}",
    "best iteration is:",
    "epoch,loss,acc",
    "{a},{x},{y}",
    "| rollout/ |    |",
    "|    ep_rew_mean | {x} |",
    "|    total_timesteps | {b} |",
    "----------------",
    '{{"epoch": {a}, "train_loss": {x}, "acc1": {y}}}',
    '{{"metric": "loss", "value": {x}, "step": {a}}}',
    '{{"metric": "loss", "value": NaN, "step": {a}}}',
    '{{"metric": "{x}", "value":-Infinity}}',
    "{{'loss': {x}, 'learning_rate': {y}, 'epoch': {a}}}",
    "lr = {x}",
    "    momentum: {x}",
    "Validation score: {x}",
    "Epoch {a}: val_loss did not improve from {x}",
    "nothing to see here",
    "",
)

NUMBERS = st.sampled_from(["0.5", "1.0", "2", "nan", "-0.25", "1e-05", "1,234.5", "7.", "3.75"])
LINES = st.builds(
    lambda template, a, b, c, r, x, y: template.format(a=a, b=b, c=c, r=r, x=x, y=y),
    st.sampled_from(TEMPLATES),
    st.integers(0, 12),
    st.integers(0, 12),
    st.integers(0, 400),
    st.integers(0, 2),
    NUMBERS,
    NUMBERS,
)


def carefully(data: bytes) -> list[Point]:
    parser, splitter = Parser(learn=False), LineSplitter()
    lines = splitter.feed(data) + splitter.finish()
    return by_line([point for line in lines for point in points_of(parser.read(line))])


def together(data: bytes, size: int) -> list[Point]:
    bulk = Bulk()
    rows: list[Row] = []
    events = []
    for start in range(0, len(data), size):
        events += bulk.feed(data[start : start + size], sink=rows)
    events += bulk.finish(sink=rows)
    return by_line(points_of(events) + points_of_rows(rows))


@settings(max_examples=120, deadline=None)
@given(st.lists(LINES, min_size=1, max_size=30), st.integers(2, 8), st.sampled_from([700, 1 << 20]))
def test_lines_of_all_formats_among_each_other_mean_the_same(lines: list[str], times: int, size: int) -> None:
    data = ("\n".join(lines) + "\n").encode() * times
    assert together(data, size) == carefully(data)


@pytest.mark.parametrize("template", [one for one in TEMPLATES if "{x}" in one])
def test_many_lines_of_one_shape_come_as_columns(template: str) -> None:
    lines = [template.format(a=n, b=n + 1, c=n % 90, r=n % 2, x=f"{n / 7:.4f}", y=n / 8) for n in range(400)]
    data = ("epoch,loss,acc\n" + "\n".join(lines) + "\n").encode()
    assert together(data, len(data)) == carefully(data)


FRAMES = (
    "{a}/400 [=>...] - ETA: {a}s - loss: {x}",
    "400/400 [=====] - 1s {a}ms/step - loss: {x}",
    "400/400 [=====] - 1s {a}ms/step - loss: {x} - val_loss: {y}",
    "\x1b[1m{a}/400\x1b[0m - loss: {x}",
    " 50%|#####     | {a}/400 [00:01<00:01, 9.5it/s, loss={x}]",
    '{{"metric": "loss", "value": {x}, "step": {a}}}',
    "step {a}: loss {x}",
    "x" * 70_000,
    "   ",
    "",
)
LONG_LINES = st.builds(
    lambda often, frames, ends: "\r".join([*(often * 1100), *frames]) + ends,
    st.lists(st.sampled_from(FRAMES), min_size=1, max_size=2),
    st.lists(st.sampled_from(FRAMES), max_size=3),
    st.sampled_from(["", "\r", "\r\r", " \r", "\x08\x08"]),
)


@settings(max_examples=25, deadline=None)
@given(st.lists(LONG_LINES, min_size=1, max_size=3), st.integers(0, 400), NUMBERS, NUMBERS)
def test_over_long_lines_mean_the_same_among_others(lines: list[str], a: int, x: str, y: str) -> None:
    parts = [f"Epoch {n}/9\n{line.format(a=a, x=x, y=y)}\n" for n, line in enumerate(lines)]
    data = "".join(parts * 3).encode()
    assert together(data, 1 << 20) == carefully(data)


def test_headers_that_change_all_the_time_cost_no_more_than_their_lines() -> None:
    def seconds(count: int) -> float:
        lines = [f"epoch,loss,a{n % 7}\n{n},0.5,0.25\nsome chatter {n}\n" for n in range(count)]
        data = "".join(lines).encode()
        start = time.process_time()
        together(data, 1 << 20)
        return time.process_time() - start

    seconds(50)
    assert seconds(2000) < 40 * max(seconds(200), 0.01)
