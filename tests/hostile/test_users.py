"""Other users of the machine: what is theirs is neither read nor written, what they plant does no harm."""

from __future__ import annotations

import gzip
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from floydtop.cli import main
from floydtop.commands import sessions
from floydtop.errors import FloydtopError
from floydtop.events import Present
from floydtop.recorder.assignment import Assignment
from floydtop.recorder.detach import Starting
from floydtop.session.format import encode
from floydtop.session.hold import OWNERS
from floydtop.session.library import recordings, session_files, sessions_dir
from floydtop.session.meta import change_meta, meta_path
from floydtop.session.place import fallback_dir, writable_path
from floydtop.session.present import present_path, write_present
from floydtop.session.tidy import pack
from floydtop.session.writer import SessionWriter
from tests.app.stage import header, whole, write

NOBODY = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", sys.executable, "-P"]

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="LOUD: only root can be two users")


def as_nobody(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": os.getcwd()} | variables
    return subprocess.run(
        [*NOBODY, "-m", "floydtop", *arguments],
        env=environment,
        cwd="/",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@needs_root
def test_somebody_elses_library_is_told_in_a_sentence(tmp_path: Path) -> None:
    if shutil.which("setpriv") is None or as_nobody("--version").returncode:
        pytest.skip("LOUD: no setpriv, or another user cannot run this Python")
    sessions_dir().mkdir(parents=True, mode=0o700)
    path = write(sessions_dir(), whole(), "mine.jsonl")
    path.chmod(0o600)
    for folder in (tmp_path, *tmp_path.parents):
        if folder != Path("/") and "pytest" in str(folder):
            folder.chmod(0o755)
    sessions_dir().parent.chmod(0o700)
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    os.chown(theirs, 65534, 65534)
    home = {"XDG_RUNTIME_DIR": str(theirs), "XDG_CACHE_HOME": str(theirs), "HOME": str(theirs)}
    for command in (
        ["check", str(path)],
        ["replay", str(path)],
        ["export", str(path)],
        ["status", str(path)],
    ):
        refused = as_nobody(*command, **home)
        assert refused.returncode == 2, command
        assert refused.stderr.startswith("floydtop: ")
        assert refused.stderr.count("\n") == 1
        assert refused.stdout == ""
    listed = as_nobody("sessions", **home)
    assert (listed.returncode, listed.stderr) == (0, "")
    assert "mine" not in listed.stdout
    refused = as_nobody("run", "--no-watch", "--", "true", **home)
    assert refused.returncode == 2
    assert "Permission denied" in refused.stderr


@needs_root
def test_root_writes_nothing_into_a_users_library() -> None:
    sessions_dir().mkdir(parents=True)
    os.chown(sessions_dir(), 65534, 65534)
    path, note = writable_path("host", 1)
    assert path.parent == fallback_dir()
    assert note is not None
    assert "it belongs to another user" in note
    assert list(sessions_dir().iterdir()) == []


@needs_root
def test_a_session_that_another_user_planted_is_not_listed() -> None:
    sessions_dir().mkdir(parents=True)
    planted = write(sessions_dir(), whole(), "planted.jsonl")
    assert len(session_files()) == 1
    os.chown(planted, 65534, 65534)
    assert session_files() == []
    assert list(recordings()) == []


def test_links_that_were_planted_beside_a_session_lead_nowhere(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("mine")
    sessions_dir().mkdir(parents=True)
    path = write(sessions_dir(), whole(), "run.jsonl")
    drafts = (present_path(path).with_suffix(".now~"), meta_path(path).with_name("run.meta~"))
    (sessions_dir() / OWNERS).mkdir()
    for link in (*drafts, path.with_suffix(".err"), path.with_name("run.jsonl.gz~")):
        link.symlink_to(precious)
    (sessions_dir() / OWNERS / "run.1").symlink_to(precious)
    write_present(path, Present(t=0.0))
    with pytest.raises((FloydtopError, OSError)):
        change_meta(path, title="x")
    os.utime(path, (0, 0))
    os.utime(precious, (0, 0))
    SessionWriter(path).close()
    with pytest.raises(OSError, match="symbolic links"):
        pack(path)
    with pytest.raises(FloydtopError, match="Cannot write to"):
        Starting(Assignment(path, os.getpid(), None))
    assert precious.read_text() == "mine"
    assert path.exists()


def test_what_is_no_file_is_no_session(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fifo, listening = tmp_path / "fifo.jsonl", tmp_path / "socket.jsonl"
    os.mkfifo(fifo)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(listening))
        for path in (fifo, listening, Path("/dev/zero"), tmp_path):
            for command in (
                ["replay"],
                ["check"],
                ["compare"],
                ["sessions", "import"],
                ["sessions", "export"],
            ):
                assert main([*command, str(path)]) == 2, (command, path)
                said = capsys.readouterr().err
                assert said.startswith("floydtop: ")
                assert said.count("\n") == 1
    assert not sessions_dir().exists() or session_files() == []


@pytest.mark.parametrize("title", ["../../x", "/etc/passwd", "a/b", "x\0y", "\x1b]2;owned\x07", "-rf"])
def test_a_title_is_only_said_and_never_a_path(
    title: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sessions_dir().mkdir(parents=True)
    write(sessions_dir(), whole(), "run.jsonl")
    before = sorted(tmp_path.rglob("*"))
    assert main(["sessions", "name", "run", "--", title]) == 0
    assert set(tmp_path.rglob("*")) - set(before) == {sessions_dir() / "run.meta"}
    assert main(["sessions"]) == 0
    assert "\x1b" not in capsys.readouterr().out


def test_a_bomb_is_not_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sessions, "MOST_UNPACKED", 32 << 20)
    bomb = tmp_path / "bomb.jsonl.gz"
    with gzip.open(bomb, "wb") as file:
        file.write(encode(header()))
        for _ in range(48):
            file.write(b"x" * (1 << 20))
    assert bomb.stat().st_size < 100_000
    assert main(["sessions", "import", str(bomb)]) == 2
    assert "that is no session" in capsys.readouterr().err
    assert session_files() == []
    assert not list(sessions_dir().iterdir())


@needs_root
def test_a_library_that_may_not_be_looked_into_is_not_called_empty(tmp_path: Path) -> None:
    """As after `chmod 000`, which root does not notice."""
    if shutil.which("setpriv") is None or as_nobody("--version").returncode:
        pytest.skip("LOUD: no setpriv, or another user cannot run this Python")
    for folder in (tmp_path, *tmp_path.parents):
        if folder != Path("/") and "pytest" in str(folder):
            folder.chmod(0o755)
    shut = tmp_path / "state" / "floydtop" / "sessions"
    shut.mkdir(parents=True)
    os.chown(shut, 65534, 65534)
    shut.chmod(0)
    for words in (["sessions"], ["status"], ["replay"], ["replay", "abc"]):
        done = as_nobody(*words, XDG_STATE_HOME=str(tmp_path / "state"), TMPDIR=str(tmp_path))
        assert done.returncode == 2
        assert done.stderr == f"floydtop: The recordings in {shut} cannot be looked at: Permission denied.\n"
