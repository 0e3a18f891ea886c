"""Reading a job in a real tmux pane, on a server of the test's own."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from floydtop.errors import FloydtopError
from floydtop.sources.chunks import Chunk, Item, Restart
from floydtop.sources.descriptors import command, pids
from floydtop.sources.follow import follow
from floydtop.sources.output import find_output
from floydtop.sources.target import resolve
from tests.sources.jobs import Jobs, jobs, needs, wait_until

__all__ = ["jobs"]

pytestmark = needs("tmux")

COUNTING = """
import os, sys, time
open("pid.new", "w").write(str(os.getpid())); os.rename("pid.new", "pid")
for step in range(int(sys.argv[1])):
    print(f"line {step:06} " + "x" * 150, flush=True)
    time.sleep(float(sys.argv[2]))
open("done", "w").close()
time.sleep(100)
"""


HALF_A_LINE = """
import os, time
open("pid.new", "w").write(str(os.getpid())); os.rename("pid.new", "pid")
print("loss: ", end="", flush=True)
while not os.path.exists("go"):
    time.sleep(0.01)
print("0.25", flush=True)
time.sleep(100)
"""

BAR = """
import os, time
open("pid.new", "w").write(str(os.getpid())); os.rename("pid.new", "pid")
for n in range(100000):
    print(f"\\r{n} it", end="", flush=True)
    time.sleep(0.05)
"""


class Tmux:
    """A tmux server with one window, on a socket in the test's directory."""

    def __init__(self, jobs: Jobs) -> None:
        self.socket = str(jobs.directory / "tmux.socket")
        self.jobs = jobs
        self._earlier = relays()
        (jobs.directory / "count.py").write_text(COUNTING)

    def run(self, *arguments: str) -> str:
        command = ["tmux", "-S", self.socket, "-f", "/dev/null", *arguments]
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=True,
            cwd=self.jobs.directory,
            env=self.jobs.environment,
        )
        return done.stdout.strip()

    def start(self, command: str) -> int:
        self.run("new-session", "-d", "-x", "80", "-y", "24", command)
        return self.jobs.pid()

    def has_relay(self) -> bool:
        """Whether a relay runs that was started since."""
        return bool(relays() - self._earlier)

    @property
    def pipe(self) -> str:
        return self.run("display-message", "-p", "#{pane_pipe}")


@pytest.fixture
def tmux(jobs: Jobs) -> Iterator[Tmux]:
    server = Tmux(jobs)
    yield server
    with contextlib.suppress(subprocess.CalledProcessError):
        server.run("kill-server")


def terminal_of(pid: int) -> str:
    output = find_output(pid)
    assert output.terminal is not None, output.sentence
    return output.terminal


async def text_until(items: AsyncIterator[Item], wanted: bytes) -> bytes:
    text = b""
    async for item in items:
        assert not isinstance(item, Restart)
        if isinstance(item, Chunk):
            text += item.data
        if wanted in text:
            break
    return text


def relays() -> set[int]:
    return {pid for pid in pids() if any(part.endswith("sources/relay.py") for part in command(pid))}


def test_a_job_in_tmux_is_resolved_to_its_pane(tmux: Tmux) -> None:
    pid = tmux.start(f"{sys.executable} count.py 100000 0.02")
    target = resolve(str(pid))
    assert (target.kind, target.log) == ("job", None)
    assert target.terminal == f"tmux:%0:{tmux.socket}"
    assert "tmux pane %0" in target.notes[0]


def test_a_stale_pane_in_the_environment_does_not_mislead(tmux: Tmux) -> None:
    tmux.run("new-session", "-d", "sleep 100")
    pid = tmux.run(
        "split-window", "-P", "-F", "#{pane_id}", f"TMUX_PANE=%0 {sys.executable} count.py 100000 0.02"
    )
    assert terminal_of(tmux.jobs.pid()) == f"tmux:{pid}:{tmux.socket}"


def test_a_pane_is_read_though_stderr_goes_to_a_file(tmux: Tmux) -> None:
    pid = tmux.start(f"{sys.executable} count.py 100000 0.02 2> err.log")
    assert terminal_of(pid) == f"tmux:%0:{tmux.socket}"


def test_a_pane_is_read_though_a_helper_of_the_job_has_a_log_of_its_own(tmux: Tmux) -> None:
    (tmux.jobs.directory / "main.py").write_text(
        "import subprocess, sys\n"
        "helper = [sys.executable, '-uc', 'print(\"service started\", flush=True); input()']\n"
        "subprocess.Popen(helper, stdin=subprocess.PIPE, stdout=open('helper.log', 'w'))\n"
        "sys.argv = ['count.py', '100000', '0.02']\n"
        "exec(open('count.py').read())\n"
    )
    pid = tmux.start(f"{sys.executable} main.py")
    wait_until(lambda: (tmux.jobs.directory / "helper.log").stat().st_size > 0)
    assert terminal_of(pid) == f"tmux:%0:{tmux.socket}"


def test_a_job_whose_environment_says_nothing_is_found_through_the_server(tmux: Tmux) -> None:
    pid = tmux.start(f"env -u TMUX -u TMUX_PANE {sys.executable} count.py 100000 0.02")
    assert terminal_of(pid) == f"tmux:%0:{tmux.socket}"


async def test_history_and_live_output_join_without_a_lost_or_doubled_line(tmux: Tmux) -> None:
    lines = 1500
    pid = tmux.start(f"{sys.executable} count.py {lines} 0.001")
    stop = asyncio.Event()
    items = follow(terminal_of(pid), stop=stop)
    text = await text_until(items, f"line {lines - 1:06} ".encode() + b"x" * 150 + b"\r\n")
    await items.aclose()
    numbers = [
        int(line.split()[1]) for line in text.replace(b"\r", b"").splitlines() if line.startswith(b"line")
    ]
    assert numbers == list(range(lines))
    assert all(len(line) == 162 for line in text.replace(b"\r", b"").splitlines() if line.startswith(b"line"))


async def test_an_unfinished_line_is_continued_by_the_live_output(tmux: Tmux) -> None:
    (tmux.jobs.directory / "half.py").write_text(HALF_A_LINE)
    pid = tmux.start(f"{sys.executable} half.py")
    wait_until(lambda: "loss:" in tmux.run("capture-pane", "-p"))
    stop = asyncio.Event()
    items = follow(terminal_of(pid), stop=stop)
    first = await anext(items)
    assert isinstance(first, Chunk)
    assert first.history
    assert first.data.endswith(b"loss: ")
    (tmux.jobs.directory / "go").touch()
    assert b"0.25" in await text_until(items, b"0.25\r\n")
    await items.aclose()


async def test_bars_arrive_raw_with_their_carriage_returns(tmux: Tmux) -> None:
    (tmux.jobs.directory / "bar.py").write_text(BAR)
    pid = tmux.start(f"{sys.executable} bar.py")
    items = follow(terminal_of(pid), stop=asyncio.Event())
    text = await text_until(items, b"\r25 it")
    assert b"\r24 it\r25 it" in text
    await items.aclose()


async def test_a_clean_end_frees_the_pipe_and_leaves_no_process(tmux: Tmux) -> None:
    pid = tmux.start(f"{sys.executable} count.py 3 0.01")
    wait_until((tmux.jobs.directory / "done").exists)
    stop = asyncio.Event()
    items = follow(terminal_of(pid), stop=stop)
    await anext(items)
    await anext(items)
    assert tmux.pipe == "1"
    stop.set()
    async for _ in items:
        pass
    wait_until(lambda: tmux.pipe == "0" and not tmux.has_relay())


async def test_a_killed_reader_leaves_nothing_though_the_job_is_silent(tmux: Tmux, tmp_path: Path) -> None:
    pid = tmux.start(f"{sys.executable} count.py 3 0.01")
    wait_until((tmux.jobs.directory / "done").exists)
    program = (
        "import asyncio, sys\n"
        "from floydtop.sources.follow import follow\n"
        "async def main():\n"
        "    async for item in follow(sys.argv[1], stop=lambda: False): print(item, flush=True)\n"
        "asyncio.run(main())\n"
    )
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    reader = subprocess.Popen(
        [sys.executable, "-c", program, terminal_of(pid)],
        stdout=subprocess.PIPE,
        env=dict(os.environ, TMPDIR=str(temporary)),
    )
    assert reader.stdout is not None
    reader.stdout.readline()
    assert tmux.pipe == "1"
    reader.send_signal(signal.SIGKILL)
    reader.wait()
    reader.stdout.close()
    wait_until(lambda: tmux.pipe == "0" and not tmux.has_relay() and not list(temporary.iterdir()))


async def test_a_pipe_of_the_user_s_is_left_alone_and_the_lines_come_all_the_same(tmux: Tmux) -> None:
    pid = tmux.start(f"{sys.executable} count.py 40 0.05")
    mine = tmux.jobs.directory / "mine.txt"
    tmux.run("pipe-pane", "-t", "%0", f"exec cat > {mine}")
    wait_until(lambda: mine.exists() and mine.stat().st_size > 0)
    text = await text_until(
        follow(terminal_of(pid), stop=asyncio.Event()), b"line 000039 " + b"x" * 150 + b"\n"
    )
    numbers = [int(line.split()[1]) for line in text.splitlines() if line.startswith(b"line")]
    assert numbers == list(range(40))
    assert tmux.pipe == "1"
    wait_until(lambda: b"line 000039" in mine.read_bytes())


async def test_when_the_user_takes_the_pipe_the_reading_goes_on(tmux: Tmux) -> None:
    pid = tmux.start(f"{sys.executable} count.py 100000 0.05")
    mine = tmux.jobs.directory / "mine.txt"
    text = b""
    taken = False
    async for item in follow(terminal_of(pid), stop=asyncio.Event()):
        if isinstance(item, Chunk):
            text += item.data
        if not taken and b"line 000003" in text:
            taken = True
            tmux.run("pipe-pane", "-t", "%0", f"exec cat > {mine}")
            after = len(text)
        if taken and text[after:].count(b"line ") > 40:
            break
    assert tmux.pipe == "1"
    assert b"line" in mine.read_bytes()


async def test_a_pane_that_is_gone_is_an_error_in_one_sentence(tmux: Tmux) -> None:
    tmux.start(f"{sys.executable} count.py 3 0.01")
    with pytest.raises(FloydtopError, match="tmux says"):
        await anext(follow(f"tmux:%77:{tmux.socket}", stop=asyncio.Event()))


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
async def test_root_reads_a_pane_of_somebody_else_and_leaves_it_as_it_was() -> None:
    folder = tempfile.mkdtemp(prefix="floydtop-test-")
    os.chown(folder, 65534, -1)
    server = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "tmux", "-S", f"{folder}/socket"]
    loop = "while :; do echo the loss is 0.5; sleep 0.1; done"
    environment = {"PATH": os.environ["PATH"], "TERM": "xterm", "HOME": folder, "SHELL": "/bin/sh"}

    def run(*arguments: str) -> str:
        command = [*server, "-f", "/dev/null", *arguments]
        return subprocess.run(
            command, env=environment, cwd="/", capture_output=True, text=True, check=True
        ).stdout

    try:
        run("new-session", "-d", "-x", "80", "-y", "24", f"exec sh -c '{loop}'")
        pid = int(run("display-message", "-p", "#{pane_pid}"))
        items = follow(terminal_of(pid), stop=asyncio.Event())
        text = await text_until(items, b"the loss is 0.5\r\n")
        assert run("display-message", "-p", "#{pane_pipe}") == "1\n"
        await items.aclose()
        assert text
        wait_until(lambda: run("display-message", "-p", "#{pane_pipe}") == "0\n")
    finally:
        run("kill-server")
        shutil.rmtree(folder)
