"""What fuzzing starts from: what real jobs printed, what sessions hold, and the scraps that hurt parsers."""

from __future__ import annotations

import gzip
from functools import cache
from pathlib import Path

from floydtop.session.format import encode
from tests.session import samples

DATA = Path(__file__).parents[1] / "data"

LARGEST = 2_000
"""Bytes of one seed: a mutation of more says less and takes longer."""

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
    *(b"Infinity", b"1e999", b"[[[[", b"Epoch ", b"%|", b"it/s", b"ETA: ", b"step ", b"loss", b'"metric": '),
    *(b"\xef\xbb\xbf", b"\xe2\x80\xae", b'"format":"floydtop-session"', b'"k":"h"', b'"segment":', b'"p":'),
)  # fmt: skip


FOUND = (
    b"Train Epoch: 41e9990/6000 (64%)]\tLoss: 0.38814\n",
    b'\n{"metric":"1","value":7,"":\r7}\n\n',
)
"""What fuzzing has found, made small: an exception, and chunks that were not read as lines are."""


@cache
def logs() -> tuple[bytes, ...]:
    """The head and the tail of a log of each kind, and single lines."""
    found = [*LINES, *FOUND]
    for path in sorted(DATA.glob("logs/*/*.log")):
        text = path.read_bytes()
        found += [text[:LARGEST], text[-LARGEST:]]
    return tuple(found)


@cache
def sessions() -> tuple[bytes, ...]:
    """Whole small sessions, plain and packed, and their lines."""
    whole = [path.read_bytes() for path in sorted(DATA.glob("sessions/golden-*.jsonl"))]
    whole.append(b"".join(map(encode, samples.run())))
    lines = [line + b"\n" for one in whole for line in one.split(b"\n") if line]
    packed = [gzip.compress(one, mtime=0) for one in whole]
    return (*dict.fromkeys(lines), *whole, *packed)
