"""The psutil way of watching a job, tried here on Linux, where psutil works too."""

from __future__ import annotations

import sys
import time

import pytest

from floydtop.errors import FloydtopError
from floydtop.sources.portable import PortableTree
from tests.sources.children import BUSY, line, program, until


def test_busy_job_is_measured() -> None:
    with program(f"{BUSY}\nprint(1, flush=True)\nbusy(60)") as child:
        line(child)
        tree = PortableTree.open(child.pid)
        assert tree.describe().command[:2] == [sys.executable, "-S"]
        assert tree.read(thorough=True).unknown["cpu.cores"] == "needs a second reading"
        time.sleep(0.5)
        reading = tree.read(thorough=True)
        assert 0.1 < reading.values["cpu.cores"] < 1.2
        assert reading.values["memory.bytes"] > 1 << 20
        assert 0 < reading.values["disk.percent"] <= 100
        assert "does not tell" in reading.unknown["disk.write_bytes_per_s"]
        assert tree.facts()[0]
        tree.close()


def test_children_are_members_and_stay_so() -> None:
    source = "import subprocess, sys\nsubprocess.run([sys.executable, '-S', '-c', 'input()'])"
    with program(source) as child:
        tree = PortableTree.open(child.pid)

        def complete() -> bool:
            tree.read(thorough=False)
            return len(tree.pids()) == 2

        until(complete)


async def test_end_is_noticed_and_its_code_unknown() -> None:
    with program("input()") as child:
        tree = PortableTree.open(child.pid)
        assert tree.state() == "running"
        child.kill()
        end = await tree.ended()
        assert (end.code, end.signal) == (None, None)
        assert "unknown" in end.how
        assert tree.state() == "exited"
        assert tree.read(thorough=True).values == {}


@pytest.mark.parametrize("pid", [-1, 2**22 + 1])
def test_wrong_pid_gets_one_sentence(pid: int) -> None:
    with pytest.raises(FloydtopError, match="There is no process"):
        PortableTree.open(pid)
