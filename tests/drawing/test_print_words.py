"""Text for print: no character is lost unseen, no line is wider than asked for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecgcore.drawing import print_words
from ecgcore.drawing.print_page import PrintPage, Words, write_pdf
from ecgcore.drawing.print_words import fitted, printable, width_of, wrapped
from tests.pdf_reading import read_pdf

HEART = "\u5fc3"


def _forget() -> None:
    for remembered in (print_words._family_with, print_words._characters, print_words.width_of):
        remembered.cache_clear()


@pytest.fixture
def no_other_fonts(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A computer with no font but matplotlib's own."""
    from matplotlib.font_manager import fontManager

    own = [entry for entry in fontManager.ttflist if "mpl-data" in str(entry.fname)]
    monkeypatch.setattr(fontManager, "ttflist", own)
    _forget()
    yield
    _forget()


def _font_with_a_heart(path: Path) -> None:
    """A font of one character, a box, as TrueType."""
    from fontTools.fontBuilder import FontBuilder
    from fontTools.pens.ttGlyphPen import TTGlyphPen

    pen = TTGlyphPen(None)
    pen.moveTo((0, 0))
    for point in ((0, 700), (700, 700), (700, 0)):
        pen.lineTo(point)
    pen.closePath()
    box = pen.glyph()
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder([".notdef", "heart"])
    builder.setupCharacterMap({ord(HEART): "heart"})
    builder.setupGlyf({".notdef": box, "heart": box})
    builder.setupHorizontalMetrics({".notdef": (1000, 0), "heart": (1000, 0)})
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupOS2(usWeightClass=400)
    builder.setupNameTable({"familyName": "Test Han", "styleName": "Regular"})
    builder.setupPost()
    builder.save(path)


def _text_of(text: str) -> str:
    pdf = write_pdf([PrintPage(210, 297, (Words(10, 10, text, 4, "#000000"),))], "t", "s")
    (page,) = read_pdf(pdf)
    return page.text()


@pytest.mark.usefixtures("no_other_fonts")
def test_a_character_without_a_font_stands_as_its_number() -> None:
    assert printable(f"a{HEART}b") == "a<U+5FC3>b"
    assert _text_of(f"a{HEART}b") == "a<U+5FC3>b"


@pytest.mark.usefixtures("no_other_fonts")
def test_a_font_of_this_computer_is_used_where_ours_lacks_a_character(tmp_path: Path) -> None:
    from matplotlib.font_manager import fontManager

    _font_with_a_heart(tmp_path / "han.ttf")
    fontManager.addfont(tmp_path / "han.ttf")
    _forget()
    assert printable(f"a{HEART}b\u8840") == f"a{HEART}b<U+8840>"
    assert _text_of(f"a{HEART}b") == f"a{HEART}b"


def test_latin_greek_cyrillic_arabic_and_dollars_are_themselves() -> None:
    for text in ("Żaneta Müller ßæøŁ", "Ελληνικά", "русский", "≥ 120 µV −16° ±", "$x_1^2$ \\frac"):
        assert printable(text) == text
        assert _text_of(text) == text
    assert sorted(_text_of("العربية")) == sorted("العربية")  # written from right to left


def test_control_and_direction_characters_stand_as_their_numbers() -> None:
    assert printable("a\x00\x1b\u202e\u200b\ud800\ufffe") == (
        "a<U+0000><U+001B><U+202E><U+200B><U+D800><U+FFFE>"
    )
    assert printable("a\r\nb\rc\u2028d\te") == "a\nb\nc\nd e"


@given(st.text(max_size=60), st.floats(5, 60))
def test_no_line_is_wider_than_asked_for_and_nothing_is_lost(text: str, width: float) -> None:
    lines = wrapped(text, 3.0, width)
    for line in lines:
        assert len(line) <= 1 or width_of(line) * 3.0 <= width + 1e-6
    shown = "".join(printable(text).split())
    assert "".join("".join(lines).split()) == shown


def test_a_number_of_a_character_is_not_divided() -> None:
    lines = wrapped("\x07" * 40, 3.0, 40.0)
    assert len(lines) > 5 and all(line.count("<") == line.count(">") for line in lines)


def test_what_does_not_fit_a_line_ends_in_an_ellipsis() -> None:
    assert fitted("short", 3.0, 40.0) == "short"
    cut = fitted("a rather long name of a record " * 5, 3.0, 40.0)
    assert cut.endswith("…") and width_of(cut) * 3.0 <= 40.0
