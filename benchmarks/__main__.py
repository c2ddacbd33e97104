"""`python -m benchmarks [replaying|recording|starting|importing|drifting]…`: all when none is named. Loopback only."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from benchmarks import drifting, importing, recording, replaying, starting

PARTS = ("replaying", "recording", "starting", "importing", "drifting")


def main(names: list[str]) -> None:
    unknown = [name for name in names if name not in PARTS]
    if unknown:
        sys.exit(f"no benchmark {unknown[0]!r}; there are: {', '.join(PARTS)}")
    for name in names or PARTS:
        print(f"\n{name}", flush=True)
        with tempfile.TemporaryDirectory() as folder:
            if name == "replaying":
                lines = replaying.run(Path(folder))
            elif name == "starting":
                lines = starting.run(Path(folder))
            elif name == "importing":
                lines = importing.run(Path(folder))
            elif name == "drifting":
                lines = drifting.run(Path(folder))
            else:
                lines = []
                recording.main()
        print("\n".join(lines), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
