"""Who is at the screen: a local name, or the one that a sign-in has proved.

``ECG_SIGN_IN`` is not set: one person's own computer; the name is the one of the account, and can
be changed on the page. ``oidc``: Streamlit's sign-in (``.streamlit/secrets.toml``, section
``auth``). ``header:NAME``: a proxy in front has proved who it is and writes that header itself; it
must be the only way to this server. Nobody is let in under a name that was not proved.
"""

from __future__ import annotations

import getpass
import os

import streamlit as st

from ecgcore.review.people import LONGEST_NAME
from ecgcore.review_work import SIGN_IN

_LOCAL = "local-name"


def reviewer() -> str:
    """The name of whoever is at this screen; the page stops here until somebody has signed in."""
    way = os.environ.get(SIGN_IN, "")
    if not way:
        return str(st.session_state.get(_LOCAL) or "").strip() or account()
    if way == "oidc":
        return _by_oidc()
    kind, _, header = way.partition(":")
    if kind == "header" and header:
        name = (st.context.headers.get(header) or "").strip()
        if name and len(name) <= LONGEST_NAME:
            return name
        st.error(f"Nobody is signed in: the proxy in front sent no {header}.")
    else:
        st.error(f"{SIGN_IN} is {way!r}; allowed: oidc, or header:NAME of a proxy's header.")
    st.stop()


def account() -> str:
    """The name of the account on this computer."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "local"


def choose_name() -> None:
    """Where nobody signs in, the field for the name that decisions are kept under; the way out for
    who has signed in."""
    if os.environ.get(SIGN_IN) == "oidc":
        _offer_sign_out()
    if os.environ.get(SIGN_IN):
        return
    st.text_input(
        "Your name",
        value=account(),
        max_chars=LONGEST_NAME,
        key=_LOCAL,
        persist_state="session",
        help="Decisions are kept under this name.",
    )


def _by_oidc() -> str:
    user = st.user
    if not getattr(user, "is_logged_in", False):
        st.info("Sign in to look at labels.")
        st.button("Sign in", key="sign-in", on_click=st.login, type="primary")
        st.stop()
    name = str(user.get("email") or user.get("sub") or "")
    if not name or user.get("email_verified") is False:
        st.error("The sign-in gave no proved name. Ask the administrator of your sign-in.")
        _offer_sign_out()
        st.stop()
    return name


def _offer_sign_out() -> None:
    st.button("Sign out", key="sign-out", on_click=st.logout, icon=":material/logout:")
