"""Draw screenshots/*.svg and *.png: `python -m tests.pictures` (needs the dependency group `pictures`)."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

from floydtop.plot.svg import portable, to_png
from tests.pictures import SCREENSHOTS
from tests.pictures.scenes import SCENES, Scene, photograph


def main() -> int:
    """Draw every scene, or those that the arguments name."""
    settle_surroundings()
    wanted = sys.argv[1:] or [scene.name for scene in SCENES]
    SCREENSHOTS.mkdir(exist_ok=True)
    for scene in SCENES:
        if scene.name in wanted:
            _draw(scene)
    return 0


def settle_surroundings() -> None:
    """What a picture could take from the machine and the hour is the same for all."""
    nowhere = os.path.join(tempfile.gettempdir(), "floydtop-pictures-nowhere")
    os.environ |= {"TZ": "UTC", "COLORTERM": "truecolor", "LC_ALL": "C.UTF-8"}
    # Settings are somebody's own, and what a key chooses in one picture is not remembered in the next.
    os.environ |= {"XDG_CONFIG_HOME": nowhere, "XDG_STATE_HOME": os.path.join(os.devnull, "nowhere")}
    for name in ("NO_COLOR", "TEXTUAL_THEME"):
        os.environ.pop(name, None)
    time.tzset()


def _draw(scene: Scene) -> None:
    with tempfile.TemporaryDirectory() as folder:
        svg = portable(asyncio.run(photograph(scene, Path(folder))))
        path = Path(folder, scene.name)
        path.with_suffix(".svg").write_text(svg)
        path.with_suffix(".png").write_bytes(to_png(svg, scene.pixels_wide))
        for suffix in (".svg", ".png"):
            picture = path.with_suffix(suffix)
            shutil.copyfile(picture, SCREENSHOTS / picture.name)
            print(f"screenshots/{picture.name}  {picture.stat().st_size:,} bytes")


if __name__ == "__main__":
    sys.exit(main())
