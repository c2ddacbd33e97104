"""mitmproxy's flows as durable-replay's values. Pure: nothing is read or written but the arguments."""

from __future__ import annotations

from typing import Literal, cast

from mitmproxy import http
from mitmproxy.websocket import WebSocketMessage

from durable_replay.http import EMPTY, Body, BytesBody, Frame, Headers, Interaction, Request, Response

__all__ = ["closing_frame", "frame_of", "headers_of", "interaction_of", "request_of", "response_of"]

# what a client says to its proxy, not to the server (RFC 9110 7.6.1 and 11.7)
_OF_THE_PROXY = frozenset({"proxy-authorization", "proxy-connection"})
_ABNORMAL = frozenset({None, 1006})


def headers_of(headers: http.Headers | None) -> Headers:
    """Fields in wire order with their case; latin-1 gives each byte one character."""
    if headers is None:
        return Headers()
    return Headers((name.decode("latin-1"), value.decode("latin-1")) for name, value in headers.fields)


def request_of(flow: http.HTTPFlow, body: Body = EMPTY) -> Request:
    """The request with this body; the flow's own is not touched, for it may have been streamed."""
    data = flow.request.data
    secure = data.scheme.decode("latin-1").lower() in ("https", "wss")
    socket = flow.websocket is not None or flow.request.headers.get("upgrade", "").lower() == "websocket"
    scheme = ("wss" if secure else "ws") if socket else ("https" if secure else "http")
    fields = headers_of(data.headers)
    return Request(
        method=data.method.decode("latin-1"),
        scheme=cast(Literal["http", "https", "ws", "wss"], scheme),
        host=data.host.lower(),
        port=data.port,
        target=data.path.decode("latin-1") or "/",
        headers=Headers(pair for pair in fields if pair[0].lower() not in _OF_THE_PROXY),
        body=body,
    )


def response_of(flow: http.HTTPFlow, body: Body = EMPTY) -> Response:
    """The response with this body; status 0 where the server sent none."""
    if flow.response is None:
        return Response(0)
    data = flow.response.data
    return Response(
        status=data.status_code,
        headers=headers_of(data.headers),
        body=body,
        reason=data.reason.decode("latin-1"),
        trailers=headers_of(data.trailers),
    )


def frame_of(message: WebSocketMessage, started: float) -> Frame:
    """One text or binary message; mitmproxy shows no pings."""
    return Frame(
        from_client=message.from_client,
        kind="text" if message.is_text else "binary",
        data=message.content,
        at=max(0.0, message.timestamp - started),
    )


def closing_frame(flow: http.HTTPFlow, started: float) -> Frame | None:
    """The close that ended a conversation; None where a connection just ended."""
    socket = flow.websocket
    if socket is None or socket.close_code in _ABNORMAL:
        return None
    return Frame(
        from_client=bool(socket.closed_by_client),
        kind="close",
        data=(socket.close_reason or "").encode(),
        code=socket.close_code,
        at=max(0.0, (socket.timestamp_end or started) - started),
    )


def interaction_of(flow: http.HTTPFlow) -> Interaction:
    """A finished flow, as read from a file of flows, with the bodies that it holds."""
    started = flow.request.timestamp_start
    frames = [frame_of(message, started) for message in (flow.websocket.messages if flow.websocket else ())]
    closing = closing_frame(flow, started)
    return Interaction(
        request=request_of(flow, _held(flow.request)),
        response=response_of(flow, _held(flow.response)),
        frames=(*frames, *([closing] if closing else ())),
        started=started,
        duration=duration_of(flow),
        http_version=flow.request.http_version,
        outcome="complete" if flow.error is None and flow.response is not None else "aborted",
    )


def duration_of(flow: http.HTTPFlow) -> float:
    """Seconds from the request's first byte to the answer's last."""
    last = flow.response.timestamp_end if flow.response is not None else None
    return max(0.0, (last or flow.request.timestamp_start) - flow.request.timestamp_start)


def _held(message: http.Message | None) -> Body:
    return BytesBody(message.raw_content) if message is not None and message.raw_content else EMPTY
