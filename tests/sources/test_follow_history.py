"""Looking into a log out of order: its end, samples, and all of it backwards."""

from __future__ import annotations

import asyncio
import gzip
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from floydtop.errors import FloydtopError
from floydtop.sources.follow import follow
from floydtop.sources.history import backwards, is_same, is_seekable, last_lines, mark, outline


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "train.log"
    path.write_bytes(b"".join(b"line %06d\n" % number for number in range(100_000)) + b"unfinis")
    return path


def test_the_last_lines_are_whole_and_leave_the_unfinished_one(log: Path) -> None:
    chunk = last_lines(str(log), size=1000)
    lines = chunk.data.split(b"\n")
    assert lines[-2:] == [b"line 099999", b""]
    assert all(len(line) == 11 for line in lines[:-1])
    assert log.read_bytes()[chunk.offset :].startswith(chunk.data)
    assert chunk.offset + len(chunk.data) == log.stat().st_size - len(b"unfinis")


async def test_following_goes_on_where_the_last_lines_end(log: Path) -> None:
    chunk = last_lines(str(log))
    items = follow(str(log), offset=chunk.offset + len(chunk.data), stop=asyncio.Event())
    assert (await anext(items)).data == b"unfinis"  # type: ignore[union-attr]  # a chunk comes first
    await items.aclose()


def test_the_outline_covers_the_whole_run_in_whole_lines(log: Path) -> None:
    chunks = list(outline(str(log), probes=50, size=100))
    numbers = [int(line.split()[1]) for chunk in chunks for line in chunk.data.splitlines()]
    assert numbers == sorted(set(numbers))
    assert numbers[0] == 0
    assert numbers[-1] == 99_999
    assert len(chunks) == 50
    assert all(later - earlier < 3000 for earlier, later in pairwise(numbers))


def test_the_outline_of_a_small_log_is_all_of_it_once(tmp_path: Path) -> None:
    log = tmp_path / "train.log"
    log.write_bytes(b"one\ntwo\nthree\n")
    assert b"".join(chunk.data for chunk in outline(str(log))) == b"one\ntwo\nthree\n"


def test_the_outline_of_an_empty_log_is_empty(tmp_path: Path) -> None:
    (tmp_path / "train.log").touch()
    assert list(outline(str(tmp_path / "train.log"))) == []
    assert last_lines(str(tmp_path / "train.log")).data == b""


@given(
    lines=st.lists(st.binary(max_size=40).map(lambda line: line.replace(b"\n", b"") + b"\n"), max_size=40),
    block=st.integers(1, 200),
)
def test_backwards_gives_every_byte_once_and_cuts_only_at_lines(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes], block: int
) -> None:
    log = tmp_path_factory.mktemp("log") / "train.log"
    text = b"".join(lines)
    log.write_bytes(text)
    chunks = list(backwards(str(log), len(text), block=block))
    assert b"".join(chunk.data for chunk in reversed(chunks)) == text
    assert all(text[chunk.offset :].startswith(chunk.data) for chunk in chunks)
    if block > 41:
        begins = [sum(map(len, lines[:count])) for count in range(len(lines) + 1)]
        assert all(chunk.offset in begins for chunk in chunks)


def test_a_log_of_one_endless_bar_is_cut_where_the_bar_goes_back(tmp_path: Path) -> None:
    log = tmp_path / "bar.log"
    text = b"".join(b"\r%05d" % number for number in range(10_000))
    log.write_bytes(text)
    chunks = list(backwards(str(log), len(text), block=4096))
    assert b"".join(chunk.data for chunk in reversed(chunks)) == text
    assert all(text[chunk.offset - 1 : chunk.offset] in (b"\r", b"") for chunk in chunks)
    assert last_lines(str(log), size=100).data.endswith(b"09998\r")


def test_a_log_read_before_is_known_again_until_it_is_rewritten(log: Path) -> None:
    known = mark(str(log), 5000)
    with log.open("ab") as file:
        file.write(b"more\n")
    assert is_same(str(log), known)
    log.write_bytes(b"another\n" * 1000)
    assert not is_same(str(log), known)


def test_a_log_that_was_replaced_or_is_gone_is_not_the_one_read_before(log: Path) -> None:
    known = mark(str(log), 5000)
    copy = log.with_suffix(".copy")
    copy.write_bytes(log.read_bytes())
    assert not is_same(str(copy), known)
    log.unlink()
    assert not is_same(str(log), known)


def test_packed_and_sixteen_bit_logs_cannot_be_read_from_the_middle(log: Path, tmp_path: Path) -> None:
    assert is_seekable(str(log))
    (tmp_path / "a.gz").write_bytes(gzip.compress(b"line\n"))
    (tmp_path / "b.log").write_bytes("line\n".encode("utf-16"))
    assert not is_seekable(str(tmp_path / "a.gz"))
    assert not is_seekable(str(tmp_path / "b.log"))


def test_a_missing_log_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FloydtopError, match="No such file"):
        last_lines(str(tmp_path / "none.log"))
