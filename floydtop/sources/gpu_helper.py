"""The GPU sampler, a process of its own: each second one JSON line with what the NVIDIA driver says.

It is apart from the recorder because whoever calls the driver may hang or be killed by it. Lines, in this
order (`gpu_wire` has the same with types and units):
    {"absent": REASON}                           no driver or no GPU; the process then ends
    {"devices": [DEVICE]}
    {"t": SECONDS, "readings": [READING], "xids": [[INDEX, CODE]]}      then one such line a second
"""

from __future__ import annotations

import ctypes
import faulthandler
import json
import os
import resource
import signal
import sys
import time
from typing import IO, Any

from .gpu_nvml import Unavailable, ask, describe, new_xids, open_devices, read, watch_xids

SLOW_EVERY = 10
"""Readings between two looks at what changes rarely: ECC counters and the MIG layout."""


def die_with_parent(parent: int) -> None:
    """Let the kernel end this process with its parent, also when the driver holds it in a call (prctl(2))."""
    if sys.platform == "linux":
        pdeathsig = 1
        ctypes.CDLL(None).prctl(pdeathsig, int(signal.SIGKILL))
    if os.getppid() != parent:
        raise SystemExit(0)


def sample(parent: int, period: float, patience: float, out: IO[str]) -> None:
    """Print readings every `period` seconds until the parent is gone.

    When the driver takes more than `patience` seconds for one, the stack, with the name of the call that
    hangs, goes to stderr.
    """

    def say(line: dict[str, Any]) -> None:
        out.write(json.dumps(line, separators=(",", ":")) + "\n")
        out.flush()

    faulthandler.dump_traceback_later(patience)
    try:
        ask("nvmlInit")
        count = ask("nvmlDeviceGetCount")
    except Unavailable as error:
        say({"absent": str(error)})
        return
    if count == 0:
        say({"absent": "the NVIDIA driver finds no GPU"})
        return
    devices, broken = open_devices(count)
    say({"devices": [*map(describe, devices), *({"index": index} for index in broken)]})
    events = watch_xids(devices)
    due, turn = time.monotonic(), 0
    while os.getppid() == parent:
        faulthandler.dump_traceback_later(patience)
        readings = [read(device, turn % SLOW_EVERY == 0) for device in devices]
        readings += [{"index": index, "lost": reason} for index, reason in broken.items()]
        xids = new_xids(events, devices)
        faulthandler.cancel_dump_traceback_later()
        say({"t": time.monotonic(), "readings": readings, "xids": xids})
        turn += 1
        due = max(due + period, time.monotonic())
        time.sleep(max(0.0, due - time.monotonic()))


def main() -> None:
    """Entry of the process; arguments: pid of the parent, period and patience in seconds."""
    parent, period, patience = int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])
    # A library that prints on stdout must not break our lines.
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    die_with_parent(parent)
    faulthandler.enable()
    # A driver that crashes us each minute must not fill the working directory with core files.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        sample(parent, period, patience, out)
    except BrokenPipeError:
        os._exit(0)
