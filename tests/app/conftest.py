"""What all tests of the app share: the settings of nobody, and braille whatever the locale."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def plain_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No configuration file, and none of the environment's wishes."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("FLOYDTOP_GLYPHS", "braille")
    for name in ("NO_COLOR", "TEXTUAL_THEME", "FLOYDTOP_THEME", "FLOYDTOP_SLOW_LINK"):
        monkeypatch.delenv(name, raising=False)
