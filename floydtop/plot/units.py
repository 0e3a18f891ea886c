"""Numbers as a few characters: values, steps, bytes, durations and clock times."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence

_SUFFIXES = ("", "k", "M", "G", "T")
_BYTE_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")


def as_float(value: float) -> float:
    """The number as a float; an int beyond a float's range becomes infinite instead of raising."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def format_value(value: float) -> str:
    """A metric's value in at most 6 columns: 0.4123, -0.512, 12.34, 12.3k, 3.1e-5, NaN, inf."""
    value = as_float(value)
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "inf" if value > 0 else "-inf"
    size = abs(value)
    if size == 0:
        return "0"
    if size < 0.001:
        return _scientific(value)
    if size < 9999.5:
        digits = max(0, 3 - math.floor(math.log10(size))) if size >= 1 else 4
        return _trim(_fitting(value, digits, 6))
    if size < 999.5e12:
        return _suffixed(value)
    return _scientific(value)


def format_reading(value: float) -> str:
    """A value where there is room for four digits of each, in at most 10 columns: 2.996e-4, -5.1e29."""
    value = as_float(value)
    if not (1e-99 < abs(value) < 0.001 or 999.5e12 <= abs(value) < math.inf):
        return format_value(value)
    mantissa, exponent = f"{value:.3e}".split("e")
    return f"{_trim(mantissa)}e{int(exponent)}"


def format_step(value: float) -> str:
    """A step or a count in at most 6 columns: 120, 9999, 12.4k, 1.24M."""
    value = as_float(value)
    if abs(value) < 9999.5 and value == math.floor(value):
        return f"{value:.0f}"
    return format_value(value)


def format_ticks(ticks: Sequence[float]) -> list[str]:
    """Labels of at most 6 columns, with as few decimals as tell the ticks apart, and equally many.

    A tick whose number does not fit into 6 columns gets no label rather than one that belongs elsewhere
    on the axis. Where few would be left (1e9 and 1e9 + 1e-6), the first label is its value and each other
    one its distance from the first: +1e-6.
    """
    values = [as_float(tick) for tick in ticks]
    if len(values) < 2 or not all(map(math.isfinite, values)):
        return [format_value(value) for value in values]
    if 0.001 <= max(map(abs, values)) < 99_999.5:
        for digits in range(5):
            labels = [f"{value:.{digits}f}" for value in values]
            if max(map(len, labels)) <= 6 and _honest(labels, values) == labels:
                return _in_thousands(values) or labels
    labels = _honest([format_value(value) for value in values], values)
    if sum(map(bool, labels)) * 2 >= len(labels) and sum(map(bool, labels)) > 1:
        return labels
    steps = [value - values[0] for value in values]
    distances = _honest([f"+{format_value(step)}" for step in steps], steps)
    return [format_value(values[0]), *(label if len(label) <= 6 else "" for label in distances[1:])]


def format_bytes(value: float) -> str:
    """Bytes in binary units and at most 8 columns: 512 B, 1.2 GiB, 123 MiB."""
    value = as_float(value)
    if not math.isfinite(value):
        return f"{format_value(value)} B"
    unit = 0
    while abs(value) >= 999.5 and unit < len(_BYTE_UNITS) - 1:
        value /= 1024
        unit += 1
    if abs(value) >= 999.5:
        return f"{format_value(value * 1024.0**unit)} B"
    digits = 1 if unit and abs(value) < 99.95 and value > -9.95 else 0
    return f"{value:.{digits}f} {_BYTE_UNITS[unit]}"


def format_rate(value: float) -> str:
    """Bytes per second in at most 10 columns: 3.4 MiB/s."""
    return f"{format_bytes(value)}/s"


def format_duration(seconds: float) -> str:
    """A duration in at most 6 columns (7 when negative): 12ms, 4.2s, 45s, 12m30s, 1h20m, 3d4h."""
    seconds = as_float(seconds)
    if math.isnan(seconds):
        return "?"
    if seconds < 0:
        return f"-{format_duration(-seconds)}"
    if math.isinf(seconds):
        return "inf"
    if 0 < seconds < 0.9995:
        return f"{seconds * 1000:.0f}ms" if seconds >= 0.00095 else "<1ms"
    if seconds < 9.95:
        return f"{_trim(f'{seconds:.1f}')}s"
    if seconds < 59.5:
        return f"{seconds:.0f}s"
    if seconds < 3599.5:
        return _pair(round(seconds), 60, "m", "s")
    if seconds < 86_370:
        return _pair(round(seconds / 60), 60, "h", "m")
    if seconds < 100 * 86_400 - 1800:
        return _pair(round(seconds / 3600), 24, "d", "h")
    days = seconds / 86_400
    return f"{days:.0f}d" if days < 99_999 else f"{days:.0e}d".replace("e+0", "e").replace("e+", "e")


def local_midnight(unix: float) -> float:
    """Unix time at which the local day of a Unix time began; 0 for one that has no date."""
    try:
        year, month, day, *_ = time.localtime(as_float(unix))
        return time.mktime((year, month, day, 0, 0, 0, 0, 0, -1))
    except (OverflowError, ValueError, OSError):
        return 0.0


def format_clock(unix: float, span: float) -> str:
    """Local time, as fine as an axis of `span` seconds needs: 14:05:30, 14:05, Mon 14:05, Nov 23, 2026-11."""
    span = as_float(span)
    if span <= 600:
        shape = "%H:%M:%S"
    elif span <= 86_400:
        shape = "%H:%M"
    elif span <= 4 * 86_400:
        shape = "%a %H:%M"
    elif span <= 300 * 86_400:
        shape = "%b %d"
    else:
        shape = "%Y-%m"
    try:
        return time.strftime(shape, time.localtime(as_float(unix)))
    except (OverflowError, ValueError, OSError):
        return "?"


def _trim(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text


def _fitting(value: float, digits: int, width: int) -> str:
    text = f"{value:.{digits}f}"
    return text if len(text) <= width else f"{value:.{max(0, digits - (len(text) - width))}f}"


def _suffixed(value: float) -> str:
    for suffix in _SUFFIXES:
        size = abs(value)
        if size < 999.5:
            digits = 2 if size < 9.995 else 1 if size < 99.95 else 0
            return _trim(_fitting(value, digits, 5)) + suffix
        value /= 1000
    raise AssertionError("the caller bounds the size")


def _scientific(value: float) -> str:
    for digits in (1, 0):
        mantissa, exponent = f"{value:.{digits}e}".split("e")
        text = f"{_trim(mantissa)}e{int(exponent)}"
        if len(text) <= 6:
            return text
    return "-0.0"  # a negative number under 1e-99: its exponent alone would take the 6 columns


def _honest(labels: Sequence[str], values: Sequence[float]) -> list[str]:
    """The labels; an empty one where it is off by more than a hundredth of the distance of two ticks."""
    slack = abs(values[1] - values[0]) / 100
    return [
        label if abs(_read(label) - value) <= slack else ""
        for label, value in zip(labels, values, strict=True)
    ]


def _read(label: str) -> float:
    """The number that a label shows."""
    power = _SUFFIXES.index(label[-1]) if label[-1] in _SUFFIXES else 0
    return float(label[:-1]) * 1000.0**power if power else float(label)


def _in_thousands(values: Sequence[float]) -> list[str] | None:
    """12k rather than 12000, where that loses nothing."""
    if max(map(abs, values)) < 10_000 or any(value % 100 for value in values):
        return None
    return ["0" if value == 0 else f"{_trim(f'{value / 1000:.1f}')}k" for value in values]


def _pair(count: int, per: int, large: str, small: str) -> str:
    """Two neighbouring units, the smaller one left out when it is zero."""
    whole, rest = divmod(count, per)
    return f"{whole}{large}{rest}{small}" if rest else f"{whole}{large}"
