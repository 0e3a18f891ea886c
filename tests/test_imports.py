"""What a command does not need, it does not load: imports are what starting costs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ("textual", "rich", "plotext", "psutil", "pynvml", "asyncio", "msgspec", "aiofiles", "platformdirs")


def loaded(*arguments: str | Path) -> set[str]:
    """The top-level modules that a command has loaded when it ends."""
    source = (
        "import sys\n"
        "from floydtop.cli import main\n"
        "try: main(sys.argv[1:])\n"
        "except SystemExit as end: assert not end.code, end.code\n"
        "print('LOADED', *sorted({name.partition('.')[0] for name in sys.modules}))\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", source, *arguments], capture_output=True, text=True, timeout=60, check=True
    )
    return set(result.stdout.rpartition("LOADED ")[2].split())


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], [], ["export", "--help"], ["demo", "--help"]]
)
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    assert not loaded(*arguments) & set(HEAVY)


def test_importing_the_package_costs_nothing() -> None:
    source = "import sys; before = set(sys.modules); import floydtop; print(*set(sys.modules) - before)"
    result = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True)
    assert set(result.stdout.split()) <= {"floydtop", "__future__"}


def finished(tmp_path: Path) -> Path:
    log = tmp_path / "train.log"
    log.write_text('{"metric": "loss", "value": 2, "step": 1}\n')
    os.utime(log, (1e9, 1e9))
    return log


def test_the_recorder_of_a_log_loads_neither_screen_nor_charts(tmp_path: Path) -> None:
    session = tmp_path / "sessions" / "run.jsonl"
    modules = loaded("record", session, "--log", finished(tmp_path))
    assert not modules & {"textual", "rich", "plotext"}
    assert b'"loss"' in session.read_bytes()


def test_the_recorder_of_a_job_loads_neither_screen_nor_charts(tmp_path: Path) -> None:
    session = tmp_path / "sessions" / "run.jsonl"
    with subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(1.2)"]) as job:
        modules = loaded("record", session, "--pid", str(job.pid))
    assert not modules & {"textual", "rich", "plotext"}
    assert b'"exited"' in session.read_bytes()


def test_whoever_starts_a_recorder_loads_nothing_that_records() -> None:
    source = (
        "import sys\n"
        "import floydtop.commands.watch, floydtop.recorder.detach, floydtop.sources.target\n"
        "from floydtop.commands.rules import rules_if_any\n"
        "assert rules_if_any() is None\n"
        "print(*sys.modules)"
    )
    modules = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True)
    heavy = {"floydtop.parse", "floydtop.recorder.recording", "floydtop.sources.system", "aiofiles"}
    assert not heavy & set(modules.stdout.split())


def test_a_recorder_loads_no_openssl(tmp_path: Path) -> None:
    modules = loaded("record", tmp_path / "run.jsonl", "--log", finished(tmp_path))
    assert "asyncio" in modules
    assert not modules & {"_ssl", "_hashlib"}


@pytest.mark.parametrize("form", ["jsonl", "json"])
def test_export_loads_neither_screen_nor_charts(tmp_path: Path, form: str) -> None:
    modules = loaded("export", finished(tmp_path), "--format", form)
    assert not modules & {"textual", "rich", "plotext", "pynvml"}


def test_status_and_the_list_of_sessions_load_no_screen(tmp_path: Path) -> None:
    assert not loaded("status", finished(tmp_path)) & {"textual", "rich", "plotext"}
    assert not loaded("sessions") & {"textual", "rich", "plotext", "psutil", "pynvml"}
