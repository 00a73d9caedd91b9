"""The models page in a real Chromium: by keyboard from a finished run to a threshold in use."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import onnxruntime
import pytest
from playwright.sync_api import expect

from tests.models.shelf_example import model_files, write_model
from tests.pages.conftest import Served, serving

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


WATCH_EXPORT = """() => {
    window.places = []
    window.wasChecked = false
    const look = () => {
        const button = document.querySelector('.st-key-model-export button')
        const place = button && JSON.stringify(button.getBoundingClientRect())
        if (place && !window.places.includes(place)) window.places.push(place)
        window.wasChecked ||= document.body.innerText.includes('Checking the model')
        requestAnimationFrame(look)
    }
    look()
}"""
"""Notes every place of the button from now on, and whether a check was shown."""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, example_models: Path) -> Iterator[Served]:
    """One server for both tests; the second one only looks."""
    with serving(tmp_path_factory.mktemp("served"), example_models) as running:
        yield running


def _rest(page: Page) -> None:
    page.wait_for_timeout(400)
    page.locator('.stApp[data-test-script-state="notRunning"]').wait_for()
    page.wait_for_timeout(200)


def _choose(page: Page, field: str, text: str) -> None:
    page.get_by_role("combobox", name=field, exact=True).focus()
    page.keyboard.type(text)
    page.wait_for_timeout(300)
    page.keyboard.press("Enter")
    _rest(page)


def test_a_run_is_published_judged_exported_and_used(
    served: Served, page: Page, tmp_path: Path
) -> None:
    write_model(served.workspace / "runs" / "run-1" / "model", model_files("mine"))
    page.get_by_role("link", name="Models").click()
    page.locator(".st-key-model-head").wait_for()
    _choose(page, "Open model", "run run-1")
    name = page.get_by_role("textbox", name="Name on the review page")
    name.wait_for()  # of the run; until then the buttons are those of the model before it
    _rest(page)
    page.evaluate(WATCH_EXPORT)
    name.fill("no name!")
    name.press("Enter")
    _rest(page)
    page.locator(".st-key-model-publish button").focus()
    page.keyboard.press("Enter")
    page.locator(".st-key-model-refused").get_by_role("alert").wait_for()
    expect(page.get_by_text("Checking the model")).to_have_count(0)
    _rest(page)
    assert len(page.evaluate("window.places")) == 1, "what is checked or refused moves no button"
    assert page.evaluate("window.wasChecked")
    name.fill("mine")
    name.press("Enter")
    _rest(page)
    page.locator(".st-key-model-publish button").focus()
    page.keyboard.press("Enter")
    page.get_by_text("mine is on the review page.").wait_for()
    _rest(page)
    expect(page.locator(".st-key-model-withdraw button")).to_be_visible()
    page.get_by_role("radio", name="Curves and thresholds").click()
    page.locator(".model-matrix").wait_for()
    _rest(page)
    page.locator(".js-plotly-plot").nth(3).wait_for()
    page.get_by_role("slider").first.focus()
    for _ in range(20):
        page.keyboard.press("ArrowLeft")
    page.get_by_text("at 0.480").wait_for()
    _rest(page)
    page.locator(".st-key-threshold-set button").focus()
    page.keyboard.press("Enter")
    page.get_by_text("0.480 set by").first.wait_for()
    _rest(page)
    page.locator(".st-key-model-export button").first.click()
    page.get_by_text("Checked on 100 simulated recordings").wait_for()
    with page.expect_download() as download:
        page.locator(".st-key-model-onnx button").first.click()
    download.value.save_as(tmp_path / "mine.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "mine.onnx")
    assert session.get_modelmeta().custom_metadata_map["disclaimer"].startswith("Research use only")
    page.get_by_role("link", name="Work list").click()
    page.locator(".st-key-open-first button").click()
    page.locator(".st-key-findings").wait_for()
    _choose(page, "Model", "mine")
    page.get_by_text("0.480 set by").wait_for()


def test_nothing_is_wider_than_the_window(served: Served, page: Page) -> None:
    page.get_by_role("link", name="Models").click()
    page.locator(".st-key-model-head").wait_for()
    for view in ("Side by side", "Bring in a model", "Models"):
        page.get_by_role("radio", name=view, exact=True).click()
        _rest(page)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
