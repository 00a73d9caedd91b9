"""Text of a recording or a table inside Streamlit's Markdown."""

from __future__ import annotations

import re


def plain(text: str) -> str:
    """A text whose characters mean nothing to Markdown."""
    return re.sub(r"([\\`*_{}\[\]()#+\-.!~:$<>|])", r"\\\1", text.strip())
