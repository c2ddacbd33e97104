"""What a request asks for: an operation of a known service, or a method with a path in which ids are blanked.

Where one path serves many operations, the request says which: GraphQL by `operationName` or the text of its query,
JSON-RPC by `method`, AWS by `X-Amz-Target` or the form field `Action`, SOAP by its action, XML-RPC by `methodName`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from hashlib import blake2b
from xml.parsers.expat import ExpatError, ParserCreate

from durable_replay.http import Request, Response
from durable_replay.matching.bodies import CanonicalBody
from durable_replay.service.address import Address, Procedure
from durable_replay.service.api import Call, Operation, Service
from durable_replay.timeline.indexing import Indexing, Understood

__all__ = ["Asked", "Asking", "answer_is_like"]

CALL = "CALL"
"""The method of a procedure that is called by name."""
LARGEST = 256 * 1024
"""Bytes of a body in which an operation's name is looked for."""

_GRAPHQL = re.compile(r"\s*(?:#[^\n]*\n\s*)*(?:(query|mutation|subscription)\b\s*(\w+)?\s*[({@]|\{)")
_FIELD = re.compile(r"\{\s*(?:\w+\s*:\s*)?(\w+)")
_SOAP_ACTION = re.compile(r'action="?([^";]+)', re.IGNORECASE)
_NAME = re.compile(r"[\w.:/#-]{1,100}")


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request asks for, before ids in its path are blanked.

    `place` tells worlds of one service apart (`jira:example`), or is the unknown host; `key` is the canonical
    request key (16 bytes) without the place, so that the same request to another host has the same; `names` are the
    names of the query that count, digested (0: none). `known`: the path is an address of a service's table.
    """

    world: str
    place: str
    method: str
    path: str
    operation: str
    known: bool
    key: bytes
    names: int


class Asking:
    """Reads requests as an `Indexing` understands them."""

    def __init__(self, indexing: Indexing) -> None:
        self._indexing = indexing
        self._rows: dict[str, Mapping[int, tuple[str, str]]] = {}
        self._services: dict[str, Service | None] = {}

    def asked(self, request: Request) -> Asked:
        """What this request asks for."""
        understood = self._indexing.understand(request)
        form = understood.canonical
        key = replace(form, host="").key
        names = _digest(*sorted({name for name, _ in form.query})) if form.query else 0
        if understood.call is not None:
            call = understood.call
            method, path = self._address(call)
            name = call.service.name
            return Asked(name, form.host, method, path, f"{name}.{call.operation.name}", True, key, names)
        return self._unknown(request, understood, key, names)

    def _address(self, call: Call) -> tuple[str, str]:
        """Method and address of a row; HEAD where a row for GET was asked by it."""
        rows = self._rows.get(call.service.name)
        if rows is None:
            rows = self._rows[call.service.name] = _only_rows(call.service.addresses())
        found = rows.get(id(call.operation)) or _located(call)
        return (call.request.method, found[1]) if found[0] != CALL else found

    def _service(self, request: Request) -> Service | None:
        """Whose host this is, though no row of its table knows the request."""
        authority = f"{request.host}:{request.port}"
        if authority not in self._services:
            self._services[authority] = self._indexing.registry.find(request)
        return self._services[authority]

    def _unknown(self, request: Request, understood: Understood, key: bytes, names: int) -> Asked:
        service = self._service(request)
        method = understood.canonical.method or request.method
        world = place = request.authority
        if service is not None:
            world, place = service.name, f"{service.name}:{service.codec.tenant(request)}"
        procedure, operation = _named(request, understood.canonical.body)
        if procedure:
            return Asked(world, place, CALL, procedure, procedure, True, key, names)
        return Asked(world, place, method, request.path or "/", operation, False, key, names)


def _digest(*texts: str) -> int:
    return int.from_bytes(blake2b("\0".join(texts).encode("utf-8", "surrogatepass"), digest_size=7).digest(), "big")


def _only_rows(addresses: Iterable[tuple[Address | Procedure, Operation]]) -> Mapping[int, tuple[str, str]]:
    """Method and address by operation, of operations that have one row."""
    rows: dict[int, list[tuple[str, str]]] = {}
    for address, operation in addresses:
        rows.setdefault(id(operation), []).append(_shown(address))
    return {operation: shown[0] for operation, shown in rows.items() if len(shown) == 1}


def _shown(address: Address | Procedure) -> tuple[str, str]:
    if isinstance(address, Procedure):
        return CALL, address.name
    method, *rest = address.text.split()
    return method, " ".join(rest)


def _located(call: Call) -> tuple[str, str]:
    """The row that was found for this very request, where an operation has several."""
    service, request = call.service, call.request
    located = service.codec.locate(request)
    if located is None:  # a codec that answers differently the second time; the request still has a place
        return request.method, request.path
    if located.procedure:
        return CALL, located.procedure
    for method in (located.method, "GET"):
        found = service.table.find(method, located.target, request.headers)
        if found is not None:
            return _shown(found[0])
    return request.method, request.path


# -- one path, many operations ----------------------------------------------------------------------------------------


def _named(request: Request, body: CanonicalBody) -> tuple[str, str]:
    """The procedure that a request calls (XML-RPC), and the operation that it names; "" where it does neither."""
    if target := request.headers.get("x-amz-target"):
        return "", _clean(target.rpartition(".")[2])
    if action := _soap_action(request):
        return "", _clean(re.split(r"[/#:]", action)[-1])
    if request.method == "GET":
        return "", _clean(dict(request.query).get("operationName", "")) if "operationName=" in request.target else ""
    if body.kind == "json":
        return "", _of_json(body.value)
    if body.kind == "form" and isinstance(body.value, dict):
        return "", _of_form(body.value)
    if body.kind == "xml" and request.body.size <= LARGEST:
        return _of_xml(request.body.read())
    return "", ""


def _clean(text: str) -> str:
    return text if _NAME.fullmatch(text) else ""


def _soap_action(request: Request) -> str:
    """SOAP 1.1 has a header of its own, 1.2 a parameter of the media type."""
    if "soapaction" in request.headers:
        return request.headers.get("soapaction").strip('" ')
    kind = request.headers.get("content-type")
    found = _SOAP_ACTION.search(kind) if kind.startswith("application/soap+xml") else None
    return found[1].strip() if found else ""


def _of_json(value: object) -> str:
    """Of JSON-RPC and GraphQL, also where several calls come in one list."""
    if isinstance(value, list):
        names = list(dict.fromkeys(_of_json(one) for one in value[:20] if isinstance(one, dict)))
        return "+".join(names) if names and all(names) and len(names) <= 3 else ""
    if not isinstance(value, dict):
        return ""
    text, method = value.get("query"), value.get("method")
    if isinstance(text, str) and (begun := _GRAPHQL.match(text)):
        given = value.get("operationName") or begun[2]
        field = _FIELD.search(text)
        return _clean(str(given)) if given else _clean(field[1]) if field else ""
    if isinstance(value.get("operationName"), str) and ("variables" in value or "extensions" in value):
        return _clean(str(value["operationName"]))  # a persisted query
    if isinstance(method, str) and ("jsonrpc" in value or "params" in value):
        return _clean(method)
    return ""


def _of_form(fields: Mapping[str, object]) -> str:
    """AWS' query protocol has Action and Version."""
    action = fields.get("Action")
    return _clean(str(action[0])) if isinstance(action, list) and action and "Version" in fields else ""


class _Enough(Exception):
    """What was looked for is found."""


def _of_xml(data: bytes) -> tuple[str, str]:
    """`methodName` of XML-RPC, or the first element in a SOAP body. A document type is refused."""
    path: list[str] = []
    text: list[str] = []
    found = ["", ""]

    def start(name: str, _: object) -> None:
        path.append(name.rpartition(":")[2])
        if len(path) == 3 and path[:2] == ["Envelope", "Body"]:
            found[1] = path[2]
            raise _Enough
        if len(path) > 3:
            raise _Enough

    def end(_: str) -> None:
        if path == ["methodCall", "methodName"]:
            found[0] = "".join(text).strip()
            raise _Enough
        path.pop()

    def characters(more: str) -> None:
        if path == ["methodCall", "methodName"]:
            text.append(more)

    def refuse(*_: object) -> None:
        raise _Enough

    parser = ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler, parser.StartDoctypeDeclHandler = characters, refuse
    with suppress(_Enough, ExpatError):
        parser.Parse(data, True)
    return _clean(found[0]), _clean(found[1])


# -- answers ----------------------------------------------------------------------------------------------------------


def answer_is_like(response: Response) -> frozenset[str]:
    """The names at the top of a JSON answer (of its first element), else its media type; empty for a refusal."""
    if not 200 <= response.status < 300:
        return frozenset()
    media = response.headers.get("content-type").partition(";")[0].strip().lower()
    if "json" in media and response.body.size <= LARGEST and "content-encoding" not in response.headers:
        try:
            value = json.loads(response.body.read())
        except (ValueError, RecursionError):
            return frozenset({media})
        value = value[0] if isinstance(value, list) and value else value
        if isinstance(value, dict):
            return frozenset(list(value)[:50])
    return frozenset({media})
