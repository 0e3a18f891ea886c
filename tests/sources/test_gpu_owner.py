"""Which GPUs are the job's when the driver does not say: environment, open files, or all of them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from floydtop.sources.gpu_owner import (
    ALIEN,
    INITIAL_PID_NAMESPACE,
    NONE_USED,
    Hints,
    exists,
    guess,
    job_gpus,
    read_hints,
    visible_gpus,
)
from floydtop.sources.gpu_wire import Device, DeviceReading, Process

FOUR = [Device(index, "H100", f"GPU-{index}{index}-aa", minor=index + 4) for index in range(4)]
SPLIT = [*FOUR, Device(4, "A100", "GPU-44-aa", mig={"MIG-5f-1": 1, "MIG-6f-2": 2})]


class TestCudaVisibleDevices:
    """The list that CUDA reads, up to its first entry that names no GPU."""

    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            ("0", {0}),
            ("1,3", {1, 3}),
            (" 2 , 0 ", {0, 2}),
            ("GPU-22-aa", {2}),
            ("GPU-22", {2}),
            ("GPU-22,1", {1, 2}),
            ("MIG-5f-1", {4}),
            ("MIG-GPU-44-aa/1/0", {4}),
            ("", set()),
            ("-1", set()),
            ("0,-1,1", {0}),
            ("0,7,1", {0}),
            ("NoDevFiles", set()),
            ("GPU-", set()),
            ("\u0661", set()),
        ],
    )
    def test_names_gpus_by_number_and_uuid(self, value: str, expected: set[int]) -> None:
        assert visible_gpus(value, SPLIT) == expected

    @given(st.text(alphabet="0123456789,-GPUMIG af/\x00é", max_size=30))
    def test_any_text_names_only_gpus_that_exist(self, value: str) -> None:
        assert visible_gpus(value, SPLIT) <= {0, 1, 2, 3, 4}


class TestGuess:
    """What is taken for the job's when the driver lists none of its processes."""

    @staticmethod
    def idle() -> list[DeviceReading]:
        return [DeviceReading(device.index, processes=[]) for device in FOUR]

    def test_environment_goes_before_open_files(self) -> None:
        owned = guess(FOUR, self.idle(), Hints(visible=("1",), minors=frozenset({6})), aliens=False)
        assert owned.gpus == {1}
        assert "CUDA_VISIBLE_DEVICES" in owned.note

    def test_environments_of_several_workers_are_added(self) -> None:
        assert guess(FOUR, self.idle(), Hints(visible=("1", "3")), aliens=False).gpus == {1, 3}

    def test_hidden_gpus_are_not_used(self) -> None:
        owned = guess(FOUR, self.idle(), Hints(visible=("",)), aliens=True)
        assert owned.gpus == set()
        assert owned.note == f"{NONE_USED}: CUDA_VISIBLE_DEVICES leaves it none"

    def test_open_files_count_by_minor_number(self) -> None:
        owned = guess(FOUR, self.idle(), Hints(minors=frozenset({6})), aliens=True)
        assert owned.gpus == {2}
        assert "/dev/nvidia*" in owned.note

    def test_order_of_unlike_gpus_is_doubted(self) -> None:
        assert "another order" in guess(SPLIT, self.idle(), Hints(visible=("1",)), aliens=False).note

    @pytest.mark.parametrize(
        ("devices", "hints"),
        [
            (FOUR, Hints(visible=("1",))),
            (SPLIT, Hints(visible=("1",), by_bus=True)),
            (SPLIT, Hints(visible=("GPU-22",))),
        ],
        ids=["alike", "by bus", "by UUID"],
    )
    def test_order_is_not_doubted_where_it_is_sure(self, devices: list[Device], hints: Hints) -> None:
        assert "another order" not in guess(devices, self.idle(), hints, aliens=False).note

    def test_alien_pids_show_all(self) -> None:
        owned = guess(FOUR, self.idle(), Hints(), aliens=True)
        assert (owned.gpus, owned.note) == ({0, 1, 2, 3}, ALIEN)

    def test_a_container_whose_files_are_hidden_shows_all(self) -> None:
        assert guess(FOUR, self.idle(), Hints(nested=True, hidden=True), aliens=False).note == ALIEN

    def test_a_lost_gpu_proves_nothing_about_the_others(self) -> None:
        readings = [DeviceReading(0, lost="the GPU is lost"), *self.idle()[1:]]
        assert guess(FOUR, readings, Hints(), aliens=False).note == NONE_USED

    def test_nothing_found_is_no_gpu(self) -> None:
        owned = guess(FOUR, self.idle(), Hints(), aliens=False)
        assert (owned.gpus, owned.note) == (set(), NONE_USED)


class TestHints:
    """What /proc tells."""

    @staticmethod
    def process(proc: Path, pid: int, environment: bytes = b"", files: tuple[str, ...] = ()) -> None:
        """Lay out what the kernel shows of a process."""
        (proc / str(pid) / "fd").mkdir(parents=True)
        (proc / str(pid) / "environ").write_bytes(environment)
        for number, name in enumerate(files):
            (proc / str(pid) / "fd" / str(number)).symlink_to(name)

    def test_environment_and_devices_of_all_processes(self, tmp_path: Path) -> None:
        self.process(tmp_path, 1, b"A=b\0CUDA_VISIBLE_DEVICES=0,1\0CUDA_DEVICE_ORDER=PCI_BUS_ID\0")
        self.process(
            tmp_path, 2, b"XCUDA_VISIBLE_DEVICES=9\0", ("/dev/nvidia3", "/dev/nvidiactl", "socket:[1]")
        )
        hints = read_hints([1, 2, 3], tmp_path)
        assert hints.visible == ("0,1",)
        assert hints.by_bus
        assert hints.minors == {3}
        assert not hints.hidden

    def test_empty_variable_is_not_an_absent_one(self, tmp_path: Path) -> None:
        self.process(tmp_path, 1, b"CUDA_VISIBLE_DEVICES=\0")
        self.process(tmp_path, 2, b"HOME=/\0")
        assert read_hints([1], tmp_path).visible == ("",)
        assert read_hints([2], tmp_path).visible == ()

    def test_a_process_that_may_not_be_read_is_told(self, tmp_path: Path) -> None:
        # Reading a folder fails for root too, as EISDIR.
        (tmp_path / "1" / "environ").mkdir(parents=True)
        assert read_hints([1], tmp_path).hidden

    def test_pid_namespace_is_told_by_its_number(self, tmp_path: Path) -> None:
        (tmp_path / "self/ns").mkdir(parents=True)
        link = tmp_path / "self/ns/pid"
        link.symlink_to(INITIAL_PID_NAMESPACE)
        assert not read_hints([], tmp_path).nested
        link.unlink()
        link.symlink_to("pid:[4026532198]")
        assert read_hints([], tmp_path).nested

    @pytest.mark.skipif(
        not Path("/proc/self/environ").exists(), reason="no /proc: hints are NOT tested on it"
    )
    def test_our_own_process_can_be_read(self) -> None:
        assert not read_hints([os.getpid()]).hidden


def test_gpus_of_listed_processes_are_the_jobs() -> None:
    readings = [
        DeviceReading(0, processes=[Process(10, None, None)]),
        DeviceReading(1, processes=[Process(11, 5, None), Process(12, 5, 1)]),
        DeviceReading(2, processes=None),
    ]
    assert job_gpus(readings, {12, 99}) == {1}


@pytest.mark.parametrize(
    ("pid", "here"), [("self", True), (1, True), (0, False), (2**31 - 1, False), (2**40, False)]
)
def test_a_pid_exists_or_not(pid: int | str, here: bool) -> None:
    assert exists(os.getpid() if isinstance(pid, str) else pid) is here
