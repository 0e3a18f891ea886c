"""JSON objects anywhere in a line: FloydHub's metric lines, and rows of any shape."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from typing import Annotated

import msgspec

from floydtop.parse.names import is_epoch, is_metric, is_step
from floydtop.parse.pairs import pairs
from floydtop.parse.prefix import strip
from floydtop.parse.reading import Bad, Found, Told, as_int, number, record

_OBJECT = re.compile(r'\{\s{0,8}"')
_METRIC_START = re.compile(r'\{\s{0,8}"metric"\s{0,8}:')
LEAD = 80
"""Characters of text before an object that may say where it belongs."""
_TRIES = 64
"""Objects looked for in one segment; a hostile line of a thousand opening braces costs no more."""
_KEY = re.compile(r'"((?:[^"\\]|\\.){1,200})"\s{0,8}:\s{0,8}"?')

FEW = 8
"""Of so many objects that cannot be decoded together each is tried by itself."""

WRAPPERS = frozenset(["metrics", "scalars", "values", "results", "logs"])
"""Keys whose objects hold nothing but metrics: they say nothing about what is inside."""

_decode = json.JSONDecoder().raw_decode


def extract(text: str) -> tuple[list[Found], list[Bad], str]:
    """All objects of a segment, what is wrong with those that claim to be metrics, and the text around them.

    The contract is FloydHub's (`{"metric": NAME, "value": NUMBER, "step" | "epoch": N}`): NaN and
    Infinity are values, booleans, strings and null are not.
    """
    found: list[Found] = []
    bad: list[Bad] = []
    rest: list[str] = []
    position = 0
    for _ in range(_TRIES):
        start = _OBJECT.search(text, position)
        if start is None:
            break
        rest.append(text[position : start.start()])
        position = start.start()
        try:
            value, end = _decode(text, position)
        except (ValueError, RecursionError, OverflowError) as error:
            if _METRIC_START.match(text, position):
                bad.append(Bad(text[position : position + 500], f"not valid JSON: {_reason(error)}"))
                following = _OBJECT.search(text, position + 1)
                position = following.start() if following else len(text)
                continue
            rest.append(text[position])
            position += 1
            continue
        one = _metric(value) if "metric" in value else _row(value)
        if isinstance(one, Bad):
            bad.append(Bad(text[position:end][:500], one.why))
        elif one is not None:
            found.append(_led(text[:position], one) if "metric" not in value else one)
        else:
            rest.append(_said(value))
        position = end
    rest.append(text[position:])
    return found, bad, "".join(rest)


def _led(before: str, one: Found) -> Found:
    """A row with the place that text before it tells: `Epoch 3: {"loss": 0.5}`."""
    if one.step is None and one.epoch is None and before and len(before) <= LEAD:
        place = pairs(strip(before).text)
        one.step, one.epoch = as_int(place.step), place.epoch
    return one


def _said(value: dict[str, object]) -> str:
    """The message in an object that a logger wrote: it is read as text."""
    message = next((value[key] for key in ("message", "msg") if key in value), None)
    return message if isinstance(message, str) else " "


class MetricLine(msgspec.Struct, gc=False):
    """A whole line that is one metric object; decoded in 0.1 us where the careful way takes 15."""

    metric: Annotated[str, msgspec.Meta(min_length=1)]
    value: float
    step: Annotated[int, msgspec.Meta(ge=-(10**15), le=10**15)] | None = None
    epoch: float | None = None


_quick_lines = msgspec.json.Decoder(MetricLine).decode_lines
_skim = msgspec.json.Decoder(msgspec.Raw).decode_lines


def quick(raw: bytes) -> Found | None:
    """The point of a line that is nothing but one well-formed metric object; None: look at it carefully."""
    one = _quick_line(raw)
    return None if one is None else Found({one.metric: one.value}, one.step, one.epoch)


def quick_lines(raws: list[bytes]) -> Sequence[MetricLine | None]:
    """Many such lines, decoded together; None for one that has to be looked at carefully."""
    many = together(b"\n".join(raws), len(raws))
    if many is not None:
        return many
    if len(raws) <= FEW:
        return [_quick_line(raw) for raw in raws]
    half = len(raws) // 2
    return [*quick_lines(raws[:half]), *quick_lines(raws[half:])]


def together(joined: bytes, count: int) -> list[MetricLine] | None:
    """So many lines as one piece, or None when one of them has to be looked at carefully."""
    # One brace a line: no object goes over a line's end, no line has two.
    if joined.count(b"{") != count:
        return None
    # JSON takes a return for a blank, a terminal for the start of another frame.
    if b"\r" in joined and joined.count(b"\r") != joined.count(b"\r\n") + joined.endswith(b"\r"):
        return None
    standing = _stand_in(joined)
    try:
        many = _quick_lines(standing)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return None
    if standing is not joined:
        for one in many:
            one.value = _ODD.get(one.value, one.value)
    return many if len(many) == count else None


def _quick_line(raw: bytes) -> MetricLine | None:
    found = None if b"\r" in raw[:-1] else together(raw, 1)
    return found[0] if found else None


_ODD = {1.797693134862311e308: math.nan, 1.797693134862312e308: math.inf, -1.797693134862312e308: -math.inf}
_SPELT = {b"NaN": b"1.797693134862311e308", b"Infinity": b"1.797693134862312e308"}
_SPELT[b"-Infinity"] = b"-" + _SPELT[b"Infinity"]
_ODD_VALUE = re.compile(rb'(?<!\\)"value": {0,8}(NaN|-?Infinity)(?=[ ,}])')


def _stand_in(joined: bytes) -> bytes:
    """The same with numbers nobody prints for values that only Python's JSON knows.

    Of a loss that became NaN all further lines are odd: one by one they take 30 us each, so 0.5.
    """
    if (b"NaN" not in joined and b"Infinity" not in joined) or b"1.79769313486231" in joined:
        return joined
    return _ODD_VALUE.sub(lambda match: b'"value": ' + _SPELT[match[1]], joined)


def _reason(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return error.msg
    return "nested too deeply" if isinstance(error, RecursionError) else "a number is too long"


def _metric(value: dict[str, object]) -> Found | Bad | None:
    name = value["metric"]
    if not isinstance(name, str) or not name:
        return _row(value) or Bad("", "the name of the metric is no string")
    if "value" not in value:
        return Bad("", "there is no value")
    point = value["value"]
    if isinstance(point, bool) or not isinstance(point, (int, float)):
        kind = {bool: "a boolean", str: "a string", type(None): "null"}.get(type(point), "no number")
        return Bad("", f"the value is {kind}")
    try:
        found = float(point)
    except OverflowError:
        return Bad("", "the value is too large for a float")
    return Found({name: found}, as_int(_place(value.get("step"))), _place(value.get("epoch")))


def _place(value: object) -> float | None:
    """An x-value; a string of digits is one too, since some programs quote them."""
    if isinstance(value, str):
        return number(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        place = float(value)
    except OverflowError:
        return None
    return place if math.isfinite(place) else None


def told(text: str, row: Found) -> Told | None:
    """Where the numbers of a line stand that is one row and nothing else; None for a metric object."""
    if '"metric"' in text:
        return None
    at: dict[str, int] = {}
    for key in _KEY.finditer(text):
        # The digits of a key are part of its name.
        digits = (at_ for at_ in range(*key.span(1)) if text[at_].isdigit())
        at |= {f"!{at_}": len(text) - at_ for at_ in digits}
        for name in (key[1], *(name for name in row.values if name.endswith("/" + key[1]))):
            # Of two keys that are alike only the value tells which is meant.
            at[f"={name}"] = -1 if f"={name}" in at else len(text) - key.end()
    places = {name: place for name, place in at.items() if place > 0}
    return Told(row.step, None, row.epoch, None, at=places, valid=_valid)


def _valid(raw: bytes) -> bool:
    """Whether these lines are JSON: 7. and 07 are no numbers there."""
    try:
        _skim(raw)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return False
    return True


def _row(value: dict[str, object]) -> Found | None:
    """A row of any shape; quoted numbers (fairseq) count where the row names an epoch."""
    flat = flatten(value)
    if any(map(is_epoch, value)) or any(map(is_step, value)):
        for name, inner in value.items():
            quoted = number(inner) if isinstance(inner, str) and len(inner) < 40 else None
            if quoted is not None and (is_metric(name) or is_epoch(name) or is_step(name)):
                flat[name] = quoted
    return record(flat)


def _inside(
    inner: dict[str, object],
    key: str,
    prefix: str,
    depth: int,
    outer: dict[str, object],
    flat: dict[str, float],
) -> dict[str, float]:
    """The numbers of an object in another: `{"epoch": 3, "metrics": {"f1": 0.8}}` is about f1."""
    if key not in WRAPPERS:
        return flatten(inner, f"{prefix}{key}/", depth + 1)
    return {
        f"{prefix}{key}/{name}" if name in outer or f"{prefix}{name}" in flat else f"{prefix}{name}": number
        for name, number in flatten(inner, "", depth + 1).items()
    }


def flatten(value: dict[str, object], prefix: str = "", depth: int = 0) -> dict[str, float]:
    """The numbers of nested objects by their joined names; lists are not followed."""
    flat: dict[str, float] = {}
    for key, inner in value.items():
        name = f"{prefix}{key}"
        if isinstance(inner, dict):
            if depth < 8:
                flat.update(_inside(inner, key, prefix, depth, value, flat))
        elif isinstance(inner, (int, float)) and not isinstance(inner, bool):
            try:
                flat[name] = float(inner)
            except OverflowError:
                continue
    return flat
