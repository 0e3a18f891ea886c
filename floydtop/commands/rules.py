"""The user's rules for reading output: those of the command line before those of the configuration."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from floydtop.errors import FloydtopError
from floydtop.settings import RULES, Settings, variable

if TYPE_CHECKING:
    from floydtop.parse.rules import Rules

VARIABLE = variable("rules")
"""Where the command line leaves its rules, as JSON: like other settings they reach every part from here."""


def set_rules(rules: Rules) -> None:
    """Make these the rules of the command line."""
    import msgspec

    os.environ[VARIABLE] = msgspec.json.encode(rules).decode()


def rules_given() -> bool:
    """Whether the command line holds rules; `floydtop PID` has no need to load what reads output."""
    return os.environ.get(VARIABLE, "{}") != "{}" and bool(given_rules())


def given_rules() -> Rules:
    """The rules of this command line alone.

    Raises:
        FloydtopError: the environment holds something else.
    """
    import msgspec

    from floydtop.parse.rules import Rules

    try:
        return msgspec.json.decode(os.environ.get(VARIABLE, "{}"), type=Rules)
    except msgspec.MsgspecError as error:
        raise FloydtopError(f"In the environment, {VARIABLE} must be rules as JSON: {error}.") from None


def rules_if_any() -> Rules | None:
    """All rules that apply to what is read from now on; None when there are none.

    Raises:
        FloydtopError: one of them cannot be used.
    """
    configured = any(name in Settings().tables for name in RULES)
    return (rules() or None) if configured or rules_given() else None


def rules() -> Rules:
    """All rules that apply to what is read from now on.

    Raises:
        FloydtopError: one of them cannot be used.
    """
    from floydtop.parse.rules import from_tables

    settings = Settings()
    return given_rules().before(from_tables(settings.tables, f"the configuration {settings.path}"))


def refuse_patterns(text: str) -> None:
    """Refuse expressions for a recording, whose lines were read when they were printed.

    Raises:
        FloydtopError: the command line holds an expression.
    """
    if rules_given() and given_rules().pattern:
        raise FloydtopError(
            f"{text} is a recording, its lines were read already: name the log for --pattern."
        )
