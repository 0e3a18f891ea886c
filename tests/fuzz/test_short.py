"""The fuzz targets in a short form: seeds that real jobs and sessions gave, mutated by a fixed dice."""

from __future__ import annotations

import os
import random

import pytest

from tests.fuzz import seeds
from tests.fuzz.targets import TARGETS

ROUNDS = {"parse": 150, "agree": 150, "load": 4000}
"""A second or two each; FLOYDTOP_FUZZ_TIMES makes it that many times as long."""

TIMES = int(os.environ.get("FLOYDTOP_FUZZ_TIMES", "1"))


def mutated(chance: random.Random, seed: bytes) -> bytes:
    """A seed with a few scraps put in, stretches taken out or doubled, and bytes changed."""
    data = bytearray(seed)
    for _ in range(chance.randint(1, 8)):
        place = chance.randrange(len(data) + 1)
        match chance.randrange(5):
            case 0:
                data[place:place] = chance.choice(seeds.SCRAPS)
            case 1:
                del data[place : place + chance.randint(1, 20)]
            case 2:
                data[place:place] = data[: chance.randint(0, 60)]
            case 3 if data:
                data[min(place, len(data) - 1)] = chance.randrange(256)
            case _:
                data[place:place] = chance.randbytes(chance.randint(1, 4))
    return bytes(data)


def corpus(name: str) -> tuple[bytes, ...]:
    return seeds.sessions() if name == "load" else seeds.logs()


def attempt(name: str, data: bytes, what: str) -> None:
    try:
        TARGETS[name](data)
    except Exception as error:
        raise AssertionError(f"{what}: {data!r}") from error


@pytest.mark.parametrize("name", TARGETS)
def test_each_seed_passes_as_it_is(name: str) -> None:
    assert len(corpus(name)) > 20
    for number, seed in enumerate(corpus(name)):
        attempt(name, seed, f"seed {number}")


@pytest.mark.parametrize("name", TARGETS)
def test_mutated_seeds_break_nothing(name: str) -> None:
    chance = random.Random(2026)
    for number in range(ROUNDS[name] * TIMES):
        picked = b"".join(chance.choices(corpus(name), k=chance.randint(1, 3)))
        attempt(name, mutated(chance, picked), f"round {number}")
