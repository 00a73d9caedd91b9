"""``python -m ecgcore``: see ecgcore.cli."""

import sys

from ecgcore.cli import main

sys.exit(main())
