"""The review page's signal half in process: marks, measurements, rules, verdict."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from streamlit.testing.v1 import AppTest

from ecgcore.readers.npz_export import save_npz
from ecgcore.recording import LEADS
from ecgcore.signal.reversal import exchange_electrodes
from ecgcore.signal.simulator import PRESETS, simulate
from tests.pages.looking import html, open_recording, paper, papers, texts, workspace


def _rule(app: AppTest, label: str) -> Any:
    (row,) = [b for b in app.button if "finding-rule-" in b.key and f" {label}**" in b.label]
    return row


def _simulated(tmp_path: Path, preset: str) -> str:
    entries = workspace(tmp_path).entries()
    return next(entry.key for entry in entries if entry.name == f"simulated {preset}")


def _boxes(app: AppTest) -> list[dict[str, Any]]:
    return [shape for shape in paper(app)["layout"].get("shapes", []) if shape["type"] == "rect"]


def test_the_headline_gives_what_was_measured_beside_what_the_file_states(app: AppTest) -> None:
    open_recording(app)
    headline = next(part for part in html(app).split("\n") if 'class="lightbox-headline' in part)
    found = {
        title: (float(ours), float(stated))
        for title, ours, stated in re.findall(
            r"<span>([^<]+)</span><b>(-?\d+)[^<]*</b><i>file: (-?\d+)", headline
        )
    }
    assert set(found) == {"PR", "QRS", "QT", "QTc Bazett", "P axis", "QRS axis", "T axis"}
    apart = {title: abs(ours - stated) for title, (ours, stated) in found.items()}
    assert max(apart.values()) <= 12, apart


def test_a_rule_shows_its_place_and_how_it_was_decided(app: AppTest, tmp_path: Path) -> None:
    open_recording(app, _simulated(tmp_path, "first-degree block"))
    assert not _boxes(app)
    _rule(app, "1AVB").click().run()
    assert _boxes(app)
    assert "PR" in html(app)
    _rule(app, "1AVB").click().run()
    assert not _boxes(app)


def test_a_changed_threshold_changes_the_finding_here_and_nowhere_else(
    app: AppTest, tmp_path: Path
) -> None:
    key = _simulated(tmp_path, "first-degree block")
    open_recording(app, key)
    _rule(app, "1AVB").click().run()
    (threshold,) = [n for n in app.number_input if "default 200" in n.label]
    threshold.set_value(400.0).run()
    assert not [b for b in app.button if "● 1AVB" in b.label]
    assert "1 threshold changed" in html(app)
    app.button(key="leaf-next").click().run()
    assert "threshold changed" not in html(app)
    app.button(key="leaf-previous").click().run()
    assert not [b for b in app.button if "● 1AVB" in b.label], "kept for this recording"


def test_wave_marks_are_drawn_as_asked(app: AppTest) -> None:
    open_recording(app)
    assert not [t for t in paper(app)["data"] if t["name"].endswith(" marks")]
    app.segmented_control(key="wave-style").set_value("lines").run()
    dashes = {t["name"]: t["line"]["dash"] for t in paper(app)["data"] if "marks" in t["name"]}
    assert dashes == {"P marks": "dash", "QRS marks": "dot", "T marks": "dashdot"}
    app.segmented_control(key="wave-style").set_value("bands").run()
    app.segmented_control(key="wave-scope").set_value("global").run()
    assert "global marks by network" in texts(paper(app))
    app.segmented_control(key="delineation").set_value("gradient").run()
    assert "global marks by gradient" in texts(paper(app))


def test_below_the_paper_stand_measurements_median_beat_or_the_file(app: AppTest) -> None:
    open_recording(app)
    assert "J + 60 ms" in html(app)
    app.segmented_control(key="below-paper").set_value("Median beat").run()
    specs = [json.loads(chart.proto.spec) for chart in app.get("plotly_chart")]
    (beat,) = [spec for spec in specs if "median of" in json.dumps(spec["layout"]["annotations"])]
    assert len(beat["data"]) == 12
    app.segmented_control(key="beat-leads").set_value("V2").run()
    specs = [json.loads(chart.proto.spec) for chart in app.get("plotly_chart")]
    (beat,) = [spec for spec in specs if "median of" in json.dumps(spec["layout"]["annotations"])]
    assert [trace["name"] for trace in beat["data"]] == ["V2"]
    app.segmented_control(key="below-paper").set_value("On file").run()
    assert "RITMO SINUSALE" in html(app)


def test_simulated_recordings_are_named_so_on_the_page(app: AppTest, tmp_path: Path) -> None:
    open_recording(app, _simulated(tmp_path, "sinus"))
    assert "Simulated, not of a person." in html(app)
    assert "simulated sinus" in texts(paper(app))


def test_an_unfit_recording_opens_with_its_verdict_over_it(app: AppTest, tmp_path: Path) -> None:
    signal = simulate(PRESETS["sinus"], "sinus").recording.signal.copy()
    signal[LEADS.index("V3"), 500:] = 0.0
    broken = tmp_path / "broken"
    broken.mkdir()
    np.savez(
        broken / "broken.npz",
        signal=signal,
        leads=np.array(LEADS),
        sampling_rate=500.0,
        unit=np.array("mV"),
    )
    workspace(tmp_path).add_folder(str(broken))
    entry = next(e for e in workspace(tmp_path).entries() if e.name == "broken")
    open_recording(app, entry.key)
    assert papers(app), "it opens all the same"
    assert "Not fit to read. V3:" in html(app)
    assert "The model also read V3" in html(app)
    assert "V3 not fit to read: rules with" in html(app)


def test_exchanged_arm_electrodes_are_warned_of(app: AppTest, tmp_path: Path) -> None:
    swapped = exchange_electrodes(simulate(PRESETS["sinus"], "sinus").recording, "RA", "LA")
    save_npz(tmp_path / "swapped" / "swapped.npz", swapped)
    workspace(tmp_path).add_folder(str(tmp_path / "swapped"))
    entry = next(e for e in workspace(tmp_path).entries() if e.name == "swapped")
    open_recording(app, entry.key)
    assert "Electrodes:" in html(app)
    assert "may be exchanged" in html(app)


def test_leads_turned_over_are_warned_of_whatever_model_is_chosen(
    app: AppTest, tmp_path: Path
) -> None:
    usual = simulate(PRESETS["sinus"], "sinus").recording
    save_npz(tmp_path / "turned" / "turned.npz", replace(usual, signal=-usual.signal))
    workspace(tmp_path).add_folder(str(tmp_path / "turned"))
    entry = next(e for e in workspace(tmp_path).entries() if e.name == "turned")
    open_recording(app, entry.key)
    assert "All leads seem turned over" in html(app)
