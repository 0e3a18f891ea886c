"""The fuzz targets in a short form: seeds that real jobs and sessions gave, mutated by a fixed dice."""

from __future__ import annotations

import os
import random
from collections.abc import Callable

import pytest

from floydtop.session.format import encode
from tests.app.stage import whole
from tests.fuzz.targets import load, parse

ROUNDS = int(os.environ.get("FLOYDTOP_FUZZ_ROUNDS", "400"))

LINES = (
    b'{"metric": "loss", "value": 0.5, "step": 1}\n',
    b"Epoch 3/10\n 10/500 [>....] - ETA: 9s - loss: 0.41 - acc: 0.9\r",
    b"  4%|4         | 4/100 [00:01<00:24,  3.9it/s, loss=0.2]\r",
    b"{'loss': 0.4, 'grad_norm': 1.2, 'learning_rate': 5e-05, 'epoch': 0.1}\n",
    b"[rank0]: step 5 | loss 0.1 | lr 1e-3 | tokens/s 12,345\n",
    b"| epoch | loss | acc |\n|---|---|---|\n| 1 | 0.1 | 0.9 |\n",
    b"\x1b[32mINFO\x1b[0m 2026-11-23 12:00:00 - train - loss=nan acc=inf\n",
)

SCRAPS = (
    *(b"\0", b"\r", b"\n", b"\x08", b"\x1b[", b"\xff", b"\xed\xa0\x80", b"{", b"}", b"[", b'"', b":", b"nan"),
    *(b"-", b"9" * 30, b"\\ud800", b"true", b"null", b'"k":"m"', b'"v":{}', b'"t":-1e308', b"\x1f\x8b", b"|"),
)  # fmt: skip


def mutated(chance: random.Random, seed: bytes) -> bytes:
    data = bytearray(seed)
    for _ in range(chance.randint(1, 8)):
        place = chance.randrange(len(data) + 1)
        match chance.randrange(5):
            case 0:
                data[place:place] = chance.choice(SCRAPS)
            case 1:
                del data[place : place + chance.randint(1, 20)]
            case 2:
                data[place:place] = data[: chance.randint(0, 60)]
            case 3 if data:
                data[min(place, len(data) - 1)] = chance.randrange(256)
            case _:
                data[place:place] = chance.randbytes(chance.randint(1, 4))
    return bytes(data)


@pytest.mark.parametrize(
    ("target", "seeds"),
    [(parse, LINES), (load, (*map(encode, whole()[:14]), b"".join(map(encode, whole()[:9]))))],
)
def test_mutated_seeds_break_nothing(target: Callable[[bytes], None], seeds: tuple[bytes, ...]) -> None:
    chance = random.Random(2026)
    for number in range(ROUNDS):
        data = mutated(chance, b"".join(chance.choices(seeds, k=chance.randint(1, 3))))
        try:
            target(data)
        except Exception as error:
            raise AssertionError(f"round {number}: {data!r}") from error
