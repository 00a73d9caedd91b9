"""The remarks above the paper."""

from __future__ import annotations

import numpy as np

from ecgcore.recording import LEADS, Recording, Source
from ecgcore.signal.quality import QualityWarning
from ecgcore.signal.verdict import Verdict
from ecgcore.ui.head import _typeset, remarks

FIT = Verdict(True, 0.01, 0.27, "", {})
UNFIT = Verdict(False, 0.9, 0.27, "V3: no signal for 4.2 s of 10 s.", {})


def test_an_unfit_recording_says_so_before_all_else() -> None:
    signal = np.zeros((12, 5000), dtype=np.float32)
    recording = Recording("r", signal, 500.0, LEADS, Source("synthetic", "0" * 64))
    quality = (QualityWarning("V5", "flat", "Lead V5 is flat.", "unusable"),)
    first, *_ = remarks(recording, quality, UNFIT)
    assert first.severity == "unusable"
    assert first.text == "Not fit to read. V3: no signal for 4.2 s of 10 s."


def test_the_gravest_remark_comes_first_and_names_its_lead_once() -> None:
    signal = np.zeros((12, 5000), dtype=np.float32)
    source = Source("synthetic", "0" * 64, ("The header is odd.",))
    recording = Recording("r", signal, 500.0, LEADS, source)
    quality = (
        QualityWarning("II", "drift", "Lead II has a baseline wander.", "note"),
        QualityWarning("V5", "flat", "Lead V5 is flat.", "unusable"),
    )
    found = [(remark.severity, remark.text) for remark in remarks(recording, quality, FIT)]
    assert found == [
        ("unusable", "Lead V5 is flat."),
        ("warning", "Reading: The header is odd."),
        ("note", "Lead II has a baseline wander."),
    ]


def test_microvolts_are_printed_with_their_sign() -> None:
    assert _typeset("a wander of 548 uV peak to peak (limit 500 uV)") == (
        "a wander of 548 µV peak to peak (limit 500 µV)"
    )
    assert _typeset("the unit uV of file auV") == "the unit uV of file auV"
