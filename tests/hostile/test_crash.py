"""When the screen fails: one sentence, a report in a file, and nothing of the job's text on the terminal."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from floydtop.app.crash import report_path, sentence
from floydtop.errors import FloydtopError
from tests.app.stage import whole, write

EVIL = "\x1b]52;c;RVZJTA==\x07[/x]"


def fail(depth: int = 3) -> None:
    job_text = EVIL
    if depth:
        fail(depth - 1)
    raise KeyError(f"bad {job_text}")


def failure() -> Exception:
    try:
        fail()
    except KeyError as error:
        return error
    raise AssertionError


def test_the_sentence_names_the_kind_and_the_file_and_no_data() -> None:
    words = sentence(failure())
    assert words.isprintable()
    assert words.startswith("floydtop: The screen failed (KeyError)")
    assert str(report_path()) in words
    assert "RVZJ" not in words


def test_the_report_tells_where_and_holds_no_locals_nor_escapes() -> None:
    sentence(failure())
    report = report_path().read_text()
    assert 'raise KeyError(f"bad {job_text}")' in report
    assert "in fail" in report
    assert all(line.isprintable() for line in report.split("\n"))
    assert re.search(r"^floydtop \d", report)
    assert report_path().stat().st_mode & 0o777 == 0o600


def test_the_report_of_a_deep_recursion_is_short() -> None:
    sys.setrecursionlimit(max(sys.getrecursionlimit(), 1500))
    try:
        fail(1000)
    except KeyError as error:
        sentence(error)
    assert len(report_path().read_text().splitlines()) < 200


def test_what_explains_itself_writes_no_report() -> None:
    assert sentence(FloydtopError("This session has format 2: upgrade.")).endswith("format 2: upgrade.")
    assert not report_path().exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="NOT TESTED as root, to whom every directory is writable")
def test_a_state_directory_that_cannot_be_written_costs_only_the_report(state_home: Path) -> None:
    state_home.mkdir(mode=0o500)
    assert "could not be written" in sentence(failure())


def test_a_report_goes_through_no_link(tmp_path: Path) -> None:
    report_path().parent.mkdir(parents=True)
    victim = tmp_path / "victim"
    victim.write_text("precious")
    report_path().symlink_to(victim)
    sentence(failure())
    assert victim.read_text() == "precious"


FAILING = """
import sys
from pathlib import Path
from floydtop.app import FloydtopApp
from floydtop.app.screens.monitor import MonitorScreen
from floydtop.session.player import Player

def fail(self, *known):
    job_text = "\\x1b]52;c;RVZJTA==\\x07 local of a frame"
    raise ValueError(job_text)

app = FloydtopApp(Player(Path(sys.argv[1])))
MonitorScreen.action_toggle_axis = fail
app.run(headless=True, auto_pilot=lambda pilot: pilot.press("x"))
sys.exit(app.return_code)
"""


def test_a_failing_screen_ends_with_status_1_and_one_sentence(tmp_path: Path) -> None:
    path = write(tmp_path, whole())
    ended = subprocess.run(
        [sys.executable, "-c", FAILING, str(path)], capture_output=True, timeout=60, check=False
    )
    words = ended.stderr.decode()
    assert ended.returncode == 1
    assert " ".join(words.split()).startswith("floydtop: The screen failed (ValueError)")
    assert len(words.splitlines()) < 6
    for secret in ("RVZJ", "local of a frame", "Traceback", "\x1b"):
        assert secret not in words
        assert secret not in ended.stdout.decode(errors="replace") or secret == "\x1b"
    assert "fail" in report_path().read_text()
