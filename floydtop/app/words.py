"""How states and readings are put into words on the screen."""

from __future__ import annotations

from typing import Literal

from floydtop.plot.units import format_bytes, format_rate
from floydtop.session.session import Session

Mood = Literal["good", "warning", "bad", "dim"]


def job_state(session: Session, live: bool) -> tuple[str, str, Mood]:
    """Sign, words and mood for the state of the job; an unknown exit is never shown as success."""
    match session.state:
        case "running":
            if live or not session.finished:
                return "●", "running", "good"
            return "●", "was running when the recording ended", "warning"
        case "stopped":
            return "‖", "stopped", "warning"
        case "no-process":
            return "○", "no local writer", "dim"
        case "exited":
            return _ending(session)
        case None:
            return "○", "starting", "dim"


def _ending(session: Session) -> tuple[str, str, Mood]:
    exit_ = session.exit
    if exit_ is None or (exit_.code is None and exit_.signal is None):
        return "■", "ended, exit code unknown", "warning"
    if exit_.oom:
        return "✗", f"killed by {exit_.signal or 'the kernel'}: out of memory", "bad"
    if exit_.signal is not None:
        return "✗", f"killed by {exit_.signal}", "bad"
    if exit_.code == 0:
        return "✓", "exited 0", "good"
    return "✗", f"exited {exit_.code}", "bad"


def cpu_text(values: dict[str, float], may_use: float | None) -> str:
    """Cores used, of those the job may use."""
    cores = values.get("cpu.cores")
    if cores is None:
        return ""
    of = f"/{may_use:g}" if may_use else ""
    throttled = values.get("cpu.throttled_percent", 0.0)
    return f"{cores:.1f}{of} cores" + (f" throttled {throttled:.0f}%" if throttled >= 1 else "")


def memory_text(values: dict[str, float], source: str) -> str:
    """Memory in bytes, its peak where that was higher, and swap.

    Args:
        source: the note that says how it was read.
    """
    if "memory.bytes" not in values:
        return ""
    sign = "≤" if "at most" in source else ""
    swap = values.get("memory.swap_bytes", 0.0)
    peak = values.get("memory.peak_bytes", 0.0)
    return (
        f"{sign}{format_bytes(values['memory.bytes'])}"
        + (f" peak {format_bytes(peak)}" if peak > 1.1 * values["memory.bytes"] else "")
        + (f" swap {format_bytes(swap)}" if swap else "")
    )


def disk_text(values: dict[str, float]) -> str:
    """What the job reads and writes, with a little arrow each."""
    parts = []
    for sign, name in (("r", "disk.read_bytes_per_s"), ("w", "disk.write_bytes_per_s")):
        if name in values:
            parts.append(f"{sign} {format_rate(values[name])}")
    if "disk.inodes_percent" in values:
        parts.append(f"inodes {values['disk.inodes_percent']:.0f}%")
    return "  ".join(parts)
