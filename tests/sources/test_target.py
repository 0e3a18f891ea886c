"""What the user named: a process, a log, a session, or a mistake that gets one clear sentence."""

from __future__ import annotations

import gzip
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from floydtop.errors import FloydtopError
from floydtop.sources.target import is_text, resolve
from tests.sources.jobs import Jobs, jobs, wait_until

__all__ = ["jobs"]

HEADER = b'{"k":"h","format":"floydtop-session","v":1,"id":"x","t0":0,"boot":"","host":"h","interval":60}\n'


def running(jobs: Jobs, command: str = "$PY train.py > out.log; true") -> tuple[int, str]:
    pid = jobs.start(command)
    log = jobs.directory / "out.log"
    wait_until(lambda: log.exists() and log.stat().st_size > 100)
    return pid, str(log)


def refused(text: str, **named: object) -> str:
    with pytest.raises(FloydtopError) as caught:
        resolve(text, **named)  # type: ignore[arg-type]  # passed on as given
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert sentence.endswith(".")
    return sentence


def test_a_pid_finds_its_log(jobs: Jobs) -> None:
    pid, log = running(jobs)
    target = resolve(str(pid))
    assert (target.kind, target.pid, target.log, target.notes) == ("job", pid, log, [])


def test_a_log_finds_its_job(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    pid, log = running(jobs)
    monkeypatch.chdir(jobs.directory)
    target = resolve("out.log")
    assert (target.kind, target.pid, target.log) == ("job", pid, log)


def test_a_finished_log_is_shown_without_a_process(tmp_path: Path) -> None:
    log = tmp_path / "out.log"
    log.write_text("loss: 0.5\n")
    target = resolve(str(log))
    assert (target.kind, target.pid, target.log) == ("log", None, str(log))
    assert "No process of this machine writes" in target.notes[0]


def test_an_empty_log_is_a_log(tmp_path: Path) -> None:
    (tmp_path / "out.log").touch()
    assert resolve(str(tmp_path / "out.log")).kind == "log"


def test_pid_and_log_may_both_be_named(jobs: Jobs, tmp_path: Path) -> None:
    pid, _ = running(jobs)
    (tmp_path / "other.log").write_text("loss: 1\n")
    target = resolve(None, pid=pid, log=str(tmp_path / "other.log"))
    assert (target.kind, target.pid, target.log) == ("job", pid, str(tmp_path / "other.log"))
    assert resolve(str(pid), log=str(tmp_path / "other.log")) == target


def test_a_deleted_log_comes_with_the_way_to_save_it(jobs: Jobs) -> None:
    pid, log = running(jobs)
    os.unlink(log)
    target = resolve(str(pid))
    assert target.fd_path == f"/proc/{pid}/fd/1"
    assert f"cp {target.fd_path}" in target.notes[0]


def test_a_log_that_was_only_guessed_is_said_to_be_a_guess(jobs: Jobs) -> None:
    pid = jobs.start("$PY train.py > /dev/null 2> err.log; true")
    target = resolve(str(pid))
    assert target.log == str(jobs.directory / "err.log")
    assert "--log FILE" in target.notes[0]


def test_output_that_cannot_be_read_still_makes_a_job(jobs: Jobs) -> None:
    pid = jobs.start("$PY train.py > /dev/null 2>&1; true")
    target = resolve(str(pid))
    assert (target.kind, target.pid, target.log) == ("job", pid, None)
    assert "/dev/null" in target.notes[0]


def test_a_session_is_known_by_its_first_line(tmp_path: Path) -> None:
    session = tmp_path / "anything.log"
    session.write_bytes(HEADER + b'{"k":"m","v":{"loss":1}}\n')
    target = resolve(str(session))
    assert (target.kind, target.session) == ("session", str(session))


def test_a_log_that_mentions_sessions_is_a_log(tmp_path: Path) -> None:
    log = tmp_path / "out.log"
    log.write_bytes(b"reading a session\n" + HEADER)
    assert resolve(str(log)).kind == "log"


def test_a_torn_session_header_is_refused(tmp_path: Path) -> None:
    session = tmp_path / "torn.jsonl"
    session.write_bytes(HEADER[:60])
    assert "broken session" in refused(str(session))


def test_a_file_whose_name_is_a_number_wins_when_no_such_process_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "99999999").write_text("loss: 1\n")
    assert resolve("99999999").log == str(tmp_path / "99999999")


def test_a_pid_wins_over_a_file_of_that_name(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    pid, _ = running(jobs)
    monkeypatch.chdir(jobs.directory)
    (jobs.directory / str(pid)).write_text("loss: 1\n")
    assert resolve(str(pid)).pid == pid
    assert resolve(f"./{pid}").log == str(jobs.directory / str(pid))


def test_no_such_process() -> None:
    assert "no process 99999999" in refused("99999999")


def test_a_process_that_has_ended_but_was_not_collected() -> None:
    child = subprocess.Popen([sys.executable, "-c", "pass"])
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert "already ended" in refused(str(child.pid))
    child.wait()


def test_no_such_file() -> None:
    assert "no such file" in refused("no/such/file.log")


def test_a_directory(tmp_path: Path) -> None:
    assert "is a directory" in refused(str(tmp_path))


def test_a_device() -> None:
    assert "is a device" in refused("/dev/null")


def test_a_binary_file() -> None:
    assert "is a binary file" in refused(sys.executable)


def test_a_compressed_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "out.log.xz").write_bytes(b"\xfd7zXZ\x00rest")
    assert "xz-compressed" in refused(str(tmp_path / "out.log.xz"))


def test_damaged_gzip_data_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out.log.gz").write_bytes(gzip.compress(b"loss: 1\n" * 1000)[:20] + b"damage" * 10)
    assert "gzip" in refused(str(tmp_path / "out.log.gz"))


def test_nothing_named_at_all() -> None:
    with pytest.raises(FloydtopError, match="Name a process or a log"):
        resolve(None)


def test_a_gzip_log_is_a_log(tmp_path: Path) -> None:
    (tmp_path / "out.log.gz").write_bytes(gzip.compress(b"loss: 1\n"))
    assert resolve(str(tmp_path / "out.log.gz")).kind == "log"


def test_a_fifo_is_a_log_whose_writer_is_the_job(jobs: Jobs) -> None:
    os.mkfifo(jobs.directory / "pipe.fifo")
    reader = os.open(jobs.directory / "pipe.fifo", os.O_RDONLY | os.O_NONBLOCK)
    pid = jobs.start("$PY train.py > pipe.fifo; true")
    target = resolve(str(jobs.directory / "pipe.fifo"))
    os.close(reader)
    assert (target.kind, target.pid, target.log) == ("job", pid, str(jobs.directory / "pipe.fifo"))


def test_a_thread_of_a_process_means_the_process(jobs: Jobs) -> None:
    jobs.program.write_text(
        "import threading, time\nthreading.Thread(target=time.sleep, args=(100,), daemon=True).start()\n"
        + jobs.program.read_text()
    )
    pid, _ = running(jobs)
    thread = next(int(name) for name in os.listdir(f"/proc/{pid}/task") if int(name) != pid)
    target = resolve(str(thread))
    assert target.pid == pid
    assert "thread" in target.notes[0]


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_somebody_else_s_process_is_a_job_without_a_log_that_names_its_owner(jobs: Jobs) -> None:
    pid, _ = running(jobs)
    program = (
        "import os, sys\n"
        "from floydtop.sources.target import resolve\n"
        "os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        "target = resolve(sys.argv[1])\n"
        "print(target.pid, target.log, *target.notes)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(pid)],
        capture_output=True,
        text=True,
        check=False,
        env=dict(os.environ, PYTHONPATH=os.getcwd()),
    )
    assert done.stdout.startswith(f"{pid} None"), done.stderr
    assert "belongs to root" in done.stdout


HIDDEN = """
mount -t proc -o hidepid=2 proc /proc || { echo not permitted; exit; }
sleep 100 > hidden.log &
chmod 644 hidden.log
"$PY" -c '
import os, sys
from floydtop.errors import FloydtopError
from floydtop.sources.target import resolve
os.setgroups([]); os.setgid(65534); os.setuid(65534)
try: resolve(sys.argv[1])
except FloydtopError as error: print(error)
print(*resolve("hidden.log").notes)
try: resolve("1999999")
except FloydtopError as error: print(error)
' $!
"""


@pytest.mark.skipif(os.getuid() != 0, reason="only root can mount a /proc that hides processes")
def test_processes_that_proc_hides_are_not_said_to_be_absent() -> None:
    # pytest's own directories are closed to others.
    folder = tempfile.mkdtemp(prefix="floydtop-test-")
    os.chmod(folder, 0o755)
    done = subprocess.run(
        ["unshare", "-mp", "--fork", "sh", "-c", HIDDEN],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env=dict(os.environ, PYTHONPATH=os.getcwd(), PY=sys.executable),
    )
    shutil.rmtree(folder)
    if "not permitted" in done.stdout + done.stderr:
        pytest.skip("NOT TESTED WITH HIDDEN PROCESSES: namespaces or mounts are not permitted here")
    process, log, absent = done.stdout.splitlines()
    assert "is hidden from you (hidepid of /proc)" in process, done.stderr
    assert log == (
        "No process of this machine writes hidden.log, as far as can be seen: those of others are hidden "
        "(hidepid of /proc)."
    )
    assert absent.startswith("There is no process 1999999")


@pytest.mark.parametrize(
    "block",
    [
        b"",
        b"loss: 0.5\n",
        b"\xff\xfel\0o\0s\0s\0",
        bytes(4000) + b"after a truncation\n",
        b"a stray \0 in the middle of a line that is otherwise text\n" * 3,
        b"\x1b[1mcolours\x1b[0m\r\x08\x08\x07\n",
        "Verlust: 0,5 \u2501\u2501\n".encode(),
        "\u635f\u5931 0.5\n".encode("gbk"),
        b"\xff\xfe\xfa broken UTF-8 \xc3\n",
    ],
)
def test_text_of_all_kinds_is_text(block: bytes) -> None:
    assert is_text(block)


@pytest.mark.parametrize(
    "block",
    [
        Path(sys.executable).read_bytes()[:65536],
        bytes(range(256)) * 16,
        b"\x80\x04\x95" + b"\0\0\x8c\x05model" * 20,
    ],
)
def test_programs_and_checkpoints_are_not_text(block: bytes) -> None:
    assert not is_text(block)


def test_a_job_that_ends_in_between_is_said_to_have_ended(jobs: Jobs) -> None:
    pid, _ = running(jobs)
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not os.path.exists(f"/proc/{pid}"))
    assert "no process" in refused(str(pid))
