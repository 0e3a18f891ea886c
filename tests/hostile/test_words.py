"""Every payload in what the commands print: nothing of it reaches the terminal as more than text."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from floydtop.cli import main
from floydtop.session.format import encode
from floydtop.session.library import sessions_dir
from floydtop.session.meta import Meta, meta_path
from tests.hostile.payloads import PAYLOADS
from tests.hostile.test_screen import hostile_events


def record(text: str, name: str = "20261123T120000Z-node-1-abcdef") -> Path:
    """A recording of the library in which every text is the payload."""
    folder = sessions_dir()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / f"{name}.jsonl"
    path.write_bytes(b"".join(map(encode, hostile_events(text))))
    words = text.encode("utf-8", "replace").decode()[:2000]
    meta_path(path).write_bytes(msgspec.json.encode(Meta(title=words, note=words)))
    return path


@pytest.fixture
def said(capfd: pytest.CaptureFixture[str]) -> Callable[..., str]:
    def run(*arguments: str) -> str:
        status = main(arguments)
        out, err = capfd.readouterr()
        assert status in (0, 1, 2)
        assert "Traceback" not in err
        return out + err

    return run


@pytest.mark.parametrize("name", PAYLOADS)
def test_the_commands_print_text(name: str, said: Callable[..., str]) -> None:
    path = record(PAYLOADS[name])
    commands = [("sessions",), ("status", str(path)), ("check", str(path)), ("status",)]
    commands += [("sessions", "note", path.stem, PAYLOADS[name].encode("utf-8", "replace").decode())]
    for command in commands:
        for line in said(*command).split("\n"):
            assert line.isprintable(), (command, line)


@pytest.mark.parametrize("name", PAYLOADS)
def test_an_error_names_hostile_paths_as_text(name: str, said: Callable[..., str]) -> None:
    text = PAYLOADS[name].replace("\0", "").encode("utf-8", "replace").decode()
    for command in (
        (text,),
        ("replay", text),
        ("status", text),
        ("export", text),
        ("stop", text),
        ("check", text),
    ):
        words = said(*command)
        assert words.removesuffix("\n").isprintable(), command
        assert words.startswith("floydtop: ")


def test_the_help_is_text(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    assert all(line.isprintable() for line in capsys.readouterr().out.split("\n"))


def test_a_chart_of_a_hostile_metric_is_text(tmp_path: Path, said: Callable[..., str]) -> None:
    for text in PAYLOADS.values():
        path = record(text)
        for line in said("plot", str(path)).split("\n"):
            bare = line.replace("\x1b[", "")
            assert "\x1b" not in bare, line
            assert "\x07" not in bare
            assert all(ord(character) not in range(0x80, 0xA0) for character in bare)


def test_a_log_whose_one_line_has_a_hundred_megabytes_takes_seconds(
    tmp_path: Path, said: Callable[..., str]
) -> None:
    log = tmp_path / "train.log"
    with log.open("wb") as file:
        file.write(b'{"metric": "loss", "value": 0.5, "step": 1}\n')
        for _ in range(100):
            file.write(b"\x1b]52;c;RVZJ" * ((1 << 20) // 11))
        file.write(b'\n{"metric": "loss", "value": 0.25, "step": 2}\n')
    start = time.process_time()
    assert '"value":0.25' in said("export", str(log)).replace(" ", "")
    assert time.process_time() - start < 10


@pytest.mark.skipif(sys.platform != "linux", reason="NOT TESTED: file names that are not UTF-8 need Linux")
def test_a_file_name_that_is_no_utf_8_is_named_as_text(tmp_path: Path, said: Callable[..., str]) -> None:
    path = os.fsdecode(os.fsencode(tmp_path) + b"/\xff\x1b]2;x\x07.log")
    Path(path).write_bytes(b'{"metric": "loss", "value": 0.5}\n')
    assert all(line.isprintable() for line in said("status", path).split("\n"))
