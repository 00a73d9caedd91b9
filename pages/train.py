"""Train: put a run together and start it, watch runs, compare them."""

import streamlit as st

from ecgcore.ui import style
from ecgcore.ui.navigation import RUNS, TRAIN_VIEW
from ecgcore.ui.reviewer import reviewer

VIEWS = ("New run", RUNS, "Compare")

style.dress_page()
person = reviewer()
# Other views set it too: a default beside that would be said twice.
st.session_state.setdefault(TRAIN_VIEW, VIEWS[0])
view = st.segmented_control(
    "View",
    VIEWS,
    required=True,
    key=TRAIN_VIEW,
    persist_state="session",
    label_visibility="collapsed",
)
if view == RUNS:
    from ecgcore.ui.train_runs import show_runs

    show_runs(person)
elif view == "Compare":
    from ecgcore.ui.train_compare import show_compare

    show_compare(person)
else:
    from ecgcore.ui.train_new import show_new

    show_new(person)
