"""The user's rules for reading output: those of the command line before those of the configuration."""

from __future__ import annotations

import os

import msgspec

from floydtop.errors import FloydtopError
from floydtop.parse.rules import Rules, from_tables
from floydtop.settings import Settings, variable

VARIABLE = variable("rules")
"""Where the command line leaves its rules, as JSON: like other settings they reach every part from here."""


def set_rules(rules: Rules) -> None:
    """Make these the rules of the command line."""
    os.environ[VARIABLE] = msgspec.json.encode(rules).decode()


def given_rules() -> Rules:
    """The rules of this command line alone.

    Raises:
        FloydtopError: the environment holds something else.
    """
    try:
        return msgspec.json.decode(os.environ.get(VARIABLE, "{}"), type=Rules)
    except msgspec.MsgspecError as error:
        raise FloydtopError(f"In the environment, {VARIABLE} must be rules as JSON: {error}.") from None


def rules() -> Rules:
    """All rules that apply to what is read from now on.

    Raises:
        FloydtopError: one of them cannot be used.
    """
    settings = Settings()
    return given_rules().before(from_tables(settings.tables, f"the configuration {settings.path}"))


def refuse_patterns(text: str) -> None:
    """Refuse expressions for a recording, whose lines were read when they were printed.

    Raises:
        FloydtopError: the command line holds an expression.
    """
    if given_rules().pattern:
        raise FloydtopError(
            f"{text} is a recording, its lines were read already: name the log for --pattern."
        )
