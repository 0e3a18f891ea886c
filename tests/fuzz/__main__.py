"""Fuzz with coverage: `python -m tests.fuzz parse|agree|load FOLDER [libFuzzer's options]`, with atheris.

FOLDER keeps what was found; what real jobs printed is put into it first. `-max_total_time=600` ends it.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

from tests.fuzz import seeds


def main() -> None:
    """Hand one of the targets to libFuzzer."""
    import atheris  # has a wheel for few versions of Python: no dependency of the tests

    with atheris.instrument_imports(include=["floydtop"]):
        from tests.fuzz import targets
    _, name, folder, *options = sys.argv
    corpus = Path(folder)
    corpus.mkdir(parents=True, exist_ok=True)
    for seed in seeds.sessions() if name == "load" else seeds.logs():
        (corpus / hashlib.sha256(seed).hexdigest()[:16]).write_bytes(seed)
    words = corpus.with_name(f"{corpus.name}.dictionary")
    words.write_text("".join(f'"{_escaped(scrap)}"\n' for scrap in seeds.SCRAPS))
    atheris.Setup([sys.argv[0], f"-dict={words}", *options, folder], targets.TARGETS[name])
    atheris.Fuzz()


def _escaped(scrap: bytes) -> str:
    return "".join(f"\\x{byte:02x}" for byte in scrap)


if __name__ == "__main__":
    main()
