"""Labels for the axes of a panel, in its unit."""

from __future__ import annotations

import math
from collections.abc import Sequence

from floydtop.app.panels import PanelSpec
from floydtop.plot.scale import log_ticks, nice_ticks
from floydtop.plot.units import format_bytes, format_rate, format_reading, format_ticks, format_value


def number(spec: PanelSpec | None, value: float) -> str:
    """A value in the panel's unit."""
    unit = spec.unit if spec is not None else ""
    if unit == "percent":
        return f"{value:.0f}%" if value >= 10 else f"{value:.1f}%"
    return {"bytes": format_bytes, "rate": format_rate}.get(unit, format_reading)(value)


def y_ticks(spec: PanelSpec, low: float, high: float, count: int, *, log: bool) -> list[tuple[float, str]]:
    """Positions and labels for the y-axis, labels of at most 7 columns; positions are log10 where `log`."""
    if log:
        return [(tick, _short(spec, 10.0 ** min(tick, 308.0))) for tick in log_ticks(low, high, count)]
    if spec.unit in ("bytes", "rate"):
        unit = 1024.0 ** max(0, int(math.log(high, 1024))) if high >= 1024 else 1.0
        ticks = [tick * unit for tick in nice_ticks(low / unit, high / unit, count, integer=unit == 1)]
        return [(tick, _short(spec, tick)) for tick in ticks]
    ticks = nice_ticks(low, high, count)
    if spec.unit == "percent":
        return [(tick, f"{tick:.0f}%") for tick in ticks]
    return list(zip(ticks, format_ticks(ticks), strict=True))


def _short(spec: PanelSpec, value: float) -> str:
    if spec.unit in ("bytes", "rate"):
        return format_bytes(value).replace("iB", "").replace(".0", "").replace(" ", "")
    return number(spec, value) if spec.unit else format_value(value)


def y_label_column(
    ticks: Sequence[tuple[float, str]], low: float, high: float, rows: int, width: int
) -> list[str]:
    """The y-labels, a row each, right-aligned with a space behind, none over another."""
    labels = [" " * width] * rows
    for position, label in ticks:
        row = round((high - position) / (high - low) * (rows - 1)) if high > low else rows - 1
        if 0 <= row < rows and labels[row].isspace():
            labels[row] = f"{label[: width - 1]:>{width - 1}} "
    return labels


def x_label_row(ticks: Sequence[tuple[float, str]], low: float, high: float, width: int) -> str:
    """One row of tick labels, each centred under its place, none touching another."""
    row = [" "] * width
    free = 0
    for position, label in ticks:
        center = (position - low) / (high - low) * (width - 1) if high > low else 0
        start = max(0, min(width - len(label), round(center - len(label) / 2)))
        if start >= free:
            row[start : start + len(label)] = label
            free = start + len(label) + 1
    return "".join(row[:width])
