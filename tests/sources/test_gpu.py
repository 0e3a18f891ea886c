"""GpuReader on a scripted NVIDIA driver: what it reads, and what it says when the driver fails."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from floydtop.events import Stat
from floydtop.sources.gpu import ALWAYS, GpuReader
from floydtop.sources.gpu_supervisor import Patience
from tests.nvml_stub import GIB, Scene, install, needs_cc

QUICK = Patience(period=0.05, silence=10, startup=20, retries=(0.1,) * 20)
IMPATIENT = replace(QUICK, silence=1)
ALIEN_PID = 4_194_305
"""Above the kernel's PID_MAX_LIMIT: no process ever has it."""


@contextlib.asynccontextmanager
async def reader(patience: Patience = QUICK, pids: set[int] | None = None) -> AsyncIterator[GpuReader]:
    gpus = GpuReader(patience)
    gpus.watch({os.getpid()} if pids is None else pids)
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


def mine(scene: Scene, g: int, mem: int = 4 * GIB, **values: object) -> Scene:
    """This process is the job, and has memory on GPU g."""
    return scene.say("proc", g=g, pid=os.getpid(), mem=mem, **values)


@pytest.fixture
def scene(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Scene:
    return install(monkeypatch, tmp_path)


async def test_no_driver_is_one_quiet_note_and_no_helper_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LD_LIBRARY_PATH", "/nonexistent")
    async with reader() as gpus:
        if gpus.facts()[0]:
            pytest.skip("this machine has a real NVIDIA driver: its absence is NOT tested")
        assert gpus.facts() == ([], {"gpu": "no NVIDIA driver on this machine"})
        assert gpus.latest().values == {}
        assert gpus.latest().unknown == {}
        assert gpus.drain() == {}
        assert gpus.alerts() == []
        await until(lambda: gpus.helper_pid is None)


async def test_waiting_for_the_first_word_is_no_failure() -> None:
    gpus = GpuReader()
    assert gpus.latest().unknown == {}
    assert gpus.facts() == ([], {"gpu": "waiting for the NVIDIA driver"})


@needs_cc
class TestAHealthyGpu:
    """GPUs whose driver answers everything."""

    async def test_reading_has_every_field_in_its_unit(self, scene: Scene) -> None:
        scene.gpu(0, power=512000, temp=61, clock=1755)
        mine(scene, 0).say("busy", g=0, pid=os.getpid(), sm=40)
        async with reader() as gpus:
            reading = gpus.latest()
        assert reading.unknown == {}
        assert set(reading.values) == {f"gpu.0.{field}" for field in ALWAYS}
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
        mine(scene.gpu(0), 0)
        async with reader() as gpus:
            [gpu], notes = gpus.facts()
        assert (gpu.index, gpu.name, gpu.memory_bytes) == (0, "NVIDIA-H100-80GB-HBM3", 80 * GIB)
        assert gpu.of_job
        assert notes == {}

    async def test_the_job_has_its_gpu_and_the_other_is_kept_apart(self, scene: Scene) -> None:
        mine(scene.gpu(0, util=3).gpu(1, util=99), 1)
        async with reader() as gpus:
            assert gpus.latest().values["gpu.1.utilization"] == 99
            assert not any(name.startswith("gpu.0.") for name in gpus.latest().values)
            assert gpus.others().values["gpu.0.utilization"] == 3
            assert not any(name.startswith("gpu.1.") for name in gpus.others().values)
            assert not any(name.startswith("gpu.0.") for name in gpus.drain())
            assert [gpu.of_job for gpu in gpus.facts()[0]] == [False, True]

    async def test_a_job_on_two_gpus_has_both(self, scene: Scene) -> None:
        mine(mine(scene.gpu(0).gpu(1), 0, mem=GIB), 1, mem=2 * GIB)
        async with reader() as gpus:
            values = gpus.latest().values
        assert (values["gpu.0.job_memory_bytes"], values["gpu.1.job_memory_bytes"]) == (GIB, 2 * GIB)

    async def test_shares_of_all_processes_of_the_tree_are_added(self, scene: Scene) -> None:
        mine(scene.gpu(0), 0, mem=GIB).say("proc", g=0, pid=1, mem=2 * GIB).say("proc", g=0, pid=2, mem=GIB)
        scene.say("busy", g=0, pid=os.getpid(), sm=30).say("busy", g=0, pid=1, sm=25).say(
            "busy", g=0, pid=2, sm=9
        )
        async with reader(pids={os.getpid(), 1}) as gpus:
            values = gpus.latest().values
        assert (values["gpu.0.job_memory_bytes"], values["gpu.0.job_sm_percent"]) == (3 * GIB, 55)

    async def test_a_process_that_computes_and_draws_counts_once(self, scene: Scene) -> None:
        mine(mine(scene.gpu(0), 0, mem=GIB), 0, mem=GIB, kind="G")
        async with reader() as gpus:
            assert gpus.latest().values["gpu.0.job_memory_bytes"] == GIB

    async def test_a_gpu_that_the_job_left_stays_with_no_memory_of_the_job(self, scene: Scene) -> None:
        mine(scene.gpu(0), 0)
        async with reader() as gpus:
            scene.drop("proc")
            await until(lambda: gpus.latest().values["gpu.0.job_memory_bytes"] == 0)
            assert gpus.latest().values["gpu.0.utilization"] == 87

    async def test_a_job_that_is_named_late_has_its_share_at_once(self, scene: Scene) -> None:
        mine(scene.gpu(0).gpu(1), 1)
        async with reader(replace(QUICK, period=60), pids=set()) as gpus:
            assert gpus.latest().values == {}
            gpus.watch({os.getpid()})
            assert gpus.latest().values["gpu.1.job_memory_bytes"] == 4 * GIB

    async def test_the_jobs_gpus_stay_known_when_it_has_ended(self, scene: Scene) -> None:
        mine(scene.gpu(0).gpu(1), 1)
        async with reader() as gpus:
            gpus.watch(set())
            await until(lambda: gpus.latest().values["gpu.1.job_memory_bytes"] == 0)
            assert [gpu.of_job for gpu in gpus.facts()[0]] == [False, True]

    async def test_readings_follow_the_driver(self, scene: Scene) -> None:
        mine(scene.gpu(0), 0)
        async with reader() as gpus:
            scene.drop("gpu").gpu(0, util=12)
            await until(lambda: gpus.latest().values["gpu.0.utilization"] == 12)

    async def test_memory_does_not_count_the_drivers_reserve(self, scene: Scene) -> None:
        mine(scene.gpu(0, reserve=GIB), 0)
        async with reader() as gpus:
            assert gpus.latest().values["gpu.0.memory_bytes"] == 20 * GIB

    async def test_throttling_is_a_percentage_of_time_with_its_reason(self, scene: Scene) -> None:
        mine(scene.gpu(0, throttle=0x04 | 0x20 | 0x01), 0)
        async with reader() as gpus:
            assert gpus.drain()["gpu.0.throttled_percent"] == (100, 100, 100)
            assert gpus.facts()[1] == {
                "gpu.0.throttle": "slowed down by heat (by the driver), its power limit"
            }
            scene.drop("gpu").gpu(0, throttle=0x01)
            await until(lambda: gpus.latest().values["gpu.0.throttled_percent"] == 0)
            gpus.drain()
            await until(lambda: gpus.drain()["gpu.0.throttled_percent"] == (0, 0, 0))
            assert gpus.facts()[1] == {}

    async def test_memory_errors_are_a_note_and_news(self, scene: Scene) -> None:
        mine(scene.gpu(0, ecc=2), 0)
        async with reader() as gpus:
            sentence = "GPU 0 has had 2 uncorrected memory errors (ECC) since the driver was loaded"
            assert gpus.facts()[1]["gpu.0.ecc"] == sentence
            assert gpus.alerts() == [sentence]

    async def test_xid_event_is_told_once(self, scene: Scene) -> None:
        mine(scene.gpu(0).gpu(1), 1)
        async with reader() as gpus:
            scene.say("xid", g=1, code=79)
            await until(lambda: "gpu.1.xid" in gpus.facts()[1])
            assert gpus.alerts() == ["GPU 1 reported XID 79: the GPU has fallen off the bus"]
            assert gpus.alerts() == []


@needs_cc
class TestATick:
    """What is recorded of a minute: for 5 of each 20 s at 90 % and 400 W, else idle at 100 W."""

    @pytest.fixture(scope="class")
    def minute(self, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Stat]:
        """Twenty seconds of the scene pass in one of the clock. GPU 0 has a sample buffer, GPU 1 has none."""

        async def record() -> dict[str, Stat]:
            async with reader() as gpus:
                taken = gpus.latest().values["gpu.0.energy_joules"]
                await until(lambda: gpus.latest().values["gpu.0.energy_joules"] != taken)
                gpus.drain()
                await asyncio.sleep(3)
                return gpus.drain()

        with pytest.MonkeyPatch.context() as patch:
            scene = install(patch, tmp_path_factory.mktemp("minute")).say("clock", speed=20)
            for g in (0, 1):
                mine(scene.gpu(g, util=90, power=400000, idle_power=100000), g)
                scene.say("duty", g=g, period=20000, busy=5000)
            scene.say("samples", g=0, every=167, keep=200)
            return asyncio.run(record())

    def test_utilization_from_the_sample_buffer_is_within_5_points(self, minute: dict[str, Stat]) -> None:
        mean, low, high = minute["gpu.0.utilization"]
        assert mean == pytest.approx(90 * 5 / 20, abs=5)
        assert (low, high) == (0, 90)

    def test_utilization_from_one_hertz_readings_is_within_5_points(self, minute: dict[str, Stat]) -> None:
        mean, low, high = minute["gpu.1.utilization"]
        assert mean == pytest.approx(90 * 5 / 20, abs=5)
        assert (low, high) == (0, 90)

    def test_power_is_energy_over_time(self, minute: dict[str, Stat]) -> None:
        mean, low, high = minute["gpu.1.power_watts"]
        assert mean == pytest.approx(100 + 300 * 5 / 20, abs=10)
        assert (low, high) == (100, 400)

    async def test_a_tick_shorter_than_the_sampling_period_has_the_last_reading(self, scene: Scene) -> None:
        mine(scene.gpu(0, util=50), 0)
        async with reader() as gpus:
            gpus.drain()
            assert gpus.drain()["gpu.0.utilization"] == (50, 50, 50)


@needs_cc
class TestWhatTheDriverDoesNotTell:
    """Unknown is never zero."""

    async def test_share_not_supported_is_no_zero(self, scene: Scene) -> None:
        mine(scene.gpu(0), 0).say("fail", call="nvmlDeviceGetProcessUtilization", rc=3)
        async with reader() as gpus:
            assert "gpu.0.job_sm_percent" not in gpus.latest().values
            assert gpus.latest().unknown == {"gpu.0.job_sm_percent": "not supported by this GPU or driver"}

    async def test_no_samples_of_processes_on_an_idle_gpu_are_zero(self, scene: Scene) -> None:
        mine(scene.gpu(0, util=0), 0)
        async with reader() as gpus:
            assert gpus.latest().values["gpu.0.job_sm_percent"] == 0

    async def test_no_samples_of_processes_on_a_busy_gpu_are_unknown(self, scene: Scene) -> None:
        mine(scene.gpu(0, util=87), 0)
        async with reader() as gpus:
            assert gpus.latest().unknown == {"gpu.0.job_sm_percent": "the driver has no data"}

    async def test_process_without_memory_figure_leaves_the_jobs_memory_unknown(self, scene: Scene) -> None:
        scene.gpu(0, util=0).say("proc", g=0, pid=os.getpid())
        async with reader() as gpus:
            why = "the driver does not tell the memory of a process"
            assert gpus.latest().unknown == {"gpu.0.job_memory_bytes": why}

    async def test_mig_has_memory_of_the_instance_and_says_why_no_utilization(self, scene: Scene) -> None:
        mine(scene.gpu(0), 0, gi=2, mem=3 * GIB)
        scene.say("mig", g=0, gi=1, uuid="MIG-1", total=40 * GIB, used=30 * GIB)
        scene.say("mig", g=0, gi=2, uuid="MIG-2", total=20 * GIB, used=5 * GIB)
        async with reader() as gpus:
            reading = gpus.latest()
        assert reading.values["gpu.0.mig_memory_bytes"] == 5 * GIB
        assert reading.values["gpu.0.mig_memory_percent"] == 25
        assert reading.values["gpu.0.job_memory_bytes"] == 3 * GIB
        why = "MIG is on: the driver does not tell it by instance"
        assert reading.unknown == {"gpu.0.utilization": why, "gpu.0.job_sm_percent": why}

    async def test_old_driver_gives_what_it_has(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        scene = install(monkeypatch, tmp_path, old_driver=True)
        mine(scene.gpu(0, util=0, power=99000), 0)
        async with reader() as gpus:
            reading = gpus.latest()
        assert reading.values["gpu.0.memory_percent"] == 25
        assert reading.values["gpu.0.job_memory_bytes"] == 4 * GIB
        assert reading.values["gpu.0.power_watts"] == 99
        assert reading.unknown == {"gpu.0.energy_joules": "this driver is too old for it"}

    async def test_pids_of_another_namespace_show_all_gpus_without_a_share(self, scene: Scene) -> None:
        scene.gpu(0).gpu(1).say("proc", g=0, pid=ALIEN_PID, mem=GIB).say("busy", g=0, pid=ALIEN_PID, sm=40)
        async with reader() as gpus:
            reading = gpus.latest()
            assert gpus.facts()[1] == {"gpu": "not attributable (PID namespace): showing device-wide"}
        assert {"gpu.0.utilization", "gpu.1.utilization"} <= set(reading.values)
        assert not any("job_" in name for name in reading.values)
        assert {"gpu.0.job_memory_bytes", "gpu.0.job_sm_percent"} <= set(reading.unknown)

    async def test_a_driver_without_process_lists_shows_all_gpus(self, scene: Scene) -> None:
        scene.gpu(0).say("fail", call="nvmlDeviceGetComputeRunningProcesses_v3", rc=3)
        async with reader() as gpus:
            assert gpus.latest().values["gpu.0.utilization"] == 87
            assert gpus.facts()[1]["gpu"].startswith("not attributable (the driver lists no processes")

    async def test_a_job_without_gpu_says_so_and_shows_none(self, scene: Scene) -> None:
        scene.gpu(0).say("proc", g=0, pid=1, mem=GIB)
        async with reader() as gpus:
            assert gpus.latest().values == {}
            assert gpus.facts()[1] == {"gpu": "no GPU is used by this job"}
            assert gpus.others().values["gpu.0.utilization"] == 87
            assert [gpu.of_job for gpu in gpus.facts()[0]] == [False]

    async def test_gpus_of_the_environment_are_the_jobs_before_it_uses_them(self, scene: Scene) -> None:
        scene.gpu(0).gpu(1)
        sleeper = subprocess.Popen(["sleep", "60"], env=os.environ | {"CUDA_VISIBLE_DEVICES": "1"})
        try:
            async with reader(pids={sleeper.pid}) as gpus:
                assert gpus.latest().values["gpu.1.utilization"] == 87
                assert "gpu.0.utilization" not in gpus.latest().values
                why = "the driver lists no process of this job"
                assert gpus.latest().unknown["gpu.1.job_memory_bytes"] == why
                assert "CUDA_VISIBLE_DEVICES" in gpus.facts()[1]["gpu"]
        finally:
            sleeper.kill()
            sleeper.wait()


@needs_cc
class TestADriverThatFails:
    """Crash, hang and loss stay in the helper process."""

    @pytest.mark.parametrize(
        ("code", "words"),
        [
            (9, "the NVIDIA driver is not loaded"),
            (12, "no NVIDIA driver on this machine"),
            (18, "the NVIDIA driver and its library differ in version: reload the driver or reboot"),
            (999, "the driver failed without saying why"),
        ],
    )
    async def test_failed_initialisation_is_a_note(self, scene: Scene, code: int, words: str) -> None:
        scene.gpu(0).say("init", rc=code)
        async with reader() as gpus:
            assert gpus.facts() == ([], {"gpu": words})
            assert gpus.latest().unknown == {}

    async def test_driver_without_gpu_is_a_note(self, scene: Scene) -> None:
        async with reader() as gpus:
            assert gpus.facts() == ([], {"gpu": "the NVIDIA driver finds no GPU"})

    async def test_a_lost_gpu_leaves_the_other_alone(self, scene: Scene) -> None:
        mine(mine(scene.gpu(0).gpu(1), 0), 1)
        async with reader() as gpus:
            scene.say("fail", call="*", g=0, rc=15)
            await until(lambda: "gpu.0.utilization" in gpus.latest().unknown)
            reading = gpus.latest()
            assert not any(name.startswith("gpu.0.") for name in reading.values)
            assert {why for name, why in reading.unknown.items() if name.startswith("gpu.0.")} == {
                "the GPU is lost"
            }
            assert reading.values["gpu.1.utilization"] == 87
            assert gpus.alerts() == ["GPU 0 tells nothing: the GPU is lost"]
            scene.drop("fail")
            await until(lambda: "gpu.0.utilization" in gpus.latest().values)
            assert gpus.facts()[1] == {}

    async def test_a_gpu_that_cannot_be_opened_is_shown_with_its_reason(self, scene: Scene) -> None:
        mine(scene.gpu(0).gpu(1), 1).say("fail", call="nvmlDeviceGetHandleByIndex_v2", g=0, rc=4)
        async with reader() as gpus:
            assert gpus.others().unknown["gpu.0.utilization"] == "no permission"
            assert gpus.latest().values["gpu.1.utilization"] == 87

    async def test_a_segfault_is_told_by_name_and_recovered_from(self, scene: Scene) -> None:
        mine(scene.gpu(0), 0)
        async with reader() as gpus:
            gpus.alerts()
            scene.say("crash", call="nvmlDeviceGetPowerUsage")
            told = "GPU sampler lost: killed by SIGSEGV (nvmlDeviceGetPowerUsage)"
            await until(lambda: gpus.latest().unknown.get("gpu.0.utilization") == told)
            assert gpus.latest().values == {}
            assert gpus.facts()[1]["gpu"] == told
            scene.drop("crash")
            await until(lambda: "gpu.0.utilization" in gpus.latest().values)
            assert gpus.alerts() == [told, "the GPU sampler is back"]

    async def test_a_driver_that_always_crashes_is_given_up(self, scene: Scene) -> None:
        mine(scene.gpu(0), 0).say("crash", call="nvmlDeviceGetPowerUsage")
        async with reader(replace(QUICK, retries=(0.01, 0.01))) as gpus:
            await until(lambda: "given up" in gpus.facts()[1]["gpu"])
            assert "given up after 2 new starts" in gpus.latest().unknown["gpu"]
            assert gpus.helper_pid is None

    async def test_a_helper_killed_from_outside_is_told_and_started_again(self, scene: Scene) -> None:
        mine(scene.gpu(0), 0)
        async with reader() as gpus:
            assert gpus.helper_pid is not None
            os.kill(gpus.helper_pid, signal.SIGKILL)
            told = "GPU sampler lost: killed by SIGKILL"
            await until(lambda: gpus.facts()[1].get("gpu") == told)
            await until(lambda: "gpu.0.utilization" in gpus.latest().values)

    async def test_a_stopped_helper_is_replaced(self, scene: Scene) -> None:
        mine(scene.gpu(0), 0)
        async with reader(IMPATIENT) as gpus:
            first = gpus.helper_pid
            assert first is not None
            os.kill(first, signal.SIGSTOP)
            await until(lambda: gpus.facts()[1].get("gpu") == "the NVIDIA driver does not answer")
            await until(lambda: "gpu.0.utilization" in gpus.latest().values)
            assert gpus.helper_pid != first

    async def test_a_hang_of_a_minute_blocks_nobody_and_is_recovered_from(self, scene: Scene) -> None:
        mine(scene.gpu(0), 0)
        async with reader(IMPATIENT) as gpus:
            scene.say("hang", call="nvmlDeviceGetTemperature", seconds=60)
            told = "the NVIDIA driver does not answer (nvmlDeviceGetTemperature)"
            longest = 0.0
            while gpus.facts()[1].get("gpu") != told:
                before = time.monotonic()
                gpus.watch({os.getpid()})
                gpus.latest(), gpus.others(), gpus.facts(), gpus.drain()
                longest = max(longest, time.monotonic() - before)
                await asyncio.sleep(0.01)
            assert longest < 1
            assert gpus.latest().unknown["gpu.0.utilization"] == told
            scene.drop("hang")
            await until(lambda: "gpu.0.utilization" in gpus.latest().values)

    async def test_a_hang_at_the_start_is_told_while_it_lasts(self, scene: Scene) -> None:
        scene.gpu(0).say("hang", call="nvmlInitWithFlags", seconds=60)
        async with reader(Patience(period=0.05, silence=0.5, startup=60)) as gpus:
            assert gpus.facts() == ([], {"gpu": "the NVIDIA driver does not answer"})
            assert gpus.latest().unknown == {"gpu": "the NVIDIA driver does not answer"}

    async def test_a_library_that_prints_breaks_no_reading(self, scene: Scene) -> None:
        mine(scene.gpu(0), 0).say("print", call="nvmlInitWithFlags")
        async with reader() as gpus:
            assert gpus.latest().values["gpu.0.utilization"] == 87


@needs_cc
class TestTheHelper:
    """The process that talks to the driver."""

    async def test_it_ends_with_the_reader(self, scene: Scene) -> None:
        scene.gpu(0)
        async with reader() as gpus:
            helper = gpus.helper_pid
            assert helper is not None
        assert not psutil.pid_exists(helper)

    @pytest.mark.parametrize("hangs", [False, True], ids=["at work", "in a call that hangs"])
    async def test_it_dies_with_its_parent(self, scene: Scene, hangs: bool) -> None:
        scene.gpu(0)
        if hangs:
            scene.say("hang", call="nvmlDeviceGetTemperature", seconds=60)
        code = (
            "import asyncio\n"
            "from floydtop.sources.gpu import GpuReader, Patience\n"
            "async def main():\n"
            "    gpus = GpuReader(Patience(silence=1.5))\n"
            "    await gpus.start()\n"
            "    print(gpus.helper_pid, flush=True)\n"
            "    await gpus.settled(60)\n"
            "    print('settled', flush=True)\n"
            "    await asyncio.sleep(60)\n"
            "asyncio.run(main())\n"
        )
        parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        assert parent.stdout
        try:
            helper = psutil.Process(int(parent.stdout.readline()))
            parent.stdout.readline()
        finally:
            parent.send_signal(signal.SIGKILL)
            parent.wait()
            parent.stdout.close()
        await until(lambda: not helper.is_running() or helper.status() == psutil.STATUS_ZOMBIE)

    async def test_it_survives_an_interrupt_meant_for_the_app(self, scene: Scene) -> None:
        scene.gpu(0)
        async with reader() as gpus:
            assert gpus.helper_pid is not None
            assert os.getpgid(gpus.helper_pid) != os.getpgid(0)

    def test_its_parent_loads_neither_nvml_nor_psutil(self) -> None:
        code = "import sys, floydtop.sources.gpu; print({'pynvml', 'psutil'} & set(sys.modules))"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert done.stdout == "set()\n"
