"""Hold a session to its schema, line by line: what `floydtop check` does."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec

from floydtop.errors import FloydtopError
from floydtop.events import Gap, Header
from floydtop.session.files import blocks, open_session
from floydtop.session.format import LONGEST_LINE, Reader, is_session

COMPLAINTS_KEPT = 20

_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "null": (type(None),),
    "integer": (int,),
    "number": (int, float),
}


@dataclass
class Findings:
    """What a session file holds, and what is wrong with it."""

    lines: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    segments: int = 0
    gaps: int = 0
    lost: int = 0
    """Events that the recorder counted as missing."""
    damaged: int = 0
    strange: int = 0
    torn: bool = False
    invalid: int = 0
    """Lines that can be read, but are not as the schema wants them."""
    complaints: list[str] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        """Whether every line is whole and as it should be; a gap that was counted is no damage."""
        return not (self.damaged or self.invalid or self.torn)

    def complain(self, line: int, why: str) -> None:
        """Keep a sentence about a line, unless there are enough."""
        if len(self.complaints) < COMPLAINTS_KEPT:
            self.complaints.append(f"line {line}: {why}")


def check(path: Path | str) -> Findings:
    """Read a session, `-` for standard input, and tell what is in it and what is wrong.

    Raises:
        FloydtopError: it cannot be read, is no session or of a newer version.
    """
    schema = json.loads((files("floydtop.session") / "session-v1.schema.json").read_text())
    validator = Validator(schema)
    findings, reader, rest = Findings(), Reader(), b""
    with open_session(path) as file:
        try:
            for block in blocks(file):
                if not findings.lines and not rest and not is_session(block):
                    raise FloydtopError(
                        f"{path} is no floydtop session: its first line is no session header."
                    )
                *whole, rest = (rest + block).split(b"\n")
                rest = rest if len(rest) <= LONGEST_LINE else b"\0"
                for line in whole:
                    _check_line(line, findings, reader, validator)
        except OSError as error:
            raise FloydtopError(f"Cannot read the session {path}: {error.strerror}.") from None
    findings.torn = bool(rest)
    findings.damaged, findings.strange = reader.damaged, reader.strange
    return findings


def _check_line(line: bytes, findings: Findings, reader: Reader, validator: Validator) -> None:
    findings.lines += 1
    damaged = reader.damaged
    for event in reader.feed(line + b"\n"):
        if isinstance(event, Header):
            findings.segments += 1
        elif isinstance(event, Gap):
            findings.gaps += 1
            findings.lost += event.lost
    if reader.damaged > damaged:
        what = "zero bytes, as a power cut leaves them" if line and not line.strip(b"\0") else "not readable"
        findings.complain(findings.lines, what)
        return
    if not line.strip():
        return
    thing = msgspec.json.decode(line)
    kind = thing.get("k")
    findings.kinds[str(kind)] += 1
    why = validator.complaint(thing)
    if why is not None:
        findings.invalid += 1
        findings.complain(findings.lines, why)


class Validator:
    """Knows as much of JSON Schema as the schema of a session uses.

    A kind that the schema does not have is valid: a later floydtop wrote it.
    """

    def __init__(self, schema: dict[str, Any]) -> None:
        self._definitions: dict[str, Any] = schema["$defs"]
        self._kinds: dict[str, str] = schema["discriminator"]["mapping"]

    def complaint(self, line: dict[str, Any]) -> str | None:
        """What is wrong with a line's object, None when nothing is."""
        reference = self._kinds.get(str(line.get("k")))
        return None if reference is None else self._against(line, {"$ref": reference}, "")

    def _against(self, thing: Any, schema: Any, where: str) -> str | None:
        if "$ref" in schema:
            schema = self._definitions[schema["$ref"].rpartition("/")[2]]
        if "anyOf" in schema:
            complaints = [self._against(thing, one, where) for one in schema["anyOf"]]
            return None if None in complaints else complaints[0]
        if "enum" in schema and thing not in schema["enum"]:
            return f"{where or 'k'} is {thing!r:.60}"
        wanted = schema.get("type")
        if wanted is not None and (
            not isinstance(thing, _TYPES[wanted]) or (isinstance(thing, bool) and wanted != "boolean")
        ):
            return f"{where} is no {wanted}"
        if isinstance(thing, int) and not schema.get("minimum", thing) <= thing <= schema.get(
            "maximum", thing
        ):
            return f"{where} has more than 64 bits"
        if isinstance(thing, dict):
            return self._object(thing, schema, where)
        if isinstance(thing, list):
            return self._array(thing, schema, where)
        return None

    def _object(self, thing: dict[str, Any], schema: dict[str, Any], where: str) -> str | None:
        for name in schema.get("required", ()):
            if name not in thing:
                return f"{where}{name} is missing"
        known = schema.get("properties", {})
        others = schema.get("additionalProperties", {})
        for name, value in thing.items():
            why = self._against(value, known.get(name, others), f"{where}{name}")
            if why is not None:
                return why
        return None

    def _array(self, thing: list[Any], schema: dict[str, Any], where: str) -> str | None:
        if not schema.get("minItems", 0) <= len(thing) <= schema.get("maxItems", len(thing)):
            return f"{where} has {len(thing)} items"
        each = schema.get("prefixItems") or [schema.get("items", {})] * len(thing)
        for item, one in zip(thing, each, strict=False):
            why = self._against(item, one, where)
            if why is not None:
                return why
        return None
