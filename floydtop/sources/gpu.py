"""The GPUs of a job: what the helper hears from the driver, attributed to the job and summed up by tick.

Nothing here can wait for the driver: the helper (`gpu_helper`) does, and may die of it.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque

from floydtop.events import Gpu, Reading, Stat

from .gpu_faults import ecc_sentence, slowdowns, xid_sentence
from .gpu_owner import Hints, Ownership, exists, guess, job_gpus, job_share, read_hints
from .gpu_supervisor import Patience, Supervisor
from .gpu_tick import Energy, Tick
from .gpu_wire import Device, DeviceReading, Line

FIELDS = (
    "utilization",
    "memory_bytes",
    "memory_percent",
    "job_memory_bytes",
    "job_sm_percent",
    "power_watts",
    "energy_joules",
    "temperature_celsius",
    "clock_mhz",
    "throttled_percent",
    "mig_memory_bytes",
    "mig_memory_percent",
)
"""Every `gpu.N.FIELD`; energy since the recording began, throttled in percent of the time."""
HINTS_SECONDS = 15.0
"""Between two looks at environment and open files of the job: a process may hold thousands of files."""
ALWAYS = FIELDS[:-2]
"""Fields that a GPU has or that are missed; those of MIG are only there when the job runs on an instance."""


class GpuReader:
    """Readings of all GPUs, once a second, and which of them are the job's."""

    def __init__(self, patience: Patience | None = None) -> None:
        self._supervisor = Supervisor(self._hear, self._lose, patience or Patience())
        self._pids: set[int] = set()
        self._devices: list[Device] = []
        self._owned = Ownership()
        self._hints = Hints()
        self._hints_at = float("-inf")
        self._now: dict[int, Reading] = {}
        self._tick = Tick()
        self._energy = Energy()
        self._neighbours: set[int] = set()
        self._aliens: set[int] = set()
        self._slowed: dict[int, dict[str, None]] = {}
        self._faults: dict[str, str] = {}
        self._alerts: deque[str] = deque(maxlen=100)
        self._trouble: str | None = "waiting for the NVIDIA driver"
        self._quiet = True
        self._line = Line()
        self._settled = asyncio.Event()

    async def start(self) -> None:
        """Start the helper process; raises nothing for a missing driver, waits for nothing."""
        self._supervisor.start()

    async def settled(self, seconds: float) -> bool:
        """Wait until there is a reading, or it is known that there will be none; False after `seconds`."""
        try:
            await asyncio.wait_for(self._settled.wait(), seconds)
        except TimeoutError:
            return False
        return True

    def watch(self, pids: set[int]) -> None:
        """Tell which processes are the job's, as this PID namespace numbers them."""
        if pids == self._pids:
            return
        self._pids = set(pids)
        if self._line.readings and not self._owned.by_pid:
            # Whoever asks now should not have to wait for the next second.
            self._attribute(self._line.readings)
            for reading in self._line.readings:
                self._now[reading.index] = self._view(reading, self._line.t)

    def latest(self) -> Reading:
        """The last second of the job's GPUs: `gpu.N.FIELD` with N the NVML index and FIELD of `FIELDS`."""
        return self._merged(self._owned.gpus)

    def others(self) -> Reading:
        """The last second of the machine's other GPUs."""
        return self._merged(frozenset(device.index for device in self._devices) - self._owned.gpus)

    def drain(self) -> dict[str, Stat]:
        """Mean, minimum and maximum of the job's GPUs since the last drain; mean power from energy."""
        everything, watts = self._tick.drain(), self._energy.drain()
        stats: dict[str, Stat] = {}
        for index in sorted(self._owned.gpus):
            present = self._now.get(index, Reading()).values if self._trouble is None else {}
            for name in (f"gpu.{index}.{field}" for field in FIELDS):
                if name in everything:
                    stats[name] = everything[name]
                elif name in present:
                    # A tick as short as the sampling period may fall between two readings.
                    stats[name] = (present[name], present[name], present[name])
            if index in watts and (power := f"gpu.{index}.power_watts") in stats:
                _, low, high = stats[power]
                stats[power] = (watts[index], min(low, watts[index]), max(high, watts[index]))
        self._faults = {name: note for name, note in self._faults.items() if not name.endswith(".throttle")}
        for index, reasons in self._slowed.items():
            self._faults[f"gpu.{index}.throttle"] = "slowed down by " + ", ".join(sorted(reasons))
        self._slowed.clear()
        return stats

    def facts(self) -> tuple[list[Gpu], dict[str, str]]:
        """All GPUs of the machine, the job's marked, and notes by topic: gpu, gpu.N.xid, gpu.N.ecc, ..."""
        gpus = [
            Gpu(
                index=device.index,
                name=device.name,
                uuid=device.uuid,
                memory_bytes=device.memory_bytes,
                of_job=device.index in self._owned.gpus,
            )
            for device in self._devices
        ]
        notes = dict(self._faults)
        if self._trouble or self._owned.note:
            notes["gpu"] = self._trouble or self._owned.note
        return gpus, notes

    def alerts(self) -> list[str]:
        """Sentences about what happened since the last call: XID errors, GPUs and samplers lost and back."""
        alerts = list(self._alerts)
        self._alerts.clear()
        return alerts

    @property
    def helper_pid(self) -> int | None:
        """Pid of the helper process while there is one: its cost is ours, not the job's."""
        return self._supervisor.pid

    async def close(self) -> None:
        """End the helper process."""
        await self._supervisor.close()

    def _merged(self, indices: frozenset[int]) -> Reading:
        merged = Reading()
        if self._trouble and not self._now and not self._quiet:
            merged.unknown["gpu"] = self._trouble
        for index in sorted(indices):
            if self._trouble:
                merged.unknown.update({f"gpu.{index}.{field}": self._trouble for field in ALWAYS})
            elif index in self._now:
                merged.values.update(self._now[index].values)
                merged.unknown.update(self._now[index].unknown)
        return merged

    def _hear(self, line: Line) -> None:
        if line.absent is not None:
            self._trouble, self._quiet = line.absent, True
            self._settled.set()
        elif line.devices is not None:
            self._devices = line.devices
        else:
            if self._trouble and self._now:
                self._alerts.append("the GPU sampler is back")
            self._trouble = None
            self._line = line
            self._attribute(line.readings)
            for reading in line.readings:
                self._take(reading)
            for index, code in line.xids:
                self._fault(index, "xid", xid_sentence(index, code))
            self._settled.set()

    def _lose(self, why: str) -> None:
        if why != self._trouble:
            self._alerts.append(why)
        self._trouble, self._quiet = why, False
        self._settled.set()

    def _fault(self, index: int, topic: str, sentence: str) -> None:
        """Keep a note about a GPU (index -1: not known which); news about the job's GPUs is an alert too."""
        name = f"gpu.{index}.{topic}" if index >= 0 else f"gpu.{topic}"
        if index < 0 or index in self._owned.gpus:
            self._alerts.append(sentence)
        self._faults[name] = sentence

    def _attribute(self, readings: list[DeviceReading]) -> None:
        """GPUs once seen with a process of the job stay the job's: its memory there may come back."""
        listed = {process.pid for reading in readings for process in reading.processes or ()}
        # A process that ends may stay listed for a while: it was here, so it is no alien.
        self._neighbours = {pid for pid in listed if pid in self._neighbours or exists(pid)}
        self._aliens = listed - self._neighbours
        seen = job_gpus(readings, self._pids)
        if self._owned.by_pid or seen:
            before = self._owned.gpus if self._owned.by_pid else frozenset()
            self._owned = Ownership(seen | before, by_pid=True)
        elif self._pids:
            now = time.monotonic()
            if now - self._hints_at >= HINTS_SECONDS:
                self._hints_at = now
                self._hints = read_hints(self._pids)
            self._owned = guess(self._devices, readings, self._hints, bool(self._aliens))

    def _take(self, reading: DeviceReading) -> None:
        """Put one GPU's reading into the present, the tick and the faults."""
        index, view = reading.index, self._view(reading, self._line.t)
        self._now[index] = view
        for name, value in view.values.items():
            low, high = value, value
            if name.endswith(".utilization") and reading.low is not None and reading.high is not None:
                low, high = reading.low, reading.high
            self._tick.add(name, value, low, high)
        if reasons := slowdowns(reading.throttle or 0):
            self._slowed.setdefault(index, {}).update(dict.fromkeys(reasons))
        if reading.ecc and self._faults.get(f"gpu.{index}.ecc") != ecc_sentence(index, reading.ecc):
            self._fault(index, "ecc", ecc_sentence(index, reading.ecc))
        if view.values:
            self._faults.pop(f"gpu.{index}.lost", None)
        elif f"gpu.{index}.lost" not in self._faults:
            why = view.unknown.get(f"gpu.{index}.utilization", "no reason given")
            self._fault(index, "lost", f"GPU {index} tells nothing: {why}")

    def _view(self, reading: DeviceReading, t: float) -> Reading:
        """One GPU's reading by the names of `FIELDS`, with the job's share in it."""
        values, missing = dict(reading.values), dict(reading.missing)
        if reading.lost:
            missing.update(dict.fromkeys(ALWAYS, reading.lost))
        else:
            share = job_share(reading, self._pids, self._owned, self._aliens)
            values |= share.values
            missing |= share.unknown
        if reading.throttle is not None:
            values["throttled_percent"] = 100.0 if slowdowns(reading.throttle) else 0.0
        if "energy_joules" in values:
            values["energy_joules"] = self._energy.take(reading.index, t, values["energy_joules"])
        prefix = f"gpu.{reading.index}."
        return Reading(
            {prefix + field: value for field, value in values.items()},
            {prefix + field: why for field, why in missing.items()},
        )
