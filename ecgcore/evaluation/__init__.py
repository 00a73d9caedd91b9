"""Scores, thresholds and intervals."""
