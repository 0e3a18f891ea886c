"""Fuzz with coverage: `python -m tests.fuzz parse|load [libFuzzer's options]`, after `pip install atheris`.

libFuzzer's `-max_total_time=600` ends it; a folder named last keeps what it found.
"""

from __future__ import annotations

import sys


def main() -> None:
    """Hand one of the targets to libFuzzer."""
    import atheris  # a wheel for few versions of Python: no dependency of the tests

    with atheris.instrument_imports(include=["floydtop"]):
        from tests.fuzz import targets
    name = sys.argv.pop(1)
    target = {"parse": targets.parse, "load": targets.load}[name]
    atheris.Setup(sys.argv, target)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
