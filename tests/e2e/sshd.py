"""A real sshd on the loopback interface, for tests of links that drop."""

from __future__ import annotations

import getpass
import os
import shlex
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.recorder.jobs import until

SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")

WHY_NOT = (
    "LOUD: a dropped SSH link needs root, ssh and sshd (apt-get install openssh-server openssh-client)"
    if SSHD is None or shutil.which("ssh") is None or os.geteuid() != 0
    else ""
)


@contextmanager
def ssh_server(folder: Path) -> Iterator[str]:
    """Runs an sshd; gives the shell words that run a command through it, on a terminal of its own."""
    assert SSHD is not None
    Path("/run/sshd").mkdir(exist_ok=True)
    key, host_key = folder / "key", folder / "host"
    for one in (key, host_key):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", one], check=True)
    (folder / "authorized").write_bytes(key.with_suffix(".pub").read_bytes())
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    config = folder / "sshd_config"
    config.write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {host_key}\n"
        f"AuthorizedKeysFile {folder}/authorized\nStrictModes no\n"
        "UsePAM no\nPermitRootLogin yes\nPidFile none\nSubsystem sftp internal-sftp\n"
    )
    options = ["StrictHostKeyChecking=no", f"UserKnownHostsFile={folder}/known", "LogLevel=ERROR"]
    client = ["ssh", "-tt", "-F", "/dev/null", "-p", str(port), "-i", str(key)]
    client += [word for option in options for word in ("-o", option)]
    with subprocess.Popen([SSHD, "-D", "-e", "-f", config], stderr=subprocess.DEVNULL) as server:
        try:
            until(lambda: _listens(port))
            yield shlex.join([*client, f"{getpass.getuser()}@127.0.0.1"])
        finally:
            server.kill()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
