"""The row of controls over the paper; every choice survives a rerun and a change of page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar, get_args

import streamlit as st

from ecgcore.drawing.layout import LAYOUTS, PAGE_SECONDS, Gain, LayoutName, Speed
from ecgcore.drawing.paper import PaperOptions
from ecgcore.recording import Recording
from ecgcore.signal.filters import Band, DisplayFilter, MainsFrequency

Choice = TypeVar("Choice")

# CSS pixels are 1/96 inch by definition, so 96 / 25.4 of them are one true millimetre.
TRUE_PIXELS_PER_MM = 96 / 25.4

_LAYOUT_NAMES = {"cabrera": "Cabrera", "3x4+1": "3×4 + 1", "3x4+3": "3×4 + 3"}
_LAYOUT_NAMES |= {"6x2": "6×2", "12x1": "12×1"}
_SIZES = {"True": 1.0, "125 %": 1.25, "150 %": 1.5}


def paper_options(recording: Recording, dark: bool) -> PaperOptions:
    """Draw the controls and answer what the reader chose."""
    with st.container(horizontal=True, key="controls", gap="small", vertical_alignment="bottom"):
        layout: LayoutName = _choose(
            "Layout", LAYOUTS, "layout", {name: _LAYOUT_NAMES.get(name, name) for name in LAYOUTS}
        )
        speed: Speed = _choose("Speed, mm/s", get_args(Speed), "speed")
        gain: Gain = _choose("Gain, mm/mV", get_args(Gain), "gain", default=10)
        band: Band = _choose(
            "Display filter, Hz",
            get_args(Band),
            "band",
            {"none": "None", "0.05-150 Hz": "0.05–150", "0.5-40 Hz": "0.5–40"},
        )
        mains: MainsFrequency | int = _choose(
            "Mains notch, Hz", (0, *get_args(MainsFrequency)), "mains", {0: "Off"}
        )
        size = _choose("Size", tuple(_SIZES), "size")
        start = _window(recording)
    return PaperOptions(
        layout=layout,
        speed=speed,
        gain=gain,
        display_filter=DisplayFilter(band, mains if mains in (50, 60) else None),
        dark=dark,
        start=start,
        pixels_per_mm=TRUE_PIXELS_PER_MM * _SIZES[size],
    )


def _choose(
    label: str,
    options: tuple[Choice, ...],
    key: str,
    names: dict[Choice, str] | None = None,
    default: Choice | None = None,
) -> Choice:
    chosen = st.segmented_control(
        label,
        options,
        default=options[0] if default is None else default,
        required=True,
        format_func=lambda option: (names or {}).get(option, str(option)),
        key=key,
        persist_state="session",
    )
    return options[0] if chosen is None else chosen


@dataclass(frozen=True)
class Extent:
    """Which recording, and how long: what a button's callback keeps instead of all its samples.

    Streamlit keeps the arguments of every button that it ever drew; a recording in them would never
    be let go.
    """

    sha256: str
    seconds: float

    @classmethod
    def of(cls, recording: Recording) -> Extent:
        """The extent of a recording."""
        return cls(recording.source.sha256, recording.seconds)


def show_from(extent: Extent, second: float) -> None:
    """Let the paper show the part of a long recording that begins at a second."""
    shown: dict[str, float] = st.session_state.setdefault("window", {})
    shown[extent.sha256] = max(0.0, min(second, extent.seconds - PAGE_SECONDS))


def shown_from(extent: Extent) -> float:
    """The second at which the paper begins."""
    shown: dict[str, float] = st.session_state.setdefault("window", {})
    return shown.get(extent.sha256, 0.0)


def _window(recording: Recording) -> float:
    """The first second of the drawn window; asked for only where the paper cannot hold it all."""
    last = recording.seconds - PAGE_SECONDS
    if last < 0.05:
        return 0.0
    shown: dict[str, float] = st.session_state.setdefault("window", {})
    key = recording.source.sha256
    shown[key] = min(shown.get(key, 0.0), last)

    # The style sheet puts it beside the remarks, so that a long recording moves nothing down.
    with st.container(
        horizontal=True,
        key="window-control",
        width="content",
        gap="small",
        vertical_alignment="center",
    ):
        st.button(
            "−5 s",
            on_click=show_from,
            args=(Extent.of(recording), shown[key] - 5.0),
            key="window-back",
            help="Earlier",
            disabled=shown[key] <= 0.0,
        )
        st.html(
            f'<div class="lightbox-window"><b>{shown[key]:.1f}–{shown[key] + PAGE_SECONDS:.1f} s'
            f"</b> of {recording.seconds:.1f} s</div>"
        )
        st.button(
            "+5 s",
            on_click=show_from,
            args=(Extent.of(recording), shown[key] + 5.0),
            key="window-on",
            help="Later",
            disabled=shown[key] >= last,
        )
    return shown[key]
