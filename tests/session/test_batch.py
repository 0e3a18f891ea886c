"""Metrics are taken apart into columns, whatever the lines tell."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from floydtop.session.batch import split

lines = st.dictionaries(st.sampled_from("abcd"), st.floats(allow_nan=False), max_size=3)


def one_by_one(told: list[dict[str, float]]) -> dict[str, tuple[list[int], list[float]]]:
    found: dict[str, tuple[list[int], list[float]]] = {}
    for place, line in enumerate(told):
        for name, value in line.items():
            places, values = found.setdefault(name, ([], []))
            places.append(place)
            values.append(value)
    return found


def as_lists(told: list[dict[str, float]]) -> dict[str, tuple[list[int], list[float]]]:
    return {name: (list(places), list(values)) for name, (places, values) in split(told)[0].items()}


@given(st.lists(lines, max_size=12))
@settings(max_examples=200, deadline=None)
def test_each_name_gets_the_places_that_tell_it(told: list[dict[str, float]]) -> None:
    assert as_lists(told) == one_by_one(told)
    assert list(split(told)[0]) == list(one_by_one(told))


@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=3, unique=True), st.integers(0, 20), lines)
@settings(max_examples=200, deadline=None)
def test_lines_that_take_turns_are_no_exception(names: list[str], size: int, last: dict[str, float]) -> None:
    alone = [{names[place % len(names)]: float(place)} for place in range(size)]
    together = [dict.fromkeys(names, float(place)) for place in range(size)]
    for told in (alone, together, [*alone, last], [*together, last], [last, *alone], [{}, *alone]):
        assert as_lists(told) == one_by_one(told)
