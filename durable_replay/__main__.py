"""`python -m durable_replay` is `durable-replay`."""

from __future__ import annotations

import sys

from durable_replay.cli import main

if __name__ == "__main__":
    sys.exit(main())
