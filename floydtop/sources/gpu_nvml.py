"""Questions to the NVIDIA driver, each guarded for itself: a broken field of one GPU costs that field alone.

Only the helper process (`gpu_helper`) calls these: whoever calls the driver may hang or be killed by it.
"""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pynvml

PROC_GROUPS = ("Compute", "Graphics", "MPSCompute")
CONTRADICTIONS = 5
"""Readings in a row that the sample buffer may say idle while the rate says busy, before it is distrusted."""

NOT_SUPPORTED, NOT_FOUND, FUNCTION_NOT_FOUND, VERSION_MISMATCH = 3, 6, 13, 25
REASONS = {
    NOT_SUPPORTED: "not supported by this GPU or driver",
    4: "no permission",
    NOT_FOUND: "the driver has no data",
    9: "the NVIDIA driver is not loaded",
    10: "the driver timed out",
    12: "no NVIDIA driver on this machine",
    FUNCTION_NOT_FOUND: "this driver is too old for it",
    15: "the GPU is lost",
    16: "the GPU needs a reset",
    18: "the NVIDIA driver and its library differ in version: reload the driver or reboot",
    999: "the driver failed without saying why",
}
MICROSECONDS = 1_000_000
EPOCH_STAMPS = 10**15
"""Time stamps above this are Unix time in microseconds (those of an uptime would be 31 years)."""
STALE_AFTER = 5 * MICROSECONDS
SAMPLE_FIELDS = ("dVal", "uiVal", "ulVal", "ullVal", "sllVal", "siVal", "usVal")
"""Member of the sample's union by nvmlValueType_t."""


class Unavailable(Exception):
    """The driver did not answer a question; the message is the reason, `code` NVML's number (-1: none)."""

    def __init__(self, reason: str, code: int) -> None:
        super().__init__(reason)
        self.code = code


@dataclass
class Device:
    """A GPU and what must be remembered of it from one reading to the next."""

    index: int
    handle: Any
    samples_until: int = 0
    """Time stamp of the newest utilization sample seen, microseconds of the driver's clock."""
    processes_until: int = 0
    contradictions: int = 0
    partitions: list[tuple[int, Any]] = field(default_factory=list)
    """MIG instances: GPU instance id and handle."""
    ecc: int | None = None


def ask(call: str, *arguments: object) -> Any:
    """Call a function of NVML by name.

    Raises:
        Unavailable: for whatever goes wrong. NVMLLibraryMismatchError is no NVMLError, a pynvml without
            the function raises AttributeError, garbage in a string UnicodeDecodeError: hence Exception.
    """
    try:
        return getattr(pynvml, call)(*arguments)
    except AttributeError as error:
        raise Unavailable(REASONS[FUNCTION_NOT_FOUND], FUNCTION_NOT_FOUND) from error
    except pynvml.NVMLLibraryMismatchError as error:
        raise Unavailable(REASONS[FUNCTION_NOT_FOUND], FUNCTION_NOT_FOUND) from error
    except pynvml.NVMLError as error:
        code = int(error.value)  # type: ignore[attr-defined]  # set in NVMLError.__new__
        raise Unavailable(REASONS.get(code, f"NVML error {code}: {error}"), code) from error
    except Exception as error:
        raise Unavailable(f"unreadable answer of the driver: {error}", -1) from error


def ask_newest(calls: tuple[str, ...], *arguments: object) -> Any:
    """Call the first of several versions of a function that this driver has."""
    for call in calls[:-1]:
        try:
            return ask(call, *arguments)
        except Unavailable as error:
            if error.code != FUNCTION_NOT_FOUND:
                raise
    return ask(calls[-1], *arguments)


def utilization(device: Device) -> tuple[float, float, float]:
    """Mean, lowest and highest percent of time that a kernel ran, since the last reading.

    The driver's sample buffer (about six values a second) covers the whole second; the rate only its last
    1/6 to 1 s, and is the fallback.
    """
    try:
        rate = float(ask("nvmlDeviceGetUtilizationRates", device.handle).gpu)
    except Unavailable:
        samples = new_samples(device)
        if not samples:
            raise
        return sum(samples) / len(samples), min(samples), max(samples)
    if device.contradictions >= CONTRADICTIONS:
        return rate, rate, rate
    samples = new_samples(device)
    device.contradictions = device.contradictions + 1 if samples and rate and not any(samples) else 0
    if not samples:
        return rate, rate, rate
    return sum(samples) / len(samples), min(samples), max(samples)


def ask_from(stamp: int) -> int:
    """The stamp to ask for newer samples than; all, when a clock set back has put it into the future."""
    return 0 if stamp > time.time() * MICROSECONDS + MICROSECONDS else stamp


def is_stale(newest: int) -> bool:
    """Is the newest sample of a buffer old? A GPU at rest may keep what it was doing an hour ago."""
    return EPOCH_STAMPS < newest < time.time() * MICROSECONDS - STALE_AFTER


def new_samples(device: Device) -> list[float]:
    """Utilization samples (percent) that the driver took since the last call, at first of the last second."""
    since = ask_from(device.samples_until)
    try:
        kind, samples = ask("nvmlDeviceGetSamples", device.handle, pynvml.NVML_GPU_UTILIZATION_SAMPLES, since)
        taken = [
            (int(sample.timeStamp), float(getattr(sample.sampleValue, SAMPLE_FIELDS[kind])))
            for sample in samples
            if sample.timeStamp > since
        ]
    except (Unavailable, IndexError):
        return []
    newest = max((stamp for stamp, _ in taken), default=0)
    if not taken or is_stale(newest):
        return []
    device.samples_until = newest
    oldest = since or newest - MICROSECONDS
    return [value for stamp, value in taken if stamp > oldest and 0 <= value <= 100]


def memory(device: Any) -> tuple[int, int]:
    """Bytes used and total; version 2 first, because version 1 counts the driver's reserve as used."""
    try:
        info = ask("nvmlDeviceGetMemoryInfo", device, pynvml.nvmlMemory_v2)
    except Unavailable as error:
        if error.code not in (NOT_SUPPORTED, FUNCTION_NOT_FOUND, VERSION_MISMATCH):
            raise
        info = ask("nvmlDeviceGetMemoryInfo", device)
    return int(info.used), int(info.total)


def processes(device: Device) -> list[tuple[int, int | None, int | None]]:
    """(pid, bytes, MIG GPU instance) of every process on the GPU; bytes None if the driver does not tell."""
    found: dict[tuple[int, int | None], int | None] = {}
    for group in PROC_GROUPS:
        name = f"nvmlDeviceGet{group}RunningProcesses"
        try:
            listed = ask_newest((f"{name}_v3", f"{name}_v2"), device.handle)
        except Unavailable:
            if group == "Compute":
                raise
            continue
        for process in listed:
            instance = None if process.gpuInstanceId == 0xFFFFFFFF else int(process.gpuInstanceId)
            key = (int(process.pid), instance)
            # A process that computes and draws is in two lists, with the same memory in both.
            known = found.get(key)
            used = process.usedGpuMemory
            found[key] = known if used is None else max(int(used), known or 0)
    return [(pid, used, instance) for (pid, instance), used in found.items()]


def busy_processes(device: Device, idle: bool) -> dict[int, float]:
    """Percent of the GPU's time by pid since the last reading; processes that did nothing are absent.

    Raises:
        Unavailable: also when the driver has no samples of any process though the GPU was busy.
    """
    since = ask_from(device.processes_until)
    try:
        samples = ask("nvmlDeviceGetProcessUtilization", device.handle, since)
        newest = max((int(sample.timeStamp) for sample in samples), default=0)
        if is_stale(newest):
            raise Unavailable(REASONS[NOT_FOUND], NOT_FOUND)
    except Unavailable as error:
        # pynvml raises code 0, success, when the driver needs no room for any sample.
        if error.code in (0, NOT_FOUND) and idle:
            return {}
        raise
    device.processes_until = max(newest, since)
    oldest = since or newest - MICROSECONDS
    shares: dict[int, list[float]] = {}
    for sample in samples:
        if sample.timeStamp > oldest and sample.smUtil <= 100:
            shares.setdefault(int(sample.pid), []).append(float(sample.smUtil))
    return {pid: sum(values) / len(values) for pid, values in shares.items()}


def partitions(handle: Any) -> list[tuple[int, Any]]:
    """The MIG instances of a GPU: GPU instance id and handle; empty where it is not split."""
    try:
        if ask("nvmlDeviceGetMigMode", handle)[0] != 1:
            return []
        slots = ask("nvmlDeviceGetMaxMigDeviceCount", handle)
    except Unavailable:
        return []
    found = []
    for slot in range(slots):
        try:
            part = ask("nvmlDeviceGetMigDeviceHandleByIndex", handle, slot)
            found.append((int(ask("nvmlDeviceGetGpuInstanceId", part)), part))
        except Unavailable:
            continue
    return found


SINGLE: tuple[tuple[str, str, tuple[int, ...], float], ...] = (
    ("power_watts", "nvmlDeviceGetPowerUsage", (), 1e-3),
    ("energy_joules", "nvmlDeviceGetTotalEnergyConsumption", (), 1e-3),
    ("temperature_celsius", "nvmlDeviceGetTemperature", (pynvml.NVML_TEMPERATURE_GPU,), 1.0),
    ("clock_mhz", "nvmlDeviceGetClockInfo", (pynvml.NVML_CLOCK_SM,), 1.0),
)
"""Fields that are one number of one call: name, call, arguments after the handle, unit."""
THROTTLE_CALLS = ("nvmlDeviceGetCurrentClocksEventReasons", "nvmlDeviceGetCurrentClocksThrottleReasons")


def read(device: Device, slow: bool) -> dict[str, Any]:
    """One reading of a GPU; `slow`: also what changes rarely."""
    values: dict[str, float] = {}
    missing: dict[str, str] = {}
    reading: dict[str, Any] = {"index": device.index, "values": values, "missing": missing}

    def attempt(name: str, question: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return question(*arguments)
        except Unavailable as error:
            missing[name] = str(error)
            return None

    usage = attempt("utilization", utilization, device)
    if usage is not None:
        values["utilization"], reading["low"], reading["high"] = usage
    room = attempt("memory_bytes", memory, device.handle)
    if room is not None and room[1] > 0:
        values["memory_bytes"], values["memory_percent"] = room[0], 100 * room[0] / room[1]
    else:
        missing["memory_percent"] = missing.setdefault("memory_bytes", "the driver reports no memory")
    for name, call, arguments, unit in SINGLE:
        number = attempt(name, ask, call, device.handle, *arguments)
        if number is not None:
            values[name] = number * unit
    reading["processes"] = attempt("job_memory_bytes", processes, device)
    reading["busy"] = attempt("job_sm_percent", busy_processes, device, usage is not None and usage[2] == 0)
    reading["throttle"] = attempt("throttled_percent", ask_newest, THROTTLE_CALLS, device.handle)
    if slow:
        device.partitions = partitions(device.handle)
        device.ecc = uncorrected_errors(device.handle)
    reading["ecc"] = device.ecc
    reading["mig"] = [
        (part, room) for part, handle in device.partitions if (room := attempt("mig", memory, handle))
    ]
    missing.pop("mig", None)
    return reading


def uncorrected_errors(handle: Any) -> int | None:
    """Uncorrected memory errors since the driver was loaded; None where memory has no ECC."""
    kind, counter = pynvml.NVML_MEMORY_ERROR_TYPE_UNCORRECTED, pynvml.NVML_VOLATILE_ECC
    try:
        return int(ask("nvmlDeviceGetTotalEccErrors", handle, kind, counter))
    except Unavailable:
        return None


def open_devices(count: int) -> tuple[list[Device], dict[int, str]]:
    """Handles of all GPUs, and by index why others gave none."""
    devices, broken = [], {}
    for index in range(count):
        try:
            devices.append(Device(index, ask("nvmlDeviceGetHandleByIndex", index)))
        except Unavailable as error:
            broken[index] = str(error)
    return devices, broken


def describe(device: Device) -> dict[str, Any]:
    """What does not change about a GPU; a fact that the driver does not tell is None."""

    def fact(question: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return question(*arguments)
        except Unavailable:
            return None

    room = fact(memory, device.handle)
    mig = {fact(ask, "nvmlDeviceGetUUID", handle): part for part, handle in partitions(device.handle)}
    return {
        "index": device.index,
        "name": fact(ask, "nvmlDeviceGetName", device.handle),
        "uuid": fact(ask, "nvmlDeviceGetUUID", device.handle),
        "memory_bytes": room[1] if room else None,
        "minor": fact(ask, "nvmlDeviceGetMinorNumber", device.handle),
        "mig": {uuid: part for uuid, part in mig.items() if uuid},
    }


def watch_xids(devices: list[Device]) -> Any:
    """An event set that collects XID errors of the GPUs that can report them; None where none can."""
    try:
        events = ask("nvmlEventSetCreate")
    except Unavailable:
        return None
    watched = 0
    for device in devices:
        try:
            ask("nvmlDeviceRegisterEvents", device.handle, pynvml.nvmlEventTypeXidCriticalError, events)
            watched += 1
        except Unavailable:
            continue
    return events if watched else None


def new_xids(events: Any, devices: list[Device]) -> list[tuple[int, int]]:
    """(index, XID) of the errors since the last call, 32 at most; index -1 for a GPU that is not ours."""
    found: list[tuple[int, int]] = []
    while events is not None and len(found) < 32:
        try:
            event = ask("nvmlEventSetWait_v2", events, 0)
        except Unavailable:
            break
        address = ctypes.cast(event.device, ctypes.c_void_p).value
        owners = (d.index for d in devices if ctypes.cast(d.handle, ctypes.c_void_p).value == address)
        found.append((next(owners, -1), int(event.eventData)))
    return found
