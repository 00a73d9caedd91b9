"""The paper on the page: drawn at its true scale, in a frame that never changes its width."""

from __future__ import annotations

import sys
from importlib import import_module
from math import ceil

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from ecgcore.drawing.paper import PAPER_CONFIG, PaperOptions, draw_paper, paper_size
from ecgcore.explain.explanation import Explanation
from ecgcore.recording import Recording

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


def show_paper(
    recording: Recording, options: PaperOptions, explanation: Explanation | None = None
) -> None:
    """Draw a recording, with the evidence for one label over it if given."""
    finish_pandas()
    figure = draw_paper(recording, options, explanation)
    width, height = int(figure.layout.width), int(figure.layout.height)
    with (
        st.container(key="paper-scroll", gap=None),
        st.container(key="paper-sheet", width=width, height=height, gap=None, border=False),
    ):
        st.plotly_chart(
            figure,
            width=width,
            height=height,
            theme=None,
            config=PAPER_CONFIG,
            key="paper",
            alt=f"ECG of {recording.record_id} on paper, layout {options.layout}",
        )


def finish_pandas() -> None:
    """Wait until another thread has finished importing pandas, if it is importing it.

    Plotly looks into ``sys.modules`` for pandas and fails on a half imported one: the work list's
    table may be importing it for this reader's last page, or for another reader.
    """
    if "pandas" in sys.modules:
        import_module("pandas")
