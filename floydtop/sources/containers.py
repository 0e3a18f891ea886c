"""Which container or service a process belongs to, and the command that shows its output."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable

from floydtop.sources import descriptors
from floydtop.sources.container_log import container_of
from floydtop.sources.descriptors import Descriptor
from floydtop.sources.unix_peer import peer_name

# A container's cgroup ends in its 64-digit id, bare (cgroup v1) or as docker-ID.scope, libpod-ID.scope,
# cri-containerd-ID.scope (systemd).
_CONTAINER = re.compile(r"/(?:(?P<tool>[a-z-]+)-)?(?P<id>[0-9a-f]{64})(?:\.scope)?(?:/|$)", re.MULTILINE)
_SERVICE = re.compile(r"/(?P<unit>[^/\n]+\.service)(?:/|$)", re.MULTILINE)


LOGGERS = frozenset({"dockerd", "conmon"})
"""Programs that write what containers print to their logs, docker's and podman's."""
_JOURNAL = "/systemd/journal/stdout"
_MOST_PIDS = 20
"""Processes that are named in a command: a job may have hundreds."""
_INITIAL_PID_NAMESPACE = "pid:[4026531836]"


def output_command(pid: int) -> str | None:
    """The command that pipes the output of a process into floydtop, None outside containers and services."""
    command = command_for(_cgroups(pid))
    if command is None or _inside():
        # It is for the host, where the process has another pid.
        return command
    # Else the client that is piped in would be taken for the job.
    return f"{command} --pid {pid}"


def journal_command(pid: int, link: str) -> str | None:
    """The same for a process that prints to the journal outside of a service, as under `systemd-cat`.

    Args:
        link: what its stdout points to.
    """
    inode = link.removeprefix("socket:[").removesuffix("]")
    if not inode.isdecimal() or not (peer_name(int(inode)) or "").endswith(_JOURNAL):
        return None
    # The journal knows each line by the process that printed it.
    members = descriptors.descendants(pid, descriptors.process_table())
    printing = [f"_PID={member}" for member in members if _prints_to(member, link)]
    return f"journalctl -f --no-tail -o cat {' '.join(printing[:_MOST_PIDS])} | floydtop - --pid {pid}"


def _prints_to(pid: int, link: str) -> bool:
    try:
        return link in (os.readlink(f"/proc/{pid}/fd/{number}") for number in (1, 2))
    except OSError:
        return False


def command_for(cgroups: str) -> str | None:
    """The same from the text of /proc/PID/cgroup (cgroups(7)), without the process.

    The clients print what came through stderr, as bars do, to their own: that would go across the screen.
    """
    container = _CONTAINER.search(cgroups)
    if container:
        identity = container["id"][:12]
        if "kubepods" in cgroups or container["tool"] == "cri-containerd":
            return f"crictl logs -f {identity} 2>&1 | floydtop -"
        tool = "podman" if "libpod" in cgroups else "docker"
        return f"{tool} logs -f {identity} 2>&1 | floydtop -"
    units = [match["unit"] for match in _SERVICE.finditer(cgroups)]
    # The manager of a user's session, user@1000.service, holds everything that user starts by hand.
    own = [unit for unit in units if not unit.startswith("user@")]
    if own:
        user = "--user " if len(own) < len(units) else ""
        return f"journalctl {user}-f --no-tail -o cat -u {own[-1]} | floydtop -"
    return None


def container(pid: int) -> str | None:
    """The id of the container that a process runs in, None outside."""
    found = _CONTAINER.search(_cgroups(pid))
    return found["id"] if found else None


def processes_in(identity: str, pids: Iterable[int]) -> list[int]:
    """Those of the processes that run in a container."""
    return [pid for pid in pids if container(pid) == identity]


def kept_log(identity: str, opened: Iterable[Descriptor]) -> Descriptor | None:
    """Docker's log of a container, as docker has it open.

    Args:
        opened: what all processes have open.
    """
    return next((one for one in opened if container_of(one.link) == identity), None)


def _inside() -> bool:
    """Whether we are in a container ourselves."""
    try:
        return os.readlink("/proc/self/ns/pid") != _INITIAL_PID_NAMESPACE
    except OSError:
        return False


def _cgroups(pid: int) -> str:
    try:
        with open(f"/proc/{pid}/cgroup", encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""
