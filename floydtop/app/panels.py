"""Which charts there are: metrics that belong together share a panel, the important ones come first."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from floydtop.session.session import Session

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
    unit: Literal["", "percent", "bytes", "rate"] = ""
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
    for index in sorted({int(name.split(".")[1]) for name in names if name.startswith("gpu.")}):
        gpu = f"gpu.{index}"
        panels += _if_known(names, f"{gpu}.utilization", f"GPU {index}", "percent")
        memory = tuple(n for n in (f"{gpu}.memory_bytes", f"{gpu}.job_memory_bytes") if n in names)
        if memory:
            panels.append(PanelSpec(memory[0], f"GPU {index} memory", memory, "system", "bytes"))
    panels += _if_known(names, "cpu.percent", "CPU", "percent")
    panels += _if_known(names, "memory.bytes", "memory", "bytes")
    transfers = tuple(n for n in ("disk.read_bytes_per_s", "disk.write_bytes_per_s") if n in names)
    if transfers:
        panels.append(PanelSpec(transfers[0], "disk I/O", transfers, "system", "rate"))
    panels += _if_known(names, "disk.percent", "disk used", "percent")
    return panels


def _if_known(names: set[str], name: str, title: str, unit: Literal["percent", "bytes"]) -> list[PanelSpec]:
    return [PanelSpec(name, title, (name,), "system", unit)] if name in names else []


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
        "disk.read_bytes_per_s": "read",
        "disk.write_bytes_per_s": "write",
    }.get(name, "job" if name.endswith("job_memory_bytes") else "used")


def series_name(spec: PanelSpec, name: str) -> str:
    """What a series is called where there is room."""
    if spec.kind == "system" and not spec.marks:
        return short_name(name) if len(spec.names) > 1 else spec.title
    return name
