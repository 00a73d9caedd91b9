"""The look that Streamlit's theme cannot give, and the sentence that stands on every page.

Only system fonts, no outside request. Classes ``st-key-...`` are Streamlit's own for keyed
elements; every rule here hangs on such a key, on a class of ours, or on a documented test id.
"""

from __future__ import annotations

import streamlit as st

from ecgcore.recording import Recording

DISCLAIMER = "Research use only; not a medical device."

# The colours that the rules below use. They are set by the server, which knows the theme: a
# selector that looks for a mark in the page (":has") is tried again at every change of the drawing.
_LIGHT = (
    ":root { --paper: #fff6f4; --ink: #1d2327; --ink-soft: #59636a; --rule: #d7dadc; "
    "--rail: #ebedee; --bar: #8fb4c8; --bar-on: #d55e00; --mark: #0b5f8a; "
    "--warn: #8a4b00; --stop: #a1202b; }"
)
_DARK = (
    ":root { --paper: #14181b; --ink: #e6e9eb; --ink-soft: #9aa6ad; --rule: #343c42; "
    "--rail: #262d32; --bar: #44708a; --bar-on: #f0883e; --mark: #6cb8e6; "
    "--warn: #f0b860; --stop: #ff8f8f; }"
)

_CSS = """
/* room for the paper: little padding, no sidebar, a fixed header */
.stMainBlockContainer { padding: 4.1rem 1.5rem 2.6rem; max-width: 2200px; }
.stMainBlockContainer > .stVerticalBlock { gap: .55rem; }
h1 { letter-spacing: -.01em; }

.lightbox-foot { position: fixed; left: 0; right: 0; bottom: 0; z-index: 90; padding: .28rem 1.5rem;
  font-size: .78rem; color: var(--ink-soft); background: var(--st-background-color, Canvas);
  border-top: 1px solid var(--rule); display: flex; justify-content: space-between; }

/* head of the review page */
.lightbox-head { display: flex; flex-wrap: wrap; align-items: baseline; gap: .1rem 1.1rem;
  min-height: 2.4rem; line-height: 1.35; }
.lightbox-head .name { font-size: 1.35rem; font-weight: 650; max-width: 24ch; overflow: hidden;
  text-overflow: ellipsis; white-space: nowrap; }
.lightbox-head .fact { color: var(--ink-soft); font-size: .93rem; white-space: nowrap; }
.lightbox-head .fact b { font-weight: 600; color: inherit; }

/* one line of remarks, always of the same height */
.lightbox-remark { font-size: .88rem; line-height: 2.1rem; height: 2.1rem; overflow: hidden;
  text-overflow: ellipsis; white-space: nowrap; color: var(--ink-soft); }
.lightbox-remark.warning { color: var(--warn); }
.lightbox-remark.unusable { color: var(--stop); font-weight: 600; }

.stHorizontalBlock.st-key-remarks { height: 2.5rem; flex-wrap: nowrap; }
.st-key-remarks > :first-child { flex: none; }
.st-key-remarks > :last-child { min-width: 0; }

/* the controls in one row at 1280 pixels; the part of a long recording beside the remarks */
.st-key-controls { position: relative; column-gap: 1rem; row-gap: .4rem; }
.st-key-controls [role="radio"] { padding-left: .6rem; padding-right: .6rem; }
[role="radio"][aria-checked="true"], [role="radio"][aria-checked="true"] * { color: var(--mark); }
.lightbox-window { white-space: nowrap; font-size: .9rem; font-variant-numeric: tabular-nums;
  min-width: 10.5rem; text-align: center; }
@media (min-width: 1001px) {
  .stHorizontalBlock.st-key-remarks { padding-right: 20rem; }
  .st-key-window-control { position: absolute !important; right: 0; top: -3.05rem;
    width: auto !important; } }

/* where the keyboard is, also on what Streamlit gives no ring */
[data-testid="stTopNavLink"]:focus-visible, [data-testid="stElementToolbar"] button:focus-visible,
summary:focus-visible { outline: 2px solid var(--mark); outline-offset: 1px; }

/* the work list */
.lightbox-path { font-size: .85rem; overflow-wrap: anywhere; line-height: 1.3; }
.st-key-worklist .stAlert p { font-size: .9rem; }

/* the paper keeps its true scale: it scrolls rather than shrinks */
.st-key-lightbox { align-items: flex-start; }
.st-key-lightbox > div:first-child { flex: 0 1 auto; min-width: 0; }
.st-key-lightbox > div:last-child { flex: 1 1 19rem; min-width: 19rem;
  max-width: 56rem; width: auto; }
/* findings of the model and of the rules: side by side where there is room */
.st-key-panel { align-items: flex-start; column-gap: 1.4rem; row-gap: 1rem; }
.st-key-panel > div { flex: 1 1 19rem; min-width: min(19rem, 100%); max-width: 34rem; width: auto; }
.lightbox-headline { display: flex; flex-wrap: wrap; justify-content: space-between;
  gap: .3rem 1.2rem; font-variant-numeric: tabular-nums; min-height: 3.6rem; }
.lightbox-headline div { line-height: 1.25; }
.lightbox-headline span { display: block; font-size: .74rem; color: var(--ink-soft); }
.lightbox-headline b { font-weight: 650; font-size: 1rem; white-space: nowrap; }
.lightbox-headline i { display: block; font-style: normal; font-size: .74rem;
  color: var(--ink-soft); white-space: nowrap; }
.lightbox-matrix { overflow-x: auto; }
.lightbox-matrix table { border-collapse: collapse; font-size: .82rem; width: 100%;
  font-variant-numeric: tabular-nums; }
.lightbox-matrix th { font-weight: 600; text-align: right; padding: .1rem .45rem; }
.lightbox-matrix th:first-child { text-align: left; white-space: nowrap; }
.lightbox-matrix td { text-align: right; padding: .1rem .45rem; border-top: 1px solid var(--rule); }
.lightbox-matrix th.doubted { color: var(--stop); }
.lightbox-matrix tr.unit th { padding-top: .5rem; color: var(--ink-soft); }
.st-key-rule-card { border-left: 3px solid var(--mark); padding: .1rem 0 .4rem .7rem; }
.st-key-rule-card code { white-space: normal; overflow-wrap: anywhere; font-size: .75rem; }
.st-key-paper-scroll { overflow-x: auto; overflow-y: hidden; border-radius: 6px;
  border: 1px solid var(--rule); width: 100%; }
.st-key-paper-scroll > div, .st-key-paper-sheet,
.st-key-paper-sheet > div { flex: none; max-width: none; min-width: max-content; }
/* a new drawing lies over the last one of the same recording, which stays until it is painted */
.st-key-paper-sheet { position: relative; overflow: hidden; background: var(--paper); }
.st-key-paper-sheet > div { position: absolute; top: 0; left: 0; }
@keyframes lightbox-covered { to { visibility: hidden; } }
/* nor does it fade while the next one is on its way */
.st-key-paper-sheet .stVerticalBlock, .st-key-paper-sheet .stElementContainer,
.st-key-paper-sheet .stPlotlyChart, .st-key-paper-sheet .js-plotly-plot {
  opacity: 1 !important; transition: none !important; }
@media (max-width: 1000px) {
  .st-key-lightbox { flex-direction: column; }
  .st-key-lightbox > div:first-child,
  .st-key-lightbox > div:last-child { width: 100%; max-width: 100%;
    flex: none !important; }
  .st-key-worklist > div > .stHorizontalBlock { flex-direction: column; }
  .st-key-worklist > div > .stHorizontalBlock > .stColumn { width: 100%; flex: none; } }

/* a finding: the row is the button; the bar below is the probability, the tick the threshold */
.st-key-findings, .st-key-findings .stVerticalBlock, .st-key-rules,
.st-key-rules .stVerticalBlock { gap: .4rem; }
.st-key-panel [class*="st-key-finding-"] button { padding: .3rem .6rem .55rem; min-height: 3rem;
  border-radius: 5px; text-align: left; border: 1px solid var(--rule); overflow: hidden;
  background-repeat: no-repeat; background-image: linear-gradient(var(--ink), var(--ink)),
    linear-gradient(var(--bar), var(--bar)), linear-gradient(var(--rail), var(--rail));
  background-size: 2px 10px, var(--p, 0%) 5px, 100% 5px;
  background-position: var(--t, -9px) 100%, 0 100%, 0 100%; }
.st-key-panel [class*="st-key-finding-"] button > div,
.st-key-panel [class*="st-key-finding-"] button > div > span { width: 100%; }
.st-key-panel [class*="st-key-finding-"] button [data-testid="stMarkdownContainer"] {
  width: 100%; }
.st-key-panel [class*="st-key-finding-"] button p { display: grid; width: 100%; gap: 0 .5rem;
  grid-template-columns: minmax(0, 1fr) auto; line-height: 1.3; font-size: .9rem; }
.st-key-panel button p strong { grid-column: 1; grid-row: 1; font-weight: 650; }
.st-key-panel button p em { grid-column: 1; grid-row: 2; font-style: normal; font-size: .8rem;
  color: var(--ink-soft); overflow-wrap: anywhere; white-space: normal; }
.st-key-panel button p code { grid-column: 2; grid-row: 1; justify-self: end; padding: 0;
  background: none; color: inherit; font-size: .95rem; font-weight: 600;
  font-variant-numeric: tabular-nums; }
.st-key-panel button p del { grid-column: 2; grid-row: 2; justify-self: end; font-size: .76rem;
  text-decoration: none; color: var(--ink-soft); font-variant-numeric: tabular-nums; }
.lightbox-none { color: var(--ink-soft); font-size: .86rem; padding: .35rem .1rem; }
.lightbox-doubt { color: var(--stop); font-size: .84rem; line-height: 1.3; }
.lightbox-title { font-weight: 650; font-size: .95rem; padding-top: .2rem; }
.lightbox-small { color: var(--ink-soft); font-size: .8rem; line-height: 1.45; }
.lightbox-status { height: 1.4rem; overflow: hidden; color: var(--ink-soft); font-size: .8rem;
  line-height: 1.4rem; white-space: nowrap; text-overflow: ellipsis; }
.stVerticalBlock.st-key-status { min-height: 1.5rem; max-height: 1.5rem; overflow: hidden; }
.st-key-status .stSpinner, .st-key-status .stSpinner p { font-size: .8rem; line-height: 1.4rem;
  color: var(--ink-soft); }
.lightbox-reading { min-height: 1.2rem; line-height: 1.2rem; color: var(--ink-soft);
  font-size: .82rem; }
.lightbox-wait { min-height: 24rem; color: var(--ink-soft); font-size: .9rem; padding-top: .6rem; }
.lightbox-facts { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1.2rem;
  font-size: .88rem; padding: .2rem 0 .6rem !important; margin: 0; }
.stHtml .lightbox-facts dd { margin: 0; }
.lightbox-moved { display: grid; grid-template-columns: max-content 1fr; gap: .3rem .7rem;
  font-size: .8rem; line-height: 1.35; padding: .2rem 0 .3rem !important; margin: 0; }
.stHtml .lightbox-moved dd { margin: 0; }
.lightbox-moved dt { font-family: monospace; font-weight: 650; margin: 0; }
/* label quality: the decision beside the paper */
.label-filed { font-size: .95rem; line-height: 1.35; }
.st-key-label-panel, .st-key-label-panel .stVerticalBlock { gap: .45rem; }
.st-key-label-panel { flex: 1 1 22rem; min-width: 22rem; max-width: 44rem; }
.st-key-label-panel [class*="st-key-label-reason-"] button,
.st-key-label-panel [class*="st-key-label-say-"] button { text-align: left; min-height: 0;
  padding: .2rem .55rem; border-radius: 5px; justify-content: flex-start; }
.st-key-label-panel [class*="st-key-label-reason-"] button { border-left: 3px solid var(--warn); }
.st-key-label-panel [class*="st-key-label-reason-"] button p,
.st-key-label-panel [class*="st-key-label-say-"] button p { font-size: .85rem; line-height: 1.3;
  text-align: left; width: 100%; }
.st-key-label-panel [class*="st-key-label-say-"] button > div,
.st-key-label-panel [class*="st-key-label-reason-"] button > div { width: 100%;
  justify-content: flex-start; }
.st-key-label-buttons, .st-key-label-steps { gap: .35rem !important; }
.st-key-label-buttons button, .st-key-label-steps button { padding: .3rem .55rem; }
.label-instead { font-size: .92rem; line-height: 1.3; margin-top: .15rem; }
.label-instead span { color: var(--ink-soft); font-size: .8rem; }
.label-reason { font-size: .85rem; line-height: 1.3; border: 1px solid var(--rule);
  border-left: 3px solid var(--warn); border-radius: 5px; padding: .25rem .55rem; }
.st-key-label-filters { row-gap: .3rem; }
.lightbox-facts dt { color: var(--ink-soft); margin: 0; font-weight: 400; }
/* models */
.model-state { white-space: nowrap; }
.model-limits { font-size: .88rem; line-height: 1.4; border-left: 3px solid var(--warn);
  padding: .1rem 0 .1rem .8rem; }
.model-limits ul { margin: .1rem 0 0; padding-left: 1.1rem; }
.model-facts { grid-template-columns: 9.5rem minmax(0, 1fr); }
.model-facts dd { overflow-wrap: anywhere; }
.model-matrix td { white-space: nowrap; }
.model-matrix td span { color: var(--ink-soft); }
.model-matrix th:first-child { white-space: normal; font-weight: 400; }
.model-facts-table { max-width: 1100px; }
.model-facts-table td { text-align: left; overflow-wrap: anywhere; width: 42%; }
.model-facts-table th { text-align: left; }
"""


def dark() -> bool:
    """Whether the reader's browser shows the dark theme."""
    return st.context.theme.type == "dark"


def dress_page() -> None:
    """Lay the style under the page and the disclaimer at its foot."""
    _run_under_app()
    colours = _DARK if dark() else _LIGHT
    # One element with the note: a style alone would be taken away and put back at every rerun.
    st.html(
        f"<style>{colours}{_CSS}</style>"
        f'<div class="lightbox-foot" role="note"><span>{DISCLAIMER}</span>'
        "<span>ECG Lightbox</span></div>"
    )


def _run_under_app() -> None:
    """Start again through app.py if Streamlit ran this page by itself.

    Until ``st.navigation`` has run once, a server takes a folder ``pages`` for an app of its first
    kind of pages: after a restart a reload or a bookmark would show a page without its frame.
    """
    from streamlit.runtime.pages_manager import PagesManager

    if PagesManager.uses_pages_directory:
        PagesManager.uses_pages_directory = False
        st.rerun()


def of(recording: Recording) -> str:
    """The class, or the end of the key, of whatever shows something of one recording."""
    return f"of-recording-{recording.source.identity[:16]}"


def only_of(recording: Recording | None) -> str:
    """A style that hides what is of any other recording.

    The browser gets a page in pieces: it stands in one element with the recording's name, so that
    nothing of the last recording can be seen under it while the rest is on its way.
    """
    kept = "" if recording is None else f':not([class*="{of(recording)}"])'
    return f'<style>[class*="of-recording-"]{kept} {{ visibility: hidden !important; }}</style>'


def paper_order(front: int) -> str:
    """Markup that lays one of the paper's two places over the other, which hides once covered."""
    # A key or class of the places would do it too, but Streamlit mounts anew what changes its key.
    return (
        "<style>.st-key-paper-place-0, .st-key-paper-place-1 { position: relative; z-index: 1; } "
        f".st-key-paper-place-{front} {{ z-index: 2; }} .st-key-paper-place-{1 - front} "
        "{ pointer-events: none; animation: lightbox-covered 0s 2s forwards; }"
        "</style><span></span>"
    )
