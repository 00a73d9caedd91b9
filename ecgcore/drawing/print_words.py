"""Text for print: which font has which character, how wide a text is, where a line breaks.

The font is DejaVu Sans as matplotlib brings it (Latin, Greek, Cyrillic, Arabic, Hebrew and more),
so that the same text looks alike everywhere. A character that it lacks (Chinese, say) is drawn with
a font of this computer that has it; where none has, its Unicode number stands in its place, as
``<U+5FC3>``, so that nothing a person wrote is lost unseen. Control characters, and those that turn
the direction of reading, always stand as their number.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.font_manager import FontProperties

FAMILY = "DejaVu Sans"
_REGULAR, _BOLD = "DejaVuSans.ttf", "DejaVuSans-Bold.ttf"
_MEASURED_PT = 100.0
_TRUETYPE = (b"\0\1\0\0", b"true", b"ttcf")
_INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Cn"}
# Fonts of formulas, whose characters are not where Unicode says, and the one that draws a box for
# every character.
_NOT_USED = ("cm", "STIX", "Last Resort", "LastResort", ".LastResort")
_JOINERS = "\u200c\u200d"  # they shape the letters beside them
_LINE_ENDS = ("\r\n", "\r", "\u2028", "\u2029")
_UNFINISHED_NUMBER = re.compile(r"<(U(\+[0-9A-F]*)?)?$")
_LONGEST_LINE = 1000  # characters


def printable(text: str) -> str:
    """The text with every character that cannot be drawn as its number; line ends as ``\\n``."""
    for end in _LINE_ENDS:
        text = text.replace(end, "\n")
    return "".join(_shown(char) for char in text)


def _shown(char: str) -> str:
    if char in " \n\t":
        return " " if char == "\t" else char
    hidden = unicodedata.category(char) in _INVISIBLE and char not in _JOINERS
    if not hidden and (ord(char) in _own_characters() or _family_with(char) is not None):
        return char
    return f"<U+{ord(char):04X}>"


def font_of(text: str, size_pt: float, bold: bool = False) -> FontProperties:
    """The font of a printable text; other families follow where our own lacks a character."""
    from matplotlib.font_manager import FontProperties

    missing = {char for char in text if ord(char) not in _own_characters()}
    families = {_family_with(char) for char in sorted(missing)} - {None}
    if families:
        return FontProperties(family=[FAMILY, *sorted(map(str, families))], size=size_pt)
    return FontProperties(fname=_own_file(_BOLD if bold else _REGULAR), size=size_pt)


@lru_cache(maxsize=20_000)
def width_of(text: str, bold: bool = False) -> float:
    """The width of a printable text in units of its size."""
    from matplotlib.textpath import text_to_path

    if not text:
        return 0.0
    font = font_of(text, _MEASURED_PT, bold)
    width, _, _ = text_to_path.get_text_width_height_descent(text, font, ismath=False)
    return float(width) / _MEASURED_PT


def wrapped(text: str, size_mm: float, width_mm: float, bold: bool = False) -> tuple[str, ...]:
    """The printable text in lines of at most ``width_mm``; at least one line.

    Lines break at spaces, and inside a word that is longer than a line.
    """
    room = width_mm / size_mm
    lines: list[str] = []
    for paragraph in printable(text).split("\n"):
        line = ""
        for word in paragraph.split(" "):
            longer = f"{line} {word}" if line else word
            if width_of(longer, bold) <= room:
                line = longer
                continue
            lines += [line] if line else []
            *full, line = _pieces(word, room, bold)
            lines += full
        lines.append(line)
    return tuple(lines)


def _pieces(word: str, room: float, bold: bool) -> list[str]:
    """A word in pieces that fit; one character always counts as fitting."""
    pieces = []
    while width_of(word, bold) > room and len(word) > 1:
        lengths = range(2, min(len(word), _LONGEST_LINE) + 1)
        fitting = 1 + bisect_right(lengths, room, key=lambda n: width_of(word[:n], bold))
        fitting = len(_UNFINISHED_NUMBER.sub("", word[:fitting])) or fitting
        pieces.append(word[:fitting])
        word = word[fitting:]
    return [*pieces, word]


def fitted(text: str, size_mm: float, width_mm: float, bold: bool = False) -> str:
    """One line of the text, which ends in an ellipsis where the rest did not fit."""
    line = printable(text).replace("\n", " ")
    if width_of(line, bold) * size_mm <= width_mm:
        return line
    first = _pieces(line, width_mm / size_mm - width_of("…", bold), bold)[0]
    return first.rstrip() + "…"


def _own_file(name: str) -> Path:
    """A font file that matplotlib brings."""
    import matplotlib as mpl

    return Path(mpl.get_data_path()) / "fonts" / "ttf" / name


@cache
def _own_characters() -> frozenset[int]:
    """What our font has, in regular and in bold."""
    regular, bold = (_characters(str(_own_file(name)), 0) for name in (_REGULAR, _BOLD))
    return regular & bold


@cache
def _characters(path: str, face: int) -> frozenset[int]:
    from matplotlib.ft2font import FT2Font

    return frozenset(FT2Font(path, face_index=face).get_charmap())


@cache
def _has_outlines(path: str, face: int) -> bool:
    """Whether a font file can be embedded as TrueType: not one of PostScript curves or bitmaps."""
    from fontTools.ttLib import TTFont

    with Path(path).open("rb") as file:
        if file.read(4) not in _TRUETYPE:
            return False
    with TTFont(path, fontNumber=face, lazy=True) as font:
        return "glyf" in font


@cache
def _family_with(char: str) -> str | None:
    """The first family of this computer, by name, that has the character upright."""
    from matplotlib.font_manager import FontProperties, findfont, fontManager

    for entry in sorted(fontManager.ttflist, key=lambda one: (one.name, one.fname, one.index)):
        if entry.style != "normal" or entry.name.startswith(_NOT_USED):
            continue
        if not (_has_outlines(entry.fname, entry.index) and _has(entry.fname, entry.index, char)):
            continue
        # A family is all that can be asked for: its nearest to regular must have it too.
        found = findfont(FontProperties(family=[entry.name]))
        if _has(str(found), found.face_index, char):
            return str(entry.name)
    return None


def _has(path: str, face: int, char: str) -> bool:
    return ord(char) in _characters(path, face)
