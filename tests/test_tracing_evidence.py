"""Tracings that several recordings of a workspace share, from files to a reason with a place."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from ecgcore.label_evidence import EvidenceBook
from ecgcore.label_queue import judged
from ecgcore.recording import Recording
from ecgcore.review.store import FiledLabels
from ecgcore.signal.simulator import PRESETS, simulate
from ecgcore.tracing_evidence import TracingBook, pairs_among

A, B, C, D = (letter * 64 for letter in "abcd")


def _hearts() -> dict[str, Recording]:
    """Two stretches of one fibrillating heart, another one, and one without V6."""
    whole = simulate(replace(PRESETS["atrial fibrillation"], seed=3, seconds=14.0), "h").recording
    rate = round(whole.sampling_rate)
    return {
        A: replace(whole, signal=whole.signal[:, : 10 * rate]),
        B: replace(whole, signal=2 * whole.signal[:, 4 * rate :]),
        C: simulate(replace(PRESETS["sinus"], seed=4), "h").recording,
        D: replace(whole, signal=whole.signal[:-1], leads=whole.leads[:-1]),
    }


def test_newcomers_are_compared_with_those_kept_and_a_new_server_knows_them(tmp_path: Path) -> None:
    hearts = _hearts()
    book = TracingBook(tmp_path)
    assert book.compare(A, hearts[A], ()) == {}
    assert book.compare(C, hearts[C], (A,)) == {}
    found = TracingBook(tmp_path).compare(B, hearts[B], (A, C))
    assert isinstance(found, dict)
    assert list(found) == [A]
    correlation, seconds, later = found[A]
    assert correlation > 0.95
    assert seconds == pytest.approx(6.0, abs=0.05)
    assert later == pytest.approx(-4.0, abs=0.02)
    assert "without V6" in str(book.compare(D, hearts[D], ()))
    assert book.compare(A, hearts[A], ()) == {}, "it is not its own copy"


def test_a_damaged_file_is_left_out_not_a_crash(tmp_path: Path) -> None:
    hearts = _hearts()
    TracingBook(tmp_path).compare(A, hearts[A], ())
    (path,) = tmp_path.rglob("*.npz")
    for damage in (b"", b"PK\x03\x04 no archive", path.read_bytes()[:300]):
        path.write_bytes(damage)
        assert TracingBook(tmp_path).compare(B, hearts[B], (A,)) == {}


def test_a_name_that_is_no_hash_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="SHA-256 of its content"):
        TracingBook(tmp_path).compare("../x", _hearts()[A], ())


def test_pairs_are_told_once_and_only_among_those_asked_about() -> None:
    found = {B: {A: (1.0, 5.0, 0.0)}, A: {B: (1.0, 5.0, 0.0)}, D: {"e" * 64: (1.0, 5.0, 0.0)}}
    assert pairs_among(found, (A, B, D)) == ((0, 1),)
    assert pairs_among(found, (C, B, A)) == ((1, 2),)
    assert pairs_among(found, (A, C)) == ()


def test_the_other_label_of_one_tracing_is_a_reason_that_names_and_opens_it(tmp_path: Path) -> None:
    hearts = _hearts()
    book = EvidenceBook(tmp_path, ("lightbox",))
    list(book.gather({key: partial(hearts.__getitem__, key) for key in (A, B, C)}))
    again = EvidenceBook(tmp_path, ("lightbox",))
    assert again.missing((A, B, C)) == ()
    assert again.same_tracings((A, B, C)) == ((0, 1),)
    codes = {A: ("AFIB",), B: ("SR",), C: ("SR",)}
    filed = {key: FiledLabels(key, one, "t") for key, one in codes.items()}
    found = judged(again, filed, (A, B, C), {A: "first", B: "second", C: "third"})
    suspicion = found[B][0]
    assert suspicion is not None
    told = [
        reason for label in suspicion.labels for reason in label.reasons
        if reason.kind == "duplicate" and label.code == "AFIB"
    ]  # fmt: skip
    assert [one.others for one in told] == [(A,)]
    assert told[0].weight > 0
    assert told[0].text.startswith("the same tracing as first, whose labels say AFIB, speaks for ")
    other = found[C][0]
    assert other is not None
    assert not [r for label in other.labels for r in label.reasons if r.kind == "duplicate"]


def test_what_is_kept_holds_no_name(tmp_path: Path) -> None:
    heart = replace(_hearts()[A], record_id="Jane Doe")
    TracingBook(tmp_path).compare(A, heart, ())
    (path,) = tmp_path.rglob("*.npz")
    assert b"Jane" not in path.read_bytes()
    with np.load(path) as content:
        assert sorted(content) == ["beat", "signal"]
