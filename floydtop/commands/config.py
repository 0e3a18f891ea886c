"""`floydtop config`: what can be set, what is, and where that comes from."""

from __future__ import annotations

from floydtop.commands.plain import printable
from floydtop.parse.rules import Rules, from_tables
from floydtop.settings import SETTINGS, Settings

EXAMPLE = r"""# Rules for reading output, of which there are none yet, look so:
# only = ["*loss*"]                                     # keep these metrics alone
# ignore = ["lr"]                                       # leave these out
# [rename]
# "val_*" = "validation/*"
# [[pattern]]                                           # a line of your own: its named groups are metrics
# match = 'step (?P<step>\d+) .* loss (?P<loss>[\d.eE+-]+)'"""


def config() -> int:
    """Print each setting with its value, its origin and its meaning.

    Raises:
        FloydtopError: the configuration file cannot be read.
    """
    settings = Settings()
    there = "" if settings.path.exists() else " (not there: write it to set something)"
    print(f"# {settings.path}{there}")
    print(f"# choices made on the screen are remembered in {settings.choices_path}")
    width = max(len(setting.name) for setting in SETTINGS)
    for setting in SETTINGS:
        value = settings[setting.name]
        shown = str(value).lower() if isinstance(value, bool) else repr(value).replace("'", '"')
        print(f"{setting.name:<{width}} = {shown:<17} # {setting.help} [{settings.where(setting.name)}]")
    own = from_tables(settings.tables, f"the configuration {settings.path}")
    for line in _rules(own):
        print(line)
    for name in settings.unknown:
        print(f"# {name!r} is no setting of this version: ignored")
    return 0


def _rules(rules: Rules) -> list[str]:
    """The rules for reading output as the configuration has them."""
    if not rules:
        return [EXAMPLE]
    lines = [f"{name} = {list(getattr(rules, name))}" for name in ("only", "ignore") if getattr(rules, name)]
    lines += [f"rename: {old} = {new}" for old, new in rules.rename.items()]
    lines += [f"pattern: {one.match}" + (f" # {one.name}" if one.name else "") for one in rules.pattern]
    return [printable(line) for line in lines]
