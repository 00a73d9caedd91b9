"""Bytes to Recording: one file a format; the content decides the format, never the name."""
