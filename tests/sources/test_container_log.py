"""Docker's own log of a container: what was printed is taken out of the lines around it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from floydtop.sources.container_log import Unwrapper, container_of, is_container_log
from floydtop.sources.finished import read_all
from floydtop.sources.follow import Chunk, Idle, follow

IDENTITY = "3f2a" * 16
PIECE = 16384
"""Bytes of one line that docker puts in one of its own."""


def wrapped(text: str) -> bytes:
    """What docker writes for what was printed."""
    pieces = [
        line[start : start + PIECE]
        for line in text.splitlines(keepends=True)
        for start in range(0, len(line), PIECE)
    ]
    entries = [{"log": piece, "stream": "stdout", "time": "2026-11-25T23:21:58.09Z"} for piece in pieces]
    return b"".join(json.dumps(entry, separators=(",", ":")).encode() + b"\n" for entry in entries)


@given(
    st.text(st.characters(codec="utf-8", exclude_characters="\r\v\f\x1c\x1d\x1e\x85\u2028\u2029")),
    st.lists(st.integers(1, 200)),
)
def test_what_was_printed_comes_out_however_it_is_cut(text: str, sizes: list[int]) -> None:
    data, unwrap, got = wrapped(text), Unwrapper(), b""
    for size in [*sizes, len(data)]:
        got += b"".join(unwrap.feed(data[:size]))
        data = data[size:]
    assert got == text.encode()


@given(st.binary())
def test_lines_that_are_not_docker_s_are_passed_on(noise: bytes) -> None:
    unwrap = Unwrapper()
    got = b"".join(unwrap.feed(noise + b"\n"))
    assert got == noise + b"\n" or b'"log"' in noise


@pytest.mark.parametrize(
    "line",
    [
        b'{"log":1,"stream":"stdout"}',
        b'{"log":"x"}',
        b'{"log":"\\ud800","stream":"stdout"}',
        b'{"log":"x","stream":"stdout"',
        b"[" * 5000,
        b"9" * 5000,
    ],
)
def test_broken_lines_of_docker_s_are_shown_as_they_are(line: bytes) -> None:
    unwrap = Unwrapper()
    assert b"".join(unwrap.feed(line + b"\n" + wrapped("loss 1\n"))) == line + b"\nloss 1\n"


def test_a_line_without_an_end_is_not_kept_for_ever() -> None:
    unwrap = Unwrapper()
    got = sum(len(part) for _ in range(64) for part in unwrap.feed(b"x" * (1 << 16)))
    assert got > 2 << 20


def test_a_log_is_known_by_its_name_or_its_first_line(tmp_path: Path) -> None:
    named = tmp_path / f"{IDENTITY}-json.log"
    named.touch()
    copied = tmp_path / "copy.log"
    copied.write_bytes(wrapped("x" * 40000))
    other = tmp_path / "train.jsonl"
    other.write_text('{"log":"my own field","step":1}\n')
    assert is_container_log(str(named))
    assert container_of(str(named)) == IDENTITY
    assert is_container_log(str(copied))
    assert not is_container_log(str(other))
    assert not is_container_log(str(tmp_path / "none"))


def test_a_finished_one_is_read_as_what_was_printed(tmp_path: Path) -> None:
    log = tmp_path / "copy.log"
    text = "epoch 1\n" + "x" * 40000 + "\n\r10%\r20%\nlast"
    log.write_bytes(wrapped(text))
    assert b"".join(chunk.data for chunk in read_all(str(log))) == text.encode()


def test_a_growing_one_is_followed_line_by_line(tmp_path: Path) -> None:
    log = tmp_path / f"{IDENTITY}-json.log"
    log.touch()

    async def read() -> bytes:
        got, writes = b"", [wrapped("loss 1\n"), wrapped("loss 2\n")[:20], wrapped("loss 2\n")[20:]]
        stop = asyncio.Event()
        async for item in follow(str(log), stop=stop):
            if isinstance(item, Chunk):
                got += item.data
            elif isinstance(item, Idle) and writes:
                with log.open("ab") as file:
                    file.write(writes.pop(0))
            elif isinstance(item, Idle):
                stop.set()
        return got

    assert asyncio.run(asyncio.wait_for(read(), 20)) == b"loss 1\nloss 2\n"
