"""The real service of the demonstration: moto's S3 server on loopback, until its stdin ends. Prints its port."""

from __future__ import annotations

import logging
import sys


def main() -> None:
    """Serves until whoever started this closes our stdin."""
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    print(server.get_host_and_port()[1], flush=True)
    sys.stdin.read()
    server.stop()


if __name__ == "__main__":
    main()
