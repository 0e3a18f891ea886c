"""GpuReader on a scripted NVIDIA driver: what it reads, and what it says when the driver fails."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from floydtop.sources.gpu import FIELDS, GpuReader
from floydtop.sources.gpu_supervisor import Patience
from tests.nvml_stub import GIB, Scene, install, needs_cc

QUICK = Patience(period=0.05, silence=1.5, startup=20, retries=(0.05, 0.1, 0.2, 0.2))


@contextlib.asynccontextmanager
async def reader(patience: Patience = QUICK) -> AsyncIterator[GpuReader]:
    gpus = GpuReader(patience)
    gpus.watch({os.getpid()})
    await gpus.start()
    try:
        assert await gpus.settled(20)
        yield gpus
    finally:
        await gpus.close()


async def until(condition: Callable[[], bool], seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)


@pytest.fixture
def scene(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Scene:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    return install(monkeypatch, tmp_path)


async def test_no_driver_is_one_quiet_note_and_no_helper_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LD_LIBRARY_PATH", "/nonexistent")
    async with reader() as gpus:
        devices, notes = gpus.facts()
        if devices:
            pytest.skip("this machine has a real NVIDIA driver: its absence is NOT tested")
        assert notes == {"gpu": "no NVIDIA driver on this machine"}
        assert gpus.latest().values == {}
        assert gpus.latest().unknown == {}
        assert gpus.drain() == {}
        await until(lambda: gpus.helper_pid is None)


@needs_cc
class TestAHealthyGpu:
    """One GPU that the job uses."""

    async def test_reading_has_every_field_in_its_unit(self, scene: Scene) -> None:
        scene.gpu(0, power=512000, temp=61, clock=1755).say("proc", g=0, pid=os.getpid(), mem=4 * GIB)
        scene.say("busy", g=0, pid=os.getpid(), sm=40)
        async with reader() as gpus:
            reading = gpus.latest()
        assert reading.unknown == {}
        assert set(reading.values) == {f"gpu.0.{field}" for field in FIELDS}
        assert reading.values["gpu.0.utilization"] == 87
        assert reading.values["gpu.0.memory_bytes"] == 20 * GIB
        assert reading.values["gpu.0.memory_percent"] == 25
        assert reading.values["gpu.0.job_memory_bytes"] == 4 * GIB
        assert reading.values["gpu.0.job_sm_percent"] == 40
        assert reading.values["gpu.0.power_watts"] == 512
        assert reading.values["gpu.0.temperature_celsius"] == 61
        assert reading.values["gpu.0.clock_mhz"] == 1755
        assert reading.values["gpu.0.throttled_percent"] == 0

    async def test_facts_name_the_gpu(self, scene: Scene) -> None:
        scene.gpu(0).say("proc", g=0, pid=os.getpid(), mem=GIB)
        async with reader() as gpus:
            [gpu], notes = gpus.facts()
        assert (gpu.index, gpu.name, gpu.memory_bytes) == (0, "NVIDIA-H100-80GB-HBM3", 80 * GIB)
        assert gpu.of_job
        assert notes == {}
