"""The service's side of a WebSocket: it sends its frames after the client's first message, and closes."""

from __future__ import annotations

from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler

from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, CloseConnection, Request, TextMessage

__all__ = ["talk"]


def talk(handler: BaseHTTPRequestHandler, frames: Sequence[str]) -> None:
    """Answer a handshake that the handler has read, and hold the conversation to its end."""
    wire = handler.connection
    connection = WSConnection(ConnectionType.SERVER)
    fields = [(name.encode(), value.encode()) for name, value in handler.headers.items()]
    connection.initiate_upgrade_connection(fields, handler.path)
    handler.close_connection = True
    while True:
        for event in connection.events():
            if isinstance(event, Request):
                wire.sendall(connection.send(AcceptConnection()))
            elif isinstance(event, TextMessage):
                for frame in frames:
                    wire.sendall(connection.send(TextMessage(frame)))
                wire.sendall(connection.send(CloseConnection(1000)))
            elif isinstance(event, CloseConnection):
                return
        data = wire.recv(65536)
        if not data:
            return
        connection.receive_data(data)
