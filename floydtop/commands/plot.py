"""`floydtop plot`: one framed chart on standard output, for scripts and chats."""

from __future__ import annotations

import difflib
import math
import os
import shutil
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

from floydtop.errors import FloydtopError

if TYPE_CHECKING:
    from floydtop.app.panels import PanelSpec
    from floydtop.plot.chart import Curve, Tick
    from floydtop.session.series import Series, SystemSeries
    from floydtop.session.session import Session

Axis = Literal["time", "step", "epoch"]

LABELS = {"time": "time since the job's start", "step": "step", "epoch": "epoch", "line": "points in order"}
FADED = 0.45
NAMES_SHOWN = 8


class Look(NamedTuple):
    """How the chart is wanted; None: as it suits the data and the terminal."""

    axis: Axis | None = None
    log: bool = False
    smoothing: float = 0.0
    width: int | None = None
    height: int | None = None
    glyphs: str | None = None


def plot(text: str, names: Sequence[str], look: Look) -> int:
    """Print a chart of the named metrics of a log, a session or a job; of the most important without names.

    Raises:
        FloydtopError: no such target or metric, or nothing to draw on the axis that was asked for.
    """
    from floydtop.commands.report import session_of

    session = session_of(text)
    spec = choose(session, names, text)
    terminal = shutil.get_terminal_size((80, 24))
    width = look.width or max(20, min(terminal.columns, 1000))
    height = look.height or max(8, min(terminal.lines - 2, 30))
    color = sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    chart = draw(
        session,
        spec,
        look._replace(width=width, height=height, glyphs=look.glyphs or _glyphs()),
        color=color,
    )
    lines = chart if color else "\n".join(line.rstrip() for line in chart.split("\n"))
    sys.stdout.buffer.write(f"{lines}\n".encode(sys.stdout.encoding or "utf-8", "replace"))
    sys.stdout.buffer.flush()
    return 0


def _glyphs() -> str:
    """Those that the settings name, else what standard output can hold."""
    from floydtop.settings import Settings

    wanted: str = Settings()["glyphs"]
    if wanted != "auto":
        return wanted
    return "braille" if (sys.stdout.encoding or "").lower().replace("-", "") == "utf8" else "ascii"


def choose(session: Session, names: Sequence[str], target: str) -> PanelSpec:
    """The metrics to draw in one chart.

    Raises:
        FloydtopError: there are none, or not of that name.
    """
    from floydtop.app.panels import PanelSpec, training_panels

    if not names:
        panels = training_panels(session)
        if not panels:
            raise FloydtopError(f"There are no metrics in {target} so far.")
        return panels[0]
    known = [*session.metrics, *session.system]
    for name in names:
        if name not in known:
            raise FloydtopError(_not_known(name, known, target))
    units = {_unit(name) if name in session.system else "" for name in names}
    unit: Literal["", "percent", "bytes", "rate"] = units.pop() if len(units) == 1 else ""
    return PanelSpec("plot", "", tuple(dict.fromkeys(names)), "training", unit)


def _not_known(name: str, known: Sequence[str], target: str) -> str:
    if not known:
        return f"There are no metrics in {target} so far."
    lowered = {one.lower(): one for one in known}
    close = [lowered[one] for one in difflib.get_close_matches(name.lower(), lowered, NAMES_SHOWN, 0.5)]
    close += [one for one in known if name.lower() in one.lower() and one not in close]
    if close:
        return f"There is no metric {name} in {target}: is {' or '.join(close[:NAMES_SHOWN])} meant?"
    more = f" and {len(known) - NAMES_SHOWN} more" if len(known) > NAMES_SHOWN else ""
    return f"There is no metric {name} in {target}: there are {', '.join(known[:NAMES_SHOWN])}{more}."


def _unit(name: str) -> Literal["", "percent", "bytes", "rate"]:
    """The unit of a system metric, by its name."""
    if name.endswith("_bytes_per_s"):
        return "rate"
    if name.endswith(("percent", "utilization")):
        return "percent"
    return "bytes" if name.endswith("bytes") else ""


def draw(session: Session, spec: PanelSpec, look: Look, *, color: bool) -> str:
    """The chart as lines of `look.width` columns.

    Raises:
        FloydtopError: the metrics have no place on that axis.
    """
    from floydtop.app.axis_labels import y_ticks
    from floydtop.plot.chart import framed_chart
    from floydtop.plot.columns import extent
    from floydtop.plot.scale import Scale, x_range
    from floydtop.session.series import Series

    assert look.width is not None
    assert look.height is not None
    series = [session.metrics.get(name) or session.system[name] for name in spec.names]
    axis = look.axis or _best_axis(series)
    places = [_places(session, name, axis) for name in spec.names]
    known = [x for xs in places for x in xs if x == x]
    if not known:
        raise FloydtopError(f"There is no {axis} known for {' and '.join(spec.names)}: try another --x.")
    x0, x1 = x_range(min(known), max(known), live=False)
    curves, hidden = _curves(series, places, (x0, x1, 2 * look.width), look, color=color)
    scale = Scale()
    extents = [one for curve in curves if not math.isnan((one := extent(curve.columns))[0])]
    if extents:
        scale.fit(min(low for low, _ in extents), max(high for _, high in extents))
    labels = y_ticks(spec, scale.low, scale.high, max(2, min(9, look.height // 4)), log=look.log)
    in_epochs = axis == "step" and all(isinstance(one, Series) and one.in_epochs for one in series)
    words = [LABELS["epoch" if in_epochs else axis]]
    words += ["log scale"] if look.log else []
    words += [f"smoothed {look.smoothing:g}"] if look.smoothing else []
    words += [f"{hidden} values not above zero"] if hidden else []
    return framed_chart(
        curves,
        look.width,
        look.height,
        x_range=(x0, x1),
        y_range=(scale.low, scale.high),
        x_ticks=_x_ticks(axis, x0, x1, look.width // 14, session.origin),
        # Numbers beside nothing but marks for NaN would be invented.
        y_ticks=labels if extents else [],
        x_label="   ".join(words),
        axes_color=(128, 134, 146),
        glyphs=look.glyphs or "braille",
        color=color,
    )


def _best_axis(series: Sequence[Series | SystemSeries]) -> Axis | Literal["line"]:
    """Steps, where the job counts them; else time, else the order in which the points came."""
    from floydtop.session.series import Series

    if all(isinstance(one, Series) and one.has_steps for one in series):
        return "step"
    if all(not isinstance(one, Series) or one.has_times for one in series):
        return "time"
    return "line"


def _places(session: Session, name: str, axis: Axis | Literal["line"]) -> Sequence[float]:
    """The x-value of each point, NaN where it has none; for system metrics the step of that time."""
    from floydtop.app.abscissa import Abscissa
    from floydtop.app.options import Options

    series = session.metrics.get(name) or session.system[name]
    if axis == "line":
        return range(1, len(series) + 1)
    return Abscissa().xs(session, name, series, Options(axis=axis))


def _curves(
    series: Sequence[Series | SystemSeries],
    places: Sequence[Sequence[float]],
    over: tuple[float, float, int],
    look: Look,
    *,
    color: bool,
) -> tuple[list[Curve], int]:
    """The curves, those drawn last on top, and how many values a logarithmic axis hides."""
    from floydtop.app.palette import DARK_SERIES, mixed
    from floydtop.app.panels import MARKERS
    from floydtop.plot.chart import Curve
    from floydtop.plot.smoothing import Smoother
    from floydtop.plot.strokes import StrokeCache
    from floydtop.session.series import Series

    beneath: list[Curve] = []
    above: list[Curve] = []
    hidden = 0
    for index, (one, xs) in enumerate(zip(series, places, strict=True)):
        paint = DARK_SERIES[index % len(DARK_SERIES)]
        letter = MARKERS[index % len(MARKERS)] if len(series) > 1 and look.glyphs != "ascii" else ""
        values = one.values if isinstance(one, Series) else one.means
        cache = StrokeCache(log=look.log)
        strokes = cache.strokes(xs, values, *over)
        hidden += cache.hidden
        if look.smoothing:
            if color:
                faded = _rgb(mixed(paint, "#000000", FADED))
                beneath += [Curve("", stroke, faded) for stroke in strokes]
            smooth = Smoother(look.smoothing).extend(values)
            strokes = StrokeCache(log=look.log).strokes(xs, smooth, *over)
        for number, stroke in enumerate(strokes):
            last = number == len(strokes) - 1
            above.append(Curve(one.name if last else "", stroke, _rgb(paint), letter if last else ""))
    return beneath + above, hidden


def _rgb(color: str) -> tuple[int, int, int]:
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)


def _x_ticks(axis: str, low: float, high: float, count: int, origin: float) -> list[Tick]:
    from floydtop.plot.scale import nice_ticks, time_ticks
    from floydtop.plot.units import format_duration, format_step

    if axis == "time":
        return [(x, format_duration(x - origin)) for x in time_ticks(low, high, count, origin=origin)]
    return [(x, format_step(x)) for x in nice_ticks(low, high, count, integer=True)]
