"""Record the session that the pictures show: `python -m tests.pictures.record` runs the demo once, whole.

What names the machine (host, user, paths) is replaced; nothing else of the recording is touched.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from floydtop.demo import start
from floydtop.recorder.assignment import Assignment
from floydtop.recorder.main import record
from floydtop.session.format import Reader, encode
from tests.pictures import SESSION

INTERVAL = 2.0
"""Seconds between samples, as `floydtop demo` takes them."""


def main() -> None:
    """Run and record the demo job for its two minutes, and keep the session under tests/data."""
    with tempfile.TemporaryDirectory(prefix="floydtop-pictures-") as folder:
        log = Path(folder, "train.log")
        pid = start(str(log))
        session = Path(folder, "demo.jsonl")
        record(Assignment(session=session, pid=pid, log=str(log), interval=INTERVAL))
        SESSION.parent.mkdir(parents=True, exist_ok=True)
        SESSION.write_bytes(anonymous(session.read_bytes(), folder))
    print(f"{SESSION}: {SESSION.stat().st_size:,} bytes")


def anonymous(session: bytes, folder: str) -> bytes:
    """The session without the names of this machine, its user and its folders."""
    root = Path(__file__).parents[2]
    replacements = {
        folder: "/home/ada/runs/spirals",
        sys.executable: "/home/ada/floydtop/.venv/bin/python",
        str(root): "/home/ada/floydtop",
        os.uname().nodename: "workstation",
    }
    for ours, theirs in replacements.items():
        session = session.replace(ours.encode(), theirs.encode())
    events = Reader().feed(session)
    header = events[0]
    user = header.job.user if header.job is not None else None  # type: ignore[union-attr]  # the header
    return b"".join(map(encode, events)).replace(f'"user":"{user}"'.encode(), b'"user":"ada"')


if __name__ == "__main__":
    main()
