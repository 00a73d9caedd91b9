"""Criteria as data with their sources: measured values -> Finding."""
