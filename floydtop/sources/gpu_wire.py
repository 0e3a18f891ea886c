"""The lines that the GPU helper process prints, as its parent reads them."""

from __future__ import annotations

import msgspec
from msgspec import field


class Device(msgspec.Struct, frozen=True):
    """What does not change about a GPU; None where the driver does not tell."""

    index: int
    """NVML's number: order of the PCI bus, which need not be CUDA's order."""
    name: str | None = None
    uuid: str | None = None
    memory_bytes: int | None = None
    minor: int | None = None
    """N of /dev/nvidiaN."""
    mig: dict[str, int] = field(default_factory=dict)
    """UUID of each MIG instance -> its GPU instance id."""


class Process(msgspec.Struct, frozen=True, array_like=True):
    """A process that has memory on a GPU, by the pid that the driver knows it by."""

    pid: int
    memory_bytes: int | None
    instance: int | None
    """GPU instance id under MIG."""


class MigMemory(msgspec.Struct, frozen=True, array_like=True):
    """Memory of one MIG instance, bytes."""

    instance: int
    room: tuple[int, int]
    """Used and total."""


class DeviceReading(msgspec.Struct, frozen=True):
    """One look at one GPU."""

    index: int
    lost: str | None = None
    """Why the GPU could not even be opened."""
    values: dict[str, float] = field(default_factory=dict)
    """utilization and memory_percent in percent, power_watts and energy_joules (a counter) and so on."""
    low: float | None = None
    """Lowest utilization of the driver's samples since the last reading."""
    high: float | None = None
    missing: dict[str, str] = field(default_factory=dict)
    processes: list[Process] | None = None
    busy: dict[int, float] | None = None
    """Percent of the GPU's time by pid."""
    throttle: int | None = None
    """Bits of nvmlClocksEventReasons."""
    ecc: int | None = None
    """Uncorrected memory errors since the driver was loaded."""
    mig: list[MigMemory] = field(default_factory=list)


class Line(msgspec.Struct, frozen=True):
    """Any line: which fields are set tells which."""

    absent: str | None = None
    devices: list[Device] | None = None
    t: float = 0.0
    """CLOCK_MONOTONIC, seconds."""
    readings: list[DeviceReading] = field(default_factory=list)
    xids: list[tuple[int, int]] = field(default_factory=list)
    """GPU index (-1: none of ours) and XID error number."""
