"""Hostile input for the parser and the loader: bounded in time and memory, and refused in one sentence."""

from __future__ import annotations

import gzip
import importlib
import os
import pkgutil
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import floydtop
from floydtop.cli import main
from floydtop.errors import FloydtopError
from floydtop.events import Malformed, Metrics
from floydtop.parse import Line, Parser
from floydtop.session.files import read_events
from floydtop.session.format import Reader, encode
from floydtop.session.library import recordings, session_files, sessions_dir
from floydtop.session.player import Player
from floydtop.session.session import METRIC_NAMES_KEPT, Session
from tests.app.stage import header, training, whole, write


def read(raw: bytes) -> list[Metrics | Malformed]:
    parser = Parser()
    return parser.read(Line(1, 0, raw))


@pytest.mark.parametrize(
    "raw",
    [
        b'{"metric": "loss", "value": ' + b"9" * 5000 + b"}",
        b'{"metric": "loss", "value": 1, "step": ' + b"9" * 5000 + b"}",
        b'{"metric": "loss", "value": {"a":' * 1000 + b"1" + b"}" * 1000,
        b'{"metric": "loss", "value": ' + b"[" * 1000 + b"]" * 1000 + b"}",
        b'{"metric": "loss", "value": 1e999}',
        b'{"metric": "\\ud800", "value": 1}',
        b'{"metric": "loss", "value": 1, "value": 2}',
        b'\xef\xbb\xbf{"metric": "loss", "value": 1}',
        b'{"metric": "loss", "value": true}',
        b'{"metric": "loss", "value": null, "step": true}',
        b'{"metric": true, "value": 1}',
        b'{"metric": "loss", "value": "1' + b"0" * 5000 + b'"}',
        b"loss: " + b"9" * 5000,
        b"step " + b"9" * 5000 + b" loss: 1",
        b"Epoch " + b"9" * 5000 + b"/" + b"9" * 5000,
        b"Train Epoch: 41e9990/6000 (64%)]\tLoss: 0.38",
        b"train 1e999: loss: 0.3",
        b"1e999: loss 0.3",
    ],
)
def test_odd_metric_lines_are_read_or_told_and_can_be_written(raw: bytes) -> None:
    for event in read(raw):
        if isinstance(event, Metrics):
            assert all(isinstance(value, float) for value in event.values.values())
        reader = Reader()
        assert len(reader.feed(encode(event))) == 1
        assert reader.damaged == 0


def test_a_boolean_is_no_number() -> None:
    assert not [event for event in read(b'{"metric": "loss", "value": true}') if isinstance(event, Metrics)]


def test_a_hundred_thousand_metric_names_are_capped_and_counted() -> None:
    session = Session()
    for first in range(0, 100_000, 1000):
        names = {f"m{number}": 1.0 for number in range(first, first + 1000)}
        session.apply(Metrics(values=names, t=1.0, step=1))
    assert len(session.metrics) <= METRIC_NAMES_KEPT + 10
    assert session.metric_names_dropped == 100_000 - METRIC_NAMES_KEPT


def expressions() -> Iterator[tuple[str, re.Pattern[str] | re.Pattern[bytes]]]:
    """Each compiled regular expression of the package, by the name of its module and its own."""
    for module in pkgutil.walk_packages(floydtop.__path__, "floydtop."):
        if "__main__" in module.name or "gpu_helper" in module.name:
            continue
        for name, value in vars(importlib.import_module(module.name)).items():
            held = value if isinstance(value, list | tuple) else [value]
            held = list(value.values()) if isinstance(value, dict) else held
            for number, one in enumerate(held):
                if isinstance(one, re.Pattern):
                    yield f"{module.name}.{name}.{number}", one


EXPRESSIONS = dict(expressions())

SEEDS = (
    *("1", " ", "a", "-", ".", "=", ":", "/", "[", "\\", '"', "'", "{", "e1", "a.", "a_", "0.", "1,", "a=1 "),
    *("a: ", "1/1 ", "--a ", "\x1b[", "\x1b]", "[1]", "|1", "1:1:", "12-12-", "train_", "%|", "\r"),
)  # fmt: skip

HEADS = ("", "loss ", "Epoch 1/2 ")


BOUNDED = frozenset({"floydtop.parse.names._TIMING.0"})
"""Square, and shown no more than 200 characters; `test_a_long_metric_name_costs_little` watches that."""

SOURCES = "".join(path.read_text() for path in Path(floydtop.__path__[0]).rglob("*.py"))


def searches(name: str) -> bool:
    """Whether the package looks for an expression anywhere in a text, and not just at one place of it."""
    return (
        re.search(rf"\b{name.split('.')[-2]}\.(?:search|finditer|findall|sub|subn|split)\b", SOURCES)
        is not None
    )


def cost(expression: re.Pattern[str] | re.Pattern[bytes], text: str, *, search: bool = True) -> float:
    subject = text if isinstance(expression.pattern, str) else text.encode("utf-8", "replace")
    start = time.process_time()
    (expression.search if search else expression.match)(subject)  # type: ignore[arg-type]  # its own kind
    return time.process_time() - start


def test_the_package_has_expressions_to_test() -> None:
    assert len(EXPRESSIONS) > 30
    assert any("parse" in name for name in EXPRESSIONS)
    assert any("app.safe" in name for name in EXPRESSIONS)


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_no_regular_expression_takes_more_than_linear_time(name: str) -> None:
    if name in BOUNDED:
        return
    expression, search = EXPRESSIONS[name], searches(name)
    for seed in SEEDS:
        for head in HEADS:
            size = 1_000  # keeps a square at a few milliseconds
            text = head + seed * (size // len(seed)) + "\x00"
            first = cost(expression, text, search=search)
            if first < 0.004:
                continue  # a square of 4 KB takes tens of milliseconds
            # 4 times the length: 4 times the time, where squares would take 16 times as long.
            longer = head + seed * (4 * size // len(seed)) + "\x00"
            assert min(cost(expression, longer, search=search) for _ in range(2)) < 9 * first, (seed, head)


def test_a_long_metric_name_costs_little() -> None:
    for part in (b"a_", b"a/", b"per_", b"time", b"1"):
        start = time.process_time()
        read(b'{"metric": "' + part * (60_000 // len(part)) + b'", "value": 1}')
        assert time.process_time() - start < 0.5


def test_a_gzip_bomb_costs_no_memory(tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.jsonl.gz"
    with gzip.open(bomb, "wb", compresslevel=9) as file:
        file.write(encode(header()))
        for _ in range(64):
            file.write(b"x" * (1 << 20))
    script = (
        "import resource, sys; from pathlib import Path; from floydtop.session.files import read_events\n"
        "from floydtop.session.format import Reader\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "for events in read_events(Path(sys.argv[1]), Reader()): pass\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script, str(bomb)], capture_output=True, check=True, timeout=60
    )
    assert int(ended.stdout) < 100 * 1024
    reader = Reader()
    list(read_events(bomb, reader))
    assert reader.damaged + reader.torn == 1


@pytest.mark.parametrize("cut", [1, 9, 11, 200])
def test_a_cut_or_broken_gzip_file_opens(tmp_path: Path, cut: int) -> None:
    whole_file = gzip.compress(b"".join(map(encode, whole())))
    path = tmp_path / "cut.jsonl.gz"
    path.write_bytes(whole_file[:-cut])
    assert Player(path).session.metrics
    broken = bytearray(whole_file)
    broken[-4 - cut] ^= 0xFF
    path.write_bytes(broken)
    reader = Reader()
    list(read_events(path, reader))
    assert reader.damaged + reader.torn


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "..", "a/b", "x\0y", "-rf", "~root", "*", ""])
def test_a_name_leads_to_no_other_place(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    path = write(tmp_path, whole(), "theirs.jsonl")
    before = sorted(tmp_path.rglob("*"))
    if "\0" not in name:
        assert main(["sessions", "import", str(path), f"--name={name}"]) in (0, 2)
    library = sessions_dir().resolve() if sessions_dir().exists() else None
    for new in set(tmp_path.rglob("*")) - set(before):
        if new.is_file():
            assert library is not None
            assert library in new.resolve().parents
    capsys.readouterr()


def test_links_in_the_library_are_not_followed(tmp_path: Path) -> None:
    theirs = write(tmp_path, whole(), "theirs.jsonl")
    sessions_dir().mkdir(parents=True, mode=0o700)
    (sessions_dir() / "link.jsonl").symlink_to(theirs)
    (sessions_dir() / "dangling.jsonl").symlink_to(tmp_path / "nothing")
    os.mkfifo(sessions_dir() / "fifo.jsonl")
    (sessions_dir() / "folder.jsonl").mkdir()
    assert session_files() == []
    assert list(recordings()) == []
    (sessions_dir() / "fifo.jsonl").unlink()


@pytest.mark.skipif(os.geteuid() != 0, reason="NOT TESTED: only root can make another user's directory")
def test_another_users_library_is_not_read() -> None:
    folder = sessions_dir()
    folder.mkdir(parents=True)
    write(folder, whole(), "theirs.jsonl")
    assert len(session_files()) == 1
    os.chown(folder, 12345, 12345)
    assert session_files() == []


def test_a_fifo_is_no_session_and_is_not_waited_for(tmp_path: Path) -> None:
    fifo = tmp_path / "session.jsonl"
    os.mkfifo(fifo)
    with pytest.raises(FloydtopError, match="no file"):
        Player(fifo)
    for command in ("replay", "check", "compare"):
        assert main([command, str(fifo)]) == 2


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n\n\n",
        b"\0" * 4096,
        b"not json\n",
        b"[" * 100_000 + b"\n",
        b'{"k":' * 100_000 + b"\n",
        b'{"k":"h","format":"other","v":1}\n',
        b'{"k":"h","format":"floydtop-session","v":2}\n',
        b'{"k":"h","format":"floydtop-session","v":"1"}\n',
        b"\xff\xfe{\x00",
        b"\x1f\x8b" + b"\0" * 100,
    ],
)
def test_what_is_no_session_is_refused_in_one_sentence(
    tmp_path: Path, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "theirs.jsonl"
    path.write_bytes(content)
    for command in ("check", "export"):
        status = main([command, str(path)])
        out, err = capsys.readouterr()
        assert status in (0, 1, 2)
        assert err.count("\n") <= 2
        assert "Traceback" not in out + err
    with pytest.raises(FloydtopError) as caught:
        Player(path)
    assert "\n" not in str(caught.value)


def test_every_flipped_byte_of_a_small_session_is_survived() -> None:
    plain = b"".join(map(encode, [header(), *training(3)]))
    for place in range(len(plain)):
        for flip in (0x01, 0x80):
            broken = bytearray(plain)
            broken[place] ^= flip
            session, reader = Session(), Reader()
            try:
                found = reader.feed(bytes(broken))
            except FloydtopError:
                continue
            session.apply_all(found)
            # A broken line end makes one line of two.
            assert len(found) + reader.damaged + reader.strange + reader.torn >= 6
            assert len(found) >= 5
