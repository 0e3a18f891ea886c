"""The framed plotext chart of one panel."""

from __future__ import annotations

from rich.style import Style
from rich.text import Text

from floydtop.app.axis_labels import y_ticks
from floydtop.app.curves import Curves, Drawn
from floydtop.app.panels import PanelSpec, series_name
from floydtop.app.safe import clean
from floydtop.app.view import View
from floydtop.app.widgets.canvas import Canvas, Row, Run
from floydtop.app.widgets.panel import columns_at_cursor, cursor_value, cursor_x, with_cursor
from floydtop.plot.chart import Curve, framed_chart
from floydtop.session.series import Series


class FramedChart(Canvas):
    """The chart itself."""

    def __init__(self, *, id: str) -> None:  # noqa: A002
        super().__init__(id=id)
        self._curves = Curves()

    def draw(self, view: View, spec: PanelSpec) -> None:
        """Draw the series of `spec`."""
        width, height = self.size.width, self.size.height
        if width < 20 or height < 6:
            return
        missing = view.why_empty(spec)
        if missing:
            self.show([*([[]] * (height // 2)), [Run(missing.center(width), self.palette.dim)]])
            return
        drawn = self._curves.draw(view, spec, 2 * width)
        low, high = self._curves.scale.low, self._curves.scale.high
        x0, x1 = view.x_range(spec)
        labels = y_ticks(spec, low, high, max(2, min(9, height // 4)), log=view.log_scale(spec))
        text = framed_chart(
            self._framed(view, spec, drawn),
            width,
            height,
            x_range=(x0, x1),
            y_range=(low, high),
            x_ticks=view.ticks(x0, x1, width // 14),
            y_ticks=[] if self._curves.blank else labels,
            title=clean(spec.title),
            x_label=clean(self._x_label(view, spec, drawn)),
            axes_color=rgb(self.palette.dim),
            glyphs=view.glyphs,
        )
        rows = _rows_of(text)
        if view.options.cursor is not None and len(rows) > 4:
            self._draw_cursor(view, rows)
        self.show(rows)

    def _framed(self, view: View, spec: PanelSpec, drawn: list[Drawn]) -> list[Curve]:
        """The strokes as plotext's curves: each series named once, context in faded colours beneath."""
        palette = self.palette
        curves = []
        named: set[int] = set()
        # In the order of the table below, with what is only context beneath.
        for one in sorted(drawn, key=lambda one: (one.kind == "line", one.curve)):
            if one.kind == "fill":
                continue
            label = letter = ""
            if one.kind == "line" and one.curve not in named:
                named.add(one.curve)
                letter = spec.mark(one.curve) if spec.marks else ""
                name = clean(series_name(spec, spec.names[one.curve]))
                # The legend adds the letter.
                label = clean(spec.title) if spec.marks else f"{spec.mark(one.curve)} {name}"
            color = spec.color(one.curve)
            bright = one.kind == "line" and one.curve not in spec.dimmed
            style = palette.curve(color) if bright else palette.faded[color % 8]
            curves.append(Curve(label, one.columns, rgb(style), letter))
        return curves

    def _x_label(self, view: View, spec: PanelSpec, drawn: list[Drawn]) -> str:
        """What x means; with a cursor, the values under it."""
        options = view.options
        if options.cursor is not None:
            words = [f"at {view.moment(cursor_x(view, spec))}"]
            for index, column in columns_at_cursor(view, drawn).items():
                value = cursor_value(spec, column, log=view.log_scale(spec))
                words.append(f"{series_name(spec, spec.names[index])} {value}")
            return "   ".join(words)
        words = [view.x_label(spec)]
        if spec.kind == "system" and view.session.facts is not None:
            # Where the numbers come from: the process tree, its cgroup, a bound...
            words += [view.session.facts.notes.get(spec.names[0].partition(".")[0], "")]
        series = [view.series(spec, name) for name in spec.names]
        if view.on_time and any(isinstance(one, Series) and one.has_estimates for one in series):
            words.append("~ what was there before the recording: times estimated")
        if view.session.past.sampled and spec.kind != "system":
            words.append("older points are samples")
        words += ["log scale"] if view.log_scale(spec) else []
        words += [f"smoothed {options.smoothing:g}"] if options.smoothing else []
        words += [f"{self._curves.hidden} hidden"] if self._curves.hidden else []
        return "   ".join(filter(None, words))

    def _draw_cursor(self, view: View, rows: list[Row]) -> None:
        """A line through the frame, between the border that plotext drew left and the one right."""
        lines = ["".join(run.text for run in row) for row in rows]
        top = next((y for y, line in enumerate(lines) if "┌" in line), None)
        if top is None:
            return
        left, right = lines[top].index("┌") + 1, lines[top].rindex("┐")
        place = left + round((view.options.cursor or 0.0) * (right - left - 1))
        for y in range(top + 1, len(rows)):
            if "└" in lines[y]:
                break
            rows[y] = with_cursor(rows[y], place, self.palette.strong)


def rgb(style: Style) -> tuple[int, int, int]:
    """A style's colour, as plotext wants it."""
    color = style.color.get_truecolor() if style.color is not None else (208, 212, 220)
    return color[0], color[1], color[2]


def _rows_of(ansi: str) -> list[Row]:
    """plotext's lines as rows of runs."""
    rows: list[Row] = []
    for line in ansi.split("\n"):
        text = Text.from_ansi(line)
        rows.append([Run(part.plain, _style_of(part)) for part in text.divide(_edges(text))])
    return rows


def _edges(text: Text) -> list[int]:
    return sorted({edge for span in text.spans for edge in (span.start, span.end)} - {0, len(text)})


def _style_of(part: Text) -> Style:
    style = part.spans[0].style if part.spans else part.style
    return style if isinstance(style, Style) else Style.null()
