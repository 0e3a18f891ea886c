"""What can be measured here and what can't, found out by trying."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Literal, NamedTuple

from floydtop.events import Facts, Reading
from floydtop.sources.process import JobTree

INITIAL_PID_NAMESPACE = "pid:[4026531836]"
"""PROC_PID_INIT_INO of the kernel (include/linux/proc_ns.h)."""

CAP_SYS_PTRACE = 1 << 19
"""The capability to look into the memory maps of other users' processes; see capabilities(7)."""

OWNER_OR_ROOT = "run floydtop as the job's owner or as root"


class Finding(NamedTuple):
    """One line of the doctor's report."""

    topic: str
    works: Literal["yes", "partly", "no"]
    verdict: str
    remedy: str = ""
    """What can be done about it, empty when nothing needs to be done or nothing can."""

    def __str__(self) -> str:
        remedy = f" -> {self.remedy}" if self.remedy else ""
        return f"{self.works:6}  {self.topic:13}  {self.verdict}{remedy}"


def examine(pid: int | None = None) -> Iterator[Finding]:
    """Tries what this machine lets us measure and, given a pid, what of that process.

    Starts a short-lived process and the GPU sampler, and takes up to a few seconds. Raises FloydtopError when
    there is no process `pid`.
    """
    tree = None if pid is None else JobTree.open(pid)
    if sys.platform == "linux":
        yield from _linux()
    else:
        yield Finding(
            "system",
            "partly",
            f"{platform.system()}: CPU, memory and state through psutil; no exit codes, limits or I/O",
        )
    yield _gpus(None if tree is None else tree.pids())
    if tree is not None:
        yield from _job(tree)
        tree.close()


def _linux() -> Iterator[Finding]:
    yield Finding("kernel", "yes", f"Linux {platform.release()}")
    yield _processes()
    yield _children()
    yield from _endings()
    yield _cgroups()
    yield _memory()
    yield _disk()
    yield _out_of_memory()
    yield _namespace()


def _processes() -> Finding:
    """Whether /proc hides the processes of others, see the hidepid option in proc(5)."""
    from floydtop.sources import procfs

    mounts = procfs.read("/proc/self/mountinfo").decode(errors="replace").splitlines()
    options = " ".join(line for line in mounts if " - proc " in line)
    if os.getuid() != 0 and "hidepid=" in options and "hidepid=0" not in options:
        return Finding(
            "processes", "partly", "those of other users are hidden (hidepid)", "run floydtop as root"
        )
    return Finding("processes", "yes", "those of all users are in view")


def _children() -> Finding:
    from floydtop.sources import procfs

    if procfs.lists_children():
        return Finding("process tree", "yes", "the kernel lists the children of a process")
    return Finding(
        "process tree",
        "yes",
        "found by a scan of all processes, which costs more",
        "a kernel with CONFIG_PROC_CHILDREN",
    )


def _endings() -> Iterator[Finding]:
    """Whether the end of a process that is not our child is noticed at once, and its exit code known."""
    from floydtop.sources import ending

    child = subprocess.Popen(
        [sys.executable, "-S", "-c", "input()"], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    pidfd = ending.open_pidfd(child.pid)
    child.communicate()
    if pidfd is None:
        yield Finding(
            "job's end", "yes", "noticed within a quarter of a second, by polling", "Linux 5.3 or later"
        )
    else:
        yield Finding("job's end", "yes", "noticed at once (pidfd)")
    try:
        known = pidfd is not None and ending.wait_status(pidfd) is not None
    except OSError:
        known = False
    finally:
        if pidfd is not None:
            os.close(pidfd)
    if known:
        yield Finding("exit code", "yes", "told by the kernel for any process (PIDFD_GET_INFO)")
    else:
        yield Finding(
            "exit code",
            "partly",
            "known only if the job's parent is slow to collect it",
            "Linux 6.15 or later",
        )


def _cgroups() -> Finding:
    from floydtop.sources import cgroup

    mounts = cgroup.mounts()
    versions = sorted({mount.version for mount in mounts})
    v1 = {controller for mount in mounts if mount.version == 1 for controller in mount.controllers}
    if not versions:
        return Finding(
            "limits",
            "no",
            "no cgroup is mounted: memory and CPU limits of a container are not known",
            "mount /sys/fs/cgroup in the container",
        )
    names = " and ".join(f"v{version}" for version in versions)
    where = "memory and CPU limits from v1" if {"memory", "cpu"} <= v1 else "memory and CPU limits from v2"
    return Finding("limits", "yes", f"cgroup {names}: {where}")


def _memory() -> Finding:
    from floydtop.sources import procfs
    from floydtop.sources.memory import tells_pss

    if not tells_pss():
        return Finding(
            "memory", "partly", "at most (RSS): the kernel has no smaps_rollup", "Linux 4.14 or later"
        )
    capabilities = int(procfs.field(procfs.read("/proc/self/status"), "CapEff") or "0", 16)
    if capabilities & CAP_SYS_PTRACE:
        return Finding("memory", "yes", "exact (PSS) for every job")
    return Finding(
        "memory", "partly", "exact (PSS) for your own jobs, at most (RSS) for others'", OWNER_OR_ROOT
    )


def _disk() -> Finding:
    from floydtop.sources import disk

    if not disk.counts_bytes():
        return Finding("disk", "partly", disk.UNCOUNTED, "a kernel with CONFIG_TASK_IO_ACCOUNTING")
    return Finding("disk", "yes", "bytes read and written, and how full, for jobs that you may look into")


def _out_of_memory() -> Finding:
    from floydtop.sources import cgroup, procfs

    memberships = cgroup.parse_memberships(procfs.read("/proc/self/cgroup").decode(errors="replace"))
    path = cgroup.levels(memberships, cgroup.mounts(), "memory")
    if path and cgroup.oom_kills(path[0]) is not None:
        return Finding("out of memory", "yes", "kills are counted by cgroup")
    if procfs.counter(procfs.read("/proc/vmstat"), "oom_kill") is not None:
        return Finding(
            "out of memory", "partly", "kills are counted for the whole machine, not for your cgroup"
        )
    return Finding("out of memory", "no", "the kernel counts no kills", "Linux 4.13 or later")


def _namespace() -> Finding:
    try:
        inside = os.readlink("/proc/self/ns/pid") != INITIAL_PID_NAMESPACE
    except OSError:
        inside = True
    if inside:
        return Finding(
            "namespace",
            "partly",
            "in a container: processes outside are not seen, and the GPU driver may name pids of the host",
            "run floydtop on the host, or the container with --pid=host",
        )
    return Finding("namespace", "yes", "on the host: the processes of all containers can be watched")


def _gpus(pids: set[int] | None) -> Finding:
    """What the GPU sampler finds in its first seconds."""
    import asyncio

    facts, reading = asyncio.run(_ask_gpus(pids or set()))
    if facts.gpus:
        names = ", ".join(f"{gpu.index}: {gpu.name or 'unnamed'}" for gpu in facts.gpus)
        missing = sorted({f"{name.rpartition('.')[2]} ({why})" for name, why in reading.unknown.items()})
        if missing:
            return Finding("GPUs", "partly", f"{names}; not told: {', '.join(missing)}")
        return Finding("GPUs", "yes", names)
    return Finding(
        "GPUs",
        "no",
        facts.notes.get("gpu", "the GPU sampler has nothing to tell"),
        "if there is an NVIDIA GPU: install its driver; start the container with --gpus all",
    )


async def _ask_gpus(pids: set[int]) -> tuple[Facts, Reading]:
    from floydtop.sources.gpu import GpuReader

    reader = GpuReader()
    await reader.start()
    try:
        reader.watch(pids)
        await reader.settled(8.0)
        gpus, notes = reader.facts()
        return Facts(t=0.0, gpus=gpus, notes=notes), reader.latest()
    finally:
        await reader.close()


def _job(tree: JobTree) -> Iterator[Finding]:
    """What is known of one job, after a second of looking."""
    tree.read(thorough=True)
    time.sleep(1.0)
    reading = tree.read(thorough=True)
    cores, memory, notes = tree.facts()
    job = tree.describe()
    yield Finding(
        "job", "yes", f"{' '.join(job.command)[:60]!r} of {job.user}, {len(tree.pids())} in its tree"
    )
    if cores is not None:
        yield Finding("job: cores", "yes", f"may use {cores:g} ({notes.get('cpu_cores', '')})")
    if memory is not None:
        yield Finding(
            "job: limit", "yes", f"may use {memory / 2**30:.1f} GiB ({notes.get('memory_bytes', '')})"
        )
    if "cpu.cores" in reading.values:
        partial = "partial" in notes["cpu"]
        remedy = "run the job in a cgroup of its own, such as systemd-run --scope" if partial else ""
        yield Finding("job: CPU", "partly" if partial else "yes", notes["cpu"], remedy)
    if "memory.bytes" in reading.values:
        loose = notes["memory"].startswith("at most")
        yield Finding("job: memory", "partly" if loose else "yes", notes["memory"])
    if "disk" in notes:
        yield Finding("job: disk", "partly", notes["disk"])
    for why in sorted(set(reading.unknown.values())):
        names = ", ".join(sorted(name for name, reason in reading.unknown.items() if reason == why))
        yield Finding(
            "job: missing", "no", f"{names}: {why}", OWNER_OR_ROOT if "hidden from us" in why else ""
        )
