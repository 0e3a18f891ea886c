"""What a person set once: a small TOML file of theirs, and the choices that the screen remembers."""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from floydtop.errors import FloydtopError


@dataclass(frozen=True)
class Setting:
    """One key of the configuration file."""

    name: str
    default: Any
    kind: type
    help: str
    choices: tuple[str, ...] = ()
    remembered: bool = False
    """The screen writes down what was last chosen."""


SETTINGS = (
    Setting(
        "theme",
        "floydtop",
        str,
        "colours: floydtop, floydtop-light, floydtop-safe, ansi-dark, ...",
        remembered=True,
    ),
    Setting("glyphs", "auto", str, "what charts are drawn with", ("auto", "braille", "block", "ascii")),
    Setting("mouse", True, bool, "whether the mouse is used; without it, the terminal's own selection works"),
    Setting("slow_link", False, bool, "fewer frames and fewer colours, for slow connections"),
    Setting("interval", 60.0, float, "seconds between two recorded system samples"),
    Setting("smoothing", 0.0, float, "weight of the moving average, 0 to 0.999", remembered=True),
    Setting("log_scale", False, bool, "logarithmic y-axes", remembered=True),
    Setting("system_panels", True, bool, "the system charts beside the training charts", remembered=True),
)

RULES = ("pattern", "only", "ignore", "rename")
"""Keys that hold rules for reading output, which whoever reads it understands."""

_BY_NAME = {setting.name: setting for setting in SETTINGS}


class Settings:
    """The environment (FLOYDTOP_NAME) has the first word, as options of the command line are put there;
    then the configuration file, then what was last chosen on the screen, then the default.

    Raises (from the constructor):
        FloydtopError: the configuration file is no TOML, or a value in it cannot be used.
    """

    def __init__(self) -> None:
        self.path = config_path()
        self.choices_path = choices_path()
        self.tables = _read(self.path)
        self.unknown = sorted(name for name in self.tables if name not in _BY_NAME and name not in RULES)
        self._configured = {name: self.tables[name] for name in _BY_NAME if name in self.tables}
        for name, value in self._configured.items():
            _check(_BY_NAME[name], value, f"the configuration {self.path}, {name}")
        self._environment = {
            name: _from_text(setting, os.environ[variable(name)])
            for name, setting in _BY_NAME.items()
            if variable(name) in os.environ
        }
        try:
            chosen = _read(self.choices_path)
        except FloydtopError:
            chosen = {}  # written by floydtop, and worth nothing when it is damaged
        self._chosen = {
            name: value
            for name, value in chosen.items()
            if name in _BY_NAME and _BY_NAME[name].remembered and _fits(_BY_NAME[name], value)
        }

    def __getitem__(self, name: str) -> Any:
        if name in self._environment:
            return self._environment[name]
        if name in self._configured:
            return self._configured[name]
        return self._chosen.get(name, _BY_NAME[name].default)

    def where(self, name: str) -> str:
        """Where the value of a setting comes from."""
        if name in self._environment:
            return f"{variable(name)} or the command line"
        if name in self._configured:
            return "configuration file"
        return "last choice" if name in self._chosen else "default"

    def remember(self, name: str, value: Any) -> None:
        """Write down a choice made on the screen; a disk that refuses costs only the memory of it."""
        if self[name] == value:
            return
        self._chosen[name] = value
        lines = [f"{key} = {_toml(chosen)}\n" for key, chosen in sorted(self._chosen.items())]
        draft = self.choices_path.with_suffix(".new")
        try:
            self.choices_path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            draft.write_text("".join(lines), encoding="utf-8")
            os.replace(draft, self.choices_path)
        except OSError:
            return


def config_path() -> Path:
    """The configuration file, in the user's configuration directory (XDG_CONFIG_HOME on Linux)."""
    from platformdirs import user_config_path

    return user_config_path("floydtop") / "config.toml"


def choices_path() -> Path:
    """Where choices made on the screen are kept."""
    from platformdirs import user_state_path

    return user_state_path("floydtop") / "choices.toml"


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise FloydtopError(f"The configuration {path} cannot be read: {error.strerror}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FloydtopError(f"The configuration {path} is no TOML: {error}.") from None


def _fits(setting: Setting, value: Any) -> bool:
    if setting.kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, setting.kind) and (not setting.choices or value in setting.choices)


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return f"FLOYDTOP_{name.upper()}"


def _from_text(setting: Setting, text: str) -> Any:
    value: Any = text
    if setting.kind is bool:
        value = {"1": True, "true": True, "0": False, "false": False}.get(text.lower(), text)
    elif setting.kind is float:
        try:
            value = float(text)
        except ValueError:
            value = text
    _check(setting, value, f"the environment, {variable(setting.name)}")
    return value


def _check(setting: Setting, value: Any, where: str) -> None:
    if not _fits(setting, value):
        kinds = {float: "a number", bool: "true or false", str: "a text"}
        wanted = " or ".join(setting.choices) or kinds[setting.kind]
        raise FloydtopError(f"In {where} must be {wanted}, not {value!r}.")


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{"".join(c for c in escaped if c.isprintable())}"'
    return repr(value)
