"""Wires that several services share: JSON over REST, and XML-RPC."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, cast
from xml.parsers.expat import ExpatError, ParserCreate
from xmlrpc import client as xmlrpc

from zstandard import ZstdDecompressor, ZstdError

from durable_replay.http import IN_MEMORY, Body, BytesBody, Headers, Request, Response
from durable_replay.matching.encodings import inflated
from durable_replay.service.api import Call, Codec, Document, Located, Reply
from durable_replay.service.faults import Conflict, Denied, Fault, Missing, Throttled, Unrecorded

if TYPE_CHECKING:
    from xmlrpc.client import _Marshallable

__all__ = ["JsonCodec", "XmlRpcCodec", "fault_status"]


def fault_status(fault: Fault) -> int:
    """The usual HTTP status of a fault."""
    kinds: tuple[tuple[type[Fault], int], ...] = (
        (Missing, 404),
        (Conflict, 409),
        (Denied, 403),
        (Throttled, 429),
        (Unrecorded, 501),
    )
    return next((status for kind, status in kinds if isinstance(fault, kind)), 400)


class JsonCodec(Codec):
    """JSON both ways. A service overrides `wrap`/`unwrap` for its envelope, `page` for its listings, and `fault`."""

    content_type = "application/json"

    def wrap(self, content: object) -> object:
        """A document or list in the service's envelope."""
        return content

    def unwrap(self, content: object) -> object:
        """The reverse of `wrap`."""
        return content

    def documents(self, content: object) -> list[Document]:
        """The documents of an unwrapped listing."""
        return [one for one in content if isinstance(one, dict)] if isinstance(content, list) else []

    def page(self, call: Call, documents: Sequence[Document], recorded: object) -> object:
        """A listing's content: these documents, in the form (and with the unmodelled fields) of a recorded one."""
        return list(documents)

    def is_complete(self, call: Call, content: object) -> bool:
        """Whether a recorded listing shows all there is; without filters or pages, it does."""
        return not call.request.query_string

    def fields(self, call: Call) -> Document:
        """What a request's body sets."""
        content = self.unwrap(call.json)
        return dict(content) if isinstance(content, dict) else {}

    def read(self, response: Response) -> object:
        """A recorded answer's unwrapped content; None where it has none. Raises ValueError where it is not JSON."""
        return self.unwrap(json.loads(decoded(response))) if response.body else None

    def encode(self, call: Call, reply: Reply) -> Response:
        if reply.content is not None:
            return self.json(reply.status, self.wrap(reply.content), *reply.headers)
        # RFC 9110, 8.6: a 204 must not have a Content-Length.
        length = () if reply.status == 204 else (("Content-Length", "0"),)
        return Response(reply.status, Headers((*reply.headers, *length)))

    def json(self, status: int, content: object, *headers: tuple[str, str]) -> Response:
        """A response with this JSON, not wrapped."""
        data = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
        fields = (("Content-Type", self.content_type), *headers, ("Content-Length", str(len(data))))
        return Response(status, Headers(fields), BytesBody(data))

    def fault(self, request: Request, fault: Fault, call: Call | None) -> Response:
        return self.json(fault_status(fault), {"error": fault.text})

    def unknown(self, request: Request) -> Response:
        return self.json(404, {"error": f"no such endpoint: {request.method} {request.path}"})


def decoded(response: Response) -> bytes:
    """A response's body without its content coding (gzip, deflate, zstd), at most 64 MiB.

    A body that is not in the coding that its header names is given as it is: other recorders store bodies decoded
    under the header that they came with.
    """
    data, coding = response.body.read(), response.headers.get("content-encoding").strip().lower()
    if coding in ("gzip", "x-gzip", "deflate"):
        return next((plain for plain in (inflated(data, coding, IN_MEMORY),) if plain is not None), data)
    if coding == "zstd":
        try:
            return ZstdDecompressor().decompress(data, max_output_size=IN_MEMORY)
        except ZstdError:
            return data
    return data


def _refuse_document_type(data: bytes) -> None:
    """Raises ValueError for XML that declares a document type, in whatever encoding: entities are defined there, and
    XML-RPC has none. Raises ExpatError for what is not XML."""

    def refuse(*_: object) -> None:
        raise ValueError("XML-RPC has no document type")

    parser = ParserCreate()
    parser.StartDoctypeDeclHandler = refuse
    parser.Parse(data, True)


class XmlRpcCodec(Codec):
    """XML-RPC: one path, procedures by name, positional arguments."""

    path = "/RPC2"

    def locate(self, request: Request) -> Located | None:
        if request.method != "POST" or request.path != self.path:
            return None
        data = request.body.read()
        try:
            _refuse_document_type(data)
            arguments, name = xmlrpc.loads(data, use_builtin_types=True)
        except Exception:
            return None
        return Located(procedure=name or "", arguments=tuple(arguments))

    def value(self, response: Response) -> object:
        """What a recorded answer returned; raises xmlrpc.client.Fault for a fault, ValueError for no XML-RPC at all."""
        data = response.body.read()
        try:
            _refuse_document_type(data)
            (result,), _ = xmlrpc.loads(data, use_builtin_types=True)
        except (ExpatError, xmlrpc.ResponseError) as error:
            raise ValueError(f"no XML-RPC response: {error}") from error
        return result

    def succeeded(self, call: Call, response: Response) -> bool:
        """A fault comes with status 200 as well."""
        try:
            self.value(response)
        except (xmlrpc.Fault, ValueError):
            return False
        return response.status < 400

    def encode(self, call: Call, reply: Reply) -> Response:
        if isinstance(reply.content, Body):
            return Response(reply.status, Headers(reply.headers), reply.content)
        return self._respond(
            xmlrpc.dumps((cast("_Marshallable", reply.content),), methodresponse=True, allow_none=True)
        )

    def fault(self, request: Request, fault: Fault, call: Call | None) -> Response:
        return self._respond(xmlrpc.dumps(xmlrpc.Fault(fault_status(fault), fault.text), methodresponse=True))

    def unknown(self, request: Request) -> Response:
        located = self.locate(request)
        text = f"no such procedure: {located.procedure}" if located else "not an XML-RPC call"
        return self._respond(xmlrpc.dumps(xmlrpc.Fault(-506, text), methodresponse=True))

    def _respond(self, text: str) -> Response:
        data = text.encode()
        return Response(
            200, Headers([("Content-Type", "text/xml"), ("Content-Length", str(len(data)))]), BytesBody(data)
        )
