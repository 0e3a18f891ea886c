"""Textual's SVG of a screen, made to look the same in every viewer, and a PNG of it."""

from __future__ import annotations

import re
import unicodedata
from itertools import groupby
from xml.etree import ElementTree

from floydtop.errors import FloydtopError
from floydtop.plot.glyph_paths import draw, is_drawn

SVG = "http://www.w3.org/2000/svg"
ElementTree.register_namespace("", SVG)

ASCENT = 18.5
"""How far below the upper edge of its cell Rich puts a row's baseline: char height 20, first cell at 1.5."""
LINE = 24.4
"""Rich's height of a row."""
FONTS = "'DejaVu Sans Mono', Menlo, Consolas, monospace"
PAINT = {
    "dots": {"stroke-width": "3.4", "stroke-linecap": "round"},
    "light": {"stroke-width": "1.4", "fill": "none"},
    "heavy": {"stroke-width": "3.4", "fill": "none"},
}


def portable(svg: str) -> str:
    """The picture without fonts from the network, its braille, blocks and lines drawn as paths."""
    svg = re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL)
    svg = re.sub(r"font-family: [^;]+;", f"font-family: {FONTS};", svg)
    root = ElementTree.fromstring(svg)
    colors = dict(re.findall(r"\.(\S+) \{ fill: (#\w+)", svg))
    for parent in root.iter(f"{{{SVG}}}g"):
        for index, text in reversed(list(enumerate(parent))):
            if text.tag == f"{{{SVG}}}text" and "textLength" in text.attrib:
                parent[index : index + 1] = _pieces(text, colors)
    return ElementTree.tostring(root, encoding="unicode") + "\n"


def for_cairo(svg: str) -> str:
    """The picture with a place for every glyph: cairosvg knows no `textLength`."""
    root = ElementTree.fromstring(svg)
    for text in root.iter(f"{{{SVG}}}text"):
        length = text.attrib.pop("textLength", None)
        if length is None or not text.text:
            continue
        x, width = float(text.attrib["x"]), float(length) / _cells(text.text)
        places = []
        for character in text.text:
            places.append(f"{x:.2f}")
            x += width * _cells(character)
        text.attrib["x"] = " ".join(places)
    return ElementTree.tostring(root, encoding="unicode")


def to_png(svg: str, pixels_wide: int) -> bytes:
    """The picture as PNG.

    Raises:
        FloydtopError: CairoSVG, or the cairo library that it draws with, is not installed.
    """
    try:
        import cairosvg
    except (ImportError, OSError):
        raise FloydtopError(
            "A PNG needs CairoSVG: pip install 'floydtop[png]', or save the picture as SVG."
        ) from None
    png = cairosvg.svg2png(bytestring=for_cairo(svg).encode(), output_width=pixels_wide)
    assert isinstance(png, bytes)
    return png


def _pieces(text: ElementTree.Element, colors: dict[str, str]) -> list[ElementTree.Element]:
    """One text element as text where fonts agree and as paths where they do not."""
    characters = text.text or ""
    x, y = float(text.attrib["x"]), float(text.attrib["y"]) - ASCENT
    width = float(text.attrib["textLength"]) / _cells(characters)
    color = colors.get(text.attrib.get("class", ""), "#808080")
    pieces: list[ElementTree.Element] = []
    for drawn, group in groupby(characters, key=is_drawn):
        run = "".join(group)
        if drawn:
            pieces += _paths(run, x, y, width, color)
        elif run.strip("\xa0 "):
            length = f"{width * _cells(run):.1f}"
            piece = ElementTree.Element(text.tag, text.attrib | {"x": f"{x:.1f}", "textLength": length})
            piece.text = run
            pieces.append(piece)
        x += width * _cells(run)
    return pieces


def _paths(run: str, x: float, y: float, width: float, color: str) -> list[ElementTree.Element]:
    shapes: dict[str, list[str]] = {}
    for character in run:
        for paint, path in draw(character, x, y, width, LINE).items():
            shapes.setdefault(paint, []).extend(path)
        x += width
    elements = []
    for paint, path in shapes.items():
        if not path:
            continue
        attributes = {"d": "".join(path)}
        if paint in PAINT:
            attributes |= {"stroke": color} | PAINT[paint]
        else:
            attributes |= {"fill": color}
            if paint.startswith("shade"):
                attributes["opacity"] = paint.removeprefix("shade ")
        elements.append(ElementTree.Element(f"{{{SVG}}}path", attributes))
    return elements


def _cells(text: str) -> int:
    """Columns of the terminal that a text takes."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)
