"""A session as one HTML page with zoomable charts, which fetches nothing and runs no code but its own."""

from __future__ import annotations

import base64
import hashlib
import html
import math
import time
from collections.abc import Sequence
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from floydtop.errors import FloydtopError

if TYPE_CHECKING:
    from floydtop.app.panels import PanelSpec
    from floydtop.session.series import Series, SystemSeries
    from floydtop.session.session import Session

MOST_POINTS = 8_000
"""Points of one curve in the page: four times the columns of a wide screen, so that zooming shows more."""

MOST_BAD = 200
LINES = 500

COLUMNS = ("metric", "last", "min", "max", "mean", "points", "NaN/inf")


def page(session: Session) -> bytes:
    """The page: charts in groups as on the screen, how the job ended, its command line and its last output.

    Text of the job is data: it stands in the page escaped, and the page's own policy lets no script run but
    the two that it was made with, nor anything be fetched.

    Raises:
        FloydtopError: Plotly is not installed.
    """
    plotly, script = _plotly(), files("floydtop.commands").joinpath("page.js").read_text()
    style = files("floydtop.commands").joinpath("page.css").read_text()
    policy = (
        f"default-src 'none'; script-src {_hash(plotly)} {_hash(script)}; style-src 'unsafe-inline'; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'"
    )
    charts = _charts(session)
    parts = [
        "<!DOCTYPE html>\n<html lang='en'>\n<head>\n<meta charset='utf-8'>",
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
        "<meta name='viewport' content='width=device-width, initial-scale=1'>",
        f"<title>{escape(session.name)}</title>",
        f"<style>{style}</style>\n</head>\n<body>",
        _header(session),
        _controls(charts),
        "<main id='panels'></main>",
        _table(session),
        _notes(session),
        _output(session),
        f"<script type='application/json' id='data'>{_json(charts)}</script>",
        f"<script>{plotly}</script>",
        f"<script>{script}</script>",
        "</body>\n</html>\n",
    ]
    return "\n".join(parts).encode("utf-8", "replace")


def escape(text: str) -> str:
    """Text from outside as HTML that says it and does nothing, without escape sequences."""
    from floydtop.app.safe import clean

    return html.escape(clean(text))


def _plotly() -> str:
    try:
        from plotly.offline import get_plotlyjs
    except ImportError:
        raise FloydtopError(
            "An HTML page needs the plotting library Plotly: pip install 'floydtop[html]'."
        ) from None
    source: str = get_plotlyjs()
    return source


def _hash(script: str) -> str:
    """The script's name in a content security policy (https://www.w3.org/TR/CSP3/#grammardef-hash-source)."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def _json(document: dict[str, Any]) -> str:
    """JSON that no text in it can end: in it `<` only occurs within strings, where it may be spelt."""
    import msgspec

    from floydtop.session.format import encode_json

    text = encode_json(msgspec.to_builtins(document)).decode()
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _charts(session: Session) -> dict[str, Any]:
    """What the page's script draws: panels of series, each with its points on both axes."""
    from floydtop.app.palette import DARK_SERIES, LIGHT_SERIES
    from floydtop.app.panels import system_panels, training_panels

    panels = [_panel(session, spec) for spec in (*training_panels(session), *system_panels(session))]
    panels = [panel for panel in panels if panel["series"]]
    has = {axis: any(one[axis] for panel in panels for one in panel["series"]) for axis in ("time", "step")}
    return {
        "panels": panels,
        "axis": "time" if has["time"] or not has["step"] else "step",
        "has": has,
        "dark": DARK_SERIES,
        "light": LIGHT_SERIES,
    }


def _panel(session: Session, spec: PanelSpec) -> dict[str, Any]:
    from floydtop.app.panels import series_name

    of_kind: dict[str, Any] = session.system if spec.kind == "system" else session.metrics
    drawn, notes = [], []
    for name in spec.names:
        series = of_kind.get(name)
        if not series:
            continue
        one = _series(session, name, series)
        # Plotly reads tags in names.
        one["name"] = html.escape(series_name(spec, name))
        drawn.append(one)
        if one["of"] > len(one["values"]):
            notes.append(f"{len(one['values'])} of {one['of']} points, with all extremes of their stretches")
        if one["not_finite"]:
            notes.append(f"{one['not_finite']} NaN or infinite")
    return {
        "title": spec.title,
        "unit": spec.unit,
        "count": "epoch" if drawn and all(one["in_epochs"] for one in drawn) else "step",
        "note": ", ".join(dict.fromkeys(notes)),
        "series": drawn,
    }


def _series(session: Session, name: str, series: Series | SystemSeries) -> dict[str, Any]:
    from floydtop.app.abscissa import Abscissa
    from floydtop.app.options import Options
    from floydtop.session.series import Series

    values = series.values if isinstance(series, Series) else series.means
    kept = thinned(values, MOST_POINTS)
    steps = Abscissa().xs(session, name, series, Options(axis="step"))
    bad = [place for place, index in enumerate(kept) if not math.isfinite(values[index])]
    one: dict[str, Any] = {
        "time": _numbers([series.times[index] - session.origin for index in kept]),
        "step": _numbers([steps[index] for index in kept]),
        "values": [_number(values[index]) for index in kept],
        "bad": bad[:MOST_BAD],
        "of": len(values),
        "not_finite": series.not_finite if isinstance(series, Series) else 0,
        "in_epochs": isinstance(series, Series) and series.in_epochs,
    }
    if not isinstance(series, Series):
        one["low"] = [_number(series.lows[index]) for index in kept]
        one["high"] = [_number(series.highs[index]) for index in kept]
    return one


def thinned(values: Sequence[float], most: int) -> Sequence[int]:
    """Places of at most `most` values: of a stretch its least, its largest, the first not finite."""
    if len(values) <= most:
        return range(len(values))
    stretch = math.ceil(2 * len(values) / (most - MOST_BAD - 4))
    kept = {0, len(values) - 1}
    bad = 0
    for start in range(0, len(values), stretch):
        places = range(start, min(start + stretch, len(values)))
        finite = [index for index in places if math.isfinite(values[index])]
        if len(finite) < len(places) and bad < MOST_BAD:
            bad += 1
            kept.add(next(index for index in places if not math.isfinite(values[index])))
        if finite:
            kept.add(min(finite, key=values.__getitem__))
            kept.add(max(finite, key=values.__getitem__))
    return sorted(kept)


def _numbers(values: Sequence[float]) -> list[float | None] | None:
    """The places on an axis, None when no point has one."""
    numbers = [_number(value) for value in values]
    return numbers if any(number is not None for number in numbers) else None


def _number(value: float) -> float | None:
    """Seven digits: more cannot be seen, and 8,000 points of 17 digits are as long as Plotly."""
    return float(f"{value:.7g}") if math.isfinite(value) else None


def _header(session: Session) -> str:
    from floydtop.commands.plain import progress_words, state_words
    from floydtop.plot.units import format_duration
    from floydtop.session.export import snapshot

    shot = snapshot(session)
    words = [state_words(session.state, session.exit), progress_words(shot["progress"])]
    header = session.header
    if header is not None:
        started = time.strftime("%Y-%m-%d %H:%M:%S %Z", time.localtime(header.t0 + session.origin))
        job = f", pid {header.job.pid}" if header.job is not None else ""
        words.append(f"started {started} on {header.host}{job}")
        words.append(f"{format_duration(max(0.0, session.now - session.origin))} long")
    lines = [f"<header>\n<h1>{escape(session.name)}</h1>"]
    lines.append(f"<p id='state'>{escape(' · '.join(word for word in words if word))}</p>")
    if shot["exit"] and shot["exit"]["how"]:
        lines.append(f"<p>{escape(shot['exit']['how'])}</p>")
    for label, text in (("in", shot["job"]["cwd"]), ("output in", shot["job"]["log"])):
        if text:
            lines.append(f"<p>{label} {escape(text)}</p>")
    return "\n".join([*lines, "</header>"])


def _controls(charts: dict[str, Any]) -> str:
    buttons = ""
    for axis in ("time", "step"):
        state = "" if charts["has"][axis] else " disabled"
        buttons += f"<button type='button' data-axis='{axis}'{state}>{axis}</button>"
    return (
        f"<nav>{buttons}<button type='button' id='log' aria-pressed='false'>log scale</button>"
        "<button type='button' id='all'>all of it</button></nav>"
    )


def _table(session: Session) -> str:
    from floydtop.plot.units import format_reading

    rows = [f"<tr>{''.join(f'<th>{name}</th>' for name in COLUMNS)}</tr>"]
    for name, series in session.metrics.items():
        numbers = (series.last, series.minimum, series.maximum, series.mean)
        some = series.count > series.not_finite
        shown = [
            format_reading(number) if some or place == 0 else "-" for place, number in enumerate(numbers)
        ]
        cells = [name, *shown, str(series.count), str(series.not_finite or "")]
        rows.append(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>")
    return _section("Metrics", f"<div class='scroll'><table>{''.join(rows)}</table></div>")


def _section(title: str, content: str) -> str:
    return f"<details open>\n<summary>{title}</summary>\n{content}\n</details>"


def _notes(session: Session) -> str:
    notes = [(note.text, note.level != "info") for note in session.notes]
    notes += [(f"{gap.lost or 'Some'} events are missing: {gap.why}", True) for gap in session.gaps]
    if session.malformed_count:
        notes.append((f"{session.malformed_count} metric lines could not be read.", True))
    return "\n".join(f"<p{' class=warning' if warning else ''}>{escape(text)}</p>" for text, warning in notes)


def _output(session: Session) -> str:
    lines = list(session.lines)[-LINES:]
    if not lines:
        return ""
    text = "\n".join(escape(line.text) for line in lines)
    return _section(f"Output, its last {len(lines)} lines", f"<pre id='output'>{text}</pre>")
