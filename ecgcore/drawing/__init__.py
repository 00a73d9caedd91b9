"""Plotly figures from values; knows no files, no models and no pages."""
