"""The look of the Train page, beside what all pages share."""

from __future__ import annotations

import streamlit as st

_CSS = """
/* what it comes to stays in sight while the options are gone through */
@media (min-width: 1001px) { .st-key-train-new .stColumn:last-child:nth-child(3) {
  position: sticky; top: 4.2rem; align-self: flex-start; max-height: calc(100vh - 6.5rem);
  overflow-y: auto; } }
.st-key-train-folder-look [data-testid="InputInstructions"] { display: none; }
.train-left-out div { padding-bottom: .3rem; overflow-wrap: anywhere; }
.train-group { font-weight: 650; font-size: 1rem; padding: .55rem 0 .1rem;
  border-bottom: 1px solid var(--rule); }
.train-group i { font-style: normal; font-weight: 600; font-size: .82rem; color: var(--warn);
  padding-left: .6rem; }
.train-words { font-size: .84rem; line-height: 1.38; padding-top: .25rem; }
.train-words b { color: var(--warn); font-weight: 650; }
.train-words .why { color: var(--ink-soft); }
.train-words .wrong { color: var(--stop); display: block; font-weight: 600; }
[class*="st-key-train-row-"] { column-gap: 1rem; padding-left: .6rem; margin-left: -.6rem; }
[class*="st-key-train-back-"] button { min-height: 0; padding: 0; }
.st-key-train-options { gap: .45rem; }
.train-facts { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem;
  font-size: .9rem; margin: 0; padding: 0 !important; font-variant-numeric: tabular-nums; }
.train-facts dt { color: var(--ink-soft); margin: 0; font-weight: 400; }
.stHtml .train-facts dd { margin: 0; overflow-wrap: anywhere; }
.train-refusals { margin: 0; padding: .1rem 0 0 1rem !important; font-size: .88rem;
  line-height: 1.4; color: var(--stop); }
/* what waits for the server does not fade */
.st-key-train-new .stElementContainer, .st-key-train-new .stVerticalBlock,
.st-key-train-runs .stElementContainer, .st-key-train-runs .stVerticalBlock {
  opacity: 1 !important; transition: none !important; }
"""


def dress_train() -> None:
    """Lay the style under the page."""
    st.html(f"<style>{_CSS}</style>")
