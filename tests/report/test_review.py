"""The PDF of a review, read back: true scale, all that was found, no identifier of the patient."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ecgcore import DISCLAIMER
from ecgcore.drawing.layout import LAYOUTS
from ecgcore.drawing.page import PaperOptions
from ecgcore.drawing.palette import LIGHT
from ecgcore.drawing.print_page import PrintPage, write_pdf
from ecgcore.recording import SIMULATED, Patient, Source, Statement
from ecgcore.report import review
from ecgcore.report.review import print_review
from ecgcore.report.values import Decision, Printed, ReviewReport
from ecgcore.signal.filters import DisplayFilter
from tests.drawing.recordings import lead_height, pulses
from tests.pdf_reading import MM, Line, Page, read_pdf, streams
from tests.report.reports import (
    full_report,
    known_decision,
    known_measurements,
    known_recording,
)

TOLERANCE_MM = 0.01
GAINS = {25: 10, 50: 20}
"""The gain that each speed is printed with in every layout."""
REPOSITORY = Path(__file__).resolve().parents[2]


def _pages(report: ReviewReport, identifiers: bool = False) -> list[Page]:
    return read_pdf(print_review(report, identifiers=identifiers).pdf)


def _all_text(report: ReviewReport, identifiers: bool = False) -> str:
    return "\n".join(page.text() for page in _pages(report, identifiers))


@cache
def _printed() -> Printed:
    """The full report, printed once for all that look at it."""
    return print_review(full_report())


@cache
def _full_text() -> str:
    return "\n".join(page.text() for page in read_pdf(_printed().pdf))


@cache
def _plain_pages() -> tuple[Page, ...]:
    """The pages of a recording alone."""
    return tuple(_pages(ReviewReport(pulses())))


def _as_written(report: ReviewReport) -> tuple[tuple[PrintPage, ...], str]:
    """The pages and the title that ``print_review`` would write into the report's own file."""
    given: list[Any] = []

    def keep(*words: Any) -> bytes:
        given.append(words)
        return b""

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(review, "write_pdf", keep)
        print_review(report)
    ((pages, title, *_),) = given
    return tuple(pages), title


def _together(reports: Sequence[ReviewReport]) -> bytes:
    """All pages of the reports in one file, under all titles: what a file costs is its fonts."""
    written = [_as_written(report) for report in reports]
    pages = [page for pages, _ in written for page in pages]
    return write_pdf(pages, "; ".join(title for _, title in written), DISCLAIMER)


def _upright(lines: list[Line]) -> np.ndarray:
    """Where upright lines lie, in mm."""
    found = {line.points[0][0] for line in lines if line.points[0][0] == line.points[1][0]}
    return np.array(sorted(found)) / MM


def _traces(page: Page) -> list[np.ndarray]:
    """The traces of a page in mm, (samples, 2) each."""
    return [np.array(line.points) / MM for line in page.of_colour(LIGHT.trace)
            if len(line.points) > 100]  # fmt: skip


def test_the_paper_is_at_true_scale() -> None:
    page, *_ = _plain_pages()
    assert page.size == pytest.approx((297 * MM, 210 * MM), abs=1e-3)
    for colour, step in ((LIGHT.major_grid, 5.0), (LIGHT.minor_grid, 1.0)):
        across = _upright(page.of_colour(colour))
        assert len(across) == 270 / step + 1
        np.testing.assert_allclose(np.diff(across), step, atol=TOLERANCE_MM)
        up = {line.points[0][1] for line in page.of_colour(colour)
              if line.points[0][1] == line.points[1][1]}  # fmt: skip
        np.testing.assert_allclose(np.diff(sorted(up)) / MM, step, atol=TOLERANCE_MM)
    # The pulse of 1 mV and 0.2 s, once a row.
    furniture = [np.array(line.points) / MM for line in page.of_colour(LIGHT.trace)
                 if len(line.points) == 6]  # fmt: skip
    assert len(furniture) == 4
    for pulse in furniture:
        assert np.ptp(pulse[:, 1]) == pytest.approx(10.0, abs=TOLERANCE_MM)
        assert pulse[3, 0] - pulse[2, 0] == pytest.approx(5.0, abs=TOLERANCE_MM)


@pytest.mark.parametrize(("speed", "gain"), [(25, 10), (50, 20), (25, 5)])
def test_every_sample_lies_where_its_time_and_voltage_say(speed: int, gain: int) -> None:
    options = PaperOptions(speed=speed, gain=gain)  # type: ignore[arg-type]
    recording = pulses()
    page, *_ = _pages(ReviewReport(recording, paper=options))
    rows = _traces(page)
    assert [len(row) for row in rows] == [1250] * 12 + [5000]
    strip = rows[-1]
    times = np.arange(5000) / recording.sampling_rate
    np.testing.assert_allclose(strip[:, 0] - strip[0, 0], times * speed, atol=TOLERANCE_MM)
    expected = recording.lead("II") * gain
    np.testing.assert_allclose(strip[:, 1] - strip[0, 1], expected, atol=TOLERANCE_MM)
    # One second from edge to edge.
    edges = strip[1:][np.diff(strip[:, 1]) > 1.0, 0]
    np.testing.assert_allclose(np.diff(edges), speed, atol=TOLERANCE_MM)
    for lead, row in zip(("I", "II", "III"), rows, strict=False):
        assert np.ptp(row[:, 1]) == pytest.approx(lead_height(lead) * gain, abs=TOLERANCE_MM)
    assert f"{speed} mm/s   {gain} mm/mV" in page.text()


@pytest.fixture(scope="module")
def first_pages() -> dict[tuple[str, int], Page]:
    """The paper of a recording of far too high voltages, by layout and speed."""
    tall = replace(pulses(2.0), signal=pulses(2.0).signal * 60)
    wanted = list(product(LAYOUTS, GAINS))
    firsts = []
    for layout, speed in wanted:
        options = PaperOptions(layout=layout, speed=speed, gain=GAINS[speed])  # type: ignore[arg-type]
        firsts.append(_as_written(ReviewReport(tall, paper=options))[0][0])
    return dict(zip(wanted, read_pdf(write_pdf(firsts, "layouts", DISCLAIMER)), strict=True))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("speed", GAINS)
def test_every_layout_fits_its_page(
    first_pages: dict[tuple[str, int], Page], layout: str, speed: int
) -> None:
    page = first_pages[layout, speed]
    assert f"{speed} mm/s   {GAINS[speed]} mm/mV" in page.text()
    grid = np.concatenate([np.array(line.points) for line in page.of_colour(LIGHT.major_grid)])
    assert (grid >= 5 * MM).all() and (grid <= np.array(page.size) - 5 * MM).all()
    foot = next(text for text in page.texts if text.text == DISCLAIMER)
    assert grid[:, 1].min() > foot.y + foot.size
    assert "beyond the paper" in page.text()


def test_the_usual_paper_is_a4_whatever_the_voltages() -> None:
    wild = replace(pulses(), signal=pulses().signal * -30)
    page, *_ = _pages(ReviewReport(wild))
    assert page.size == pytest.approx((297 * MM, 210 * MM), abs=1e-3)


def test_the_filter_is_named_and_changes_the_picture_only() -> None:
    plain, *_ = _plain_pages()
    assert "filter: none (display)" in plain.text()
    options = PaperOptions(display_filter=DisplayFilter("0.5-40 Hz", 50))
    page, *_ = _pages(ReviewReport(pulses(), paper=options))
    assert "filter: 0.5-40 Hz, notch 50 Hz (display)" in page.text()
    assert not np.allclose(_traces(page)[-1], _traces(plain)[-1], atol=0.1)


def test_a_long_recording_shows_10_s_and_its_rhythm() -> None:
    pages = _pages(ReviewReport(pulses(300.0)))
    assert "0.0–10.0 s of 300.0 s" in pages[0].text()
    rhythm = [page for page in pages if "Rhythm, lead II, all 300 s" in page.text()]
    strips = [strip for page in rhythm for strip in _traces(page)]
    assert [len(strip) for strip in strips] == [5000] * 30
    text = "".join(page.text() for page in rhythm)
    assert all(f"II   {start}–{start + 10} s" in text for start in range(0, 300, 10))
    np.testing.assert_allclose(strips[7][:, 0] - strips[7][0, 0], np.arange(5000) / 20, atol=0.01)
    assert all(page.size[0] > page.size[1] for page in rhythm)


def test_of_half_an_hour_five_minutes_are_printed_and_the_rest_is_told() -> None:
    slow = pulses(1800.0, rate=50.0)
    pages = _pages(ReviewReport(slow))
    rhythm = [page for page in pages if "Rhythm, lead II, the first 300 s of 1800 s" in page.text()]
    assert sum(len(_traces(page)) for page in rhythm) == 30


def test_everything_that_was_found_is_printed() -> None:
    text = _full_text()
    for said in (
        "case 17", "63 years", "female", "recorded 2026-03-04 05:06", "10.0 s at 500 Hz", "WFDB",
        f"SHA-256 {'ab' * 32}", "An odd thing was read.", "Not fit to read. V1 is flat.",
        "normal ECG (80 %)", "100/min", "no P wave was found", "The rhythm is irregular.",
        "CLBBB: CLBBB described", "QRS duration 152 ms ≥ 120 ms", "152 ms", "120 ms",
        "Surawicz et al. 2009", "CLBBB: Bear this in mind.", "1 do not hold", "LVH",
        "AFIB: Not decided. RR: too few beats.", "Answers of the model lightbox", "0.876", "0.321",
        "positive", "AFIB 0.123 (0.400)", "NORM (superclass) 0.234 (0.500)", "WPW: not enough data",
        "Probabilities are calibrated", "No voltages are seen: HYP",
        "Models give NORM 0.03.", "Two annotators disagree.",
        "Dr. A. Reviewer", "2026-11-28 16:05+00:00", "change", "complete left bundle branch block",
        "left bundle branch block", "Broad QRS.", "Signature", "Date",
    ):  # fmt: skip
        assert said in text, said


def test_what_was_not_asked_for_is_said_to_be_so() -> None:
    text = "\n".join(page.text() for page in _plain_pages())
    assert "Nothing was measured for this report." in text
    assert "No rules were applied for this report." in text
    assert "No decision is on file." in text and "Signature" in text


def test_a_decision_on_another_version_says_so() -> None:
    other = replace(known_decision(), sha256="cd" * 32)
    text = _all_text(replace(full_report(), decision=other))
    assert f"{'cd' * 32}: NOT the one printed here" in text.replace("\n", " ")
    assert "NOT the one printed here" not in _full_text()


def test_an_unknown_action_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown action 'maybe'; known: accept, change"):
        Decision("A", datetime(2026, 1, 1, tzinfo=UTC), "maybe", (), "", "")  # type: ignore[arg-type]


def test_the_disclaimer_and_the_number_stand_on_every_page() -> None:
    report = replace(full_report("long " * 4000), recording=known_recording(60.0))
    printed = print_review(report)
    pages = read_pdf(printed.pdf)
    assert len(pages) == printed.pages > 5
    for number, page in enumerate(pages, start=1):
        assert sum(text.text == DISCLAIMER for text in page.texts) == 1
        assert f"page {number} of {len(pages)}" in page.text().splitlines()


def test_more_findings_than_fit_go_to_another_page_under_their_head() -> None:
    found = full_report().findings
    assert found is not None
    many = tuple(replace(found[0], label=f"F{number}", reason=None) for number in range(90))
    pages = _pages(replace(full_report(), findings=many))
    text = "\n".join(page.text() for page in pages)
    assert all(f"F{number}: CLBBB described" in text for number in range(90))
    assert sum("Criterion that decided" in page.text() for page in pages) >= 3


def test_a_long_comment_wraps_and_nothing_leaves_the_page() -> None:
    words = " ".join(f"word{number}" for number in range(3000))
    pages = _pages(full_report(f"{words}\n{'x' * 3000}\nend of comment"))
    text = " ".join(page.text() for page in pages).replace("\n", " ")
    assert all(f"word{number}" in text for number in (0, 1499, 2999))
    assert text.count("x") >= 3000 and "end of comment" in text
    from ecgcore.drawing.print_words import width_of

    for page in pages:
        for one in page.texts:
            assert one.x >= 5 * MM and 5 * MM <= one.y <= page.size[1] - 5 * MM
            assert one.x + width_of(one.text) * one.size <= page.size[0] - 5 * MM, one.text


def test_dollars_are_no_mathematics() -> None:
    text = _all_text(full_report(r"costs 5 $, $x_1^2$, \alpha$ and \frac{1}{2} $$ 100 % & {a}"))
    assert r"costs 5 $, $x_1^2$, \alpha$ and \frac{1}{2} $$ 100 % & {a}" in text


def test_no_character_of_a_comment_is_lost_unseen() -> None:
    comment = "Żaneta Müller: Ελληνικά, русский, ≥ 120 µV, fi ffi; bell\x07 turn\u202e gone\ud800"
    text = _all_text(full_report(comment))
    assert "Żaneta Müller: Ελληνικά, русский, ≥ 120 µV, fi ffi;" in text
    assert "bell<U+0007> turn<U+202E> gone<U+D800>" in text.replace("\n", " ")


def _naming(patient_id: str) -> ReviewReport:
    """A report with a patient's ID wherever a text could hold one."""
    report = full_report(f"Compare with {patient_id.lower()}, please. ({patient_id})")
    recording = replace(
        known_recording(2.0),
        record_id=f"scan_{patient_id}_a",
        patient=Patient(patient_id, 63.0, "F"),
        statements=(Statement(f"Mr. {patient_id}", "text"), Statement("NORM", "SCP-ECG")),
        source=Source("WFDB", "ab" * 32, (f"Left out: {patient_id}.txt.",)),
    )
    return replace(
        report,
        recording=recording,
        measurements=None,
        findings=None,
        answers=(),
        cautions=(f"Twice in the folder of {patient_id}.",),
        suspicions=(f"{patient_id} has another recording.",),
    )


def test_none_of_20_identifiers_is_printed() -> None:
    planted = [f"{'QX'[number % 2]}-{7340 + 31 * number}" for number in range(20)]
    pdf = _together([_naming(patient_id) for patient_id in planted])
    pages = read_pdf(pdf)
    everything = "\n".join(page.text() for page in pages).lower()
    parts = (pdf, *streams(pdf))
    for patient_id in planted:
        assert patient_id.lower() not in everything
        assert not any(patient_id.encode() in part for part in parts)
    assert len(pages) == 40
    for first in range(0, 40, 2):
        text = "\n".join(page.text() for page in pages[first : first + 2]).lower()
        assert "[patient id]" in text and "63 years" in text


def test_identifiers_are_printed_where_they_are_asked_for() -> None:
    text = _all_text(_naming("Q-7340"), identifiers=True)
    for said in ("scan_Q-7340_a", "patient Q-7340", "Mr. Q-7340", "Left out: Q-7340.txt."):
        assert said in text


def test_a_short_id_is_hidden_where_it_stands_alone_and_words_stay() -> None:
    report = full_report("Lead 12 is fine.")
    recording = replace(report.recording, record_id="12", patient=Patient("12"))
    text = _all_text(replace(report, recording=recording))
    assert "Lead 12 is fine." in text and "12" not in text.splitlines()[0]


def test_a_simulated_heart_is_still_called_simulated() -> None:
    recording = replace(
        pulses(), patient=Patient("simulated"), source=Source("simulated", "0" * 64, (SIMULATED,))
    )
    assert SIMULATED in _pages(ReviewReport(recording))[0].text()


def test_the_file_is_vectors_and_text_alone() -> None:
    pdf = _printed().pdf
    assert pdf.startswith(b"%PDF-1.") and pdf.rstrip().endswith(b"%%EOF")
    assert b"/Subtype /Image" not in pdf and b"/Subtype /Form" not in pdf
    assert b"/Subtype /Type3" not in pdf and b"/FontFile2" in pdf
    assert b"CreationDate" not in pdf
    read_pdf(pdf)  # raises where a page draws a picture


def test_the_same_report_gives_the_same_bytes() -> None:
    assert print_review(full_report()).pdf == _printed().pdf
    program = (
        "import hashlib; from ecgcore.report.review import print_review; "
        "from tests.report.reports import full_report; "
        "print(hashlib.sha256(print_review(full_report()).pdf).hexdigest())"
    )
    done = [
        subprocess.run(
            [sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True,
            check=True, env={"PYTHONHASHSEED": seed, "PATH": "/usr/bin:/bin"},
        ).stdout
        for seed in ("1", "2")
    ]  # fmt: skip
    assert done[0] == done[1]
    dated = print_review(full_report(), created=datetime(2026, 11, 28, tzinfo=UTC)).pdf
    assert b"D:20261128" in dated


def test_leads_that_were_not_recorded_are_named_so() -> None:
    one = replace(pulses(), signal=pulses().signal[:1].copy(), leads=("I",))
    page, *_ = _pages(ReviewReport(one))
    assert "V1 (not recorded)" in page.text() and len(_traces(page)) == 1


def test_a_gap_breaks_the_trace() -> None:
    signal = pulses().signal.copy()
    signal[1, 2000:2500] = np.nan
    page, *_ = _pages(ReviewReport(replace(pulses(), signal=signal)))
    lengths = [len(trace) for trace in _traces(page)]
    assert lengths[-2:] == [2000, 2500]


def test_a_start_past_the_end_is_refused() -> None:
    with pytest.raises(ValueError, match="choose 0 to"):
        print_review(ReviewReport(pulses(), paper=PaperOptions(start=11.0)))


def test_the_headline_of_a_cart_stands_over_the_paper() -> None:
    page, *_ = _pages(ReviewReport(pulses(), measurements=known_measurements()))
    assert "Rate 100/min    PR N/A    QRS " in page.text()
