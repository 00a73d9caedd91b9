"""Looking at the pages in process: opening a recording, reading what the page says and draws."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from streamlit.testing.v1 import AppTest

from ecgcore.workspace import Workspace


def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "workspace")


def html(app: AppTest) -> str:
    return "\n".join(element.proto.body for element in app.get("html"))


def papers(app: AppTest) -> list[dict[str, Any]]:
    charts = (json.loads(chart.proto.spec) for chart in app.get("plotly_chart"))
    return [chart for chart in charts if len(chart["data"]) > 5]


def paper(app: AppTest) -> dict[str, Any]:
    """The paper that lies on top: the last drawing of the same recording may lie below it."""
    if len(papers(app)) == 1:
        return papers(app)[0]
    front = re.search(r"paper-place-(\d) \{ z-index: 2", html(app))
    assert front is not None
    return papers(app)[int(front[1])]


def texts(figure: dict[str, Any]) -> str:
    return " ".join(note["text"] for note in figure["layout"]["annotations"])


def open_recording(app: AppTest, key: str = "demo") -> AppTest:
    app.session_state["opened"] = key
    app.switch_page("pages/review.py").run()
    assert not app.exception, app.exception
    return app
