"""Signing in with OpenID Connect in a real Chromium, at a provider on this computer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from ecgcore.review_work import bring_in, open_store
from ecgcore.workspace import Workspace
from tests.pages.conftest import PATIENCE_S, Served, serving, watch
from tests.pages.sign_in_provider import CLIENT, SECRET, Provider, provider
from tests.wfdb_files import write_wfdb

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

WHO = ".st-key-label-top .stPopover button"


@pytest.fixture(scope="module")
def people() -> Iterator[Provider]:
    with provider() as here:
        yield here


@pytest.fixture
def shared(tmp_path: Path, example_models: Path, people: Provider) -> Iterator[Served]:
    """The application that several people share, with one recording that was brought in."""
    told = {
        "redirect_uri": "http://127.0.0.1:{port}/oauth2callback",
        "cookie_secret": "long enough to sign a cookie with",
        "client_id": CLIENT,
        "client_secret": SECRET,
        "server_metadata_url": f"{people.address}/.well-known/openid-configuration",
    }
    secrets = tmp_path / "secrets.toml"
    lines = [f"{key} = {json.dumps(value)}" for key, value in told.items()]
    secrets.write_text("\n".join(["[auth]", *lines]) + "\n")
    workspace = Workspace(tmp_path / "workspace")
    write_wfdb(tmp_path / "in", "Jane Doe 1950".replace(" ", "_"), 10, 60, "NORM;SR")
    workspace.add_folder(str(tmp_path / "in"))
    entries = [one for one in workspace.entries() if one.origin == "folder"]
    list(bring_in(open_store(workspace), "root", workspace, entries))
    options = ("--secrets.files", str(secrets))
    with serving(tmp_path, example_models, {"ECG_SIGN_IN": "oidc"}, options) as running:
        yield running
        text = running.log.read_text()
        assert "Jane" not in text and "example.org" not in text, "names in the server's log"


def _labels(browser: Browser, shared: Served) -> Page:
    """The label page in a browser that nobody has used."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.set_default_timeout(1000 * PATIENCE_S)
    page = context.new_page()
    watch(page, shared)
    page.goto(f"{shared.address}/label_quality")
    page.locator(".st-key-sign-in button").wait_for()
    return page


def _sign_in(page: Page, person: str) -> None:
    page.locator(".st-key-sign-in button").click()
    page.get_by_role("link", name=person).click()
    page.get_by_role("link", name="Label quality").click()


def _sign_out(page: Page, shared: Served) -> None:
    with page.expect_request("**/sign-out?**"):
        page.locator(".st-key-sign-out button").click()
    page.wait_for_url(f"{shared.address}/")  # the provider sends back to the first page
    page.goto(f"{shared.address}/label_quality")
    page.locator(".st-key-sign-in button").wait_for()


def test_who_signs_in_is_the_reviewer_and_a_reader_and_nobody_else_is(
    shared: Served, people: Provider, browser: Browser
) -> None:
    page = _labels(browser, shared)
    expect(page.locator(".lightbox-head"), "nothing is shown before the sign-in").to_have_count(0)
    _sign_in(page, "ann")
    page.locator(WHO, has_text="ann@example.org").click()
    page.get_by_text("Role: reader").wait_for()
    assert people.redeemed[-1] == "ann"
    own = page.locator('input[aria-label="Your name"]')
    expect(own, "nobody renames themselves").to_have_count(0)
    page.keyboard.press("Escape")
    page.locator(".st-key-label-accept button").click()
    page.get_by_text("may not decide; it takes annotator").wait_for()
    assert open_store(Workspace(shared.workspace)).reviews("root") == ()

    other = _labels(browser, shared)
    assert "ann@example.org" not in other.content()
    _sign_in(other, "bob")
    other.locator(WHO, has_text="bob@example.org").wait_for()
    expect(page.locator(WHO, has_text="ann@example.org")).to_have_count(1)

    page.locator(WHO).first.click()
    _sign_out(page, shared)
    other.reload()
    other.locator(WHO, has_text="bob@example.org").wait_for()
    page.context.close()
    other.context.close()
    strangers = [url for url in shared.outside if not url.startswith(people.address)]
    assert strangers == []
    assert shared.complaints == []


def test_an_address_that_nobody_has_checked_is_not_let_in(
    shared: Served, people: Provider, browser: Browser
) -> None:
    page = _labels(browser, shared)
    _sign_in(page, "eve")
    page.get_by_text("The sign-in gave no proved name").wait_for()
    expect(page.locator(".lightbox-head")).to_have_count(0)
    _sign_out(page, shared)
    page.context.close()
