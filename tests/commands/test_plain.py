"""What `floydtop status` says of the progress, in words."""

from __future__ import annotations

from typing import Any

import pytest

from floydtop.commands.plain import progress_words

NOTHING: dict[str, Any] = dict.fromkeys(
    ("share", "epoch", "epochs", "step", "steps", "steps_per_second", "eta_seconds")
)


@pytest.mark.parametrize(
    ("known", "words"),
    [
        ({}, ""),
        ({"step": 1200}, "step 1200"),
        ({"epoch": 0.5}, "epoch 0.5"),
        ({"share": 0.25, "epoch": 3, "epochs": 8, "step": 0, "steps": 40}, "25.0 %, epoch 3/8, step 0/40"),
        ({"steps_per_second": 4.0}, "4 steps/s (250ms a step)"),
        ({"share": 0.5, "eta_seconds": 4_800.0}, "50.0 %, about 1h20m left"),
    ],
)
def test_as_much_is_said_as_is_known(known: dict[str, Any], words: str) -> None:
    assert progress_words(NOTHING | known) == words
