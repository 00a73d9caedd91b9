"""LUDB's statements in words as SCP-ECG statements, where they mean just the same.

Rhythm and conduction only (Kalyakulina et al. 2020, table 2). Not hypertrophy, overload and axis:
LUDB's stored voltages are false (see the reader's warning), so that whatever measures a voltage
would be judged by numbers that no heart made.
"""

from __future__ import annotations

_STATEMENTS: dict[str, str] = {
    "rhythm: sinus rhythm": "SR",
    "rhythm: sinus tachycardia": "STACH",
    "rhythm: sinus bradycardia": "SBRAD",
    "rhythm: sinus arrhythmia": "SARRH",
    "rhythm: atrial fibrillation": "AFIB",
    "rhythm: atrial flutter, typical": "AFLT",
    "i degree av block": "1AVB",
    "iii degree av-block": "3AVB",
    "complete right bundle branch block": "CRBBB",
    "incomplete right bundle branch block": "IRBBB",
    "complete left bundle branch block": "CLBBB",
    "incomplete left bundle branch block": "ILBBB",
    "left anterior hemiblock": "LAFB",
}


WORDED = frozenset(_STATEMENTS.values())
"""The statements that LUDB's words can say."""


def statement_of_words(text: str) -> str | None:
    """The SCP-ECG statement that LUDB's words mean exactly, None where none does."""
    return _STATEMENTS.get(text.strip(" .").lower())
