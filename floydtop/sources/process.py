"""The job's process tree, by what this platform offers."""

from __future__ import annotations

import sys

if sys.platform == "linux":
    from floydtop.sources.linux import LinuxTree as JobTree
else:
    from floydtop.sources.portable import PortableTree as JobTree

__all__ = ["JobTree"]
