"""A libnvidia-ml.so.1 that plays scenes, compiled on the spot and loaded by the real pynvml."""

from __future__ import annotations

import functools
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

SOURCE = Path(__file__).with_name("nvml_stub.c")
GIB = 2**30

needs_cc = pytest.mark.skipif(
    shutil.which("cc") is None,
    reason="no C compiler (cc): the NVML stub cannot be built, GPU paths NOT tested",
)


@functools.cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="floydtop-nvml-")


@functools.cache
def build(old_driver: bool = False) -> Path:
    """Compile the stub once per test run; returns the folder for LD_LIBRARY_PATH."""
    folder = Path(_folder().name) / ("old" if old_driver else "new")
    folder.mkdir()
    flags = ["-O1", "-shared", "-fPIC", "-Wl,-soname,libnvidia-ml.so.1"]
    flags += ["-DOLD_DRIVER"] if old_driver else []
    subprocess.run(["cc", *flags, "-o", folder / "libnvidia-ml.so.1", SOURCE], check=True)
    return folder


class Scene:
    """The scene file: what the driver says from now on; each method adds a statement to it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines: list[str] = []

    def say(self, statement: str, **values: object) -> Scene:
        """Add a statement."""
        self.lines.append(" ".join([statement, *(f"{key}={value}" for key, value in values.items())]))
        return self.write()

    def gpu(self, g: int, **values: object) -> Scene:
        """Add a GPU: an 80 GiB H100 that is 87 % busy unless told otherwise."""
        usual = {
            "name": "NVIDIA-H100-80GB-HBM3",
            "uuid": f"GPU-{g:08x}-aaaa-bbbb-cccc-000000000000",
            "total": 80 * GIB,
            "used": 20 * GIB,
            "util": 87,
        }
        return self.say("gpu", g=g, **(usual | values))

    def drop(self, beginning: str) -> Scene:
        """Take back the statements that begin so."""
        self.lines = [line for line in self.lines if not line.startswith(beginning)]
        return self.write()

    def write(self) -> Scene:
        """Replace the file in one step: the stub reads it at every call."""
        fresh = self.path.with_suffix(".new")
        fresh.write_text("".join(f"{line}\n" for line in self.lines))
        fresh.replace(self.path)
        return self


def install(monkeypatch: pytest.MonkeyPatch, path: Path, *, old_driver: bool = False) -> Scene:
    """Let processes started from now on find the stub as their NVIDIA driver."""
    monkeypatch.setenv("LD_LIBRARY_PATH", str(build(old_driver)))
    scene = Scene(path / "scene.txt").write()
    monkeypatch.setenv("NVML_SCENE", str(scene.path))
    return scene
