"""Which charts there are: metrics that belong together share a panel, the important ones come first."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from floydtop.events import gpu_index
from floydtop.session.session import Session

Unit = Literal["", "percent", "bytes", "rate"]

MARKERS = "●○◆◇■□▲△"

PanelKind = Literal["training", "timing", "system"]

_SPLIT = re.compile(r"^(?:train|training|val|valid|validation|test|eval|dev)[_/ .-]+(?=.)", re.IGNORECASE)

_LOSS = re.compile(r"loss|nll|perplexity|ppl|error|cost", re.IGNORECASE)
QUALITY = re.compile(
    r"acc|auc|precision|recall|iou|bleu|rouge|reward|score|dice|(?<![a-z])(?:f1|map|r2)(?!\d)", re.IGNORECASE
)
"""Metrics of which more is better."""


@dataclass(frozen=True)
class PanelSpec:
    """One panel: a title and the series drawn in it."""

    key: str
    title: str
    names: tuple[str, ...]
    kind: PanelKind
    unit: Unit = ""
    marks: tuple[str, ...] = ()
    """What stands for each series in the legend; by default a sign that goes with its place."""
    colors: tuple[int, ...] = ()
    """The number of each series' colour; by default its place."""
    dimmed: frozenset[int] = frozenset()
    """The places of series that stand back behind the others."""

    def mark(self, place: int) -> str:
        """The sign of a series: colour is never the only one."""
        return self.marks[place] if self.marks else MARKERS[place % len(MARKERS)]

    def color(self, place: int) -> int:
        """The number of a series' colour."""
        return self.colors[place] if self.colors else place


def base_name(metric: str) -> str:
    """The metric without the data set it was measured on: val_loss and train/loss are both loss."""
    return _SPLIT.sub("", metric)


def training_panels(session: Session) -> list[PanelSpec]:
    """Training metrics grouped by base name: losses first, then what is like accuracy, the rest, timings."""
    groups: dict[tuple[str, str], list[str]] = {}
    for name, series in session.metrics.items():
        groups.setdefault((series.group, base_name(name).lower()), []).append(name)
    panels = []
    for (group, base), names in groups.items():
        ordered = sorted(names, key=lambda name: (base_name(name) != name, names.index(name)))
        title = base_name(ordered[0])
        kind: PanelKind = "timing" if group == "timing" else "training"
        panels.append(PanelSpec(f"{group}:{base}", title, tuple(ordered), kind))
    return sorted(panels, key=importance)


def importance(panel: PanelSpec) -> tuple[int, int]:
    """Sorts panels: the more important first."""
    if panel.kind == "timing":
        return (3, 0)
    name = base_name(panel.title)
    kind = 0 if _LOSS.search(name) else 1 if QUALITY.search(name) else 2
    # The loss itself comes before box_loss, cls_loss and the others that only end in it.
    return (kind, len(name))


def system_panels(session: Session) -> list[PanelSpec]:
    """One panel per system metric that has been read, GPUs first: they are what people look for."""
    names = set(session.system)
    if session.present is not None:
        names |= session.present.values.keys()
    panels = []
    gpus = sorted({index for index in map(gpu_index, names) if index is not None})
    for index in gpus:
        gpu = f"gpu.{index}"
        panels += _panel(names, f"GPU {index}", (f"{gpu}.utilization", f"{gpu}.job_sm_percent"), "percent")
        memory = (f"{gpu}.memory_bytes", f"{gpu}.job_memory_bytes")
        panels += _panel(names, f"GPU {index} memory", memory, "bytes")
    panels += _panel(names, "CPU", ("cpu.percent", "cpu.throttled_percent"), "percent")
    panels += _panel(names, "memory", ("memory.bytes", "memory.swap_bytes"), "bytes")
    panels += _panel(names, "disk I/O", ("disk.read_bytes_per_s", "disk.write_bytes_per_s"), "rate")
    panels += _panel(
        names, "disk used", ("disk.percent", "disk.log_percent", "disk.inodes_percent"), "percent"
    )
    for index in gpus:
        gpu = f"gpu.{index}"
        panels += _panel(names, f"GPU {index} watts", (f"{gpu}.power_watts",), "")
        panels += _panel(names, f"GPU {index} °C", (f"{gpu}.temperature_celsius",), "")
        panels += _panel(names, f"GPU {index} MHz", (f"{gpu}.clock_mhz",), "")
        panels += _panel(names, f"GPU {index} throttled", (f"{gpu}.throttled_percent",), "percent")
    return panels


def _panel(names: set[str], title: str, series: tuple[str, ...], unit: Unit) -> list[PanelSpec]:
    known = tuple(name for name in series if name in names)
    return [PanelSpec(known[0], title, known, "system", unit)] if known else []


def legend_name(spec: PanelSpec, name: str) -> str:
    """What the legend calls a series: as short as its panel's title allows."""
    if spec.marks:
        return ""
    if spec.kind == "system":
        return short_name(name) if len(spec.names) > 1 else ""
    if name == spec.title:
        return ""
    base = base_name(name)
    return name[: len(name) - len(base)].rstrip("_/ .-") if base == spec.title else name


def short_name(name: str) -> str:
    """What the legend calls a system series."""
    return {
        "read_bytes_per_s": "read",
        "write_bytes_per_s": "write",
        "job_memory_bytes": "job",
        "job_sm_percent": "job",
        "throttled_percent": "throttled",
        "swap_bytes": "swap",
        "log_percent": "log's disk",
        "inodes_percent": "inodes",
    }.get(name.rpartition(".")[2], "used")


def series_name(spec: PanelSpec, name: str) -> str:
    """What a series is called where there is room."""
    if spec.kind == "system" and not spec.marks:
        return short_name(name) if len(spec.names) > 1 else spec.title
    return name
