"""Looking into a log out of order: where its lines begin, samples, what stands before a place."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from floydtop.errors import FloydtopError
from floydtop.sources.history import OpenLog, is_seekable, sample


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "train.log"
    path.write_bytes(b"".join(b"line %06d\n" % number for number in range(100_000)) + b"unfinis")
    return path


@given(text=st.binary(max_size=60).map(lambda text: text.replace(b"\x00", b"\n")), data=st.data())
def test_a_line_is_found_from_any_place_in_it(
    tmp_path_factory: pytest.TempPathFactory, text: bytes, data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("log") / "train.log"
    path.write_bytes(text)
    place = data.draw(st.integers(0, len(text)))
    with OpenLog(str(path)) as log:
        assert log.line_start(place, reach=100) == text.rfind(b"\n", 0, place) + 1


@given(text=st.binary(max_size=5000).map(lambda text: text.replace(b"\x00", b"ab")), end=st.integers(0, 6000))
def test_the_last_word_before_a_place_is_found_however_far_it_is(
    tmp_path_factory: pytest.TempPathFactory, text: bytes, end: int
) -> None:
    path = tmp_path_factory.mktemp("log") / "train.log"
    path.write_bytes(text * 3)
    with OpenLog(str(path)) as log:
        assert log.find_back(b"ab", end) == (text * 3).rfind(b"ab", 0, end)
        assert log.count(b"a", 0, end) == (text * 3).count(b"a", 0, end)


def test_a_line_longer_than_the_reach_is_cut_where_its_bar_goes_back(tmp_path: Path) -> None:
    path = tmp_path / "bar.log"
    text = b"".join(b"\r%05d" % number for number in range(10_000))
    path.write_bytes(text)
    with OpenLog(str(path)) as log:
        place = log.line_start(30_003, reach=4096)
        assert text[place - 1 : place] == b"\r"
        assert 30_003 - 6 <= place <= 30_003


def test_samples_from_end_to_end_are_whole_lines_of_the_whole_log(log: Path) -> None:
    with OpenLog(str(log)) as opened:
        chunks = [sample(opened, opened.size, share / 49, size=100) for share in range(50)]
    found = [chunk for chunk in chunks if chunk is not None]
    numbers = [int(line.split()[1]) for chunk in found for line in chunk.data.splitlines()]
    assert len(found) == 50
    assert numbers == sorted(set(numbers))
    assert (numbers[0], numbers[-1]) == (0, 99_999)
    assert all(log.read_bytes()[chunk.offset :].startswith(chunk.data) for chunk in found)


def test_a_sample_without_a_whole_line_is_none(tmp_path: Path) -> None:
    path = tmp_path / "train.log"
    path.write_bytes(b"\0" * 1000 + b"x" * 1000)
    with OpenLog(str(path)) as log:
        assert sample(log, 1000, 0.5, size=100) is None
        assert sample(log, 2000, 0.9, size=100) is None
        assert sample(log, 0, 0.0) is None


def test_a_rewritten_log_has_another_check(log: Path) -> None:
    with OpenLog(str(log)) as opened:
        before = opened.check(5000)
        assert opened.check(5000) == before
        with log.open("r+b") as file:
            file.seek(4990)
            file.write(b"other")
        assert opened.check(5000) != before


def test_an_open_log_outlives_its_name(log: Path) -> None:
    with OpenLog(str(log)) as opened:
        log.unlink()
        assert opened.read(0, 4) == b"line"


def test_a_hole_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "holes.log"
    with path.open("wb") as file:
        file.seek(1 << 24)
        file.write(b"end\n")
    with OpenLog(str(path)) as log:
        assert 0 <= log.data_from(0) <= 1 << 24
        assert log.data_from(1 << 25) == 1 << 25


def test_packed_and_sixteen_bit_logs_cannot_be_read_from_the_middle(log: Path, tmp_path: Path) -> None:
    assert is_seekable(str(log))
    (tmp_path / "a.gz").write_bytes(gzip.compress(b"line\n"))
    (tmp_path / "b.log").write_bytes("line\n".encode("utf-16"))
    assert not is_seekable(str(tmp_path / "a.gz"))
    assert not is_seekable(str(tmp_path / "b.log"))
    assert not is_seekable(str(tmp_path / "none.log"))


def test_a_missing_log_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FloydtopError, match="No such file"):
        OpenLog(str(tmp_path / "none.log"))
