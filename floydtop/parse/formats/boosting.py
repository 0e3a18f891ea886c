"""XGBoost, LightGBM and CatBoost: tab-separated values of one boosting round."""

from __future__ import annotations

import re

from floydtop.parse.prefix import strip
from floydtop.parse.reading import NUMBER, Format, Found, Place, State, Told, never

_ROUND = re.compile(r"(?:\[(\d{1,9})\]|(\d{1,9}):)\t")
_ITEM = re.compile(
    rf"([^\t:]{{1,80}}(?::[^\t: ]{{1,40}})?): ?({NUMBER})(?: ?\+ ?({NUMBER})| \(\d+\))?(ms|us|s|m)?"
)
_BEST = re.compile(r"best iteration is:?\s*$|Did not meet early stopping", re.IGNORECASE)
_DURATION = re.compile(r"(?:total|remaining): .*")


def read(text: str, state: State) -> list[Found] | None:
    """The round is the step (XGBoost and CatBoost count from 0); the repeated best round is no point."""
    if _BEST.search(text):
        state.muted = state.number + 1
        return []
    body = strip(text).text
    start = _ROUND.match(body)
    if start is None:
        return None
    values: dict[str, float] = {}
    at = {"step": len(body) - start.start(start.lastindex or 1)}
    position = start.end()
    for part in body[start.end() :].split("\t"):
        item = _ITEM.fullmatch(part.strip())
        if item is None:
            if not _DURATION.fullmatch(part):
                return None
        elif item[4] is None and item[1] != "best":
            values[item[1]] = float(item[2])
            blank = len(part) - len(part.lstrip())
            at[f"={item[1]}"] = len(body) - position - blank - item.start(2)
        position += len(part) + 1
    step = int(start[1] or start[2])
    if not values:
        return []
    state.step = step
    state.told = Told(step, None, None, None, _place, at=at, breaks=never)
    return [Found(values, step=step)]


def _place(state: State, told: Told) -> Place:
    state.step = told.step
    return told.step, None


FORMAT = Format(
    name="boosting",
    about="XGBoost, LightGBM, CatBoost: '[5]\\ttrain-logloss:0.118\\teval-auc:0.98'",
    read=read,
    needles=("\t", "teration"),
    order=15,
)
