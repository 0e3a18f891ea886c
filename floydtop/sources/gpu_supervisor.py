"""Keeps the GPU helper process going: hears its lines, notices its death or silence, starts it again."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import msgspec

from .gpu_wire import Line

ENTRY = "import sys; sys.path.append(sys.argv.pop(1)); from floydtop.sources.gpu_helper import main; main()"
"""Unlike `-m`, this takes nothing from the working directory, and works from a checkout."""
STDERR_KEPT = 8192
CALL = re.compile(r" in (nvml[A-Za-z]\w*)")
"""A frame of pynvml in what faulthandler prints."""
REAP_SECONDS = 0.05


@dataclass(frozen=True)
class Patience:
    """How long to wait for what, in seconds."""

    period: float = 1.0
    """Between two readings."""
    silence: float = 5.0
    """Without a line, before the driver counts as hung."""
    startup: float = 30.0
    """For the first line: initialising eight sleeping GPUs takes many seconds."""
    retries: tuple[float, ...] = (2.0, 10.0, 60.0, 300.0)
    """Before each new start."""
    recovered: float = 600.0
    """Of good service, after which the retries begin anew."""


class Supervisor:
    """One helper process at a time; `heard` gets its lines, `lost` one sentence whenever it is gone."""

    def __init__(
        self, heard: Callable[[Line], None], lost: Callable[[str], None], patience: Patience
    ) -> None:
        self._heard = heard
        self._lost = lost
        self._patience = patience
        self._decoder = msgspec.json.Decoder(Line)
        self._process: subprocess.Popen[bytes] | None = None
        self._ended: list[subprocess.Popen[bytes]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._partial = b""
        self._complaint = b""
        self._attempts = 0
        self._started_at = 0.0
        self._heard_at = 0.0
        self._allowed = 0.0
        self._final = False

    @property
    def pid(self) -> int | None:
        """Pid of the helper while one runs."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start a helper; needs a running event loop, waits for nothing."""
        loop = asyncio.get_running_loop()
        self._reap()
        root = str(Path(__file__).parents[2])
        arguments = [sys.executable, "-P", "-W", "ignore", "-c", ENTRY, root]
        # The helper names the call that hangs before we lose patience.
        told_after = max(0.1, 0.75 * (self._patience.silence - self._patience.period))
        arguments += [str(os.getpid()), str(self._patience.period), str(told_after)]
        try:
            process = subprocess.Popen(
                arguments,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                # Ctrl-C in the terminal is meant for the app alone.
                start_new_session=True,
            )
        except OSError as error:
            self._lost(f"GPU sampler not started: {error.strerror}")
            return
        self._process = process
        self._partial = self._complaint = b""
        self._started_at = self._heard_at = loop.time()
        self._allowed = self._patience.startup
        stdout, stderr = _pipes(process)
        loop.add_reader(stdout.fileno(), self._read, process)
        loop.add_reader(stderr.fileno(), self._read_complaint, stderr.fileno())
        self._call_later(self._patience.silence, self._check)

    async def close(self) -> None:
        """End the helper; one that the driver holds is left to the kernel, which ends it with its call."""
        self._call_later(0, None)
        if self._process:
            self._drop(self._process).kill()
        for _ in range(20):
            self._reap()
            if not self._ended:
                return
            await asyncio.sleep(REAP_SECONDS)

    def _call_later(self, delay: float, action: Callable[[], None] | None) -> None:
        if self._timer:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(delay, action) if action else None

    def _read(self, process: subprocess.Popen[bytes]) -> None:
        chunk = os.read(_pipes(process)[0].fileno(), 65536)
        if not chunk:
            self._drop(process)
            self._call_later(0, lambda: self._tell_end(process))
            return
        *lines, self._partial = (self._partial + chunk).split(b"\n")
        for text in lines:
            try:
                line = self._decoder.decode(text)
            except (msgspec.DecodeError, UnicodeDecodeError):
                continue
            self._heard_at = asyncio.get_running_loop().time()
            self._allowed = self._patience.silence
            if self._heard_at - self._started_at > self._patience.recovered:
                self._attempts = 0
            self._final = self._final or line.absent is not None
            self._heard(line)

    def _read_complaint(self, stderr: int) -> None:
        chunk = os.read(stderr, 65536)
        if not chunk:
            asyncio.get_running_loop().remove_reader(stderr)
        self._complaint = (self._complaint + chunk)[-STDERR_KEPT:]

    def _check(self) -> None:
        """Has the helper been silent for too long? A start is given more time, but the wait is told."""
        silent = asyncio.get_running_loop().time() - self._heard_at
        if silent < self._patience.silence:
            self._call_later(self._patience.silence - silent, self._check)
        elif silent < self._allowed:
            self._lost("the NVIDIA driver does not answer")
            self._call_later(self._allowed - silent, self._check)
        else:
            if self._process:
                self._drop(self._process).kill()
            self._give_up(f"the NVIDIA driver does not answer{self._where()}")

    def _tell_end(self, process: subprocess.Popen[bytes]) -> None:
        """Say how the helper ended, as soon as the kernel tells; its pipes close a little earlier."""
        code = process.poll()
        if code is None:
            if asyncio.get_running_loop().time() - self._heard_at > self._patience.silence:
                process.kill()
            self._call_later(REAP_SECONDS, lambda: self._tell_end(process))
            return
        self._reap()
        if self._final:
            return
        if code < 0:
            how = f"killed by {_signal_name(-code)}{self._where()}"
        else:
            last = self._complaint.decode("utf-8", "replace").strip().splitlines()[-1:]
            how = f"exit status {code}" + (f": {last[0][:200]}" if last else "")
        self._give_up(f"GPU sampler lost: {how}")

    def _give_up(self, why: str) -> None:
        """Tell the loss, and try again later if any try is left."""
        if self._attempts < len(self._patience.retries):
            delay = self._patience.retries[self._attempts]
            self._attempts += 1
            self._call_later(delay, self.start)
        else:
            why += f" (given up after {self._attempts} new starts)"
        self._lost(why)

    def _where(self) -> str:
        found = CALL.search(self._complaint.decode("utf-8", "replace"))
        return f" ({found[1]})" if found else ""

    def _drop(self, process: subprocess.Popen[bytes]) -> subprocess.Popen[bytes]:
        """Stop listening to a helper."""
        loop = asyncio.get_running_loop()
        stdout, stderr = _pipes(process)
        loop.remove_reader(stdout.fileno())
        stdout.close()
        loop.remove_reader(stderr.fileno())
        os.set_blocking(stderr.fileno(), False)
        self._complaint = (self._complaint + (stderr.read() or b""))[-STDERR_KEPT:]
        stderr.close()
        self._ended.append(process)
        self._process = None
        return process

    def _reap(self) -> None:
        self._ended = [process for process in self._ended if process.poll() is None]


def _pipes(process: subprocess.Popen[bytes]) -> tuple[IO[bytes], IO[bytes]]:
    """Both output pipes of a process that was started with them."""
    if process.stdout is None or process.stderr is None:
        raise ValueError("started without pipes")
    return process.stdout, process.stderr


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
