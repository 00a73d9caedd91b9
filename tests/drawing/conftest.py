"""A real browser that draws figures, for tests that measure pixels."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ecgcore.drawing.paper import PAPER_CONFIG

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page
    from plotly.graph_objects import Figure

_PAINT = """async ([figure, config]) => {
    const {data, layout} = JSON.parse(figure);
    Plotly.purge('paper');
    await Plotly.newPlot('paper', data, layout, config);
}"""


class Easel:
    """One browser page that paints one figure at a time, one image pixel for one CSS pixel."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def paint(self, figure: Figure) -> NDArray[np.int16]:
        """Draw the figure; the picture as (rows, columns, 3), 0 to 255."""
        size = {"width": int(figure.layout.width), "height": int(figure.layout.height)}
        self.page.set_viewport_size(size)
        self.page.mouse.move(1, 1)
        self.page.evaluate(_PAINT, [figure.to_json(), PAPER_CONFIG])
        return self.picture()

    def picture(self) -> NDArray[np.int16]:
        """What is on the screen now."""
        from PIL import Image

        with Image.open(io.BytesIO(self.page.screenshot())) as image:
            return np.asarray(image.convert("RGB")).astype(np.int16)

    def layout(self, expression: str) -> Any:
        """A part of the figure's full layout as the browser has it now."""
        return self.page.evaluate(
            f"() => document.getElementById('paper')._fullLayout.{expression}"
        )


@pytest.fixture(scope="session")
def easel(browser: Browser) -> Iterator[Easel]:
    import plotly

    script = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
    page = browser.new_page()
    page.set_content("<body style='margin:0'><div id='paper'></div></body>")
    page.add_script_tag(path=script)
    yield Easel(page)
    page.close()
