"""The JSON Schema of a session's lines, made from the events: `python -m floydtop.session.schema` prints it.

The copy beside this module, `session-v1.schema.json`, is for other programs; a test holds them equal.
"""

from __future__ import annotations

import ast
import inspect
from typing import Any

import msgspec

from floydtop import events
from floydtop.session.format import FORMAT, NOT_FINITE, VERSION

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema() -> dict[str, Any]:
    """The schema of one line; its descriptions are the docstrings of `floydtop.events`."""
    document: dict[str, Any] = msgspec.json.schema(events.Event)
    kinds = document["$defs"]
    described = _field_docstrings()
    for name, kind in kinds.items():
        wire_names = {one.name: one.encode_name for one in msgspec.structs.fields(getattr(events, name))}
        for field, text in described.get(name, {}).items():
            kind["properties"][wire_names[field]]["description"] = text
    kinds["Metrics"]["properties"]["v"]["additionalProperties"] = {
        "anyOf": [{"type": "number"}, {"enum": list(NOT_FINITE)}]
    }
    title = f"One line of a {FORMAT} file, version {VERSION}"
    about = (
        "A session is JSON Lines: one object a line, `k` names its kind, the first is a header (`h`). "
        "Readers pass over kinds and keys that they do not know. Times (`t`) are seconds since the "
        "header's `t0`."
    )
    return {"$schema": DIALECT, "title": title, "description": about, **document}


def _field_docstrings() -> dict[str, dict[str, str]]:
    """The strings below the fields of each class: class name -> field -> text."""
    found: dict[str, dict[str, str]] = {}
    for node in ast.parse(inspect.getsource(events)).body:
        if not isinstance(node, ast.ClassDef):
            continue
        texts = found.setdefault(node.name, {})
        for field, below in zip(node.body, node.body[1:], strict=False):
            match field, below:
                case (
                    ast.AnnAssign(target=ast.Name(id=name)),
                    ast.Expr(value=ast.Constant(value=str(text))),
                ):
                    texts[name] = " ".join(text.split())
    return found


def text() -> str:
    """The schema as the file holds it."""
    return msgspec.json.format(msgspec.json.encode(schema()), indent=2).decode() + "\n"


if __name__ == "__main__":
    print(text(), end="")
