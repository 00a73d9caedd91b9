"""The only streamlit code outside app.py and pages/: cached services and shared widgets."""
