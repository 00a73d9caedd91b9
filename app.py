"""ECG Lightbox: page config, navigation, run."""

import streamlit as st

st.set_page_config(page_title="ECG Lightbox", page_icon="assets/icons/lightbox.svg", layout="wide")
st.navigation(
    [
        st.Page("pages/worklist.py", title="Work list", icon=":material/list:", default=True),
        st.Page("pages/review.py", title="Review", icon=":material/ecg_heart:"),
        st.Page("pages/label_quality.py", title="Label quality", icon=":material/fact_check:"),
        st.Page("pages/train.py", title="Train", icon=":material/model_training:"),
        st.Page("pages/models.py", title="Models", icon=":material/neurology:"),
    ],
    position="top",
).run()
