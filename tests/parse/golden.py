"""Golden results beside the real logs in tests/data/logs; `python -m tests.parse.golden` writes them anew."""

from __future__ import annotations

from pathlib import Path

import msgspec

from floydtop.events import Malformed, Metrics
from floydtop.parse import Parser
from floydtop.parse.lines import LineSplitter

LOGS = Path(__file__).parent.parent / "data" / "logs"


def logs() -> list[Path]:
    return sorted(LOGS.rglob("*.log"))


def golden_file(log: Path) -> Path:
    return log.with_suffix(".golden.jsonl")


def told(log: Path) -> list[str]:
    """What the parser finds in a log, one readable JSON line for each event."""
    splitter, parser = LineSplitter(), Parser()
    lines = splitter.feed(log.read_bytes()) + splitter.finish()
    return [_one(event) for line in lines for event in parser.read(line)]


def _one(event: Metrics | Malformed) -> str:
    if isinstance(event, Malformed):
        return msgspec.json.encode({"line": event.line, "malformed": event.why}).decode()
    values = {name: value if value - value == 0 else repr(value) for name, value in event.values.items()}
    row = {"line": event.line, "group": event.group, "step": event.step, "epoch": event.epoch} | values
    return msgspec.json.encode(row).decode()


if __name__ == "__main__":
    for path in logs():
        golden_file(path).write_text("\n".join(told(path)) + "\n", encoding="utf-8")
