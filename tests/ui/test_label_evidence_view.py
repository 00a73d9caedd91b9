"""The reasons beside a label: said as they are, a click only where there is a place to show."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from tests.pages.looking import html


def _page() -> None:
    from ecgcore.label_queue import QueueItem
    from ecgcore.review.standing import Standing
    from ecgcore.review.suspicion import LabelSuspicion, Reason, Suspicion
    from ecgcore.ui.label_evidence_view import show_reasons

    reasons = (
        Reason("model", "models for no AFIB: AFIB mvkt_teacher 0.01 <b>", 3.0),
        Reason("rule", "measured for no AFIB: P waves 0.9 > 0.5", 1.0),
        Reason("how often", "how often no AFIB is wrong", -2.0),
    )
    label = LabelSuspicion("AFIB", "statements", True, 0.01, 0.9, ("SR",), reasons)
    suspicion = Suspicion(0, 0.9, (label,))
    filed = ("AFIB", "SR")
    show_reasons(QueueItem("1" * 64, "r", filed, Standing("undecided"), suspicion=suspicion))


def test_a_reason_is_said_without_marks_of_escaping() -> None:
    app = AppTest.from_function(_page).run()
    assert not app.exception
    said = html(app)
    # Nothing is added, so that a model has no map to show; what it says is text.
    assert "+3.0 models for no AFIB: AFIB mvkt_teacher 0.01 &lt;b&gt;" in said
    assert "\\" not in said
    assert "without AFIB?" in said
    assert "+2.0 = how often -2.0" in said


def test_a_measured_reason_can_be_clicked() -> None:
    app = AppTest.from_function(_page).run()
    (button,) = app.button
    button.click().run()
    assert app.session_state["label-shown"] == ("AFIB", "rule")
    app.button[0].click().run()
    assert "label-shown" not in app.session_state
