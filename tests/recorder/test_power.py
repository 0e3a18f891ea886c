"""A power cut costs the last seconds of a recording: the disk is looked at as it was at that moment."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from floydtop.events import Header, Metrics
from floydtop.recorder.assignment import Assignment
from floydtop.recorder.detach import Starting
from floydtop.session.format import Reader
from floydtop.session.writer import SYNC_EVERY
from tests.recorder.jobs import job, until

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("mkfs.ext4") is None or not Path("/dev/loop-control").exists(),
    reason="LOUD: a power cut needs root, a loop device and mkfs.ext4 (apt-get install e2fsprogs)",
)


@contextmanager
def mounted(image: Path, folder: Path) -> Iterator[Path]:
    """The file system in an image, which gets what is written when a disk would get it."""
    folder.mkdir()
    done = subprocess.run(["mount", "-o", "loop", image, folder], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"LOUD: no disk image can be mounted here: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def test_a_power_cut_costs_no_more_than_the_last_seconds(tmp_path: Path) -> None:
    image, after = tmp_path / "disk", tmp_path / "disk-after"
    with image.open("wb") as file:
        file.truncate(32 << 20)
    subprocess.run(["mkfs.ext4", "-q", image], check=True)
    printed: dict[int, float] = {}
    with mounted(image, tmp_path / "before") as disk, job(tmp_path / "train.log") as child:
        session, unsynced = disk / "run.jsonl", disk / "unsynced"
        Starting(Assignment(session, child.pid, str(child.log), interval=1.0)).wait()
        unsynced.write_text("positive control: this was never synced")
        began = time.monotonic()
        for step in range(1000):
            child.metric("loss", 1.0, step)
            printed[step] = time.monotonic()
            if time.monotonic() - began > 2 * SYNC_EVERY:
                break
            time.sleep(0.05)
        cut = time.monotonic()
        shutil.copyfile(image, after)
        child.process.kill()
        until(lambda: b'"k":"end"' in session.read_bytes())
    with mounted(after, tmp_path / "after") as disk:
        reader = Reader()
        events = reader.feed((disk / "run.jsonl").read_bytes())
        control = disk / "unsynced"
        assert not control.exists() or control.read_text() == "", "the copy would hold what no disk held"
    assert isinstance(events[0], Header)
    steps = {event.step for event in events if isinstance(event, Metrics)}
    old = {step for step, when in printed.items() if when < cut - SYNC_EVERY - 2.0}
    assert len(old) > 10
    assert old <= steps
    print(f"{len(printed)} points printed, {len(steps)} on the disk, {len(old - steps)} of {len(old)} lost")
