"""Both pages in process: what they show, and what they say when they cannot."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from ecgcore.explain.measured_effects import GroupEffect, MeasuredEffects, MeasuredValue
from ecgcore.readers.csv_table import read_csv
from ecgcore.readers.opening import NamedBytes
from ecgcore.readers.stated import Stated
from ecgcore.recording import Recording
from ecgcore.signal.simulator import PRESETS
from ecgcore.ui import services
from ecgcore.ui.style import DISCLAIMER, of
from ecgcore.workspace import Workspace
from tests.pages.example_models import ALWAYS, NEVER
from tests.pages.looking import html, open_recording, paper, papers, texts, workspace
from tests.wfdb_files import wfdb_files, write_wfdb


def _finding(app: AppTest, code: str) -> Any:
    (row,) = [b for b in app.button if re.match(r"finding-\d", b.key) and f"{code}**" in b.label]
    return row


def test_a_fresh_work_list_offers_the_demo_and_says_what_it_is_not(app: AppTest) -> None:
    app.run()
    assert not app.exception
    assert app.title[0].value == "Work list"
    assert [b.label for b in app.button if b.key == "open-first"] == ["Open Demo (12-lead DICOM)"]
    assert DISCLAIMER in html(app)


def test_the_demo_opens_on_paper(app: AppTest) -> None:
    app.run()
    app.button(key="open-first").click().run()
    assert not app.exception
    figure = paper(app)
    leads = [trace for trace in figure["data"] if "mV" in (trace.get("hovertemplate") or "")]
    assert len(leads) == 13, "3x4 and one rhythm strip"
    assert "25 mm/s" in texts(figure)
    assert DISCLAIMER in html(app)


def test_what_may_be_opened_next_is_made_ready(
    app: AppTest, tmp_path: Path, records: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready: list[str] = []
    monkeypatch.setattr(services, "prefetch", lambda entry, model: ready.append(entry.name))
    at_once = Workspace.listing  # one file a drawing of the list, as on a slow disk
    monkeypatch.setattr(Workspace, "listing", lambda place: at_once(place, seconds=0))
    workspace(tmp_path).add_folder(str(records))
    app.run()
    assert ready == ["Demo (12-lead DICOM)"], "once, when all is read"
    app.button(key="open-first").click().run()
    assert ready[-1] == "alpha"


def test_what_was_made_ready_is_not_computed_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ECG_WORKSPACE", str(tmp_path / "workspace"))
    monkeypatch.setattr(services, "_PAINTING_SECONDS", 0.0)
    services.memories.cache_clear()
    entry = services.workspace().entries()[0]
    services.prefetch(entry, None)
    services._background().submit(lambda: None).result()  # it works in turn
    monkeypatch.setattr(Workspace, "read", lambda *given: pytest.fail("read again"))
    monkeypatch.setattr(services, "assess", lambda *given: pytest.fail("assessed again"))
    services.quality(services.open_recording(entry))


def test_the_filter_narrows_the_list_and_the_order_of_leafing(
    app: AppTest, tmp_path: Path, records: Path
) -> None:
    workspace(tmp_path).add_folder(str(records))
    app.run()
    app.text_input(key="filter").set_value("BET").run()
    assert [e.name for e in app.session_state["order"]] == ["beta"]
    app.text_input(key="filter").set_value("nobody").run()
    assert any("Clear the filter" in info.value for info in app.info)


def test_a_folder_that_is_not_there_is_refused_with_a_sentence(app: AppTest) -> None:
    app.run()
    next(t for t in app.text_input if t.label == "Folder").set_value("/no/such/folder")
    next(b for b in app.button if b.label == "Add folder").click().run()
    assert any("is not a folder" in error.value for error in app.error)


def test_the_controls_change_the_paper(app: AppTest) -> None:
    open_recording(app)
    before = paper(app)["layout"]
    app.segmented_control(key="layout").set_value("12x1").run()
    app.segmented_control(key="gain").set_value(20).run()
    app.segmented_control(key="speed").set_value(50).run()
    app.segmented_control(key="band").set_value("0.5-40 Hz").run()
    assert not app.exception
    after = paper(app)
    assert after["layout"]["width"] > 1.8 * before["width"]
    assert after["layout"]["height"] > before["height"]
    for text in ("50 mm/s", "20 mm/mV", "0.5-40 Hz"):
        assert text in texts(after)


def test_the_choices_survive_a_visit_to_the_work_list(app: AppTest) -> None:
    open_recording(app)
    app.segmented_control(key="gain").set_value(5).run()
    app.switch_page("pages/worklist.py").run()
    app.switch_page("pages/review.py").run()
    assert app.segmented_control(key="gain").value == 5
    assert "5 mm/mV" in texts(paper(app))


def test_findings_show_probability_threshold_and_positives_first(app: AppTest) -> None:
    open_recording(app)
    rows = [b.label for b in app.button if re.match(r"finding-\d", b.key)]
    assert "●" in rows[0]
    assert sum("●" in row for row in rows) < len(rows) == 4
    assert all("`0." in row or "`1." in row for row in rows)
    assert all("threshold" in row for row in rows)
    assert "●" in _finding(app, ALWAYS).label
    assert "●" not in _finding(app, NEVER).label
    assert "not enough data" in app.expander[0].label
    assert " ms on " in html(app)


def test_a_click_shows_which_measured_values_moved_the_answer(
    app: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    wide = MeasuredValue("qrs_ms", 148.0, 92.0, "ms", 0.3)
    groups = (
        GroupEffect("QRS duration", 0.31, 1.5, (wide,)),
        GroupEffect("QT interval", -0.12, -0.6, ()),
        GroupEffect("P wave", 0.001, 0.01, ()),
    )

    def known(model: str, recording: Recording, label: tuple[str, str]) -> MeasuredEffects:
        return MeasuredEffects(model, label[1], 0.8, groups)

    open_recording(app)
    assert "Measured values that moved" not in html(app), "nothing is clicked"
    _finding(app, ALWAYS).click().run()
    assert "Measured values that moved" not in html(app), "this model is told none"
    monkeypatch.setattr(services, "effects", known)
    app.run()
    assert not app.exception
    said = html(app)
    assert f"Measured values that moved the answer for {ALWAYS} (0.80)" in said
    assert "+0.31" in said and "QRS duration 148 ms (usual 92 ms)" in said
    assert "\N{MINUS SIGN}0.12" in said and "P wave" not in said.split("Measured values")[1]
    assert "do not add up" in said


def test_a_click_on_a_finding_lays_its_evidence_over_the_trace(app: AppTest) -> None:
    open_recording(app)
    assert not [trace for trace in paper(app)["data"] if trace["type"] == "heatmap"]
    _finding(app, ALWAYS).click().run()
    assert not app.exception
    assert [trace for trace in paper(app)["data"] if trace["type"] == "heatmap"]
    assert f"{ALWAYS} by HiRes-CAM: on the trace" in html(app)
    assert f"A known map for {ALWAYS}." in html(app)
    _finding(app, ALWAYS).click().run()
    assert not [trace for trace in paper(app)["data"] if trace["type"] == "heatmap"]


def test_the_overlay_belongs_to_its_recording(app: AppTest, tmp_path: Path, records: Path) -> None:
    workspace(tmp_path).add_folder(str(records))
    open_recording(app)
    _finding(app, ALWAYS).click().run()
    app.button(key="leaf-next").click().run()
    assert not [trace for trace in paper(app)["data"] if trace["type"] == "heatmap"]
    app.button(key="leaf-previous").click().run()
    assert [trace for trace in paper(app)["data"] if trace["type"] == "heatmap"]


def test_evidence_that_must_be_computed_anew_does_not_hold_up_the_paper(
    app: AppTest, tmp_path: Path, records: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace(tmp_path).add_folder(str(records))
    open_recording(app)
    _finding(app, ALWAYS).click().run()
    app.button(key="leaf-next").click().run()
    monkeypatch.setattr(services, "has_explanation", lambda *asked: False)
    app.button(key="leaf-previous").click().run()
    assert not app.exception
    assert not [trace for trace in paper(app)["data"] if trace["type"] == "heatmap"]
    _finding(app, ALWAYS).click().run()
    assert [trace for trace in paper(app)["data"] if trace["type"] == "heatmap"]


def test_another_model_answers_and_only_ecgencode_has_a_topography(app: AppTest) -> None:
    open_recording(app)
    assert any(toggle.key == "topography" for toggle in app.toggle)
    app.toggle(key="topography").set_value(True).run()
    assert not app.exception
    assert len(app.get("plotly_chart")) == 2
    app.selectbox(key="model").set_value("inception").run()
    assert not app.exception
    assert not any(toggle.key == "topography" for toggle in app.toggle)
    assert len(app.get("plotly_chart")) == 1


def test_leafing_shows_the_next_recording(app: AppTest, tmp_path: Path, records: Path) -> None:
    workspace(tmp_path).add_folder(str(records))
    open_recording(app)
    assert app.button(key="leaf-previous").disabled
    seen = []
    for _ in range(3):
        app.button(key="leaf-next").click().run()
        seen.append(texts(paper(app)))
    assert ["alpha" in seen[0], "beta" in seen[1], "gamma" in seen[2]] == [True] * 3
    for _ in PRESETS:
        app.button(key="leaf-next").click().run()
    assert app.button(key="leaf-next").disabled


def test_a_long_recording_has_a_window(app: AppTest, tmp_path: Path, records: Path) -> None:
    workspace(tmp_path).add_folder(str(records))
    entry = next(e for e in workspace(tmp_path).entries() if e.name == "gamma")
    open_recording(app, entry.key)
    assert "0.0–10.0 s of 14.0 s" in texts(paper(app))
    assert app.button(key="window-back").disabled
    app.button(key="window-on").click().run()
    assert "4.0–14.0 s of 14.0 s" in texts(paper(app))
    assert app.button(key="window-on").disabled
    app.button(key="window-back").click().run()
    assert "0.0–10.0 s of 14.0 s" in texts(paper(app))


def test_findings_on_part_of_a_long_recording_say_so_and_lead_there(
    app: AppTest, tmp_path: Path, records: Path
) -> None:
    workspace(tmp_path).add_folder(str(records))
    entry = next(e for e in workspace(tmp_path).entries() if e.name == "gamma")
    open_recording(app, entry.key)
    assert "2.0–12.0 s only" in app.button(key="part-seen").label
    app.button(key="part-seen").click().run()
    assert not app.exception
    assert "2.0–12.0 s of 14.0 s" in texts(paper(app))
    app.button(key="leaf-previous").click().run()
    assert not [button for button in app.button if button.key == "part-seen"]


def test_a_refused_recording_says_why(app: AppTest, tmp_path: Path) -> None:
    header = write_wfdb(tmp_path / "records", "bad")
    header.write_bytes(header.read_bytes().replace(b" 1000(0)/mV", b" 1OOO(0)/mV", 1))
    workspace(tmp_path).add_folder(str(tmp_path / "records"))
    entry = next(e for e in workspace(tmp_path).entries() if e.name == "bad")
    open_recording(app, entry.key)
    (error,) = app.error
    assert "1OOO" in error.value
    assert "What to do" in error.value
    assert not app.get("plotly_chart")


def test_a_file_that_has_gone_says_so(app: AppTest, tmp_path: Path) -> None:
    header = write_wfdb(tmp_path / "records", "lost")
    workspace(tmp_path).add_folder(str(tmp_path / "records"))
    app.run()
    entry = next(e for e in app.session_state["order"] if e.name == "lost")
    header.unlink()
    open_recording(app, entry.key)
    assert "cannot be opened" in app.error[0].value


def test_a_table_asks_for_rate_and_unit(app: AppTest, tmp_path: Path) -> None:
    folder = tmp_path / "records"
    folder.mkdir()
    rows = [f"{(i % 50) * 10},{(i % 40) * 12},{(i % 30) * 9}" for i in range(2500)]
    (folder / "table.csv").write_text("\n".join(["I,II,V1", *rows]))
    workspace(tmp_path).add_folder(str(folder))
    entry = next(e for e in workspace(tmp_path).entries() if e.name == "table")
    open_recording(app, entry.key)
    assert not app.error, "a question, not a refusal"
    assert "without a sampling rate" in app.warning[0].value
    assert "--sampling-rate" not in app.warning[0].value
    app.number_input[0].set_value(250.0)
    next(s for s in app.selectbox if s.label.startswith("Unit")).set_value("uV")
    next(b for b in app.button if b.label == "Read with these").click().run()
    assert not app.exception
    assert not app.error
    assert "10.0 s at 250 Hz" in html(app)
    assert any("**ecgencode_m2** does not answer" in w.value for w in app.warning)
    assert "Click a finding" not in html(app), "there is none to click"


TABLE = b"I,II,V1\n" + b"\n".join(b"%d,%d,%d" % (i % 50, i % 40, i % 30) for i in range(2500))


def test_what_was_stated_can_be_put_right(app: AppTest, tmp_path: Path) -> None:
    folder = tmp_path / "records"
    folder.mkdir()
    (folder / "table.csv").write_bytes(TABLE)
    workspace(tmp_path).add_folder(str(folder))
    entry = next(e for e in workspace(tmp_path).entries() if e.name == "table")
    workspace(tmp_path).state(entry, Stated(500.0, "uV"))
    open_recording(app, entry.key)
    right = html(app)
    app.number_input[0].set_value(250.0)
    next(s for s in app.selectbox if s.label.startswith("Unit")).set_value("uV")
    next(b for b in app.button if b.label == "Read with these").click().run()
    assert not app.exception
    assert workspace(tmp_path).stated(entry) == Stated(250.0, "uV")
    assert "at 500 Hz" in right and "at 250 Hz" in html(app)


def test_nothing_is_kept_of_a_recording_that_was_stated_otherwise() -> None:
    one, two = (read_csv("a.csv", TABLE, Stated(500.0, unit)) for unit in ("uV", "mV"))
    assert one.source.sha256 == two.source.sha256
    assert one.source.stated == "500 Hz, uV" and one.source.identity != two.source.identity
    assert of(one) != of(two)
    assert services.quality(one) != services.quality(two)
    told = read_csv("a.csv", b"# sampling_rate: 500\n# unit: mV\n" + TABLE, Stated())
    assert told.source.stated == "" and told.source.identity == told.source.sha256


def test_without_a_model_the_paper_stands_alone(
    app: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ecgcore.models import card

    monkeypatch.setattr(card, "SHIPPED", tmp_path / "none")
    open_recording(app)
    assert papers(app)
    assert any("No trained model" in info.value for info in app.info)


def test_an_unknown_recording_leads_back_to_the_work_list(app: AppTest) -> None:
    open_recording(app, "0123456789abcdef")
    assert any("No recording is open" in info.value for info in app.info)


def test_imported_files_appear_in_the_list(app: AppTest, tmp_path: Path) -> None:
    workspace(tmp_path).add(wfdb_files("dropped"))
    app.run()
    assert [e.name for e in app.session_state["order"]][1] == "dropped"


def test_an_imported_table_that_lacks_its_rate_is_pointed_out(app: AppTest, tmp_path: Path) -> None:
    rows = [f"{(i % 50) * 10},{(i % 40) * 12},{(i % 30) * 9}" for i in range(2500)]
    table = NamedBytes("table.csv", "\n".join(["I,II,V1", *rows]).encode())
    app.session_state["dropped"] = workspace(tmp_path).add([table])
    app.run()
    assert any("does not say its sampling rate" in w.value for w in app.warning)
    entry = app.session_state["dropped"][0]
    workspace(tmp_path).state(entry, Stated(250.0, "uV"))
    app.run()
    assert not app.exception
    assert not app.warning
