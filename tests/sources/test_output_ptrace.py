"""Tracing a job on a bare terminal, on request."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from floydtop.errors import FloydtopError
from floydtop.sources.chunks import Chunk
from floydtop.sources.follow import follow
from floydtop.sources.ptrace import written
from floydtop.sources.target import resolve
from tests.sources.jobs import Jobs, jobs, needs, wait_until

__all__ = ["jobs"]

ON_A_TERMINAL = "import pty, sys\npty.spawn([sys.executable, 'train.py'])\n"


def tracer_of(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("TracerPid"))


@pytest.fixture
def traced(jobs: Jobs) -> int:
    (jobs.directory / "terminal.py").write_text(ON_A_TERMINAL)
    return jobs.start("$PY terminal.py > /dev/null")


@needs("strace")
async def test_the_lines_of_a_job_on_a_bare_terminal_are_read_on_request(traced: int) -> None:
    target = resolve(str(traced), ptrace=True)
    assert target.terminal is not None
    assert "longer" in target.notes[-1]
    stop = asyncio.Event()
    text = b""
    async for item in follow(target.terminal, stop=stop):
        if isinstance(item, Chunk):
            text += item.data
        if text.count(b"\n") > 10:
            stop.set()
    steps = [int(line.split()[-1].rstrip(b"}")) for line in text.splitlines() if line.endswith(b"}")]
    assert steps == list(range(steps[0], steps[0] + len(steps)))
    wait_until(lambda: tracer_of(traced) == 0)


@needs("strace")
def test_a_job_is_let_go_when_its_tracer_is_killed(traced: int) -> None:
    address = resolve(str(traced), ptrace=True).terminal
    program = (
        "import asyncio, sys\n"
        "from floydtop.sources.follow import follow\n"
        "async def main():\n"
        "    async for item in follow(sys.argv[1], stop=lambda: False): print(item, flush=True)\n"
        "asyncio.run(main())\n"
    )
    reader = subprocess.Popen(
        [sys.executable, "-c", program, str(address)],
        stdout=subprocess.PIPE,
        env=dict(os.environ, PYTHONPATH=os.getcwd()),
    )
    assert reader.stdout is not None
    reader.stdout.readline()
    assert tracer_of(traced) != 0
    reader.send_signal(signal.SIGKILL)
    reader.wait()
    reader.stdout.close()
    wait_until(lambda: tracer_of(traced) == 0)


@needs("strace")
async def test_a_job_that_may_not_be_traced_is_an_error_in_one_sentence() -> None:
    with pytest.raises(FloydtopError, match="cannot be traced"):
        await anext(follow("ptrace:99999999:/dev/pts/0", stop=asyncio.Event()))


def test_nothing_is_traced_unasked(traced: int) -> None:
    target = resolve(str(traced))
    assert target.terminal is None
    assert "--ptrace" in target.notes[0]


def traced_line(text: str) -> bytes:
    """A line of `strace -xx -y`, in which file names are hexadecimal too; here they are written plainly."""
    head, _, rest = text.partition("<")
    name, _, rest = rest.partition(">, ")
    return f"{head}<{''.join(f'{chr(92)}x{byte:02x}' for byte in name.encode())}>, {rest}".encode()


@pytest.mark.parametrize(
    ("line", "data"),
    [
        (traced_line(r'write(1</dev/pts/3>, "\x6c\x0a", 2) = 2'), b"l\n"),
        (traced_line(r'[pid 77] write(1</dev/pts/3>, "\x6c", 1 <unfinished ...>'), b"l"),
        (
            traced_line(
                r'writev(2</dev/pts/3>, [{iov_base="\x6c", iov_len=1}, {iov_base="\x0a", iov_len=1}], 2)'
            ),
            b"l\n",
        ),
        (traced_line(r'write(5</tmp/x>, "\x6c", 1) = 1'), b""),
        (b"[pid 77] <... write resumed>) = 1", b""),
        (b"strace: Process 77 attached", b""),
    ],
)
def test_the_bytes_are_read_from_the_trace(line: bytes, data: bytes) -> None:
    assert written(line, b"/dev/pts/3") == data
