"""Work list: what is there to read, and the ways to bring more in."""

import streamlit as st

from ecgcore.ui import importing, navigation, services, style
from ecgcore.ui.work_table import show_table

style.dress_page()
st.title("Work list", anchor=False)

with st.container(key="worklist"):
    listed, bring = st.columns([7, 3], gap="large")
with bring:
    st.subheader("Add recordings", anchor=False)
    outcome = importing.drop_files()
    importing.add_folder()

with listed:
    listing = services.workspace().listing()
    with outcome:
        importing.show_outcome(listing)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        text = st.text_input(
            "Filter by name or folder",
            key="filter",
            persist_state="session",
            icon=":material/search:",
        )
        entries = navigation.listing_with(listing, text)
        if entries:
            start = st.button(f"Open {entries[0].name}", type="primary", key="open-first")
    navigation.remember_order(entries)
    if not listing.entries:
        st.info("No recordings yet. Drop files on the right, or add a folder of recordings.")
    elif not entries:
        st.info(f"No recording is named like “{text}”. Clear the filter to see all.")
    else:
        st.caption(f"{len(entries)} of {len(listing.entries)} recordings. Click one to open it.")
        if start:
            navigation.open_review(entries[0])
        show_table(entries)
    if listing.unread:
        st.caption(f"Reading {listing.unread} more …")
        st.rerun()
    elif entries:
        services.warm_up(entries[0])
