"""Keeps README's table of keys what `floydtop.app.keys` says: `python -m tests.readme` writes it anew."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from floydtop.app.keys import APP, FOCUS, MONITOR, REPLAY, Key, key_name

README = Path(__file__).parents[1] / "README.md"

_KEYS = re.compile(r"(?<=<!-- keys -->\n).*?(?=<!-- /keys -->)", re.DOTALL)


def with_keys(readme: str) -> str:
    """README with a fresh table between its two marks."""
    return _KEYS.sub(lambda _: "\n".join(_tables()), readme)


def _tables() -> Iterator[str]:
    actions = {key.action for key in (*MONITOR, *APP)}
    places = (
        ("Dashboard", (*MONITOR, *APP)),
        ("Replay, besides", [key for key in REPLAY if key.action not in actions]),
        ("One large chart, besides", [key for key in FOCUS if key.action not in actions]),
    )
    yield ""
    for place, keys in places:
        yield f"| {place} | |"
        yield "| --- | --- |"
        yield from map(_row, keys)
        yield ""
    yield ""


def _row(key: Key) -> str:
    names = " ".join(f"`{key_name(name)}`" for name in key.keys.split(","))
    return f"| {names} | {key.help} |"


def main() -> None:
    """Write the table into README."""
    README.write_text(with_keys(README.read_text()))


if __name__ == "__main__":
    main()
