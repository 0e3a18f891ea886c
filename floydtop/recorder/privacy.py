"""What a session must not hold of a command line: the secrets that people pass on it."""

from __future__ import annotations

import re
from collections.abc import Sequence

MASK = "***"

_SECRET = (
    r"(?:[\w.-]{0,100}[_.-])?(?:token|secrets?|passwords?|passwd|passphrase|pwd|credentials?|auth|apikey|"
    r"(?:api|access|private|secret|auth|encryption|signing|account|storage|wandb|hf)[_.-]?key)"
)
# --token X, --hub-token=X, -password X; also NAME=X as Hydra and env(1) take it.
# Anchored and bounded: an argument of 8 KB of dashes would take seconds otherwise.
_NAME = re.compile(rf"\A-{{0,2}}{_SECRET}\Z", re.IGNORECASE)
_ASSIGNMENT = re.compile(rf"\A(-{{0,2}}\+{{0,2}}{_SECRET}=)(.+)\Z", re.IGNORECASE | re.DOTALL)
_IN_ADDRESS = re.compile(r"(\w{1,20}://[^/\s:@]{0,200}:)[^/\s@]{1,500}@")
# What some services begin their keys with.
_BY_ITSELF = re.compile(
    r"\b(?:hf_[A-Za-z0-9]{20,}|gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|"
    r"sk-[\w-]{20,}|AKIA[0-9A-Z]{16}|xox[abprs]-[\w-]{10,})"
)


def mask(command: Sequence[str]) -> list[str]:
    """The arguments of a command with what looks like a secret replaced by `MASK`.

    A secret is the value of an option or a variable whose name says so (token, secret, password, api-key,
    ...), the password in an address, or a word that begins as the keys of well-known services do.
    """
    masked: list[str] = []
    secret_next = False
    for argument in command:
        if secret_next and not argument.startswith("--"):
            masked.append(MASK)
            secret_next = False
            continue
        secret_next = argument.startswith("-") and _NAME.match(argument) is not None
        masked.append(_mask_one(argument))
    return masked


def _mask_one(argument: str) -> str:
    if (assignment := _ASSIGNMENT.match(argument)) is not None:
        return assignment[1] + MASK
    if " " in argument:
        # `sh -c "python train.py --token X"`, and jobs that rewrite their title.
        return " ".join(mask(argument.split(" ")))
    return _BY_ITSELF.sub(MASK, _IN_ADDRESS.sub(rf"\1{MASK}@", argument))
