"""The paper on the page: drawn at its true scale, in a frame that never changes its width."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from importlib import import_module
from math import ceil
from time import monotonic
from typing import TYPE_CHECKING

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from ecgcore.drawing.paper import (
    PAPER_CONFIG,
    Highlight,
    PaperOptions,
    WaveView,
    draw_paper,
    paper_size,
)
from ecgcore.explain.explanation import Explanation
from ecgcore.recording import Recording
from ecgcore.ui.style import of, paper_order

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_KEPT = "paper-drawing"
# After this a new chart is painted, on a slow computer too, and the one below it may go.
_PAINTED_SECONDS = 2.0
# The frame's border, left and right.
_FRAME = 2


def paper_column(recording: Recording, options: PaperOptions) -> DeltaGenerator:
    """The column that the paper will stand in, as wide as the paper, narrower only in a narrow
    window: there the paper scrolls. Squeezed, it would no longer have its true scale."""
    return st.container(key="paper-column", width=paper_pixels(recording, options)[0] + _FRAME)


def paper_pixels(recording: Recording, options: PaperOptions) -> tuple[int, int]:
    """Width and height of the paper in whole pixels, as ``draw_paper`` rounds them."""
    width, height = (
        ceil(round(mm * options.pixels_per_mm, 6)) for mm in paper_size(recording, options)
    )
    return width, height


@dataclass(frozen=True)
class Marked:
    """What to draw besides the trace: a model's evidence, places to look at, wave marks."""

    explanation: Explanation | None = None
    highlights: tuple[Highlight, ...] = ()
    waves: WaveView | None = None

    def same_as(self, other: Marked) -> bool:
        """Whether the picture is the same; explanations and delineations are kept, not copied."""
        ours, theirs = self.waves, other.waves
        same_waves = ours is theirs or (
            ours is not None
            and theirs is not None
            and ours.delineation is theirs.delineation
            and (ours.style, ours.scope) == (theirs.style, theirs.scope)
        )
        return (
            same_waves
            and self.explanation is other.explanation
            and self.highlights == other.highlights
        )


@dataclass(frozen=True)
class _Drawing:
    """A drawn paper; ``side`` is the one of the sheet's two places in which it lies, over the
    figure ``below``, since the time ``placed`` in seconds."""

    recording: str
    options: PaperOptions
    marked: Marked
    figure: Figure
    side: int
    below: Figure | None
    placed: float


def _drawing(
    last: _Drawing | None, recording: Recording, options: PaperOptions, marked: Marked
) -> _Drawing:
    """The last drawing if it is the one that is asked for, else a new one, over it if it may."""
    covers = last is not None and last.recording == recording.source.identity
    if last and covers and last.options == options and last.marked.same_as(marked):
        painted = monotonic() - last.placed > _PAINTED_SECONDS
        return replace(last, below=None) if painted else last
    return _Drawing(
        recording.source.identity,
        options,
        marked,
        figure=draw_paper(recording, options, marked.explanation, marked.highlights, marked.waves),
        side=1 - last.side if last and covers else 0,
        below=last.figure if last and covers else None,
        placed=monotonic(),
    )


def show_paper(recording: Recording, options: PaperOptions, marked: Marked) -> None:
    """Draw a recording and what is marked on it.

    A chart is painted some 0.1 s after it is placed. A new picture of the same recording is laid
    over the last one, which stays until then, so that the trace never vanishes. Under another
    recording's name the last picture must not stay: there the paper is blank for that moment.
    """
    finish_pandas()
    drawing = _drawing(st.session_state.get(_KEPT), recording, options, marked)
    st.session_state[_KEPT] = drawing
    width, height = int(drawing.figure.layout.width), int(drawing.figure.layout.height)
    alt = f"ECG of {recording.record_id} on paper"
    with (
        st.container(key="paper-scroll", gap=None),
        st.container(key="paper-sheet", width=width, height=height, gap=None, border=False),
    ):
        for side in (0, 1):
            figure = drawing.figure if side == drawing.side else drawing.below
            with st.container(key=f"paper-place-{side}", gap=None):
                if figure is not None:
                    _show(figure, f"paper-{side}-{of(recording)}", alt)
        st.html(paper_order(drawing.side))


def _show(figure: Figure, key: str, alt: str) -> None:
    st.plotly_chart(
        figure,
        width=int(figure.layout.width),
        height=int(figure.layout.height),
        theme=None,
        config=PAPER_CONFIG,
        key=key,
        alt=alt,
    )


def finish_pandas() -> None:
    """Wait until another thread has finished importing pandas, if it is importing it.

    Plotly looks into ``sys.modules`` for pandas and fails on a half imported one: the work list's
    table may be importing it for this reader's last page, or for another reader.
    """
    if "pandas" in sys.modules:
        import_module("pandas")
