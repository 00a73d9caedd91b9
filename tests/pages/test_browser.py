"""The application in a real Chromium: what a reader sees and does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.pages.conftest import Served, serving, watched_page, write_records
from tests.pages.example_models import ALWAYS
from tests.wfdb_files import broken_wfdb_files, wfdb_files

if TYPE_CHECKING:
    from playwright.sync_api import Browser, FilePayload, Page

pytestmark = pytest.mark.browser

PAPER = ".st-key-paper-sheet .js-plotly-plot"
LINES = f"{PAPER} path.js-line"
HEAT = f"{PAPER} .heatmaplayer image"
NO_HEAT = (
    f"![...document.querySelectorAll('{HEAT}')].some("
    "image => getComputedStyle(image).visibility === 'visible')"
)
NAME = ".lightbox-head .name"
DEMO = "review?recording=demo"
FINDING = '.st-key-findings [class*="st-key-finding-"] button'
RULE = '.st-key-rules [class*="st-key-finding-rule-"] button'
PIXELS_PER_MM = 96 / 25.4


def _open_demo(page: Page) -> None:
    page.locator(".st-key-open-first button").click()
    page.locator(LINES).first.wait_for()


@pytest.fixture(scope="module")
def standing(
    tmp_path_factory: pytest.TempPathFactory, example_models: Path, browser: Browser
) -> Iterator[Served]:
    """A server for all tests that only look, with the demo and three records in its workspace."""
    folder = tmp_path_factory.mktemp("standing")
    with serving(folder, example_models) as running:
        with watched_page(running, browser) as page:
            _add_folder(page, write_records(folder / "records"))
        yield running


@pytest.fixture
def demo(standing: Served, browser: Browser) -> Iterator[Page]:
    """A fresh page of the standing server that shows the demo recording."""
    with watched_page(standing, browser, DEMO) as page:
        page.locator(LINES).first.wait_for()
        yield page


def _choose(page: Page, control: str, option: str) -> None:
    page.locator(f".st-key-{control}").get_by_role("radio", name=option, exact=True).click()


def _wait_for_words(page: Page, words: str) -> None:
    """Wait until the paper says these words (the last drawing may still lie below)."""
    words_on_it = page.locator(f"{PAPER}:visible .annotation-text", has_text=words)
    words_on_it.first.wait_for()


def _width(page: Page, selector: str) -> float:
    box = page.locator(selector).first.bounding_box()
    assert box is not None
    return box["width"]


def _payload(name: str, data: bytes) -> FilePayload:
    return {"name": name, "mimeType": "application/octet-stream", "buffer": data}


def _add_folder(page: Page, folder: Path) -> None:
    page.get_by_label("Folder", exact=True).fill(str(folder))
    page.get_by_role("button", name="Add folder").click()
    page.get_by_text("20 of 20 recordings").wait_for()


def test_the_demo_opens_with_paper_and_findings(standing: Served, browser: Browser) -> None:
    with watched_page(standing, browser) as page:
        _open_demo(page)
        page.locator(FINDING).first.wait_for()
        page.locator(LINES).nth(12).wait_for(state="attached")
        expect(page.locator(".lightbox-head")).to_contain_text("42 years, female")
        expect(page.locator(".lightbox-foot")).to_contain_text("not a medical device")


@pytest.mark.parametrize("window", [700, 1440, 1920])
def test_the_paper_keeps_its_true_scale_in_every_window(
    standing: Served, browser: Browser, window: int
) -> None:
    with watched_page(standing, browser, DEMO, size=(window, 900)) as page:
        page.locator(FINDING).first.wait_for()
        expected = 270 * PIXELS_PER_MM  # 10 s at 25 mm/s are 250 mm, and 20 mm of margins
        assert _width(page, f"{PAPER} .main-svg") == pytest.approx(expected, abs=1.5)
        # In 3x4 the names of V1 and V4 stand 2.5 s apart.
        apart = page.evaluate(
            f"""() => {{
              const left = text => [...document.querySelectorAll('{PAPER} .annotation-text')]
                .find(note => note.textContent === text).getBoundingClientRect().left;
              return left('V4') - left('V1');
            }}"""
        )
        assert apart == pytest.approx(2.5 * 25 * PIXELS_PER_MM, abs=1.0)
        frame = page.locator(".st-key-paper-scroll").first.bounding_box()
        assert frame is not None
        assert frame["x"] + frame["width"] <= window, "the paper scrolls inside the window"


def test_the_controls_stand_in_one_row_on_a_small_screen(
    standing: Served, browser: Browser
) -> None:
    with watched_page(standing, browser, DEMO, size=(1280, 720)) as page:
        page.locator(LINES).first.wait_for()
        boxes = [page.locator(f".st-key-{key}").bounding_box() for key in ("layout", "size")]
    assert boxes[0] is not None
    assert boxes[1] is not None
    assert boxes[0]["y"] == boxes[1]["y"]


def test_the_controls_redraw_the_paper(demo: Page) -> None:
    width = _width(demo, f"{PAPER} .main-svg")
    _choose(demo, "layout", "12×1")
    _choose(demo, "speed", "50")
    demo.wait_for_function(
        f"""Math.max(...[...document.querySelectorAll('{PAPER} .main-svg')]
          .map(drawing => drawing.getBoundingClientRect().width)) > {1.8 * width}"""
    )
    _choose(demo, "gain", "20")
    _wait_for_words(demo, "20 mm/mV")
    _wait_for_words(demo, "50 mm/s")


def test_a_click_on_a_finding_shows_and_hides_its_evidence(demo: Page) -> None:
    row = demo.locator(FINDING, has_text=ALWAYS).first
    row.click()
    demo.locator(HEAT).first.wait_for(state="attached")
    demo.get_by_text(f"{ALWAYS} by HiRes-CAM: on the trace").wait_for()
    row.click()
    demo.wait_for_function(NO_HEAT)


def test_a_click_on_a_rule_marks_its_place_on_the_trace(demo: Page) -> None:
    rule = demo.locator(RULE, has_text="Sinus rhythm").first
    rule.click()
    demo.locator(f"{PAPER}:visible .shapelayer path").first.wait_for(state="attached")
    demo.locator(".st-key-rule-card").wait_for()
    limit = demo.locator(".st-key-rule-card").get_by_role("spinbutton", name="rate slow, 1/min")
    limit.fill("70")
    limit.press("Enter")
    demo.get_by_text("1 threshold changed").wait_for()
    demo.wait_for_function(
        f"![...document.querySelectorAll('{RULE}')].some(row => row.textContent.includes('● SR'))"
    )
    demo.get_by_role("button", name="Back to the defaults").click()
    demo.get_by_text("threshold changed").wait_for(state="detached")
    demo.locator(RULE, has_text="● SR").first.wait_for()


def test_wave_marks_and_the_median_beat_are_drawn(demo: Page) -> None:
    demo.locator(RULE).first.wait_for()
    before = demo.locator(LINES).count()
    _choose(demo, "wave-style", "Lines")
    demo.wait_for_function(f"document.querySelectorAll('{LINES}').length > {before}")
    _wait_for_words(demo, "each lead's own marks by network")
    _choose(demo, "wave-scope", "Global")
    _wait_for_words(demo, "global marks by network")
    _choose(demo, "below-paper", "Median beat")
    beat = demo.locator('[class*="st-key-median-beat"] .js-plotly-plot')
    expect(beat.locator("path.js-line")).to_have_count(12)
    beat.get_by_text("QRS onset").wait_for()


def test_lime_answers_too(demo: Page) -> None:
    _choose(demo, "method-ecgencode_m2", "LIME")
    demo.locator(FINDING, has_text=ALWAYS).first.click()
    demo.get_by_text(f"{ALWAYS} by LIME:").wait_for()
    demo.locator(LINES).first.wait_for()


def test_the_keyboard_leafs_and_nothing_moves(demo: Page) -> None:
    demo.locator(FINDING).first.wait_for()
    demo.wait_for_function(f"document.querySelectorAll('{PAPER}').length === 1")
    place = demo.locator(PAPER).bounding_box()
    for key, name in (("j", "alpha"), ("j", "beta"), ("k", "alpha")):
        demo.keyboard.press(key)
        demo.locator(NAME, has_text=name).wait_for()
        _wait_for_words(demo, name)
    demo.locator(FINDING).first.wait_for()
    demo.wait_for_function(f"document.querySelectorAll('{PAPER}').length === 1")
    after = demo.locator(PAPER).bounding_box()
    assert place is not None
    assert after is not None
    assert [after[k] for k in ("x", "y", "width")] == [place[k] for k in ("x", "y", "width")]


def test_leafing_and_a_control_clicked_at_once_both_count(demo: Page) -> None:
    demo.locator(FINDING).first.wait_for()
    demo.evaluate(
        """() => {
          const gain = [...document.querySelectorAll('.st-key-gain [role="radio"]')];
          gain.find(button => button.textContent === '20').click();
          setTimeout(() => document.querySelector('.st-key-leaf-next button').click(), 0);
        }"""
    )
    demo.locator(NAME, has_text="alpha").wait_for()
    _wait_for_words(demo, "alpha")
    _wait_for_words(demo, "20 mm/mV")


def test_a_long_recording_stands_where_a_short_one_stood(demo: Page) -> None:
    tops = []
    for name in ("alpha", "beta", "gamma"):
        demo.keyboard.press("j")
        _wait_for_words(demo, name)
        demo.locator(FINDING).first.wait_for()
        tops.append(demo.locator(".st-key-paper-scroll").bounding_box())
    expect(demo.locator(".st-key-window-on")).to_be_visible()
    assert all(top is not None for top in tops)
    assert len({(top["x"], top["y"]) for top in tops if top}) == 1


def test_the_wheel_over_the_paper_scrolls_the_page_and_keeps_the_scale(demo: Page) -> None:
    demo.locator(FINDING).first.wait_for()
    before = demo.evaluate(f"document.querySelector('{PAPER}').layout.xaxis.range.join()")
    demo.locator(PAPER).hover(position={"x": 400, "y": 200})
    demo.mouse.wheel(0, 120)
    demo.wait_for_function("document.querySelector('.stMain').scrollTop > 50")
    after = demo.evaluate(f"document.querySelector('{PAPER}')._fullLayout.xaxis.range.join()")
    assert after == before


# At every frame: the faintest visible paper, whether the trace is gone, and whether a paper lies
# there that bears another name than the page's head, or parts of two recordings show together.
WATCH = f"""() => {{
  window.seen = {{frames: 0, faintest: 1, gone: 0, foreign: 0, mixed: 0}};
  const look = () => {{
    const shown = [...document.querySelectorAll('{PAPER}')].filter(plot =>
      getComputedStyle(plot).visibility === 'visible' && plot.querySelector('path.js-line'));
    const name = document.querySelector('{NAME}')?.textContent;
    const opacities = shown.map(plot => {{
      let opacity = 1;
      for (let at = plot; at && at !== document.body; at = at.parentElement)
        opacity *= Number(getComputedStyle(at).opacity);
      return opacity;
    }});
    seen.frames += 1;
    seen.faintest = Math.min(seen.faintest, ...opacities);
    seen.gone += shown.length === 0;
    const others = [...document.querySelectorAll('[class*="of-recording-"]')].filter(element =>
      getComputedStyle(element).visibility === 'visible').map(element =>
      element.getAttribute('class').match(/of-recording-(\\w+)/)[1]);
    seen.mixed += new Set(others).size > 1;
    seen.foreign += name && shown.some(plot => ![...plot.querySelectorAll('.annotation-text')]
      .some(note => note.textContent.includes(name)));
    requestAnimationFrame(look);
  }};
  look();
}}"""


def test_the_trace_never_vanishes_while_a_recording_is_looked_at(demo: Page) -> None:
    row = demo.locator(FINDING, has_text=ALWAYS).first
    row.wait_for()
    demo.wait_for_timeout(1000)
    demo.evaluate(WATCH)
    for gain in ("20", "5", "10"):
        _choose(demo, "gain", gain)
        demo.locator(
            f"{PAPER}:visible .annotation-text", has_text=f" {gain} mm/mV"
        ).first.wait_for()
    for _ in range(2):
        row.click()
        demo.locator(HEAT).first.wait_for(state="attached")
        row.click()
        demo.wait_for_function(NO_HEAT)
    _choose(demo, "layout", "12×1")
    demo.wait_for_timeout(1500)
    seen = demo.evaluate("window.seen")
    assert seen["frames"] > 100
    assert (seen["gone"], seen["faintest"]) == (0, 1)


def test_no_trace_lies_under_the_name_of_another_recording(demo: Page) -> None:
    demo.locator(FINDING).first.wait_for()
    demo.evaluate(WATCH)
    _choose(demo, "gain", "20")  # two drawings of the demo lie over each other
    for key, name in (("j", "alpha"), ("j", "beta"), ("k", "alpha")):
        demo.keyboard.press(key)
        demo.locator(NAME, has_text=name).wait_for()
        _wait_for_words(demo, name)
    seen = demo.evaluate("window.seen")
    assert seen["frames"] > 20
    assert (seen["foreign"], seen["mixed"]) == (0, 0)


def test_a_reload_shows_the_same_recording(demo: Page) -> None:
    demo.keyboard.press("j")
    demo.locator(NAME, has_text="alpha").wait_for()
    demo.reload()
    demo.locator(NAME, has_text="alpha").wait_for()
    demo.locator(LINES).first.wait_for()


def test_an_address_opens_its_page_on_a_server_just_started(
    served: Served, browser: Browser
) -> None:
    with watched_page(served, browser, DEMO) as page:
        page.locator(NAME, has_text="waveform_ecg").wait_for()
        page.locator(LINES).first.wait_for()
        expect(page.locator('[data-testid="stSidebar"]')).to_have_count(0)
        expect(page.locator(".lightbox-foot")).to_be_visible()


def test_a_row_of_the_table_opens_its_recording(standing: Served, browser: Browser) -> None:
    with watched_page(standing, browser) as page:
        table = page.locator(".stDataFrameGlideDataEditor").first
        table.click(position={"x": 60, "y": 35 + 2 * 36 + 18})
        page.locator(NAME, has_text="beta").wait_for()


def test_dropped_files_are_imported_or_refused_with_a_sentence(page: Page) -> None:
    drop = page.locator('input[type="file"]')
    drop.set_input_files([_payload(file.name, file.data) for file in wfdb_files("fresh")])
    page.get_by_text("Imported 1: fresh").wait_for()
    page.get_by_text("18 of 18 recordings").wait_for()
    page.wait_for_function("document.querySelectorAll('input[type=file]').length === 1")
    page.locator('input[type="file"]').set_input_files(
        [_payload(file.name, file.data) for file in broken_wfdb_files("bad")]
    )
    page.get_by_text("bad.hea was not read").wait_for()
    page.get_by_text("1OOO").wait_for()
    page.get_by_text("18 of 18 recordings").wait_for()


def test_dark_mode_darkens_page_and_paper(standing: Served, browser: Browser) -> None:
    with watched_page(standing, browser, color_scheme="dark") as page:
        _open_demo(page)
        page.locator(FINDING).first.wait_for()
        darkness = page.evaluate(
            f"""() => {{
              const paper = document.querySelector('{PAPER}').layout.paper_bgcolor;
              const ground = getComputedStyle(document.querySelector('.stApp')).backgroundColor;
              return JSON.stringify([paper, ground]);
            }}"""
        )
    paper, ground = json.loads(darkness)
    assert _brightness(paper) < 60
    assert _brightness(ground) < 60


def _brightness(colour: str) -> float:
    if colour.startswith("#"):
        parts = [int(colour[at : at + 2], 16) for at in (1, 3, 5)]
    else:
        parts = [int(part) for part in colour[colour.index("(") + 1 : -1].split(",")[:3]]
    return sum(parts) / 3
