"""Serve the application with the tests' models: python -m tests.pages.serve MODELS PORT [OPTION]...

The options are those of ``streamlit run``.
"""

from __future__ import annotations

import sys
from pathlib import Path

from streamlit.web import cli

from ecgcore.models import card
from ecgcore.ui import services
from tests.pages.example_models import explain_known


def main() -> None:
    """Point the application to the folder of models and run it as ``streamlit run`` does."""
    models, port, *more = sys.argv[1:]
    card.SHIPPED = Path(models)
    services.explain = explain_known
    services.warm_up = lambda entry: None  # seconds that most of the tests have no use for
    sys.argv = ["streamlit", "run", "app.py", "--server.port", port, *more]
    cli.main()


if __name__ == "__main__":
    main()
