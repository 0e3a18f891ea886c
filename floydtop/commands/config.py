"""`floydtop config`: what can be set, what is, and where that comes from."""

from __future__ import annotations

from floydtop.settings import SETTINGS, Settings


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
    for name in settings.unknown:
        print(f"# {name!r} is no setting of this version: ignored")
    return 0
