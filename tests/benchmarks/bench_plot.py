"""Print what drawing costs: `python tests/benchmarks/bench_plot.py` (medians of CPU milliseconds)."""

from __future__ import annotations

import math
import random
import statistics
import time
from array import array
from collections.abc import Callable

from floydtop.plot.braille import Layer, dots, draw
from floydtop.plot.chart import Curve, framed_chart
from floydtop.plot.columns import Column, ColumnCache, extent
from floydtop.plot.scale import Scale, nice_ticks
from floydtop.plot.smoothing import Smoother
from floydtop.plot.units import format_ticks


def noisy_loss(points: int, seed: int) -> array[float]:
    noise = random.Random(seed)
    return array("d", (2 * math.exp(-5 * i / points) + 0.2 + noise.gauss(0, 0.05) for i in range(points)))


def median_ms(work: Callable[[], object], repeat: int) -> float:
    times = []
    for _ in range(repeat):
        start = time.process_time()
        work()
        times.append((time.process_time() - start) * 1000)
    return statistics.median(times)


def binned(ys: array[float], width: int) -> list[Column | None]:
    return list(ColumnCache().columns(range(len(ys)), ys, 0, len(ys) - 1, dots(width)))


def redraw_ms(curves: int) -> float:
    """12 panels of 60x10 cells with 1,000 points a curve, binned before."""
    panels = [
        [Layer(binned(noisy_loss(1000, 10 * panel + curve), 60), curve) for curve in range(curves)]
        for panel in range(12)
    ]
    scales = []
    for layers in panels:
        scale = Scale()
        for layer in layers:
            scale.fit(*extent(layer.columns))
        scales.append(scale)

    def redraw() -> None:
        for layers, scale in zip(panels, scales, strict=True):
            draw(layers, 60, 10, scale.low, scale.high)

    return median_ms(redraw, 21)


def main() -> None:
    print(f"redraw 12 panels 60x10, 1 curve          {redraw_ms(1):8.1f} ms")
    print(f"redraw 12 panels 60x10, 2 curves         {redraw_ms(2):8.1f} ms")

    xs = array("d", range(100_000))
    series = [noisy_loss(100_000, seed) for seed in range(20)]
    view = (0.0, 99_999.0, dots(60))
    print(
        "bin 20 x 100,000 points                  "
        f"{median_ms(lambda: [ColumnCache().columns(xs, ys, *view) for ys in series], 3):8.1f} ms"
    )
    backwards = xs[::-1]
    print(
        "bin 20 x 100,000 points, x falling       "
        f"{median_ms(lambda: [ColumnCache().columns(backwards, ys, *view) for ys in series], 1):8.1f} ms"
    )
    growing_xs, growing = xs[:90_000], series[0][:90_000]
    cache = ColumnCache()
    cache.columns(growing_xs, growing, *view)

    def grow() -> None:
        start = len(growing)
        growing_xs.extend(xs[start : start + 10])
        growing.extend(series[0][start : start + 10])
        cache.columns(growing_xs, growing, *view)

    print(f"bin 10 new points of 90,000              {median_ms(grow, 101):8.3f} ms")
    smoothing = median_ms(lambda: Smoother(0.9).extend(series[0]), 5)
    print(f"smooth 100,000 points                    {smoothing:8.1f} ms")

    curves = [
        Curve("loss", binned(series[0], 100), (120, 170, 255)),
        Curve("val", binned(series[1], 100), (255, 170, 90)),
    ]
    y_ticks = nice_ticks(0, 2.5, 5)

    def chart() -> None:
        framed_chart(
            curves,
            100,
            20,
            x_range=(0, 99_999),
            y_range=(0, 2.5),
            x_ticks=[(0, "0"), (50_000, "50k")],
            y_ticks=list(zip(y_ticks, format_ticks(y_ticks), strict=True)),
        )

    print(f"framed chart 100x20, 2 curves            {median_ms(chart, 7):8.1f} ms")


if __name__ == "__main__":
    main()
