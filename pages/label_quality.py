"""Label quality: the suspicious labels first, decided by people, counted, taken into training."""

import streamlit as st

from ecgcore.ui import label_work, style
from ecgcore.ui.label_gathering_view import show_gathering
from ecgcore.ui.label_snapshots import show_snapshots
from ecgcore.ui.label_team import show_agreement, show_team
from ecgcore.ui.reviewer import reviewer

VIEWS = ("Queue", "Agreement", "Snapshots", "Team")

style.dress_page()
work = label_work.work_or_stop(reviewer())
with st.container(horizontal=True, vertical_alignment="bottom", key="label-top"):
    view = st.segmented_control(
        "View",
        VIEWS,
        default=VIEWS[0],
        required=True,
        key="label-view",
        persist_state="session",
        label_visibility="collapsed",
    )
    label_work.show_who(work)
    show_gathering()
if view == "Agreement":
    show_agreement(work)
elif view == "Snapshots":
    show_snapshots(work)
elif view == "Team":
    show_team(work)
else:
    label_work.show_queue(work)
