"""Which container or service a process belongs to, and the command that shows its output."""

from __future__ import annotations

import re

# A container's cgroup ends in its 64-digit id, bare (cgroup v1) or as docker-ID.scope, libpod-ID.scope,
# cri-containerd-ID.scope (systemd).
_CONTAINER = re.compile(r"/(?:(?P<tool>[a-z-]+)-)?(?P<id>[0-9a-f]{64})(?:\.scope)?(?:/|$)", re.MULTILINE)
_SERVICE = re.compile(r"/(?P<unit>[^/\n]+\.service)(?:/|$)", re.MULTILINE)


def output_command(pid: int) -> str | None:
    """The command that pipes the output of a process into floydtop, None outside containers and services."""
    try:
        with open(f"/proc/{pid}/cgroup", encoding="utf-8", errors="replace") as file:
            return command_for(file.read())
    except OSError:
        return None


def command_for(cgroups: str) -> str | None:
    """The same from the text of /proc/PID/cgroup (cgroups(7))."""
    container = _CONTAINER.search(cgroups)
    if container:
        identity = container["id"][:12]
        if "kubepods" in cgroups or container["tool"] == "cri-containerd":
            return f"crictl logs -f {identity} | floydtop -"
        tool = "podman" if "libpod" in cgroups else "docker"
        return f"{tool} logs -f {identity} | floydtop -"
    units = [match["unit"] for match in _SERVICE.finditer(cgroups)]
    # The manager of a user's session, user@1000.service, holds everything that user starts by hand.
    own = [unit for unit in units if not unit.startswith("user@")]
    if own:
        user = "--user " if len(own) < len(units) else ""
        return f"journalctl {user}-f --no-tail -o cat -u {own[-1]} | floydtop -"
    return None
