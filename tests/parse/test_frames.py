"""Frames of bars that are scanned many at once mean what they mean one by one."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from floydtop.parse import Parser
from floydtop.parse.bulk import Bulk
from floydtop.parse.formats import formats
from floydtop.parse.frames import Sheet
from floydtop.parse.scan import recipe
from tests.parse.bars import damaged, log
from tests.parse.test_columns import carefully, together
from tests.parse.test_sink import assert_same


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 1 << 32), st.integers(1, 40), st.integers(2, 7), st.sampled_from([333, 2000, 1 << 20]))
def test_random_bars_mean_the_same(seed: int, lines: int, times: int, size: int) -> None:
    data = log(seed, lines, times)
    assert repr(together(data, size)) == repr(carefully(data))


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 1 << 32), st.integers(1, 40), st.sampled_from([333, 1 << 20]))
def test_damaged_bars_mean_the_same(seed: int, lines: int, size: int) -> None:
    data = damaged(log(seed, lines, 4), seed)
    assert repr(together(data, size)) == repr(carefully(data))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1 << 32), st.integers(5, 30))
def test_random_bars_mean_the_same_as_columns(seed: int, lines: int) -> None:
    # What is no number differs from itself.
    data = log(seed, lines, 4).replace(b"nan", b"9")
    assert_same(data, len(data))


def frames(count: int, template: str) -> bytes:
    drawn = (
        template.format(p=100 * n // count, bar="█" * (10 * n // count), n=n, all=count, x=1 + n / 7, y=n / 9)
        for n in range(count + 1)
    )
    return ("\r" + "\r".join(drawn) + "\n").encode()


LONG = (
    "{p:>3}%|{bar:<10}| {n}/{all} [00:00<00:00, {x:5.2f}it/s, loss={y:.4f}]",
    "Epoch 3: {p:>3}%|{bar:<10}| {n}/{all} [00:00<00:00, {x:5.2f}it/s, loss={y:.4f}, val_loss=0.5]",
    "loss {y:.3f}: {p:>3}%|{bar:<10}| {n}/{all} [00:00<00:00, {x:5.2f}it/s]",
    "epochs: {p:>3}%|{bar:<10}| {n}/{all} [00:00<00:00, {x:5.2f}it/s, acc={y:.4f}]",
    "train: {p:>3}%|{bar:<10}| {n}/{all} [00:00<00:00, {x:5.2f}it/s]",
    "{n}it [00:00, {x:5.2f}it/s, loss={y:.4f}]",
    "Epoch [1/3]: [{n}/{all}] {p:>3}%|{bar:<10}, loss={y:.4f} [00:00<00:00]",
)


@pytest.mark.parametrize("template", LONG)
@pytest.mark.parametrize(
    "before",
    [b"", b"\rval:   0%|   | 0/3 [00:00<?, ?it/s]\rval:  33%|   | 1/3 [00:00<00:00, 2.0it/s, a=1]\n"],
)
def test_a_long_pass_is_told_at_once(template: str, before: bytes) -> None:
    data = before + frames(300, template) * 3
    assert together(data, 1 << 20) == carefully(data)
    assert together(data, 9000) == carefully(data)


@pytest.mark.parametrize(
    ("known", "other"),
    [
        (
            "Epoch 1:  50%|##| 1/2 [00:00<00:00, 9.5it/s, acc1=0.5]",
            "Epoch 1:  50%|##| 1/2 [00:00<00:00, 9.5it/s, acc5=0.5]",
        ),
        ("loss 2.5:  50%|##| 1/2 [00:00<00:00, 9.5it/s]", "loss 2.0:  50%|##| 1/2 [00:00<00:00, 9.5it/s]"),
        ("x:  50%|##| 1/2 [00:00<00:00, 9.5it/s, a=1.5]", "x:  50%|##| 1/2 [00:00<00:00, 9.5it/s, a=15.]"),
    ],
)
def test_a_recipe_reads_no_text_of_another_kind(known: str, other: str) -> None:
    tqdm = next(form for form in formats() if form.name == "tqdm")
    assert tqdm.scan is not None
    scan = tqdm.scan(known)
    assert scan is not None
    made = recipe(known, scan)
    assert made is not None
    assert made.numbers(known.encode()) == scan.numbers
    assert made.numbers(other.encode()) is None


def test_known_frames_are_not_read_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    frame, text = Parser.frame, Parser.text
    monkeypatch.setattr(Parser, "frame", lambda *given: asked.append(given[1]) or frame(*given))
    monkeypatch.setattr(Parser, "text", lambda *given: asked.append(given[1]) or text(*given))
    bulk = Bulk()
    data = b"".join(
        frames(
            20,
            f"Epoch {epoch}: {{p:>3}}%|{{bar:<10}}| {{n}}/{{all}} [00:00<00:00, {{x:5.2f}}it/s, a={{y:.4f}}]",
        )
        for epoch in range(100)
    )
    bulk.feed(data)
    assert len(asked) < 100


def test_lines_that_are_more_than_text_are_left_to_the_long_way() -> None:
    sheet = Sheet(
        Parser(), [b"\r 50%|##| 1/2 [00:00<00:01, 2it/s]\x07", b"a\rb\xff", b'{ "loss": 1}', b"a\rb"]
    )
    assert [sheet.read(position, 1)[1] is None for position in range(4)] == [True, True, True, False]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                "[rank0] step {n}: loss {x}",
                "[rank1] step {n}: loss {x}",
                "step {n}: mean_loss {x}, lr 5.0e-02",
                "[rank1] step {n}: loss {x}[rank0] step {n}: loss {x}",
                "val step {n}: loss {x}",
                "Epoch {n}/90",
                "nothing",
            ]
        ),
        min_size=1,
        max_size=12,
    ),
    st.lists(st.sampled_from([0, 0, 0, 1, 1, 4, -3, -40]), min_size=1, max_size=9),
)
def test_ranks_that_take_turns_mean_what_they_mean_one_by_one(
    templates: list[str], strides: list[int]
) -> None:
    n, lines = 0, []
    for turn in range(400):
        n = max(0, n + strides[turn % len(strides)])
        lines.append(templates[turn % len(templates)].format(n=n, x=f"{n / 7:.4f}"))
    data = ("\n".join(lines) + "\n").encode()
    assert together(data, 1 << 20) == carefully(data)
