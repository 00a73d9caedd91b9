"""Why a run ended, in one plain sentence with what to change."""

from __future__ import annotations

import errno
from pathlib import Path

from ecgcore.datasets.packed import PackedDataError
from ecgcore.datasets.record import DataSetError
from ecgcore.review.values import ReviewError
from ecgcore.training.checkpoint import CheckpointError, TrainingError

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_NO_MEMORY = ("can't allocate memory", "not enough memory", "out of memory", "cannot allocate")
SAID = (TrainingError, CheckpointError, PackedDataError, DataSetError, ReviewError)
"""Errors whose own words are a sentence for people."""


def sentence_of(error: BaseException, folder: Path) -> str:
    """The sentence for an error that ended the run in ``folder``."""
    if isinstance(error, OSError) and error.errno in _FULL:
        return (
            f"The disk is full ({folder}): nothing more could be saved. Free some space and resume "
            "the run; it goes on from its last save."
        )
    if isinstance(error, MemoryError) or _says_no_memory(error):
        return (
            "The memory ran out. Choose a smaller batch or network, or close other programs, and "
            "start the run again with these changes."
        )
    if isinstance(error, FileNotFoundError):
        return (
            f"A file that the run needs is gone: {error.filename}. Put it back and resume the run, "
            "or start one with other data."
        )
    if isinstance(error, SAID):
        return _sentence(str(error))
    if isinstance(error, OSError):
        return (
            f"A file could not be read or written: {error}. See that it is there and may be used, "
            "and resume the run."
        )
    return (
        f"The run met an error that nobody foresaw ({type(error).__name__}: {error}). Its log says "
        "where; please report it."
    )


def sentence_of_trial(error: BaseException) -> str:
    """Why one trial of a search could not be trained."""
    if isinstance(error, MemoryError) or _says_no_memory(error):
        return "The memory ran out."
    return _sentence(str(error) or type(error).__name__)


def _says_no_memory(error: BaseException) -> bool:
    """Torch raises RuntimeError, of which its out-of-memory error on a GPU is one, too."""
    text = str(error).lower()
    return isinstance(error, RuntimeError) and any(words in text for words in _NO_MEMORY)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")
