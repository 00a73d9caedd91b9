"""Pages to print, as values in millimetres, and how they become a PDF.

A page is a list of strokes, fills and words, painted in that order. matplotlib's PDF backend writes
them as vectors and embedded text: nothing is a picture, every sample of a trace is drawn, and 1 mm
on the page is 72/25.4 PDF points. Text is never read as mathematics, so a ``$`` is a ``$``. The
file holds no time unless one is given: the same pages give the same bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from threading import Lock
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from ecgcore.drawing.print_words import font_of, printable, width_of

if TYPE_CHECKING:
    from matplotlib import RcParams
    from matplotlib.artist import Artist
    from matplotlib.backends.backend_pdf import PdfPages
    from matplotlib.patches import Rectangle
    from matplotlib.path import Path
    from matplotlib.transforms import Transform

Align = Literal["left", "center", "right"]
Box = tuple[float, float, float, float]

MM_PER_INCH = 25.4
PT_PER_MM = 72 / MM_PER_INCH

# matplotlib keeps its settings for the whole process: whoever writes holds the lock.
_LOCK = Lock()


@dataclass(frozen=True, eq=False)
class Stroke:
    """A line through ``points`` (n, 2) in mm, broken where one is NaN; drawn ``within`` a box
    (left, bottom, right, top) only, where one is given."""

    points: NDArray[np.float64]
    colour: str
    width_mm: float
    within: Box | None = None


@dataclass(frozen=True)
class Fill:
    """A filled rectangle: left, bottom, right, top in mm."""

    box: Box
    colour: str


@dataclass(frozen=True)
class Words:
    """One line of text; ``size_mm`` is the font's size, ``baseline`` in mm from below."""

    at_mm: float
    baseline: float
    text: str
    size_mm: float
    colour: str
    bold: bool = False
    align: Align = "left"

    @property
    def width_mm(self) -> float:
        """How wide the text is drawn."""
        return width_of(printable(self.text), self.bold) * self.size_mm


Mark = Stroke | Fill | Words


@dataclass(frozen=True)
class PrintPage:
    """One page and its marks in the order of painting; the origin is the lower left corner."""

    width_mm: float
    height_mm: float
    marks: tuple[Mark, ...]


def write_pdf(
    pages: Sequence[PrintPage], title: str, subject: str, created: datetime | None = None
) -> bytes:
    """The pages as one PDF file."""
    import matplotlib as mpl
    from matplotlib.backends.backend_pdf import PdfPages

    about = {
        "Title": printable(title),
        "Subject": printable(subject),
        "Creator": "ECG Lightbox",
        "CreationDate": created,
    }
    target = BytesIO()
    with _LOCK, mpl.rc_context(), PdfPages(target, metadata=about) as pdf:
        _settle(mpl.rcParams)
        for page in pages:
            _save(pdf, page)
    return target.getvalue()


def _settle(settings: RcParams) -> None:
    """What the file is written with, whatever this computer's own settings are."""
    settings["pdf.fonttype"] = 42  # the characters themselves, so that text can be found
    settings["pdf.compression"] = 6
    settings["pdf.use14corefonts"] = settings["pdf.inheritcolor"] = False
    settings["path.simplify"] = settings["text.usetex"] = settings["savefig.transparent"] = False
    settings["path.sketch"] = settings["savefig.bbox"] = None
    settings["path.effects"] = []


def _save(pdf: PdfPages, page: PrintPage) -> None:
    from matplotlib.figure import Figure
    from matplotlib.transforms import Affine2D

    figure = Figure(figsize=(page.width_mm / MM_PER_INCH, page.height_mm / MM_PER_INCH))
    millimetres = Affine2D().scale(1 / MM_PER_INCH) + figure.dpi_scale_trans
    for order, mark in enumerate(page.marks):
        artist = _artist(mark, millimetres)
        artist.set_zorder(order)
        figure.add_artist(artist)
        if isinstance(mark, Stroke) and mark.within is not None:
            # After adding, which would clip to the figure.
            artist.set_clip_path(_rectangle(mark.within, millimetres))
    pdf.savefig(figure)  # type: ignore[no-untyped-call]


def _artist(mark: Mark, millimetres: Transform) -> Artist:
    from matplotlib.patches import PathPatch
    from matplotlib.text import Text

    if isinstance(mark, Words):
        return Text(
            mark.at_mm,
            mark.baseline,
            (text := printable(mark.text)),
            color=mark.colour,
            fontproperties=font_of(text, mark.size_mm * PT_PER_MM, mark.bold),
            horizontalalignment=mark.align,
            verticalalignment="baseline",
            parse_math=False,
            transform=millimetres,
        )
    if isinstance(mark, Fill):
        patch = _rectangle(mark.box, millimetres)
        patch.set(facecolor=mark.colour, linewidth=0)
        return patch
    return PathPatch(
        _path(mark.points),
        fill=False,
        edgecolor=mark.colour,
        linewidth=mark.width_mm * PT_PER_MM,
        capstyle="butt",
        joinstyle="round",
        transform=millimetres,
    )


def _rectangle(box: Box, millimetres: Transform) -> Rectangle:
    from matplotlib.patches import Rectangle

    left, bottom, right, top = box
    return Rectangle((left, bottom), right - left, top - bottom, transform=millimetres)


def _path(points: NDArray[np.float64]) -> Path:
    """A path that begins anew after every gap and is never simplified."""
    from matplotlib.path import Path

    there = np.isfinite(points[:, 0]) & np.isfinite(points[:, 1])
    begins = there & ~np.concatenate([[False], there[:-1]])
    codes = np.where(begins, Path.MOVETO, Path.LINETO)[there]
    path = Path(points[there], codes.astype(Path.code_type))
    path.should_simplify = False
    return path
