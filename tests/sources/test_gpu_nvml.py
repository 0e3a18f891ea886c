"""Questions to a scripted NVIDIA driver, by the real pynvml: what one failing call costs."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from floydtop.sources import gpu_nvml
from tests.nvml_stub import GIB, Scene, install, needs_cc

CODES = [*range(1, 31), 999, 12345]
"""Every error that nvml.h knows, and one that it does not."""

COSTS = {
    "nvmlDeviceGetUtilizationRates": set(),
    "nvmlDeviceGetSamples": set(),
    "nvmlDeviceGetMemoryInfo_v2": {"memory_bytes", "memory_percent"},
    "nvmlDeviceGetPowerUsage": {"power_watts"},
    "nvmlDeviceGetTotalEnergyConsumption": {"energy_joules"},
    "nvmlDeviceGetTemperature": {"temperature_celsius"},
    "nvmlDeviceGetClockInfo": {"clock_mhz"},
    "nvmlDeviceGetComputeRunningProcesses_v3": {"job_memory_bytes"},
    "nvmlDeviceGetGraphicsRunningProcesses_v3": set(),
    "nvmlDeviceGetMPSComputeRunningProcesses_v3": set(),
    "nvmlDeviceGetProcessUtilization": {"job_sm_percent"},
    "nvmlDeviceGetCurrentClocksEventReasons": {"throttled_percent"},
    "nvmlDeviceGetTotalEccErrors": set(),
    "nvmlDeviceGetMigMode": set(),
    "nvmlDeviceGetMaxMigDeviceCount": set(),
    "nvmlDeviceGetMigDeviceHandleByIndex": set(),
    "nvmlDeviceGetGpuInstanceId": set(),
}
"""Call -> fields that are missing when it fails."""
FALLS_BACK = {("nvmlDeviceGetMemoryInfo_v2", code) for code in (3, 13, 25)}
"""Failures at which an older version of the call answers: not supported, not found, versions differ."""

SWEEP = """
import json, os, sys
from floydtop.sources import gpu_nvml

calls, codes = json.loads(sys.argv[1])
path = os.environ["NVML_SCENE"]
scene = open(path).read()
gpu_nvml.ask("nvmlInit")
devices, broken = gpu_nvml.open_devices(2)
for call in calls:
    for code in codes:
        with open(path, "w") as file:
            file.write(f"{scene}fail call={call} g=0 rc={code}\\n")
        for device in devices:
            device.samples_until = device.processes_until = 0
        readings = [gpu_nvml.read(device, slow=True) for device in devices]
        print(json.dumps([call, code, readings]))
"""


def run(code: str, *arguments: str) -> list[Any]:
    """Run Python that prints JSON lines, with the stub as its driver."""
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture
def scene(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Scene:
    scene = install(monkeypatch, tmp_path)
    for g in (0, 1):
        scene.gpu(g, ecc=0).say("samples", g=g, every=5)
        scene.say("proc", g=g, pid=1, mem=GIB).say("busy", g=g, pid=1, sm=40)
    return scene


@needs_cc
def test_every_error_of_every_call_costs_its_own_field_of_its_own_gpu(scene: Scene) -> None:
    for call, code, (failing, healthy) in run(SWEEP, json.dumps([list(COSTS), CODES])):
        told = (call, code, failing)
        costs = set() if (call, code) in FALLS_BACK else COSTS[call]
        assert set(failing["missing"]) == costs, told
        assert all(why and why != "None" for why in failing["missing"].values()), told
        assert healthy["missing"] == {}, (call, code, healthy)
        for name, value in failing["values"].items():
            assert name == "energy_joules" or value == healthy["values"][name], told


@needs_cc
def test_all_calls_failing_leave_no_value_but_a_reason_for_each(scene: Scene) -> None:
    for _, code, (failing, healthy) in run(SWEEP, json.dumps([["*"], CODES])):
        assert failing["values"] == {}, code
        assert failing["processes"] is failing["busy"] is failing["throttle"] is failing["ecc"] is None
        assert set(failing["missing"]) == set.union(*COSTS.values()) | {"utilization"}
        assert healthy["missing"] == {}


@needs_cc
def test_utilization_needs_both_of_its_calls_to_fail(scene: Scene) -> None:
    scene.drop("samples")
    [(_, _, (failing, _))] = run(SWEEP, json.dumps([["nvmlDeviceGetUtilizationRates"], [999]]))
    assert failing["missing"] == {"utilization": "the driver failed without saying why"}


@needs_cc
@pytest.mark.parametrize("kind", [0, 1, 2, 3, 4, 5])
def test_samples_are_read_in_every_type_that_nvml_has(scene: Scene, kind: int) -> None:
    scene.drop("samples").say("samples", g=0, every=5, type=kind)
    scene.say("fail", call="nvmlDeviceGetUtilizationRates", g=0, rc=3)
    [(_, _, (reading, _))] = run(SWEEP, json.dumps([["nothing"], [3]]))
    assert reading["values"]["utilization"] == reading["low"] == reading["high"] == 87


@needs_cc
def test_a_sample_buffer_that_says_idle_on_a_busy_gpu_is_distrusted_for_good(scene: Scene) -> None:
    scene.drop("samples").say("samples", g=0, every=1, value=0)
    readings = run(SWEEP, json.dumps([["nothing"] * 20, [3]]))
    told = [reading["values"]["utilization"] for _, _, (reading, _) in readings]
    assert told[:4] == [0] * 4
    assert told[5:] == [87] * 15


@needs_cc
def test_sample_of_unknown_type_is_not_used(scene: Scene) -> None:
    scene.drop("samples").say("samples", g=0, every=5, type=17)
    scene.drop("gpu g=0").gpu(0, util=55)
    [(_, _, (reading, _))] = run(SWEEP, json.dumps([["nothing"], [3]]))
    assert reading["values"]["utilization"] == 55


@needs_cc
def test_a_function_that_pynvml_lacks_is_an_old_driver_to_us(scene: Scene) -> None:
    code = """
import json
from floydtop.sources import gpu_nvml
try:
    gpu_nvml.ask("nvmlDeviceGetNothing")
except gpu_nvml.Unavailable as error:
    print(json.dumps([str(error), error.code]))
"""
    assert run(code) == [["this driver is too old for it", 13]]


@needs_cc
def test_version_mismatch_is_caught_though_it_is_no_nvml_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    install(monkeypatch, tmp_path, old_driver=True).gpu(0)
    code = """
import json
from floydtop.sources import gpu_nvml
gpu_nvml.ask("nvmlInit")
[device], broken = gpu_nvml.open_devices(1)
try:
    gpu_nvml.ask("nvmlDeviceGetComputeRunningProcesses", device.handle)
except gpu_nvml.Unavailable as error:
    print(json.dumps([str(error), type(error.__cause__).__name__]))
"""
    assert run(code) == [["this driver is too old for it", "NVMLLibraryMismatchError"]]


class TestTimeStamps:
    """Samples are asked for by the driver's time stamps, microseconds of the wall clock."""

    def test_a_clock_that_was_set_back_hides_no_sample(self) -> None:
        now = int(time.time() * 1e6)
        assert gpu_nvml.ask_from(now - 1_000_000) == now - 1_000_000
        assert gpu_nvml.ask_from(now + 3_600_000_000) == 0

    def test_samples_of_an_hour_ago_are_stale(self) -> None:
        now = int(time.time() * 1e6)
        assert gpu_nvml.is_stale(now - 3_600_000_000)
        assert not gpu_nvml.is_stale(now)

    def test_stamps_of_another_clock_are_taken_as_they_are(self) -> None:
        uptime = 86_400_000_000
        assert gpu_nvml.ask_from(uptime) == uptime
        assert not gpu_nvml.is_stale(uptime)
