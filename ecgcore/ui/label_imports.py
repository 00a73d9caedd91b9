"""Tables that come in on the page: labels on file, and what cleanlab found about them."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from ecgcore.review.exchange import read_labels
from ecgcore.review.imported_issues import keep_issues, read_issues
from ecgcore.review.people import Forbidden
from ecgcore.review.values import ReviewError
from ecgcore.ui import label_services
from ecgcore.ui.label_services import Work
from ecgcore.ui.markdown import plain

FORM_WIDTH = 620
"""In pixels: fields as long as what is written in them."""


def import_tables(work: Work) -> None:
    """Labels on file from a table, and cleanlab's issues as evidence."""
    st.subheader("Bring in a table", anchor=False)
    table = st.file_uploader(
        "Labels on file: our own table (recording or name, codes) or ptbxl_database.csv",
        type="csv",
        key="team-table",
        width=FORM_WIDTH,
    )
    if table is not None and st.button("Bring these labels in", key="team-import"):
        attempt(lambda: _keep_labels(work.person, table.getvalue()), "The labels are on file.")
    issues = st.file_uploader(
        "Label issues that cleanlab found, as evidence for the queue (the table of "
        'Datalab.get_issues("label"), with the recordings’ names as index)',
        type="csv",
        key="team-issues",
        width=FORM_WIDTH,
    )
    if issues is not None and st.button("Bring these issues in", key="team-import-issues"):
        _bring_issues(work.person, issues.getvalue(), issues.name)


def _keep_labels(person: str, data: bytes) -> None:
    store = label_services.store()
    known = store.recordings(person).values()
    store.file_labels(person, read_labels(data, known, "imported table"))


def _bring_issues(person: str, data: bytes, name: str) -> None:
    """Keep them, and say how many rows named no recording."""
    store = label_services.store()
    try:
        found = read_issues(data, store.recordings(person).values(), name)
        new = keep_issues(store, person, found.issues, name)
    except (ReviewError, Forbidden) as error:
        st.error(plain(str(error)))
        return
    st.success(f"Entries of recordings: {len(found.issues)}; new or changed: {new}.")
    if found.warning:
        st.warning(plain(found.warning))


def attempt(act: Callable[[], object], done: str) -> None:
    """Do something and say that it is done, or why it was not."""
    try:
        act()
    except (ReviewError, Forbidden) as error:
        st.error(plain(str(error)))
    else:
        st.success(plain(done))
