"""The command that shows the output of a job in a container or a service, from its cgroups."""

from __future__ import annotations

import pytest

from floydtop.sources.containers import command_for, output_command

IDENTITY = "3f2a" * 16


@pytest.mark.parametrize(
    ("cgroups", "command"),
    [
        (f"0::/system.slice/docker-{IDENTITY}.scope\n", "docker logs -f 3f2a3f2a3f2a | floydtop -"),
        (
            f"12:memory:/docker/{IDENTITY}\n1:name=systemd:/docker/{IDENTITY}\n",
            "docker logs -f 3f2a3f2a3f2a | floydtop -",
        ),
        (
            f"0::/machine.slice/libpod-{IDENTITY}.scope/container\n",
            "podman logs -f 3f2a3f2a3f2a | floydtop -",
        ),
        (
            f"0::/kubepods.slice/kubepods-pod1.slice/cri-containerd-{IDENTITY}.scope\n",
            "crictl logs -f 3f2a3f2a3f2a | floydtop -",
        ),
        ("0::/system.slice/train.service\n", "journalctl -f -o cat -u train.service | floydtop -"),
        (
            "0::/user.slice/user-1000.slice/user@1000.service/app.slice/train.service\n",
            "journalctl --user -f -o cat -u train.service | floydtop -",
        ),
        ("0::/user.slice/user-1000.slice/session-3.scope\n", None),
        ("0::/user.slice/user-1000.slice/user@1000.service/app.slice/vte-spawn.scope\n", None),
        ("0::/\n", None),
        ("", None),
    ],
)
def test_the_command_is_the_one_for_the_container(cgroups: str, command: str | None) -> None:
    assert command_for(cgroups) == command


def test_a_process_that_is_gone_has_no_command() -> None:
    assert output_command(99999999) is None
