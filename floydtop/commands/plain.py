"""A snapshot in plain words, for terminals, scripts and screen readers."""

from __future__ import annotations

from typing import Any

from floydtop.events import Exit
from floydtop.plot.units import format_bytes, format_duration, format_rate, format_reading, format_value

COMMAND = 200
"""Characters of a command line that are shown: `train.py data/*.tar` can have 2 MiB."""


def printable(text: str) -> str:
    """Text from outside that a terminal can print without obeying it."""
    return "".join(character if character.isprintable() else "\ufffd" for character in text)


def state_words(state: str | None, exit_: Exit | dict[str, Any] | None) -> str:
    """The state of a job; an unknown exit is never called a success."""
    if state != "exited":
        return {"no-process": "no local writer", None: "unknown"}.get(state, str(state))
    if isinstance(exit_, Exit):
        exit_ = {"code": exit_.code, "signal": exit_.signal, "oom": exit_.oom}
    if exit_ is None or (exit_["code"] is None and exit_["signal"] is None):
        return "ended, exit code unknown"
    if exit_["signal"] is not None:
        return f"killed by {printable(exit_['signal'])}" + (" (out of memory)" if exit_["oom"] else "")
    return f"exited {exit_['code']}"


def describe(shot: dict[str, Any]) -> list[str]:
    """The lines that `floydtop status` prints, from the snapshot that `--json` prints."""
    job, system, unknown = shot["job"], shot["system"], shot["unknown"]
    lines = [f"state    {state_words(shot['state'], shot['exit'])}"]
    if job["pid"] is not None:
        command = printable(job["command"])[:COMMAND]
        lines.append(f"job      pid {job['pid']}, {format_duration(job['elapsed'])}: {command}")
    if job["log"] is not None:
        lines.append(f"log      {printable(job['log'])}")
    if job["pid"] is not None:
        lines += _system_lines(system, unknown, shot["notes"])
    progress = progress_words(shot["progress"])
    if progress:
        lines.append(f"progress {progress}")
    names = list(shot["metrics"])
    width = max(map(len, names), default=0)
    for name in names:
        lines.append(_metric_line(printable(name).ljust(width), shot["metrics"][name]))
    if not names:
        lines.append("metrics  none in the output so far")
    if shot["malformed"]:
        lines.append(f"         {shot['malformed']} metric lines could not be read")
    return lines


def _system_lines(system: dict[str, Any], unknown: dict[str, str], notes: dict[str, str]) -> list[str]:
    reasons = {name: printable(why) for name, why in unknown.items()}

    def known(value: float | None, field: str, show: Any) -> str:
        return str(show(value)) if value is not None else f"n/a ({reasons.get(field, 'not known')})"

    def percent(value: float) -> str:
        return f"{value:.1f} %"

    cpu, memory, disk = system["cpu"], system["memory"], system["disk"]
    bound = (
        "at most " if notes.get("memory", "").startswith("at most") and memory["bytes"] is not None else ""
    )
    lines = [
        f"cpu      {known(cpu['percent'], 'cpu.percent', percent)} of what it may use, "
        f"{known(cpu['cores'], 'cpu.cores', lambda v: f'{v:.2f}')} cores",
        f"memory   {bound}{known(memory['bytes'], 'memory.bytes', format_bytes)}, "
        f"{known(memory['percent'], 'memory.percent', percent)}",
        f"disk     {known(disk['percent'], 'disk.percent', percent)} used, "
        f"read {known(disk['read_bytes_per_s'], 'disk.read_bytes_per_s', format_rate)}, "
        f"write {known(disk['write_bytes_per_s'], 'disk.write_bytes_per_s', format_rate)}",
    ]
    for gpu in system["gpus"]:
        name = f"gpu.{gpu['index']}"
        lines.append(
            f"gpu {gpu['index']}    {known(gpu['utilization'], f'{name}.utilization', percent)}, "
            f"{known(gpu['memory_bytes'], f'{name}.memory_bytes', format_bytes)} "
            f"({known(gpu['memory_percent'], f'{name}.memory_percent', percent)})"
        )
    if not system["gpus"]:
        lines.append(f"gpu      {reasons.get('gpus', 'none')}")
    return lines


def progress_words(progress: dict[str, Any]) -> str:
    """How far, how fast, how long still: as much of it as is known."""
    words = []
    if progress["share"] is not None:
        words.append(f"{100 * progress['share']:.1f} %")
    for name in ("epoch", "step"):
        if progress[name] is not None:
            of = f"/{progress[name + 's']}" if progress[name + "s"] else ""
            words.append(f"{name} {progress[name]:.6g}{of}" if not of else f"{name} {progress[name]}{of}")
    rate = progress["steps_per_second"]
    if rate is not None:
        words.append(f"{format_value(rate)} steps/s ({format_duration(1 / rate)} a step)")
    if progress["eta_seconds"] is not None:
        words.append(f"about {format_duration(progress['eta_seconds'])} left")
    return ", ".join(words)


def _metric_line(name: str, summary: dict[str, Any]) -> str:
    def value(number: float | str | None) -> str:
        return format_reading(float(number)) if number is not None else "-"

    x = ""
    if summary["step"] is not None:
        x = f"  step {summary['step']}"
    elif summary["epoch"] is not None:
        x = f"  epoch {summary['epoch']:g}"
    return (
        f"{name}  last {value(summary['last']):>9}  min {value(summary['min']):>9}  "
        f"max {value(summary['max']):>9}  {summary['count']} points{x}"
    )
