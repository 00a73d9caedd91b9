"""The only Streamlit code outside ``app.py`` and ``pages/``: cached services and shared widgets."""
