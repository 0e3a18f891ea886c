"""The pictures of README: `python -m tests.pictures` draws them anew from a recorded session."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[2]

SESSION = ROOT / "tests" / "data" / "sessions" / "demo.jsonl"
"""A `floydtop demo` recorded once (`python -m tests.pictures.record`)."""

SCREENSHOTS = ROOT / "screenshots"
