"""A job that floydtop starts outlives everything but itself, and its output and its end are kept."""

from __future__ import annotations

import os
import resource
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from floydtop.errors import FloydtopError
from floydtop.events import End, Exit, JobState, OutputLine
from floydtop.recorder import keeper, kept
from floydtop.recorder.assignment import Assignment
from floydtop.recorder.launch import launch
from floydtop.recorder.recording import Recording
from floydtop.sources import descriptors, ending
from floydtop.sources.output import find_output
from floydtop.sources.writers import KEEPER, find_writers
from tests.recorder.jobs import events, until
from tests.recorder.keepers import Shell, keepers_of, shell, status_of

__all__ = ["shell"]


@pytest.mark.parametrize("code", [0, 7, 255])
def test_the_exit_code_is_told(shell: Shell, code: int) -> None:
    job = shell(f"exit {code}")
    assert os.waitstatus_to_exitcode(status_of(job)) == code
    assert kept.told_exit(str(job.log), job.pid) == Exit(code=code, how="told by the process that started it")


def test_the_signal_that_killed_it_is_told(shell: Shell) -> None:
    job = shell("kill -9 $$")
    assert status_of(job) == signal.SIGKILL
    end = kept.told_exit(str(job.log))
    assert end is not None
    assert (end.code, end.signal) == (None, "SIGKILL")


def test_a_running_job_has_no_exit(shell: Shell) -> None:
    job = shell("await never")
    assert kept.exit_status(str(job.log)) == (job.pid, None)
    assert kept.told_exit(str(job.log)) is None


def test_the_exit_of_another_process_is_not_taken(shell: Shell) -> None:
    job = shell("exit 7")
    status_of(job)
    assert kept.told_exit(str(job.log), job.pid + 1) is None


def test_a_log_is_ours_through_a_symbolic_link_too(
    tmp_path: Path, state_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, descriptor = kept.create("x")
    os.close(descriptor)
    (tmp_path / "home").symlink_to(state_home)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "home"))
    assert kept.is_ours(str(log))
    assert not kept.is_ours(str(tmp_path / "train.log"))


@pytest.mark.parametrize("content", [b"", b"null\n", b"[]", b'{"pid": "1", "status": "0"}', b"\xff{"])
def test_a_broken_exit_file_tells_nothing(shell: Shell, content: bytes) -> None:
    job = shell("exit 7")
    status_of(job)
    Path(kept.exit_file(str(job.log))).write_bytes(content)
    assert kept.told_exit(str(job.log)) is None


def test_it_prints_to_a_terminal_of_120_columns(shell: Shell) -> None:
    job = shell("test -t 1 && test -t 2 && stty size <&1")
    assert status_of(job) == 0
    assert job.log.read_text() == "50 120\n"


def test_what_it_prints_is_kept_byte_for_byte(shell: Shell) -> None:
    job = shell(r"printf 'a\r\nb\tc\r d\n\377\033[1m'; printf error >&2")
    status_of(job)
    assert job.log.read_bytes() == b"a\r\nb\tc\r d\n\xff\x1b[1merror"


def test_all_of_a_flood_is_kept_before_the_end_is_told(shell: Shell) -> None:
    job = shell("seq 500000")
    status_of(job)
    assert job.log.read_text().split() == [str(number) for number in range(1, 500001)]


def test_it_cannot_be_asked_anything(shell: Shell) -> None:
    job = shell("read answer || echo nothing; (exec 3</dev/tty) 2>/dev/null || echo nobody")
    status_of(job)
    assert job.log.read_text() == "nothing\nnobody\n"


def test_it_has_directory_environment_and_default_signals(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEARNING_RATE", "0.1")
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    job = shell("pwd; echo $LEARNING_RATE $PYTHONPATH; grep SigIgn /proc/self/status; await never")
    until(lambda: job.log.read_text().count("\n") == 3)
    folder, variables, ignored = job.log.read_text().splitlines()
    assert (folder, variables) == (str(tmp_path), "0.1 /somewhere")
    assert int(ignored.split()[1], 16) == 0


def test_modules_in_its_directory_are_not_taken_for_those_of_python(shell: Shell, tmp_path: Path) -> None:
    for name in ("json", "struct", "signal", "floydtop"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit(3)")
    assert status_of(shell("exit 0")) == 0


def test_it_leads_a_session_and_its_keeper_is_nobodys_child(shell: Shell) -> None:
    job = shell("await never")
    assert os.getsid(job.pid) == os.getpgid(job.pid) == job.pid
    row = descriptors.process(job.pid)
    assert row is not None
    parent = descriptors.process(row.parent)
    assert parent is not None
    assert parent.name == KEEPER == keeper.NAME
    assert parent.parent != os.getpid()
    assert os.getsid(parent.pid) != os.getsid(0)


def test_signals_do_not_end_the_keeper(shell: Shell) -> None:
    job = shell("await go; echo done; exit 5")
    [pid] = keepers_of(job.log)
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGQUIT):
        os.kill(pid, number)
    Path("go").touch()
    assert os.waitstatus_to_exitcode(status_of(job)) == 5
    assert job.log.read_text() == "done\n"


def test_what_is_left_behind_can_print_on(shell: Shell) -> None:
    job = shell("(await go; echo late) & exit 3")
    assert os.waitstatus_to_exitcode(status_of(job)) == 3
    assert kept.is_held(str(job.log))
    Path("go").touch()
    until(lambda: job.log.read_text() == "late\n")
    until(lambda: not kept.is_held(str(job.log)))


def test_a_job_that_closes_its_output_is_waited_for(shell: Shell) -> None:
    job = shell("echo last; exec >/dev/null 2>&1; await go; exit 4")
    until(lambda: job.log.read_text() == "last\n")
    assert kept.exit_status(str(job.log))[1] is None
    Path("go").touch()
    assert os.waitstatus_to_exitcode(status_of(job)) == 4


def test_a_full_disk_does_not_stop_the_job_and_the_loss_is_told(shell: Shell) -> None:
    job = shell("await full; seq 100000; touch printed; await free; echo after; exit 6")
    [pid] = keepers_of(job.log)
    _, most = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (1000, most))
    Path("full").touch()
    until(Path("printed").exists)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (most, most))
    Path("free").touch()
    assert os.waitstatus_to_exitcode(status_of(job)) == 6
    printed = "".join(f"{number}\n" for number in range(1, 100001))
    lost = len(printed) - 1000
    assert job.log.read_text() == (
        f"{printed[:1000]}\n[floydtop: {lost} bytes of output are missing here: File too large]\nafter\n"
    )


@pytest.mark.skipif(os.geteuid() != 0, reason="LOUD: mounting a tmpfs needs root")
def test_a_disk_that_stays_full_neither_blocks_the_job_nor_hides_the_loss(
    shell: Shell, state_home: Path
) -> None:
    state_home.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", state_home], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"LOUD: no tmpfs can be mounted here: {mounted.stderr.decode().strip()}")
    try:
        job = shell("seq 100000; exit 6")
        assert os.waitstatus_to_exitcode(status_of(job)) == 6
        until(lambda: not kept.is_held(str(job.log)))
        size = job.log.stat().st_size
        end = kept.told_exit(str(job.log), job.pid)
        assert end is not None
        assert end.code == 6
        printed = sum(len(f"{number}\n") for number in range(1, 100001))
        assert end.how == (
            "told by the process that started it; "
            f"{printed - size} bytes of its output are missing from the log: No space left on device"
        )
    finally:
        subprocess.run(["umount", "-l", state_home], check=True)


def test_a_sentence_for_which_there_is_no_room_is_not_begun(tmp_path: Path) -> None:
    script = (
        "import os, resource, sys\n"
        f"sys.path.insert(0, {str(Path(keeper.__file__).parent)!r})\n"
        "import keeper\n"
        "log = keeper.Log()\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))\n"
        "log.keep(b'x' * 990)\n"
        "log.keep(b'y' * 100)\n"
        "os.ftruncate(1, 990)\n"
        "log.keep(b'z' * 100)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)\n"
        "log.keep(b'after')\n"
        "log.close()\n"
    )
    with (tmp_path / "log").open("ab") as log:
        subprocess.run([sys.executable, "-c", script], stdout=log, check=True)
    text = (tmp_path / "log").read_text()
    assert text == f"{'x' * 990}\n[floydtop: 190 bytes of output are missing here: File too large]\nafter"


def test_the_log_is_the_users_alone_and_its_name_harmless(state_home: Path) -> None:
    job = launch(["true"], "../../lr=0.1 \x1b[31m;rm -rf ")
    assert job.log.parent == state_home / "floydtop" / "logs"
    assert job.log.name.split("-", 1)[1].rpartition("-")[0] == "lr-0.1-31m-rm-rf"
    assert stat.S_IMODE(job.log.stat().st_mode) == 0o600
    assert stat.S_IMODE(job.log.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(os.stat(kept.exit_file(str(job.log))).st_mode) == 0o600


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("no-such-program", "Cannot start no-such-program: No such file or directory."),
        ("/etc/passwd", "Cannot start /etc/passwd: Permission denied."),
        ("", "Cannot start '': execv() arg 2 first element cannot be empty."),
    ],
)
def test_a_command_that_cannot_be_started_leaves_nothing_behind(
    state_home: Path, command: str, why: str
) -> None:
    with pytest.raises(FloydtopError) as refusal:
        launch([command], "x")
    assert str(refusal.value) == why
    assert list((state_home / "floydtop" / "logs").iterdir()) == []


def test_a_log_that_cannot_be_written_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    with pytest.raises(FloydtopError, match=r"Cannot write a log to .*: Not a directory\."):
        launch(["true"], "x")


def test_the_log_is_found_from_the_job_and_the_job_from_the_log(shell: Shell) -> None:
    job = shell("echo loss: 1; await never")
    until(lambda: job.log.stat().st_size)
    output = find_output(job.pid)
    assert output.log is not None, output.sentence
    assert output.log.path == str(job.log)
    assert find_writers(str(job.log)).pids == [job.pid]


async def test_a_recording_takes_the_exit_from_the_keeper_where_the_kernel_does_not_tell(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def not_known(_: int) -> None:
        raise OSError(25, "Inappropriate ioctl for device")

    monkeypatch.setattr(ending, "wait_status", not_known)
    monkeypatch.setattr(ending, "zombie_status", lambda _: None)
    job = shell("await recorded; echo last; exit 7")
    session = tmp_path / "session.jsonl"
    recording = Recording(Assignment(session, job.pid, str(job.log)))
    Path("recorded").touch()
    await recording.run()
    ends = [event.exit for event in events(session) if isinstance(event, JobState) and event.exit]
    assert ends == [Exit(code=7, how="told by the process that started it")]
    assert [event.text for event in events(session) if isinstance(event, OutputLine)] == ["last"]


async def test_a_recording_that_comes_after_the_end_tells_it(shell: Shell, tmp_path: Path) -> None:
    job = shell("echo last; exit 7")
    status_of(job)
    session = tmp_path / "session.jsonl"
    await Recording(Assignment(session, None, str(job.log))).run()
    found = events(session)
    assert [event.exit.code for event in found if isinstance(event, JobState) and event.exit] == [7]
    assert [event.text for event in found if isinstance(event, OutputLine)] == ["last"]
    assert isinstance(found[-1], End)
