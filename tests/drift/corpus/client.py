"""The client of a corpus: makes the requests of a plan, in order, through whatever proxy its environment names.

`python client.py URL PLAN`: the plan is a JSON list of steps: method, target, and what is sent (`json`, `form`, or
`text` with `type`; `headers`). `until: 200` asks again until that status comes; method WS is a conversation in which
`text` is said and all frames are taken.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, CloseConnection, Request, TextMessage

MOST = 10


def main(url: str, plan: Path) -> None:
    with httpx.Client(base_url=url, timeout=30) as client:
        for step in json.loads(plan.read_text("utf-8")):
            if step["method"] == "WS":
                converse(url, step)
            else:
                ask(client, step)


def ask(client: httpx.Client, step: dict[str, Any]) -> None:
    """One request, or as many as it takes."""
    headers = {**step.get("headers", {}), **({"Content-Type": step["type"]} if "type" in step else {})}
    for _ in range(MOST):
        answer = client.request(
            step["method"],
            step["target"],
            headers=headers,
            json=step.get("json"),
            data=step.get("form"),
            content=step.get("text"),
        )
        if answer.status_code == step.get("until", answer.status_code):
            return
    raise SystemExit(f"{step['target']} was asked {MOST} times and never was {step['until']}")


def converse(url: str, step: dict[str, Any]) -> None:
    """A WebSocket through the proxy's CONNECT."""
    proxy, host = urlsplit(os.environ["HTTP_PROXY"]), urlsplit(url).netloc
    with socket.create_connection((str(proxy.hostname), int(str(proxy.port))), 30) as wire:
        wire.sendall(f"CONNECT {host} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += wire.recv(1)
        connection = WSConnection(ConnectionType.CLIENT)
        wire.sendall(connection.send(Request(host, step["target"])))
        while data := wire.recv(65536):
            connection.receive_data(data)
            for event in connection.events():
                if isinstance(event, AcceptConnection):
                    wire.sendall(connection.send(TextMessage(step["text"])))
                elif isinstance(event, CloseConnection):
                    wire.sendall(connection.send(event.response()))
                    return


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
