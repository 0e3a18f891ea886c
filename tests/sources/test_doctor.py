"""What the doctor finds on this very machine."""

from __future__ import annotations

import pytest

from floydtop.errors import FloydtopError
from floydtop.sources import cgroup, doctor, ending, procfs
from floydtop.sources.doctor import Finding, examine
from tests.sources.children import line, program


@pytest.fixture(autouse=True)
def _no_wait_for_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_gpus", lambda pids: Finding("GPUs", "no", "not asked"))


def by_topic(pid: int | None = None) -> dict[str, Finding]:
    return {finding.topic: finding for finding in examine(pid)}


def test_every_line_says_topic_verdict_and_remedy() -> None:
    finding = Finding("memory", "partly", "at most", "be root")
    assert str(finding).split() == ["partly", "memory", "at", "most", "->", "be", "root"]
    assert str(Finding("memory", "yes", "exact")).split() == ["yes", "memory", "exact"]


def test_machine_is_examined_without_a_job() -> None:
    topics = by_topic()
    assert {"kernel", "process tree", "job's end", "exit code", "limits", "memory", "GPUs"} <= topics.keys()
    assert all("\n" not in str(finding) for finding in topics.values())


def test_kernel_that_tells_no_exit_codes_is_found_out_by_trying(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(pidfd: int) -> int | None:
        raise OSError("inappropriate ioctl")

    monkeypatch.setattr(ending, "wait_status", refuse)
    assert by_topic()["exit code"] == Finding(
        "exit code", "partly", "known only if the job's parent is slow to collect it", "Linux 6.15 or later"
    )


def test_container_without_cgroups_is_told_to_mount_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cgroup, "mounts", list)
    assert by_topic()["limits"].works == "no"
    assert "mount" in by_topic()["limits"].remedy


def test_kernel_without_lists_of_children_costs_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(procfs, "lists_children", lambda: False)
    assert "CONFIG_PROC_CHILDREN" in by_topic()["process tree"].remedy


def test_job_is_tried_and_its_sources_named() -> None:
    with program("print(1, flush=True); input()") as child:
        line(child)
        topics = by_topic(child.pid)
    assert topics["job: cores"].works == "yes"
    assert "process" in topics["job: memory"].verdict
    assert topics["job: CPU"].works == "yes"


def test_job_that_drops_its_childrens_time_is_told_to_use_a_cgroup() -> None:
    source = "import signal\nsignal.signal(signal.SIGCHLD, signal.SIG_IGN)\nprint(1, flush=True)\ninput()"
    with program(source) as child:
        line(child)
        finding = by_topic(child.pid)["job: CPU"]
    assert finding.works == "partly"
    assert "systemd-run" in finding.remedy


def test_wrong_pid_is_an_error_before_anything_is_printed() -> None:
    with pytest.raises(FloydtopError):
        next(iter(examine(2**22 + 1)))
