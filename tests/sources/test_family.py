"""Who belongs to the job."""

from __future__ import annotations

import pytest

from floydtop.sources import procfs
from floydtop.sources.family import Family
from floydtop.sources.process import JobTree
from tests.sources.children import line, program, tell, until

CHAIN = """
import os, time
for _ in range(200):
    if os.fork():
        time.sleep(60)
        os._exit(0)
os.write(1, b"deep\\n")
time.sleep(60)
"""
"""Two hundred generations."""

ORPHANS = """
import os, time
print("ready", flush=True)
while True:
    pid = os.fork()
    if pid == 0:
        if os.fork(): os._exit(0)
        end = time.process_time() + 0.3
        while time.process_time() < end: pass
        os._exit(0)
    os.waitpid(pid, 0)
    time.sleep(0.3)
"""
"""Always has its work done by grandchildren whose parent is gone at once."""

LAUNCHER = f"""
import subprocess, sys
job = subprocess.Popen([sys.executable, "-S", "-c", {ORPHANS!r}])
print(job.pid, flush=True)
job.wait()
"""
"""Runs such a job in a process group that the job has not founded."""


def test_two_hundred_generations_are_found() -> None:
    with program(CHAIN) as child:
        assert line(child) == "deep"
        family = Family(procfs.open_process(child.pid))
        assert len(family.members) == 201


def test_newcomers_are_found_by_a_quick_look_too() -> None:
    source = """
import subprocess, sys
print("ready", flush=True)
sys.stdin.readline()
child = "import subprocess, sys; subprocess.run([sys.executable, '-S', '-c', 'input()'])"
subprocess.Popen([sys.executable, "-S", "-c", child], stdin=subprocess.PIPE)
sys.stdin.readline()
"""
    with program(source) as child:
        line(child)
        family = Family(procfs.open_process(child.pid))
        family.look(thorough=True)
        tell(child)
        until(lambda: len(family.look(thorough=False)) == 3)


@pytest.mark.parametrize("leads", [True, False])
def test_job_whose_work_orphans_do_is_flagged_partial(leads: bool) -> None:
    source = ORPHANS if leads else LAUNCHER
    with program(source) as child:
        said = {line(child)} if leads else {line(child), line(child)}
        tree = JobTree.open(child.pid if leads else int((said - {"ready"}).pop()))

        def flagged() -> bool:
            tree.read(thorough=False)
            return "partial" in tree.facts()[2]["cpu"]

        until(flagged)
        tree.close()
