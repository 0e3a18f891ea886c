"""Whole sentences: `Cost after iteration 10: 0.5`, DL4J's `Score at iteration 10 is 0.5`, gensim's loss."""

from __future__ import annotations

import re

from floydtop.parse.names import is_metric
from floydtop.parse.prefix import strip
from floydtop.parse.reading import NUMBER, Format, Found, State, as_int, number

_SENTENCE = re.compile(
    r"(?P<name>[A-Za-z][\w ()]{0,40}?) (?:at|after|for|on|in) (?:the )?(?:end of )?"
    r"(?P<axis>epoch|iteration|iter|step|round|(?:mini-?)?batch)s?\s{1,4}#?(?P<n>\d{1,12})(?:/\d{1,12})?\s{0,4}"
    rf"(?::|=|is|was)\s{{0,8}}(?P<value>{NUMBER})%?\s{{0,8}}\.?",
    re.IGNORECASE,
)
_ASIDE = re.compile(
    r"(?P<name>[A-Za-z][\w ]{0,40}?) ?[(\[](?P<axis>epoch|iteration|iter|step)[ =:]{1,2}(?P<n>\d{1,12})[)\]]"
    rf"\s?[:=]\s{{0,8}}(?P<value>{NUMBER})%?\s{{0,8}}",
    re.IGNORECASE,
)
_COUNT_FIRST = re.compile(
    rf"(?P<name>[A-Za-z][\w ()]{{0,40}}?) after (?P<n>\d{{1,12}}) (?P<axis>epoch|iteration|step|round)s?"
    rf"(?: with [\w ]{{1,40}})?: (?P<value>{NUMBER})"
)
# PyTorch's tutorials and DeiT: `Accuracy of the network on the 10000 test images: 55 %`.
_NETWORK = re.compile(
    rf"(?P<name>Accuracy|Loss|Error) of the (?:network|model) on the (?:\d{{1,12}} )?"
    rf"(?P<part>test|val|validation|train)\w* (?:images|set|data|samples)[^:]{{0,40}}:?"
    rf" (?P<value>{NUMBER}) ?%?"
)
_PERPLEXITY = re.compile(rf"{NUMBER} per-word bound, (?P<value>{NUMBER}) perplexity estimate ")
_TRIAL = re.compile(
    rf"Trial (?P<n>\d{{1,9}}) finished with (?:value: (?P<value>{NUMBER})"
    r"|values: \[(?P<values>[^\]]{1,400})\]) and parameters"
)
_LOGGER = re.compile(r"[\w$]{1,40}(?:\.[\w$]{1,60}){1,8} - |\[[\w-]{1,20}\] ")


def read(text: str, state: State) -> list[Found] | None:
    """The metric is named first, its step or epoch next, its value last."""
    text = strip(text).text.strip()
    logger = _LOGGER.match(text)
    text = text[logger.end() :] if logger else text
    network = _NETWORK.fullmatch(text)
    if network:
        return [
            Found(
                {f"{network['part']}_{network['name'].lower()}": float(network["value"])}, epoch=state.epoch
            )
        ]
    trial = _TRIAL.match(text)
    if trial:
        # Optuna; the parameters behind it are settings.
        state.step = int(trial["n"])
        if trial["value"]:
            return [Found({"value": float(trial["value"])}, step=state.step)]
        goals = map(number, trial["values"].split(","))
        values = {f"values_{place}": goal for place, goal in enumerate(goals) if goal is not None}
        return [Found(values, step=state.step)]
    perplexity = _PERPLEXITY.match(text)
    if perplexity:
        return [Found({"perplexity": float(perplexity["value"])})]
    match = _SENTENCE.fullmatch(text) or _COUNT_FIRST.fullmatch(text) or _ASIDE.fullmatch(text)
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
    needles=(" at ", " after ", " for ", " on ", " in ", " finished with ", " bound, ", "("),
    order=45,
)
