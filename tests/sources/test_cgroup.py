"""What control groups allow and count: real formats, and real groups where the machine has them."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from floydtop.sources import cgroup, procfs
from floydtop.sources.cgroup import Level, Mount
from floydtop.sources.process import JobTree
from tests.sources.cgroups import group, join, set_memory_limit, set_quota
from tests.sources.children import BUSY, Stopwatch, line, program, tell, until

MIB = 1 << 20


class TestWhereTheJobIs:
    """From /proc/PID/cgroup and mountinfo to directories."""

    def test_hybrid_machine_lists_v1_controllers_and_v2(self) -> None:
        text = (
            "31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n"
            "33 31 0:30 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct\n"
            "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n"
        )
        v1, v2 = cgroup.parse_mounts(text)
        assert (v1.version, v1.point) == (1, "/sys/fs/cgroup/cpu,cpuacct")
        assert {"cpu", "cpuacct"} <= v1.controllers
        assert v2 == Mount(2, frozenset(), "/", "/sys/fs/cgroup/unified")

    def test_memberships_are_read_by_controller(self) -> None:
        text = (
            "4:cpu,cpuacct:/slurm/uid_1/job_2\n1:name=systemd:/init.scope\n0::/user.slice/a:b.scope (deleted)"
        )
        assert cgroup.parse_memberships(text) == {
            "cpu": "/slurm/uid_1/job_2",
            "cpuacct": "/slurm/uid_1/job_2",
            "name=systemd": "/init.scope",
            "": "/user.slice/a:b.scope",
        }

    def test_every_level_up_to_the_mount_is_listed_own_first(self, tmp_path: Path) -> None:
        (tmp_path / "user.slice" / "job.scope").mkdir(parents=True)
        found = cgroup.levels(
            {"": "/user.slice/job.scope"}, [Mount(2, frozenset(), "/", str(tmp_path))], "memory"
        )
        assert [level.path for level in found] == ["/user.slice/job.scope", "/user.slice", "/"]
        assert found[0].directory == str(tmp_path / "user.slice" / "job.scope")

    def test_container_without_a_cgroup_namespace_finds_itself_at_the_mount_point(
        self, tmp_path: Path
    ) -> None:
        mount = Mount(1, frozenset({"memory"}), "/docker/4af", str(tmp_path))
        found = cgroup.levels({"memory": "/docker/4af"}, [mount], "memory")
        assert found == [Level(str(tmp_path), 1, "/docker/4af")]

    def test_container_with_a_cgroup_namespace_finds_itself_at_the_mount_point(self, tmp_path: Path) -> None:
        found = cgroup.levels({"": "/"}, [Mount(2, frozenset(), "/", str(tmp_path))], "memory")
        assert found == [Level(str(tmp_path), 2, "/")]

    @pytest.mark.parametrize("path", ["/../other", "/docker/4afe", "/elsewhere"])
    def test_job_outside_what_we_see_has_no_levels(self, path: str, tmp_path: Path) -> None:
        mount = Mount(1, frozenset({"memory"}), "/docker/4af", str(tmp_path))
        assert cgroup.levels({"memory": path}, [mount], "memory") == []

    def test_no_hierarchy_no_levels(self) -> None:
        assert cgroup.levels({"": "/"}, [], "memory") == []


class TestFormats:
    """The files of a group, as kernels write them."""

    @staticmethod
    def level(directory: Path, version: int, **files: str) -> Level:
        for name, text in files.items():
            (directory / name.replace("__", ".")).write_text(text)
        return Level(str(directory), version, "/job")

    def test_v2_limits(self, tmp_path: Path) -> None:
        level = self.level(tmp_path, 2, cpu__max="30000 100000\n", memory__max="157286400\n")
        assert cgroup.cpu_quota(level) == 0.3
        assert cgroup.memory_limit(level) == 150 * MIB

    def test_v2_without_limits(self, tmp_path: Path) -> None:
        level = self.level(tmp_path, 2, cpu__max="max 100000\n", memory__max="max\n")
        assert cgroup.cpu_quota(level) is None
        assert cgroup.memory_limit(level) is None

    def test_v1_limits(self, tmp_path: Path) -> None:
        level = self.level(
            tmp_path,
            1,
            cpu__cfs_quota_us="150000\n",
            cpu__cfs_period_us="50000\n",
            memory__limit_in_bytes="1048576\n",
        )
        assert cgroup.cpu_quota(level) == 3.0
        assert cgroup.memory_limit(level) == MIB

    def test_v1_without_limits(self, tmp_path: Path) -> None:
        huge = "9223372036854771712\n"
        level = self.level(
            tmp_path, 1, cpu__cfs_quota_us="-1\n", cpu__cfs_period_us="100000\n", memory__limit_in_bytes=huge
        )
        assert cgroup.cpu_quota(level) is None
        assert cgroup.memory_limit(level) is None

    def test_v1_limit_of_a_group_above_that_we_cannot_see_counts(self, tmp_path: Path) -> None:
        level = self.level(
            tmp_path,
            1,
            memory__limit_in_bytes="9223372036854771712\n",
            memory__stat="cache 5\nhierarchical_memory_limit 2097152\n",
        )
        assert cgroup.memory_limit(level) == 2 * MIB

    def test_working_set_leaves_out_cold_page_cache(self, tmp_path: Path) -> None:
        v2 = self.level(
            tmp_path, 2, memory__current="1000\n", memory__stat="active_file 7\ninactive_file 300\n"
        )
        assert cgroup.working_set(v2) == 700
        (tmp_path / "memory.stat").unlink()
        assert cgroup.working_set(v2) == 1000
        v1 = self.level(tmp_path, 1, memory__usage_in_bytes="900\n", memory__stat="total_inactive_file 200\n")
        assert cgroup.working_set(v1) == 700

    def test_counters(self, tmp_path: Path) -> None:
        level = self.level(
            tmp_path,
            2,
            cpu__stat="usage_usec 2500000\nnr_periods 45\nnr_throttled 41\n",
            memory__events="low 0\nmax 19\noom 1\noom_kill 2\noom_group_kill 0\n",
            memory__swap__current="4096\n",
        )
        assert cgroup.cpu_seconds(level) == 2.5
        assert cgroup.throttling(level) == (45, 41)
        assert cgroup.oom_kills(level) == 2
        assert cgroup.swap(level) == 4096

    def test_absent_files_are_unknown_and_not_zero(self, tmp_path: Path) -> None:
        for version in (1, 2):
            level = Level(str(tmp_path), version, "/job")
            readers = (cgroup.cpu_quota, cgroup.throttling, cgroup.cpu_seconds, cgroup.memory_limit,
                       cgroup.working_set, cgroup.swap, cgroup.oom_kills)  # fmt: skip
            assert [reader(level) for reader in readers] == [None] * len(readers)


def test_percent_of_memory_is_of_the_groups_limit() -> None:
    with group("limit", "memory") as directory:
        set_memory_limit(directory, 150 * MIB)
        source = f"{join(directory)}data = b'x' * {60 * MIB}\nprint(1, flush=True)\ninput()"
        with program(source) as child:
            line(child)
            tree = JobTree.open(child.pid)
            reading = tree.read(thorough=True)
            cores, size, notes = tree.facts()
            assert size == 150 * MIB
            assert notes["memory_bytes"] == f"limit of cgroup /{directory.name}"
            assert (
                notes["memory"]
                == f"working set (all but cold page cache) of the job's own cgroup /{directory.name}"
            )
            assert reading.values["memory.percent"] == pytest.approx(100 * 62 / 150, abs=4)
            assert cores is not None
            tree.close()


def test_limit_of_a_group_further_up_counts() -> None:
    with group("outer", "memory") as outer:
        inner = outer / "inner"
        inner.mkdir()
        if (outer / "memory.max").exists():
            (outer / "cgroup.subtree_control").write_text("+memory")
        set_memory_limit(outer, 100 * MIB)
        with program(f"{join(inner)}print(1, flush=True)\ninput()") as child:
            line(child)
            tree = JobTree.open(child.pid)
            tree.read(thorough=True)
            assert tree.facts()[1] == 100 * MIB
            tree.close()
        until(lambda: not cgroup.processes(Level(str(inner), 1, "")))
        inner.rmdir()


def test_busy_loop_in_a_quota_of_a_tenth_of_a_core_uses_all_of_it_and_is_throttled() -> None:
    with group("quota", "cpu") as directory:
        set_quota(directory, 0.1)  # so little that it is there on a busy machine too
        with program(f"{join(directory)}{BUSY}\nprint(1, flush=True)\nbusy(60)") as child:
            line(child)
            tree = JobTree.open(child.pid)
            tree.read(thorough=True)
            time.sleep(2)
            reading = tree.read(thorough=True)
            assert tree.facts()[0] == pytest.approx(0.1)
            # Hundredths of a second, and one period more or less, are 15 % of what two seconds allow.
            assert reading.values["cpu.percent"] > 70
            assert reading.values["cpu.throttled_percent"] > 20
            tree.close()


@pytest.mark.parametrize("controller", ["cpuacct", pytest.param("", id="v2")])
@pytest.mark.parametrize("kind", ["waited", "SIGCHLD ignored", "orphans"])
def test_cpu_time_in_the_jobs_own_group_is_the_groups(kind: str, controller: str) -> None:
    ignore = "signal.signal(signal.SIGCHLD, signal.SIG_IGN)" if kind == "SIGCHLD ignored" else ""
    tail = "os.waitpid(pid, 0)" if kind != "SIGCHLD ignored" else ""
    double = "if os.fork(): os._exit(0)" if kind == "orphans" else ""
    with group("own", controller) as directory:
        source = f"""
{join(directory)}
import os, signal, sys, time
{ignore}
print(1, flush=True)
sys.stdin.readline()
for _ in range(20):
    pid = os.fork()
    if pid == 0:
        {double or "pass"}
        end = time.process_time() + 0.04
        while time.process_time() < end: pass
        os._exit(0)
    {tail}
print("done", flush=True)
sys.stdin.readline()
"""
        with program(source) as child:
            line(child)
            tree = JobTree.open(child.pid)
            level = Level(str(directory), 1 if (directory / "cpuacct.usage").exists() else 2, "")
            before = cgroup.cpu_seconds(level)
            watch = Stopwatch(lambda: tree.read(thorough=True))
            assert tree.facts()[2]["cpu"] == f"counter of the job's own cgroup /{directory.name}"
            tell(child)
            assert line(child) == "done"
            until(lambda: len(cgroup.processes(level)) == 1)
            least, most = watch.amount("cpu.cores")
            after = cgroup.cpu_seconds(level)
            assert before is not None
            assert after is not None
            assert after - before > 0.5
            assert 0.97 * least - 0.01 < after - before < 1.03 * most + 0.01
            tree.close()


def test_group_shared_with_others_is_not_the_jobs_own() -> None:
    with group("shared", "cpuacct") as directory:
        source = f"{join(directory)}print(1, flush=True)\ninput()"
        with program(source) as child, program(source) as other:
            line(child), line(other)
            tree = JobTree.open(child.pid)
            tree.read(thorough=True)
            assert tree.facts()[2]["cpu"].startswith("process tree")
            other.kill()
            other.wait()
            tree.read(thorough=True)
            assert "own cgroup" in tree.facts()[2]["cpu"]
            tree.close()


def test_group_that_a_stranger_enters_is_the_jobs_own_no_more() -> None:
    with group("entered", "cpuacct") as directory:
        source = f"{join(directory)}print(1, flush=True)\ninput()"
        with program(source) as child:
            line(child)
            tree = JobTree.open(child.pid)
            tree.read(thorough=True)
            assert "own cgroup" in tree.facts()[2]["cpu"]
            with program(source) as other:
                line(other)
                tree.read(thorough=False)
                assert tree.facts()[2]["cpu"].startswith("process tree")
                assert tree.pids() == {child.pid}
            tree.close()


def test_orphan_in_the_jobs_own_group_is_a_member() -> None:
    with group("orphan", "cpuacct") as directory:
        source = f"""
{join(directory)}
import os, sys, time
print(1, flush=True)
sys.stdin.readline()
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        print(os.getpid(), flush=True)
        time.sleep(60)
    os._exit(0)
os.wait()
sys.stdin.readline()
"""
        with program(source) as child:
            line(child)
            tree = JobTree.open(child.pid)
            tree.read(thorough=True)
            tell(child)
            orphan = int(line(child))

            def alone() -> bool:
                with procfs.process(orphan) as handle:
                    return procfs.stat(handle).parent in (1, os.getppid(), os.getpid())

            until(alone)
            tree.read(thorough=False)
            assert tree.pids() == {child.pid, orphan}
            assert "own cgroup" in tree.facts()[2]["cpu"]
            tree.close()


async def test_job_that_runs_out_of_its_groups_memory_is_said_to_have() -> None:
    with group("oom", "memory") as directory:
        set_memory_limit(directory, 50 * MIB)
        swap = directory / "memory.swap.max"
        if swap.exists():
            swap.write_text("0")
        source = f"{join(directory)}print(1, flush=True)\ninput()\ndata = b'x' * {500 * MIB}"
        with program(source) as child:
            line(child)
            tree = JobTree.open(child.pid)
            tree.read(thorough=True)
            tell(child)
            end = await tree.ended()
            assert (end.signal, end.oom) == ("SIGKILL", True)
            assert f"cgroup /{directory.name}" in end.how
            tree.close()


async def test_job_killed_by_hand_in_a_group_with_a_limit_is_no_oom() -> None:
    with group("kill", "memory") as directory:
        set_memory_limit(directory, 50 * MIB)
        with program(f"{join(directory)}print(1, flush=True)\ninput()") as child:
            line(child)
            tree = JobTree.open(child.pid)
            child.kill()
            end = await tree.ended()
            assert (end.signal, end.oom) == ("SIGKILL", False)
            tree.close()
