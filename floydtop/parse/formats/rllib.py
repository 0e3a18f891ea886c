"""RLlib and older Ray Tune: rows of `name: value`, nested by their indentation, below `Result for TRIAL:`."""

from __future__ import annotations

import re

from floydtop.parse.names import is_config
from floydtop.parse.reading import NEVER, Format, Found, State, as_int, number

_HEADING = re.compile(r"(?:\([^)]{1,80}\) )?Result for (?P<trial>\S{1,120}):\s{0,8}")
_ROW = re.compile(r"(?P<indent> {2,40})(?P<name>[\w/.@-]{1,80}):(?: (?P<value>\S.{0,80}))?")


class _Result:
    """The rows so far, and the names of the sections that they are in."""

    def __init__(self) -> None:
        self.line = NEVER
        self.trial = ""
        self.sections: list[tuple[int, str]] = []
        self.values: dict[str, float] = {}


def read(text: str, state: State) -> list[Found] | None:
    """A result is given at its training_iteration, which is among the last: rows are in order of names."""
    result = state.of(_Result)
    heading = _HEADING.fullmatch(text)
    if heading:
        state.expectations += result.line == NEVER
        result.line, result.trial, result.values, result.sections = state.number, heading["trial"], {}, []
        return []
    if result.line == NEVER:
        return None
    state.hesitant = True
    row = _ROW.fullmatch(text)
    if row is None or result.line != state.number - 1:
        return None
    result.line = state.number
    indent, name = len(row["indent"]), row["name"]
    result.sections = [one for one in result.sections if one[0] < indent]
    if row["value"] is None:
        result.sections.append((indent, name))
        return []
    value = number(row["value"])
    if name == "training_iteration" and indent == 2 and value is not None:
        values, result.values = result.values, {}
        return [Found(values, step=as_int(value))] if values else []
    if value is not None and not is_config(name):
        path = "/".join([result.trial, *(section for _, section in result.sections), name])
        result.values[path] = value
    return []


FORMAT = Format(
    name="rllib",
    about="RLlib, older Ray Tune: '  episode_reward_mean: 22.5' below 'Result for PPO_CartPole_0:'",
    read=read,
    needles=("Result for ", "  "),
    order=28,
)
