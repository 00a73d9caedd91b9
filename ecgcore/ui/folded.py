"""What has no answer, folded away: a list of names, each with the reason."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

import streamlit as st

from ecgcore.recording import Recording
from ecgcore.ui.style import of


def show_folded(
    title: str, rows: Iterable[tuple[str, str, str | None]], recording: Recording
) -> None:
    """An expander of (name, description, reason)."""
    with st.expander(title):
        items = "".join(
            f"<dt>{escape(name)}</dt><dd>{escape(description)}"
            f' <span class="lightbox-small">{escape(reason or "")}</span></dd>'
            for name, description, reason in rows
        )
        st.html(f'<dl class="lightbox-facts {of(recording)}">{items}</dl>')
