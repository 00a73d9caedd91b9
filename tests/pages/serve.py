"""Serve the application with the tests' models: python -m tests.pages.serve MODELS PORT [OPTION]...

The options are those of ``streamlit run``.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

from streamlit.web import cli

from ecgcore import model_shelf
from ecgcore.models import card
from ecgcore.ui import services
from tests.pages.example_models import explain_known

publish = model_shelf.publish


def publish_large(*given: Any) -> card.ModelCard:
    """Publish a small model, in the time that a large one takes to be checked."""
    time.sleep(0.5)
    return publish(*given)


def main() -> None:
    """Point the application to the folder of models and run it as ``streamlit run`` does."""
    models, port, *more = sys.argv[1:]
    card.SHIPPED = Path(models)
    services.explain = explain_known
    model_shelf.publish = publish_large
    services.warm_up = lambda entry: None  # seconds that most of the tests have no use for
    sys.argv = ["streamlit", "run", "app.py", "--server.port", port, *more]
    cli.main()


if __name__ == "__main__":
    main()
