"""A real Slurm cluster of one node, this machine: munged, slurmctld and slurmd by a configuration of ours."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"
_PROGRAMS = {
    name: shutil.which(name, path=_PATH) for name in ("munged", "slurmctld", "slurmd", "sbatch", "srun")
}

WHY_NOT = (
    "NOT TESTED WITH A REAL SLURM: needs root, munge, slurmctld, slurmd and slurm-client"
    if os.geteuid() != 0 or None in _PROGRAMS.values()
    else ""
)

_CONFIGURATION = """
ClusterName=floydtop
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
SlurmctldPort={controller}
SlurmdPort={node}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SlurmdParameters=config_overrides
MailProg=/bin/true
MpiDefault=none
ReturnToService=2
NodeName={host} NodeAddr=127.0.0.1 Port={node} CPUs=16
PartitionName=all Nodes=ALL Default=YES State=UP
"""


@contextmanager
def cluster(folder: Path) -> Iterator[dict[str, str]]:
    """Runs it; gives the environment in which Slurm's commands and their jobs use it.

    Raises:
        TimeoutError: its node was not ready within half a minute.
    """
    for name in ("state", "spool"):
        (folder / name).mkdir()
    key = folder / "munge.key"
    key.write_bytes(secrets.token_bytes(1024))
    key.chmod(0o600)
    configuration = folder / "slurm.conf"
    host = os.uname().nodename.partition(".")[0]
    controller, node = _free_ports(2)
    configuration.write_text(
        _CONFIGURATION.format(folder=folder, host=host, controller=controller, node=node)
    )
    environment = dict(os.environ, SLURM_CONF=str(configuration))
    munge = ["--foreground", "--force", f"--socket={folder}/munge.socket", f"--key-file={key}"]
    munge += [
        f"--pid-file={folder}/munged.pid",
        f"--seed-file={folder}/seed",
        f"--log-file={folder}/munge.log",
    ]
    with ExitStack() as running:
        for name, options in (("munged", munge), ("slurmctld", ["-D"]), ("slurmd", ["-D", "-N", host])):
            command = [str(_PROGRAMS[name]), *options]
            daemon = subprocess.Popen(
                command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            running.callback(daemon.wait)
            running.callback(daemon.terminate)
        _wait_for_node(environment)
        try:
            yield environment
        finally:
            subprocess.run(["scancel", "--user", "root"], env=environment, check=False)
            time.sleep(1)


def _wait_for_node(environment: dict[str, str]) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        told = subprocess.run(
            ["sinfo", "-h", "-o", "%T"], env=environment, capture_output=True, text=True, check=False
        )
        if told.stdout.strip() == "idle":
            return
        time.sleep(0.1)
    raise TimeoutError(told.stdout + told.stderr)


def _free_ports(number: int) -> list[int]:
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(number)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
