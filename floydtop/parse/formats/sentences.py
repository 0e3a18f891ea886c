"""Whole sentences: `Cost after iteration 10: 0.5`, DL4J's `Score at iteration 10 is 0.5`, gensim's loss."""

from __future__ import annotations

import re

from floydtop.parse.names import is_metric
from floydtop.parse.prefix import strip
from floydtop.parse.reading import NUMBER, Format, Found, State, as_int

_SENTENCE = re.compile(
    r"(?P<name>[A-Za-z][\w ()]{0,40}?) (?:at|after|for|on|in) (?:the )?(?:end of )?"
    r"(?P<axis>epoch|iteration|iter|step|round|batch)s?\s{1,4}#?(?P<n>\d{1,12})(?:/\d{1,12})?\s{0,4}"
    rf"(?::|=|is|was)\s{{0,8}}(?P<value>{NUMBER})%?\s{{0,8}}\.?",
    re.IGNORECASE,
)


def read(text: str, state: State) -> list[Found] | None:
    """The metric is named first, its step or epoch next, its value last."""
    match = _SENTENCE.fullmatch(strip(text).text.strip())
    if match is None or not is_metric(match["name"]):
        return None
    n, values = float(match["n"]), {match["name"]: float(match["value"])}
    if match["axis"].lower() == "epoch":
        state.epoch = n
        return [Found(values, epoch=n)]
    state.step = as_int(n)
    return [Found(values, step=state.step, epoch=state.epoch)]


FORMAT = Format(
    name="sentence",
    about="sentences: 'Cost after iteration 10: 0.5', DL4J: 'Score at iteration 10 is 0.5', gensim",
    read=read,
    needles=(" at ", " after ", " for ", " on ", " in "),
    order=45,
)
