"""Which GPUs of the machine belong to the job, what share of them, and how that is known."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from floydtop.events import Reading

from .gpu_wire import Device, DeviceReading

NVIDIA_LINK = re.compile(r"/dev/nvidia(\d+)")
INITIAL_PID_NAMESPACE = "pid:[4026531836]"
"""PROC_PID_INIT_INO of the kernel (include/linux/proc_ns.h)."""

NONE_USED = "no GPU is used by this job"
UNLISTED = "the driver lists no process of this job"
UNTOLD = "the driver does not tell the memory of a process"
MIG = "MIG is on: the driver does not tell it by instance"
ALIEN = "not attributable (PID namespace): showing device-wide"


@dataclass(frozen=True)
class Hints:
    """What /proc tells about the GPUs that the job may use, apart from the driver."""

    visible: tuple[str, ...] = ()
    """Values of CUDA_VISIBLE_DEVICES in the job's processes, as they were started."""
    by_bus: bool = False
    """CUDA_DEVICE_ORDER=PCI_BUS_ID: CUDA counts GPUs as NVML does."""
    minors: frozenset[int] = frozenset()
    """N of the /dev/nvidiaN that the job's processes hold open."""
    hidden: bool = False
    """Some process does not let us see what it holds open."""
    nested: bool = False
    """We are in a PID namespace of our own: the driver may name processes by pids that we do not have."""


@dataclass(frozen=True)
class Ownership:
    """The job's GPUs by NVML index."""

    gpus: frozenset[int] = frozenset()
    by_pid: bool = False
    """The driver lists processes of the job by pid: what it does not list is not there."""
    note: str = ""
    """How the GPUs were found when not by pid, or why there are none."""


def read_hints(pids: Iterable[int], proc: Path = Path("/proc")) -> Hints:
    """Look at the environment and open files of the job's processes; what may not be read is left out."""
    visible: dict[str, None] = {}
    orders: set[str] = set()
    minors: set[int] = set()
    hidden = False
    for pid in pids:
        try:
            environment = (proc / str(pid) / "environ").read_bytes()
            links = list(_links(proc / str(pid) / "fd"))
        except (FileNotFoundError, ProcessLookupError):
            continue
        except OSError:
            hidden = True
            continue
        for variable in environment.split(b"\0"):
            name, _, value = variable.partition(b"=")
            if name == b"CUDA_VISIBLE_DEVICES":
                visible[value.decode("utf-8", "replace")] = None
            elif name == b"CUDA_DEVICE_ORDER":
                orders.add(value.decode("utf-8", "replace"))
        minors.update(int(found[1]) for link in links if (found := NVIDIA_LINK.fullmatch(link)))
    try:
        nested = os.readlink(proc / "self/ns/pid") != INITIAL_PID_NAMESPACE
    except OSError:
        nested = False
    return Hints(tuple(visible), orders == {"PCI_BUS_ID"}, frozenset(minors), hidden, nested)


def _links(folder: Path) -> Iterable[str]:
    """What a process holds open; files that it closes meanwhile are skipped."""
    for name in os.listdir(folder):
        with suppress(FileNotFoundError):
            yield os.readlink(folder / name)


def visible_gpus(value: str, devices: list[Device]) -> frozenset[int]:
    """NVML indices that a value of CUDA_VISIBLE_DEVICES names, numbers taken in NVML's order.

    As CUDA does, the list is read up to its first entry that names no GPU: numbers, beginnings of UUIDs
    (GPU-...), MIG instances (MIG-UUID, or MIG-GPU-UUID/instance/...). Source: CUDA Programming Guide,
    environment variables.
    """
    found: set[int] = set()
    for entry in value.split(","):
        name = entry.strip()
        matches = {device.index for device in devices if _names(name, device)}
        if len(matches) != 1:
            break
        found |= matches
    return frozenset(found)


def _names(entry: str, device: Device) -> bool:
    if entry.isascii() and entry.isdigit():
        return int(entry) == device.index
    if entry.startswith("MIG-GPU-"):
        return device.uuid == entry.removeprefix("MIG-").partition("/")[0]
    if entry.startswith("MIG-"):
        return any(uuid.startswith(entry) for uuid in device.mig)
    return entry.startswith("GPU-") and (device.uuid or "").startswith(entry)


def exists(pid: int) -> bool:
    """Is there a process with this pid here? If not, the driver counts in another PID namespace."""
    if pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def job_gpus(readings: list[DeviceReading], pids: set[int]) -> frozenset[int]:
    """GPUs on which the driver lists a process of the job."""
    return frozenset(r.index for r in readings if any(p.pid in pids for p in r.processes or ()))


def guess(devices: list[Device], readings: list[DeviceReading], hints: Hints, aliens: bool) -> Ownership:
    """The job's GPUs when the driver lists none of its processes: by environment, open files, or all.

    `aliens`: the driver lists pids that do not exist here.
    """
    if hints.visible:
        gpus = frozenset().union(*(visible_gpus(value, devices) for value in hints.visible))
        if not gpus:
            return Ownership(note=f"{NONE_USED}: CUDA_VISIBLE_DEVICES leaves it none")
        mixed = len({device.name for device in devices}) > 1 and not hints.by_bus
        numbered = any(entry.strip().isdigit() for entry in ",".join(hints.visible).split(","))
        caveat = "; CUDA may count GPUs in another order, see CUDA_DEVICE_ORDER" if mixed and numbered else ""
        return Ownership(gpus, note=f"GPUs taken from the job's CUDA_VISIBLE_DEVICES{caveat}")
    held = frozenset(device.index for device in devices if device.minor in hints.minors)
    if held:
        return Ownership(held, note="GPUs taken from the /dev/nvidia* files that the job holds open")
    everything = frozenset(device.index for device in devices)
    if aliens or (hints.nested and hints.hidden):
        return Ownership(everything, note=ALIEN)
    silent = [reading for reading in readings if reading.processes is None and reading.lost is None]
    if silent:
        why = silent[0].missing.get("job_memory_bytes", "no reason given")
        note = f"not attributable (the driver lists no processes: {why}): showing device-wide"
        return Ownership(everything, note=note)
    return Ownership(note=NONE_USED)


def job_share(reading: DeviceReading, pids: set[int], owned: Ownership, aliens: set[int]) -> Reading:
    """The job's part of one GPU, by field without its `gpu.N.`: zero only where it is known to be zero.

    Memory is the sum over the job's processes, as is the percentage of time on the SMs; under MIG there is
    memory of the instances that they run on, and a better reason for what the driver does not support.
    """
    share = Reading()
    listed = reading.processes or []
    mine = [process for process in listed if process.pid in pids]
    unlisted = None
    if not mine and not owned.by_pid:
        unlisted = ALIEN if any(process.pid in aliens for process in listed) else UNLISTED
    if reading.processes is not None:
        told = [process.memory_bytes for process in mine if process.memory_bytes is not None]
        if unlisted or len(told) < len(mine):
            share.unknown["job_memory_bytes"] = unlisted or UNTOLD
        else:
            share.values["job_memory_bytes"] = float(sum(told))
    if reading.busy is not None:
        if unlisted:
            share.unknown["job_sm_percent"] = unlisted
        else:
            busy = sum(percent for pid, percent in reading.busy.items() if pid in pids)
            share.values["job_sm_percent"] = min(100.0, busy)
    if reading.mig:
        share.unknown |= {name: MIG for name in ("utilization", "job_sm_percent") if name in reading.missing}
        instances = {process.instance for process in mine}
        rooms = [part.room for part in reading.mig if part.instance in instances]
        used, total = sum(room[0] for room in rooms), sum(room[1] for room in rooms)
        if total:
            share.values |= {"mig_memory_bytes": float(used), "mig_memory_percent": 100 * used / total}
    return share
