"""Every wrong target gets one sentence and exit status 2, and no terminal gets told what to do instead."""

from __future__ import annotations

import gzip
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from floydtop import __version__
from floydtop.session.format import encode
from tests.commands.run import floydtop, refusal
from tests.recorder.jobs import Job, job
from tests.session import samples

TAKES_A_TARGET = [[], ["status"], ["export"]]


@pytest.fixture
def child(tmp_path: Path) -> Iterator[Job]:
    with job(tmp_path / "train.log") as running:
        yield running


@pytest.fixture
def gone() -> int:
    """A pid that was somebody's just now."""
    child = subprocess.Popen([sys.executable, "-S", "-c", ""])
    child.wait()
    return child.pid


def test_without_arguments_it_tells_what_it_can_do() -> None:
    result = floydtop()
    assert result.returncode == 0
    assert "floydtop demo" in result.stdout
    assert result.stderr == ""


def test_every_command_is_in_the_help_and_has_its_own() -> None:
    text = floydtop("--help").stdout
    for command in ("demo", "replay", "sessions", "status", "export", "stop", "doctor"):
        assert f"\n  {command} " in text
        result = floydtop(command, "--help")
        assert result.returncode == 0
        assert f"floydtop {command}" in result.stdout


def test_it_tells_its_version() -> None:
    assert floydtop("--version").stdout == f"floydtop {__version__}\n"


@pytest.mark.parametrize("command", TAKES_A_TARGET)
def test_no_such_pid(command: list[str], gone: int) -> None:
    assert str(gone) in refusal(floydtop(*command, gone))


@pytest.mark.parametrize("command", TAKES_A_TARGET)
def test_no_such_file(command: list[str]) -> None:
    assert "there is no such file" in refusal(floydtop(*command, "nowhere/train.log"))


@pytest.mark.parametrize("command", TAKES_A_TARGET)
def test_a_directory(command: list[str], tmp_path: Path) -> None:
    assert "is a directory" in refusal(floydtop(*command, tmp_path))


@pytest.mark.parametrize("command", TAKES_A_TARGET)
def test_a_binary_file(command: list[str]) -> None:
    assert "is a binary file" in refusal(floydtop(*command, sys.executable))


@pytest.mark.parametrize("command", TAKES_A_TARGET)
def test_a_device(command: list[str]) -> None:
    assert "device" in refusal(floydtop(*command, "/dev/zero"))


@pytest.mark.parametrize("command", TAKES_A_TARGET)
def test_a_session_whose_header_is_torn(command: list[str], tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    path.write_bytes(encode(samples.header())[:100])
    assert "broken session" in refusal(floydtop(*command, path))


@pytest.mark.parametrize("command", [["status"], ["export"]])
def test_a_session_of_a_newer_version(command: list[str], tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    path.write_bytes(encode(samples.header(v=2)))
    assert "upgrade floydtop" in refusal(floydtop(*command, path))


def test_a_file_that_is_packed_in_a_way_we_cannot_read(tmp_path: Path) -> None:
    path = tmp_path / "log.zst"
    path.write_bytes(b"\x28\xb5\x2f\xfd" + bytes(range(200)))
    assert "zstd-compressed" in refusal(floydtop("export", path))


def test_a_broken_gzip_file(tmp_path: Path) -> None:
    path = tmp_path / "log.gz"
    path.write_bytes(gzip.compress(b"a line of the log\n" * 1000)[:-8] + b"junkjunk")
    assert "not whole gzip data" in refusal(floydtop("export", path))


def test_a_path_with_escape_sequences_is_shown_harmless() -> None:
    said = refusal(floydtop("status", "\x1b]0;owned\x07\x1b[2J"))
    assert "\x1b" not in said
    assert "\x07" not in said


@pytest.mark.parametrize("arguments", [["stop"], ["replay"], ["replay", "4711"], ["status"]])
def test_nothing_was_recorded(arguments: list[str]) -> None:
    refusal(floydtop(*arguments))


def test_a_process_of_somebody_else_is_shown_as_far_as_the_kernel_allows() -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    # The interpreter may lie where nobody else may read: all is loaded before the user changes.
    source = (
        "import contextlib, io, os, sys\n"
        "from floydtop.cli import main\n"
        "with contextlib.redirect_stdout(io.TextIOWrapper(io.BytesIO())):\n"
        "    main(['status', str(os.getpid())])\n"
        "os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        "sys.exit(main(['status', sys.argv[1]]))\n"
    )
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as job:
        result = subprocess.run(
            [sys.executable, "-c", source, str(job.pid)],
            capture_output=True,
            text=True,
            timeout=60,
            env=os.environ | {"HOME": "/", "XDG_CONFIG_HOME": "/nowhere"},
        )
        job.kill()
    assert result.returncode == 0, result.stderr
    assert "running" in result.stdout
    assert "n/a" in result.stdout


def test_a_log_that_may_not_be_read(tmp_path: Path) -> None:
    log = tmp_path / "train.log"
    log.write_text("secret\n")
    log.chmod(0)
    if os.access(log, os.R_OK):
        pytest.skip("root may read everything")
    assert "Permission denied" in refusal(floydtop("status", log))


@pytest.mark.parametrize(
    "arguments",
    [["--interval", "0"], ["--interval", "soon"], ["--pid", "x"], ["export", "x", "--format", "xml"]],
)
def test_wrong_options_are_told_by_the_parser(arguments: list[str]) -> None:
    result = floydtop(*arguments)
    assert result.returncode == 2
    assert "error: argument" in result.stderr
    assert "Traceback" not in result.stderr


def test_without_a_terminal_it_names_the_commands_that_need_none(child: Job) -> None:
    said = refusal(floydtop(child.pid))
    assert "floydtop status" in said
    assert "floydtop export" in said
    refusal(floydtop("demo"))


def test_nothing_is_recorded_when_there_is_no_terminal_to_draw_in(child: Job, state_home: Path) -> None:
    refusal(floydtop(child.pid))
    assert not state_home.exists()


@pytest.mark.parametrize("term", ["dumb", ""])
def test_a_terminal_that_cannot_draw_is_told(child: Job, term: str) -> None:
    ours, theirs = pty.openpty()
    result = subprocess.run(
        [sys.executable, "-m", "floydtop", str(child.pid)],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=os.environ | {"TERM": term},
        timeout=60,
    )
    os.close(theirs)
    said = os.read(ours, 4096).decode()
    os.close(ours)
    assert result.returncode == 2
    assert said.startswith("floydtop: This terminal cannot draw")
    assert said.count("\n") == 1
    assert "\x1b" not in said
