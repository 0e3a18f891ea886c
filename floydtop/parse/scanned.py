"""The numbers of texts of one shape, by a recipe for all of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, compress, repeat
from typing import Any

from floydtop.parse.columns import floats
from floydtop.parse.recipes import Table
from floydtop.parse.scan import Recipe

Row = tuple[Any, Any, Any, Any]
"""A function like `Take`, what it is to be called with beside the state, and one like `Many`."""


def learned(table: Table, shape: bytes, raw: bytes, *, whole: bool) -> Row | None:
    """How one text is read, by what was learned since those of its shape were scanned together."""
    for one in table.known.get(shape, ()):
        numbers = one.numbers(raw, whole=whole)
        if numbers is not None:
            return one.take, one.look, numbers, one.many
    return None


def scanned(
    table: Table, shape: bytes, indexes: list[int], raws: Sequence[bytes]
) -> Iterator[tuple[list[int], Iterable[Row], Sequence[bytes]]]:
    """Texts of one shape that a recipe fits: indexes, how each is read, and what is left over of it."""
    for one in table.known.get(shape, ()):
        odd: list[int] = []
        numbers, rests, fitting = _numbers(one, indexes, [raws[index] for index in indexes], odd)
        yield fitting, zip(repeat(one.take), repeat(one.look), numbers, repeat(one.many), strict=False), rests
        if not odd:
            return
        indexes = odd


def _numbers(
    recipe: Recipe, indexes: list[int], raws: list[bytes], odd: list[int]
) -> tuple[Iterable[tuple[float, ...]], Sequence[bytes], list[int]]:
    """The numbers of texts, what is left over of them, and the indexes of those that the recipe fits."""
    several = bool(recipe.order)
    cells: list[Any] = recipe.expression.findall(b"\n".join(raws))
    if len(cells) != len(raws):
        matches = [recipe.expression.match(raw) for raw in raws]
        odd += [index for index, match in zip(indexes, matches, strict=True) if match is None]
        indexes = [index for index, match in zip(indexes, matches, strict=True) if match is not None]
        cells = [match.groups() if several else match[1] for match in matches if match is not None]
    if not cells:
        return [], [], []
    if not several:
        return repeat((), len(cells)), cells, indexes
    *columns, rests = zip(*cells, strict=True)
    size = len(indexes)
    every = floats(list(chain.from_iterable(columns)))
    values = [every[index * size : (index + 1) * size] for index in recipe.order]
    if any(any(map(float.is_integer, map(float, values[index]))) for index in recipe.broken):
        good = [
            not any(float(values[index][row]).is_integer() for index in recipe.broken)
            for row in range(len(indexes))
        ]
        odd += [index for index, one in zip(indexes, good, strict=True) if not one]
        values = [list(compress(column, good)) for column in values]
        rests, indexes = tuple(compress(rests, good)), list(compress(indexes, good))
    return zip(*values, strict=True), rests, indexes
