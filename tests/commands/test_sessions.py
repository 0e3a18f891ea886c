"""`floydtop sessions` and `floydtop check`: list, name, note, pin, prune, import, export."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
from pathlib import Path

import pytest

from floydtop.cli import main
from floydtop.session.library import recordings, sessions_dir
from floydtop.session.writer import SessionWriter
from tests.session import samples

NAME = "20270101T000000Z-n-4711-aaaaaa"


def save(name: str = NAME, data: bytes | None = None) -> Path:
    path = sessions_dir() / f"{name}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(samples.as_bytes(samples.run()) if data is None else data)
    return path


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(arguments) == 0
    return capsys.readouterr().out


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    return error


def test_the_list_tells_state_title_note_and_pin(capsys: pytest.CaptureFixture[str]) -> None:
    save()
    save("20260101T000000Z-n-12-bbbbbb", samples.as_bytes(samples.run()[:4]))
    said(capsys, "sessions", "name", NAME, "lr 0.1")
    said(capsys, "sessions", "note", NAME, "diverged \x1b]52;c;evil\x07")
    said(capsys, "sessions", "pin", "lr 0.1")
    listed = said(capsys, "sessions")
    _, first, second = listed.splitlines()
    assert all(
        word in first for word in (NAME, "killed by SIGKILL, pinned", "lr 0.1", "diverged", "train.py")
    )
    assert "interrupted, running" in second
    assert "\x1b" not in listed
    said(capsys, "sessions", "unpin", NAME)
    assert "pinned" not in said(capsys, "sessions")


def test_a_filter_keeps_what_has_the_text(capsys: pytest.CaptureFixture[str]) -> None:
    save()
    save("20260101T000000Z-n-12-bbbbbb")
    said(capsys, "sessions", "note", "12", "Baseline")
    listed = said(capsys, "sessions", "--filter", "baseline")
    assert len(listed.splitlines()) == 2
    assert "no session" in refused(capsys, "sessions", "--filter", "zzz").lower()


def test_prune_tells_first_and_deletes_when_told(capsys: pytest.CaptureFixture[str]) -> None:
    writer = SessionWriter(save("2023"))
    for name in ("2024", "2025", "2026"):
        save(name)
    said(capsys, "sessions", "pin", "2024")
    told = said(capsys, "sessions", "prune", "--sessions", "2")
    assert "would delete  2025" in told
    assert "--yes" in told
    assert len(list(recordings())) == 4
    said(capsys, "sessions", "prune", "--size", "0", "--yes")
    writer.close()
    assert {one.name for one in recordings()} == {"2023", "2024"}


def test_an_exported_session_can_be_imported_by_somebody_else(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = save(data=samples.as_bytes(samples.run()) + b'{"k":"dream","of":"a later version"}\n')
    target = tmp_path / "for-you.jsonl.gz"
    said(capsys, "sessions", "export", "4711", "-o", str(target))
    assert gzip.decompress(target.read_bytes()) == path.read_bytes(), "what is not known is kept"
    assert target.stat().st_mode & 0o777 == 0o600
    assert "is there already" in refused(capsys, "sessions", "export", "4711", "-o", str(target))
    path.unlink()
    assert "floydtop replay for-you" in said(capsys, "sessions", "import", str(target))
    assert [one.name for one in recordings()] == ["for-you"]
    assert "already" in refused(capsys, "sessions", "import", str(target))
    said(capsys, "sessions", "import", str(target), "--name", "again")
    status = said(capsys, "status", str(target))
    assert "killed by SIGKILL" in status
    exported = said(capsys, "export", "again", "--format", "csv")
    assert exported.startswith("metric,value")


@pytest.mark.parametrize("name", ["../evil", "a/b", "", ".hidden", "x" * 200, "a\x1bb"])
def test_a_name_cannot_lead_elsewhere(capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str) -> None:
    source = tmp_path / "x.jsonl"
    source.write_bytes(samples.as_bytes(samples.run()))
    if name:
        refused(capsys, "sessions", "import", str(source), "--name", name)
    assert not sessions_dir().exists() or not list(sessions_dir().parent.parent.rglob("*evil*"))


def test_what_is_no_session_is_not_imported(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    source = tmp_path / "x.jsonl"
    for junk in (b"hello\n", b"", b'{"k":"h"}\n'):
        source.write_bytes(junk)
        refused(capsys, "sessions", "import", str(source))
    assert list(sessions_dir().glob("*")) == []


def test_a_session_comes_through_a_pipe(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "floydtop", "sessions", "import", "-", "--name", "piped"]
    data = gzip.compress(samples.as_bytes(samples.run()))
    subprocess.run(command, input=data, check=True, capture_output=True, timeout=60)
    assert [one.name for one in recordings()] == ["piped"]
    checked = subprocess.run(
        [sys.executable, "-m", "floydtop", "check", "-"],
        input=data,
        capture_output=True,
        timeout=60,
        check=True,
    )
    assert b"17 in 1 segments" in checked.stdout


def test_check_tells_damage_by_its_status(capsys: pytest.CaptureFixture[str]) -> None:
    path = save()
    assert "damaged   0 lines" in said(capsys, "check", NAME)
    data = bytearray(path.read_bytes())
    data[-40] ^= 0x80
    path.write_bytes(bytes(data))
    assert main(["check", NAME]) == 1
    assert "damaged   1 lines" in capsys.readouterr().out


def test_status_tells_damage_and_gaps(capsys: pytest.CaptureFixture[str]) -> None:
    path = save()
    path.write_bytes(path.read_bytes().replace(b'"k":"a"', b'"k":a"'))
    told = said(capsys, "status", str(path))
    assert "gaps     1, the last one because No space left on device" in told
    assert "damaged  1 lines" in told


def test_a_session_that_was_never_there_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    os.makedirs(sessions_dir())
    for action in (["name", "x", "y"], ["note", "x", "y"], ["pin", "x"], ["export", "x"]):
        assert "no session" in refused(capsys, "sessions", *action)
