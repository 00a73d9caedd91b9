"""Headings, paragraphs and tables that flow over printed pages; nothing runs out of a page.

A line is never cut: it breaks. A row of a table goes to the next page whole, with the table's head
above it again; a row longer than a page is the only one that is divided. A heading never stands
alone at the foot of a page.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ecgcore.drawing.palette import LIGHT
from ecgcore.drawing.print_page import Align, Fill, Mark, PrintPage, Stroke, Words
from ecgcore.drawing.print_words import fitted, wrapped

PORTRAIT = (210.0, 297.0)
"""A4 in mm."""
LEFT_MM, TOP_MM, BOTTOM_MM = 18.0, 24.0, 18.0
WIDTH_MM = PORTRAIT[0] - 2 * LEFT_MM

HEADING_MM, TEXT_MM, SMALL_MM = 4.6, 3.0, 2.5
_LEADING = 1.42
_BAND = "#f7f1ef"
_CELL_MM, _AFTER_NUMBERS_MM = 2.0, 5.0  # between columns
_ROW_MM = 1.5  # above and below the text of a row
_NAMES_MM = 32.0
_FOOT_MM, _LANDSCAPE_LEFT_MM = 6.0, 13.5
_KEPT_MM = 24.0  # of what follows a heading


@dataclass(frozen=True)
class Column:
    """One column of a table; widths of a table add up to ``WIDTH_MM`` or less."""

    title: str
    width_mm: float
    align: Align = "left"
    bold: bool = False

    @property
    def text_mm(self) -> float:
        """How wide its text may be."""
        return self.width_mm - (_AFTER_NUMBERS_MM if self.align == "right" else _CELL_MM)


@dataclass(frozen=True)
class Row:
    """The texts of a row, one a column; ``marked`` rows stand on a band of colour."""

    cells: tuple[str, ...]
    marked: bool = False


class Flow:
    """Pages being filled from top to bottom; lengths in mm."""

    def __init__(self, subject: str) -> None:
        """``subject`` stands at the top of every page: what it belongs to."""
        line = fitted(subject, SMALL_MM, WIDTH_MM)
        top = PORTRAIT[1] - 14.0
        self._subject = Words(LEFT_MM, top, line, SMALL_MM, LIGHT.quiet_text)
        self._pages: list[list[Mark]] = [[self._subject]]
        self._at = PORTRAIT[1] - TOP_MM

    def pages(self) -> tuple[PrintPage, ...]:
        """The pages as they stand."""
        return tuple(PrintPage(*PORTRAIT, tuple(marks)) for marks in self._pages)

    def heading(self, text: str, kept_mm: float = _KEPT_MM) -> None:
        """A heading with a rule, on the same page as the ``kept_mm`` that follow it."""
        top = self._at == PORTRAIT[1] - TOP_MM
        if not self.room(HEADING_MM + 11 + kept_mm):
            self._turn()
        elif not top:
            self._at -= 5.5
        self._at -= HEADING_MM
        line = fitted(text, HEADING_MM, WIDTH_MM, bold=True)
        self._add(Words(LEFT_MM, self._at, line, HEADING_MM, LIGHT.text, bold=True))
        self._at -= 1.8
        self._rule(self._at, 0.35)
        self._at -= 2.2

    def paragraph(
        self, text: str, size_mm: float = TEXT_MM, colour: str = LIGHT.text, bold: bool = False
    ) -> None:
        """Wrapped text, over as many pages as it takes."""
        for line in wrapped(text, size_mm, WIDTH_MM, bold):
            self._down(size_mm)
            self._add(Words(LEFT_MM, self._at + 0.4, line, size_mm, colour, bold))
        self._at -= 1.2

    def bullets(self, texts: Sequence[str], colour: str = LIGHT.text) -> None:
        """Sentences, each with a dot before it."""
        for text in texts:
            name = Words(LEFT_MM, 0.0, "•", TEXT_MM, colour)
            self._beside(name, wrapped(text, TEXT_MM, WIDTH_MM - 4), 4, TEXT_MM, colour)
            self._at -= 0.6
        self._at -= 0.6

    def listed(self, name: str, text: str) -> None:
        """A small text with its name beside it."""
        self.facts([(name, text)], SMALL_MM)

    def facts(self, facts: Sequence[tuple[str, str]], size_mm: float = TEXT_MM) -> None:
        """Names, quiet, with their values beside them."""
        for name, value in facts:
            words = Words(LEFT_MM, 0.0, name, SMALL_MM, LIGHT.quiet_text)
            lines = wrapped(value, size_mm, WIDTH_MM - _NAMES_MM)
            self._beside(words, lines, _NAMES_MM, size_mm, LIGHT.text)
        self._at -= 1.2

    def table(self, columns: Sequence[Column], rows: Sequence[Row]) -> None:
        """A table; its head stands on every page that it reaches."""
        self._head(columns)
        most = int((PORTRAIT[1] - TOP_MM - BOTTOM_MM - 20) / (SMALL_MM * _LEADING))
        for row in rows:
            cells = [
                wrapped(text, SMALL_MM, column.text_mm, column.bold)
                for column, text in zip(columns, row.cells, strict=True)
            ]
            longest = max(len(lines) for lines in cells)
            for first in range(0, longest, most):
                self._row(columns, [lines[first : first + most] for lines in cells], row.marked)
        self._at -= 1.5

    def signature(self, names: Sequence[str]) -> None:
        """Lines to be filled in by hand, side by side."""
        if not self.room(22):
            self._turn()
        self._at -= 15
        width = WIDTH_MM / len(names)
        for number, name in enumerate(names):
            left = LEFT_MM + width * number
            line = np.array([(left, self._at), (left + width - 6, self._at)])
            self._add(Stroke(line, LIGHT.text, 0.25))
            self._add(Words(left, self._at - 3.6, name, SMALL_MM, LIGHT.quiet_text))
        self._at -= 7

    def room(self, height: float) -> bool:
        """Whether so much fits on this page."""
        return self._at - height >= BOTTOM_MM

    def _beside(
        self, name: Words, lines: Sequence[str], indent: float, size_mm: float, colour: str
    ) -> None:
        """Lines that begin ``indent`` mm from the left, the first with its name before it."""
        for number, line in enumerate(lines):
            self._down(size_mm)
            if number == 0:
                self._add(replace(name, baseline=self._at + 0.4))
            self._add(Words(LEFT_MM + indent, self._at + 0.4, line, size_mm, colour))

    def _down(self, size_mm: float) -> None:
        """Go to the next line, on the next page where this one is full."""
        if not self.room(size_mm * _LEADING):
            self._turn()
        self._at -= size_mm * _LEADING

    def _head(self, columns: Sequence[Column]) -> None:
        if not self.room(_KEPT_MM):
            self._turn()
        self._at -= SMALL_MM + 1.0
        for left, column in _places(columns):
            self._cell(left, column, column.title, LIGHT.quiet_text, False)
        self._at -= 1.6
        self._rule(self._at, 0.2)

    def _row(
        self, columns: Sequence[Column], cells: Sequence[tuple[str, ...]], marked: bool
    ) -> None:
        leading = SMALL_MM * _LEADING
        height = max(len(lines) for lines in cells) * leading + _ROW_MM
        if not self.room(height):
            self._turn()
            self._head(columns)
        if marked:
            box = (LEFT_MM - 2, self._at - height, LEFT_MM + WIDTH_MM + 2, self._at)
            self._add(Fill(box, _BAND))
        below = self._at - height
        self._at -= _ROW_MM / 2 - (leading - SMALL_MM)
        for number in range(max(len(lines) for lines in cells)):
            self._at -= leading
            for (left, column), lines in zip(_places(columns), cells, strict=True):
                if number < len(lines):
                    self._cell(left, column, lines[number], LIGHT.text, column.bold)
        self._at = below
        self._rule(self._at, 0.15, LIGHT.minor_grid)

    def _cell(self, left: float, column: Column, text: str, colour: str, bold: bool) -> None:
        at = left + column.width_mm - _AFTER_NUMBERS_MM if column.align == "right" else left
        align: Align = "right" if column.align == "right" else "left"
        self._add(Words(at, self._at, text, SMALL_MM, colour, bold, align))

    def _rule(self, height: float, width_mm: float, colour: str = LIGHT.major_grid) -> None:
        line = np.array([(LEFT_MM, height), (LEFT_MM + WIDTH_MM, height)])
        self._add(Stroke(line, colour, width_mm))

    def _turn(self) -> None:
        self._pages.append([self._subject])
        self._at = PORTRAIT[1] - TOP_MM

    def _add(self, mark: Mark) -> None:
        self._pages[-1].append(mark)


def _places(columns: Sequence[Column]) -> list[tuple[float, Column]]:
    """Each column with its left edge."""
    left, places = LEFT_MM, []
    for column in columns:
        places.append((left, column))
        left += column.width_mm
    return places


def numbered(pages: Sequence[PrintPage], disclaimer: str) -> tuple[PrintPage, ...]:
    """The pages with the disclaimer and "page n of m" at their foot."""
    finished = []
    for number, page in enumerate(pages, start=1):
        edge = LEFT_MM if page.width_mm < page.height_mm else _LANDSCAPE_LEFT_MM
        count = f"page {number} of {len(pages)}"
        right = page.width_mm - edge
        foot = (
            Words(edge, _FOOT_MM, disclaimer, SMALL_MM, LIGHT.text, bold=True),
            Words(right, _FOOT_MM, count, SMALL_MM, LIGHT.text, align="right"),
        )
        finished.append(replace(page, marks=(*page.marks, *foot)))
    return tuple(finished)
