"""Real control groups for tests, where this machine lets us make some."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from floydtop.sources import cgroup
from tests.sources.children import until

COUNTED_BY_ALL = ("", "cpuacct")
"""Every v2 group counts CPU time, with no controller."""


def place(controller: str) -> cgroup.Mount:
    """The hierarchy that has the controller; skips the test when there is none we may write to."""
    for mount in sorted(cgroup.mounts()):
        if mount.version == 2 and controller not in COUNTED_BY_ALL:
            offered = controller in Path(mount.point, "cgroup.controllers").read_text().split()
        else:
            offered = mount.version == 2 or controller in mount.controllers
        if offered and os.access(mount.point, os.W_OK):
            return mount
    pytest.skip(f"no cgroup hierarchy with {controller or 'v2'!r} that we may write to (needs root)")


@contextmanager
def group(name: str, controller: str) -> Iterator[Path]:
    """A new cgroup in the hierarchy of the controller; kills what is left in it and removes it in the end."""
    mount = place(controller)
    directory = Path(mount.point, f"floydtop-test-{os.getpid()}-{name}")
    try:
        directory.mkdir()
    except OSError as error:
        pytest.skip(f"can't make a cgroup in {mount.point}: {error.strerror}")
    try:
        probe = {"memory": "memory.stat", "cpu": "cpu.stat"}.get(controller, "cgroup.procs")
        if not (directory / probe).exists():
            pytest.skip(f"{mount.point} does not pass its {controller} controller on to new groups")
        yield directory
    finally:

        def emptied() -> bool:
            for pid in (directory / "cgroup.procs").read_text().split():
                with suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)
            with suppress(OSError):
                directory.rmdir()
            return not directory.exists()

        until(emptied)


def set_memory_limit(directory: Path, size: int) -> None:
    """Limits the group's memory; skips where the kernel refuses."""
    name = "memory.max" if (directory / "memory.max").exists() else "memory.limit_in_bytes"
    (directory / name).write_text(str(size))


def set_quota(directory: Path, cores: float) -> None:
    """Limits the CPU time of the group to so many cores."""
    if (directory / "cpu.max").exists():
        (directory / "cpu.max").write_text(f"{int(cores * 100000)} 100000")
    else:
        (directory / "cpu.cfs_quota_us").write_text(str(int(cores * 100000)))


def join(*directories: Path) -> str:
    """Source of Python lines with which a program puts itself into the groups."""
    return "".join(f"open('{directory}/cgroup.procs', 'w').write('0')\n" for directory in directories)
