"""The twelve lines of the COCO evaluation: `Average Precision  (AP) @[ IoU=0.50:0.95 | area=   all | ...`."""

from __future__ import annotations

import re

from floydtop.parse.prefix import strip
from floydtop.parse.reading import NUMBER, Format, Found, State

_LINE = re.compile(
    r"\s{0,8}Average (?:Precision|Recall)\s{1,8}\((?P<name>AP|AR)\) @\[ (?P<about>[^\]]{1,80}) \] ="
    rf" (?P<value>{NUMBER})\s{{0,8}}"
)


def read(text: str, state: State) -> list[Found] | None:
    """A value for each threshold, area and number of detections; -1: there was nothing to measure."""
    line = _LINE.fullmatch(strip(text).text)
    if line is None:
        return None
    value = float(line["value"])
    if value < 0:
        state.why = "nothing to measure: -1"
        return []
    about = " ".join(part.replace(" ", "") for part in line["about"].split("|"))
    return [Found({f"{line['name']} @[{about}]": value}, step=state.step, epoch=state.epoch)]


FORMAT = Format(
    name="coco",
    about="COCO evaluation: 'Average Precision  (AP) @[ IoU=0.50:0.95 | area=   all | maxDets=100 ] = 0.423'",
    read=read,
    needles=(") @[ ",),
    order=36,
)
