"""GpuReader on a real NVIDIA GPU: what no stub can prove. Runs only where there is one."""

from __future__ import annotations

import asyncio
import csv
import os
import shutil
import subprocess
import sys

import pytest

from floydtop.sources.gpu import GpuReader

SMI = shutil.which("nvidia-smi")
pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(SMI is None, reason="no NVIDIA GPU (nvidia-smi) here: the real driver is NOT tested"),
]

BURN = """
import ctypes, time
cuda = ctypes.CDLL("libcuda.so.1")
check = lambda code: code and exit(f"CUDA error {code}")
context, memory = ctypes.c_void_p(), ctypes.c_uint64()
check(cuda.cuInit(0))
check(cuda.cuCtxCreate_v2(ctypes.byref(context), 0, 0))
size = 1 << 30
check(cuda.cuMemAlloc_v2(ctypes.byref(memory), ctypes.c_size_t(size)))
print("ready", flush=True)
end = time.monotonic() + 60
while time.monotonic() < end:
    for _ in range(200):
        check(cuda.cuMemsetD8_v2(memory, 1, ctypes.c_size_t(size)))
    check(cuda.cuCtxSynchronize())
"""
"""A job without any framework: it fills 1 GiB on GPU 0 again and again."""


def ask_smi(fields: str) -> list[str]:
    command = [SMI or "", f"--query-gpu={fields}", "--format=csv,noheader,nounits", "--id=0"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return next(csv.reader([done.stdout], skipinitialspace=True))


async def test_a_cuda_job_is_seen_as_nvidia_smi_sees_it() -> None:
    by_bus = os.environ | {"CUDA_DEVICE_ORDER": "PCI_BUS_ID"}
    job = subprocess.Popen([sys.executable, "-c", BURN], stdout=subprocess.PIPE, text=True, env=by_bus)
    gpus = GpuReader()
    try:
        assert job.stdout
        assert job.stdout.readline() == "ready\n"
        gpus.watch({job.pid})
        await gpus.start()
        assert await gpus.settled(60)
        await asyncio.sleep(5)
        reading, stats = gpus.latest(), gpus.drain()
        name, total, used, temperature = ask_smi("name,memory.total,memory.used,temperature.gpu")
        print(reading, stats, gpus.facts(), name, total, used, temperature)
        prefix = "gpu.0."
        assert reading.values[prefix + "memory_bytes"] / 2**20 == pytest.approx(float(used), abs=64)
        assert stats[prefix + "utilization"][0] > 50
        assert reading.values[prefix + "temperature_celsius"] == pytest.approx(float(temperature), abs=5)
        [gpu] = [gpu for gpu in gpus.facts()[0] if gpu.index == 0]
        assert gpu.name == name
        assert gpu.memory_bytes is not None
        assert gpu.memory_bytes / 2**20 == pytest.approx(float(total), rel=0.01)
        told = reading.values.get(prefix + "job_memory_bytes")
        # In a container the driver may name processes by other pids: then the reason must be there.
        assert told is None or told >= 2**30
        assert told is not None or reading.unknown[prefix + "job_memory_bytes"]
    finally:
        job.kill()
        job.wait()
        if job.stdout:
            job.stdout.close()
        await gpus.close()


async def test_a_job_without_gpu_is_not_given_one() -> None:
    job = subprocess.Popen(["sleep", "60"])
    gpus = GpuReader()
    try:
        gpus.watch({job.pid})
        await gpus.start()
        assert await gpus.settled(60)
        assert not any(name.startswith("gpu.0.job_") for name in gpus.latest().values)
        assert gpus.facts()[1]["gpu"]
    finally:
        job.kill()
        job.wait()
        await gpus.close()
