"""One module per family of output; a new family is one new file here with a `FORMAT`."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from floydtop.parse.reading import Format


@cache
def formats() -> tuple[Format, ...]:
    """All formats in the order in which they are asked."""
    found = (import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__))
    return tuple(sorted((module.FORMAT for module in found), key=lambda one: (one.order, one.name)))
