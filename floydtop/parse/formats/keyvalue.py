"""Free text: `step 10: loss 2.5, acc: 0.9`, `Epoch [3/10], Loss: 0.5`, what a program's print() says."""

from __future__ import annotations

import math
import re

from floydtop.parse.names import is_metric, is_strong_metric, is_timing
from floydtop.parse.pairs import Pair, Pairs, names_section, pairs
from floydtop.parse.prefix import strip
from floydtop.parse.reading import Format, Found, State, as_int

LONGEST = 16 * 1024
"""Lines beyond this are not prose; verl's hundred metrics have 6 kB."""

REACH = 2
"""How many lines below its step a metric without one may stand (`Test set: ...` after an empty line)."""

_DIGIT = re.compile(r"\d|nan|inf", re.IGNORECASE)
_CODE = re.compile(
    r"\s{0,80}(?:def|class|import|from|return|if|elif|else|for|while|print|with|assert|raise|try|except|File|self\.|"
    r"#|//|@|usage:|\w+\(.*\)$|parser\.|--\w|>>>|\.\.\.)(?![a-z])"
)
_SETTINGS = re.compile(r"Namespace\(|[Cc]onfig(?:uration)?\b\s?[:=(]|[Aa]rg(?:ument)?s\b\s?[:=(]|hparams")


class _Block:
    """The latest step or epoch that was told, and the line that told it or used it last."""

    def __init__(self) -> None:
        self.step: int | None = None
        self.epoch: float | None = None
        self.line = -100
        self.section = ""
        self.bare = False
        """The line that told it held nothing else: what follows hangs below it."""


def read(text: str, state: State) -> list[Found] | None:
    """Values count with a step or epoch on or just above their line, or when their names leave no doubt."""
    if len(text) > LONGEST or not _DIGIT.search(text) or _CODE.match(text) or _SETTINGS.search(text):
        return None
    message = strip(text)
    found = pairs(message.text)
    rank = message.rank or found.rank
    block = state.of(_Block)
    if found.placed:
        return _placed(found, message.text, rank, state, block)
    if not found.pairs:
        return None
    if state.number - block.line <= REACH:
        known = [
            pair
            for pair in found.pairs
            if is_metric(pair.name) or is_timing(pair.name) or (block.bare and pair.connected)
        ]
        single = len(found.pairs) == 1 and message.text[:1].isspace() and block.bare
        if not single:
            known = [pair for pair in known if is_metric(pair.name) or is_timing(pair.name)]
        if known and found.loose == 0 and len(found.leftover.split()) <= 2:
            block.line = state.number
            return [Found(_named(known, rank, block.section), block.step, block.epoch)]
    if found.loose or message.text[:1].isspace() or len(found.leftover.split()) > 1:
        return None
    if all(pair.connected and is_strong_metric(pair.name) for pair in found.pairs) and any(
        pair.value != round(pair.value) for pair in found.pairs if math.isfinite(pair.value)
    ):
        return [Found(_named(found.pairs, rank, ""))]
    return None


def _placed(found: Pairs, text: str, rank: int, state: State, block: _Block) -> list[Found] | None:
    step, epoch = as_int(found.step), found.epoch
    known = any(is_metric(pair.name) for pair in found.pairs)
    if not known:
        timing = [pair for pair in found.pairs if is_timing(pair.name)]
        if found.loose > 1 or len(text) > 160 or (text[:1].isspace() and not timing):
            return None
        if not timing and (found.pairs or len(found.leftover.split()) > 4):
            return None
        _begin(block, state, found, bare=not timing)
        return [Found(_named(timing, rank, ""), step, epoch)] if timing else []
    if epoch is None and step is not None:
        epoch = block.epoch if block.epoch is not None else state.epoch
    _begin(block, state, found, bare=False)
    block.epoch = epoch
    return [Found(_named(found.pairs, rank, ""), step, epoch)]


def _begin(block: _Block, state: State, found: Pairs, bare: bool) -> None:
    block.step = as_int(found.step)
    block.epoch = found.epoch
    block.line = state.number
    block.bare = bare
    block.section = found.section
    if found.epoch is not None:
        state.epoch, state.step, state.steps = found.epoch, None, None
        state.epochs = as_int(found.epochs) or state.epochs
    if found.step is not None:
        state.step, state.steps = block.step, as_int(found.steps)


def _named(found: list[Pair], rank: int, section: str) -> dict[str, float]:
    """Names made distinct: validation apart from training, other ranks apart from rank 0."""
    values: dict[str, float] = {}
    several = len({pair.section for pair in found}) > 1
    for pair in found:
        part = pair.section or section
        name = pair.name
        lower = name.lower()
        if part and (part != "train" or several) and not names_section(name):
            name = f"{part}_{name}" if not lower.startswith("average ") else f"{part}_{name[8:]}"
        if rank:
            name = f"rank{rank}/{name}"
        values.setdefault(name, pair.value)
    return values


FORMAT = Format(
    name="text",
    about="free text with a step or epoch: 'Epoch [3/10], Loss: 0.5', 'iter 100: loss 2.4', 'acc=0.9 step=5'",
    read=read,
    order=90,
)
