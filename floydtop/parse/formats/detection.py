"""Ultralytics' training and validation rows; detectron2's copy-and-paste results."""

from __future__ import annotations

import re

from floydtop.parse.reading import NUMBER, Format, Found, State, number

_HEADER = re.compile(r"\s{2,40}Epoch\s{2,20}(?:GPU_mem|gpu_mem)\s(?P<names>[\w\s/()-]{1,200})")
_ROW = re.compile(
    rf"\s{{0,40}}(?P<epoch>\d{{1,7}})/(?P<epochs>\d{{1,7}})\s{{1,20}}(?P<memory>[\d.]{{1,12}})G"
    rf"(?P<values>(?:\s{{1,20}}{NUMBER}){{1,24}}):?\s{{0,8}}(?P<percent>\d{{1,3}})%"
)
_CLASSES = re.compile(
    r"\s{2,60}Class\s{1,20}Images\s{1,20}(?P<counted>Instances|Labels)\s{1,20}(?P<names>.{1,200}?)(?::\s{1,4}\d{1,3}%|$)"
)
_CLASSIFIER = re.compile(
    r"\s{2,60}classes\s{1,20}(?P<names>top1_acc\s{1,20}top5_acc)(?P<counted>)(?::\s{1,4}\d{1,3}%|$)"
)
_ALL = re.compile(rf"\s{{2,60}}all(?P<values>(?:\s{{1,20}}{NUMBER}){{2,16}})\s{{0,20}}")
_COUNTS = frozenset(["Instances", "labels", "Size", "img_size"])
_PASTE = re.compile(r"(?<!\w)copypaste: (?P<cells>[^ ]{1,400})")


class _Memory:
    """The columns of the last headers."""

    def __init__(self) -> None:
        self.train: list[str] = []
        self.classes: list[str] = []
        self.counts = 2
        """Columns of the validation row before its first metric: images and instances."""
        self.paste: list[str] = []


def read(text: str, state: State) -> list[Found] | None:
    """A row of the epoch counts when its bar is at 100 %; the row `all` below belongs to that epoch."""
    memory = state.of(_Memory)
    paste = _PASTE.search(text) if "copypaste" in text else None
    if paste:
        return _pasted(paste["cells"].split(","), memory, state)
    header = _HEADER.match(text)
    if header:
        before, memory.train = memory.train, header["names"].split()
        state.expectations += memory.train != before
        return []
    classes = _CLASSES.match(text) or _CLASSIFIER.match(text)
    if classes:
        before, memory.classes = memory.classes, _metrics(classes["names"])
        memory.counts = 2 if classes["counted"] else 0
        state.expectations += memory.classes != before
        return []
    row = _ROW.match(text)
    if row and memory.train:
        state.epoch, state.epochs = float(row["epoch"]), int(row["epochs"])
        if row["percent"] != "100" and not state.live:
            return []
        pairs = zip(memory.train, row["values"].split(), strict=False)
        values = {name: float(value) for name, value in pairs if name not in _COUNTS}
        return [Found(values | {"GPU_mem (G)": float(row["memory"])}, epoch=state.epoch)]
    every = _ALL.fullmatch(text)
    if every and memory.classes:
        pairs = zip(memory.classes, every["values"].split()[memory.counts :], strict=False)
        return [Found({name: float(value) for name, value in pairs}, epoch=state.epoch)]
    return None


def _metrics(header: str) -> list[str]:
    """The names under `Box(P R mAP50) Mask(P R mAP50)`: what is no box says so."""
    names: list[str] = []
    group = ""
    for word in header.replace(")", " ").split():
        opening, bracket, name = word.rpartition("(")
        if bracket:
            group = "" if opening == "Box" else f"{opening} "
        names.append(f"metrics/{group}{name}")
    return names


def _pasted(cells: list[str], memory: _Memory, state: State) -> list[Found]:
    values = [number(cell) for cell in cells]
    if len(cells) == len(memory.paste) and None not in values:
        pairs = zip(memory.paste, values, strict=True)
        return [Found({name: value for name, value in pairs if value is not None}, step=state.step)]
    memory.paste = [cell for cell in cells if re.fullmatch(r"[A-Za-z][\w@/-]{0,40}", cell)]
    return []


FORMAT = Format(
    name="detection",
    about="Ultralytics tables '1/50  8.37G  0.90  2.42 ... 640: 100%', detectron2's copypaste results",
    read=read,
    needles=("G ", "Epoch ", "Class ", " classes ", "  all ", "copypaste"),
    order=9,
)
