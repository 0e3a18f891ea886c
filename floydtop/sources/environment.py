"""The few variables of a job's environment that say which devices and which allotment it has."""

from __future__ import annotations

import re

_ALLOWED = re.compile(
    r"(?:CUDA_VISIBLE_DEVICES|NVIDIA_VISIBLE_DEVICES|HIP_VISIBLE_DEVICES|ROCR_VISIBLE_DEVICES"
    r"|RANK|LOCAL_RANK|WORLD_SIZE|LOCAL_WORLD_SIZE|GROUP_RANK|NODE_RANK|OMP_NUM_THREADS|MKL_NUM_THREADS"
    r"|SLURM_(?:JOB_ID|JOB_NAME|JOB_PARTITION|JOB_NODELIST|JOB_NUM_NODES|ARRAY_JOB_ID|ARRAY_TASK_ID|STEP_ID"
    r"|PROCID|LOCALID|NODEID|NTASKS|CPUS_PER_TASK|CPUS_ON_NODE|GPUS|GPUS_ON_NODE|MEM_PER_NODE|MEM_PER_CPU"
    r"|CLUSTER_NAME)"
    r"|PBS_JOBID|PBS_JOBNAME|LSB_JOBID|JOB_ID)\Z"
)
LONGEST = 512
"""Characters of one value: a list of nodes can be long."""


def environment(pid: int) -> dict[str, str]:
    """Those variables as the process was started with them (/proc/PID/environ); none where unreadable."""
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            data = file.read(4 << 20)
    except OSError:
        return {}
    found: dict[str, str] = {}
    for pair in data.split(b"\0"):
        name, separator, value = pair.decode("utf-8", "replace").partition("=")
        if separator and _ALLOWED.match(name):
            found[name] = value[:LONGEST]
    return found
