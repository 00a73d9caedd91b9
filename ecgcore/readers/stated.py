"""What a user states about a file that does not say it itself.

A table of numbers (CSV, NPZ) seldom says its sampling rate and unit. They are never guessed: the
reader raises ``UnstatedError``, so that a page or the command line can ask and try again with the
answer.
"""

from __future__ import annotations

from dataclasses import dataclass

from ecgcore.recording import RecordingError


@dataclass(frozen=True)
class Stated:
    """The user's word: ``sampling_rate`` in Hz and ``unit`` of voltage ("mV", "uV", "V")."""

    sampling_rate: float | None = None
    unit: str | None = None


class UnstatedError(RecordingError):
    """The sampling rate or the unit is neither in the file nor stated: ask, then read again."""
