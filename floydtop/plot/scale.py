"""Axes: nice ticks, and ranges that move rarely, so that what is drawn keeps its place."""

from __future__ import annotations

import math
import sys
from bisect import bisect_left
from collections.abc import Iterator
from fractions import Fraction

from floydtop.plot.units import as_float

_MANTISSAS = (Fraction(1), Fraction(2), Fraction(5, 2), Fraction(5))
# The Renard series R10 (ISO 3): each number about 26 % above the one before, so that a growing axis moves
# three times per doubling at most and is never more than a fifth empty.
_RENARD = (1.0, 1.25, 1.6, 2.0, 2.5, 3.2, 4.0, 5.0, 6.4, 8.0, 10.0)
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_TIME_STEPS = (
    *(1, 2, 5, 10, 15, 30),
    *(minutes * _MINUTE for minutes in (1, 2, 5, 10, 15, 30)),
    *(hours * _HOUR for hours in (1, 2, 3, 6, 12)),
    *(days * _DAY for days in (1, 2, 7, 14, 28)),
)
_HEADROOM = Fraction(1, 10)
_SHRINK = Fraction(1, 3)
# In steps: an end such as 0.30000000000000004 counts as the tick that it misses by a rounding error.
_SLACK = Fraction(1, 10**9)


def nice_ticks(low: float, high: float, count: int, *, integer: bool = False) -> list[float]:
    """At most `count` multiples of 1, 2, 2.5 or 5 times a power of ten within [low, high], rising.

    A range with no room for two such numbers (or for floats between its ends) gives its ends instead.
    """
    low, high = _ordered(low, high)
    if not (math.isfinite(low) and math.isfinite(high)) or count < 1:
        return []
    if low == high:
        return [low]
    exact_low, exact_high = Fraction(low), Fraction(high)
    span = exact_high - exact_low
    for step in _steps_from(span / (count + 1), integer=integer):
        first = math.ceil(exact_low / step - _SLACK)
        last = math.floor(exact_high / step + _SLACK)
        if last - first + 1 <= count:
            break
    ticks = [float(index * step) for index in range(first, last + 1)]
    if len(set(ticks)) == len(ticks) and len(ticks) >= min(2, count):
        return ticks
    return [low, high] if count > 1 and not integer else ticks[:1]


def log_ticks(low: float, high: float, count: int) -> list[float]:
    """Ticks for an axis of log10 values: whole decades, or 1, 2, 5 within them when few decades are in view.

    Positions are log10 values like `low` and `high`; label them with `format_value(10**position)`.
    """
    low, high = _ordered(low, high)
    if not (math.isfinite(low) and math.isfinite(high)) or count < 1:
        return []
    decades = nice_ticks(low, high, count, integer=True)
    if len(decades) >= min(3, count) or high - low > 4:
        return decades
    powers = range(math.floor(low), math.ceil(high) + 1)
    for mantissas in ((1, 2, 3, 4, 5, 6, 7, 8, 9), (1, 2, 3, 5, 7), (1, 2, 5), (1, 3)):
        finer = [power + math.log10(mantissa) for power in powers for mantissa in mantissas]
        finer = [position for position in finer if low - 1e-9 <= position <= high + 1e-9]
        if len(decades) < len(finer) <= count:
            return finer
    return decades or nice_ticks(low, high, count)


def time_ticks(low: float, high: float, count: int, *, origin: float = 0.0) -> list[float]:
    """At most `count` ticks in seconds at whole seconds, minutes, hours or days counted from `origin`.

    For a wall-clock axis `origin` is a local midnight. Below a second between ticks they are `nice_ticks`,
    counted from there too.
    """
    low, high = _ordered(low, high)
    if not (math.isfinite(low) and math.isfinite(high) and math.isfinite(origin)) or count < 1:
        return []
    span = high - low
    if span > 1e9 or max(abs(low), abs(high), abs(origin)) > 1e12:
        return nice_ticks(low, high, count)
    if span / count < 1:
        ticks = nice_ticks(low - origin, high - origin, count)
        return [min(max(origin + tick, low), high) for tick in ticks]
    wanted = bisect_left(_TIME_STEPS, span / (count + 1))
    for step in (*_TIME_STEPS[wanted:], *(28 * _DAY * 2**power for power in range(1, 12))):
        first, last = math.ceil((low - origin) / step), math.floor((high - origin) / step)
        if last - first + 1 <= count:
            break
    return [origin + index * step for index in range(first, last + 1)]


def x_range(low: float, high: float, *, live: bool) -> tuple[float, float]:
    """The x-axis for points from `low` to `high`.

    A finished job gets exactly its own range. While live, the end is rounded up in steps of about 25 %,
    so that all points stay where they are until the axis is full.
    """
    low, high = _ordered(low, high)
    if not (math.isfinite(low) and math.isfinite(high)):
        return 0.0, 1.0
    if low == high:
        return (low, _above(low)) if low < sys.float_info.max else (math.nextafter(low, 0), low)
    span = high - low
    if not live or not math.isfinite(span):
        return low, high
    return low, max(high, _finite(low + _renard(span)))


class Scale:
    """A y-axis that only moves when it must: it grows in nice steps and hardly ever shrinks."""

    low: float
    high: float

    def __init__(self) -> None:
        self.low, self.high = 0.0, 1.0
        self._fitted = False

    def fit(self, low: float, high: float) -> bool:
        """Make room for data from `low` to `high`; True when the range changed.

        Data within the range leave it alone, unless they need less than a third of it. NaN and infinite
        bounds (no data yet) change nothing; constant data get room above and below.
        """
        low, high = _ordered(low, high)
        if not (math.isfinite(low) and math.isfinite(high)):
            return False
        inside = self._fitted and self.low <= low and high <= self.high
        needed = _padded(low, high)
        if inside and _span(needed) >= _span((self.low, self.high)) * _SHRINK:
            return False
        before = self.low, self.high
        # Data that outgrew their axis will do so again; the first range is as tight as it can be.
        room = _HEADROOM if self._fitted and not inside else Fraction(0)
        self.low, self.high = _nice_range(low, high, room) if low < high else needed
        self._fitted = True
        return before != (self.low, self.high)


def _ordered(low: float, high: float) -> tuple[float, float]:
    low, high = as_float(low), as_float(high)
    return (high, low) if high < low else (low, high)


def _finite(value: float) -> float:
    return max(-sys.float_info.max, min(sys.float_info.max, value))


def _above(value: float) -> float:
    """The next round number that differs enough from `value` to be an axis' other end."""
    return _finite(max(value + 1, value + abs(value) * 1e-9, math.nextafter(value, math.inf)))


def _padded(low: float, high: float) -> tuple[float, float]:
    """Room for a constant: a tenth of its size or a little more on both sides."""
    if high > low:
        return low, high
    room = abs(low) / 10 or 1.0
    room = max(_renard(room), abs(math.nextafter(low, math.inf) - low))
    return _finite(low - room), _finite(high + room)


def _span(limits: tuple[float, float]) -> Fraction:
    return Fraction(limits[1]) - Fraction(limits[0])


def _nice_range(low: float, high: float, room: Fraction) -> tuple[float, float]:
    """[low, high] with head room, moved out to nice numbers; it never crosses zero when the data do not."""
    span = _span((low, high))
    floor, ceiling = Fraction(low) - span * room, Fraction(high) + span * room
    if low >= 0:
        floor = max(floor, Fraction(0))
    if high <= 0:
        ceiling = min(ceiling, Fraction(0))
    step = next(_steps_from(span / 8, integer=False))
    nice_low = _as_float(math.floor(floor / step + _SLACK) * step)
    nice_high = _as_float(math.ceil(ceiling / step - _SLACK) * step)
    return min(low, nice_low), max(high, nice_high)


def _as_float(value: Fraction) -> float:
    try:
        return float(value)
    except OverflowError:
        return sys.float_info.max if value > 0 else -sys.float_info.max


def _steps_from(smallest: Fraction, *, integer: bool) -> Iterator[Fraction]:
    """The nice steps from about `smallest` upwards, without end."""
    exponent = _exponent(smallest)
    while True:
        for mantissa in _MANTISSAS:
            step = mantissa * Fraction(10) ** exponent
            if step >= smallest and (not integer or step.denominator == 1):
                yield step
        exponent += 1


def _exponent(value: Fraction) -> int:
    """floor(log10(value)), or one less; also where the value is beyond floats."""
    digits = len(str(value.numerator)) - len(str(value.denominator))
    return digits - 1


def _renard(span: float) -> float:
    """The smallest R10 number that is at least `span`."""
    exponent = math.floor(math.log10(span))
    unit = 10.0**exponent
    if unit == 0 or not math.isfinite(span / unit):
        return span
    return next((number * unit for number in _RENARD if number * unit >= span * (1 - 1e-9)), span)
