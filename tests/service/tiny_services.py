"""Four services of at most 50 lines each, one of each kind that the ten real ones are of."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from lxml import etree

from durable_replay.http import BytesBody, Frame, Headers, Request, Response
from durable_replay.service.api import (
    Call,
    Codec,
    Key,
    Located,
    Reply,
    Scope,
    Service,
    Sighting,
    Socket,
    kind,
    operation,
)
from durable_replay.service.codecs import JsonCodec, XmlRpcCodec
from durable_replay.service.faults import Fault, Invalid, Missing
from durable_replay.service.verbs import create, index, merge, remove, show

# --- REST and JSON: an envelope, a child kind, a name beside the id

PROJECT = kind("project", "project", identity="id", names="slug")
TASK = kind("task", "project task", identity="id")


class Enveloped(JsonCodec):
    def wrap(self, content: object) -> object:
        return {"data": content}

    def unwrap(self, content: object) -> object:
        return content.get("data") if isinstance(content, dict) else None


TODO = Service(
    "todo",
    ("todo.test",),
    Enveloped(),
    {
        "GET    /projects": index(PROJECT, paging=("page",)),
        "POST   /projects": create(PROJECT),
        "GET    /projects/{project}": show(PROJECT),
        "PUT    /projects/{project}": merge(PROJECT),
        "DELETE /projects/{project}": remove(PROJECT, below=(TASK,)),
        "GET    /projects/{project}/tasks": index(
            TASK,
            needs=(PROJECT,),
            where=lambda call, task: call.query.get("done") in (None, str(bool(task.get("done"))).lower()),
            order=lambda task: int(str(task["id"])),
        ),
        "POST   /projects/{project}/tasks": create(TASK, needs=(PROJECT,)),
        "GET    /projects/{project}/tasks/{task}": show(TASK),
        "PUT    /projects/{project}/tasks/{task}": merge(TASK),
        "DELETE /projects/{project}/tasks/{task}": remove(TASK),
    },
    (PROJECT, TASK),
)

# --- XML over paths and query flags

BOX = kind("box", "Box")
THING = kind("thing", "Box Name", split="/")


class XmlCodec(Codec):
    def encode(self, call: Call, reply: Reply) -> Response:
        data = etree.tostring(reply.content) if isinstance(reply.content, etree._Element) else b""
        return Response(reply.status, Headers([("Content-Type", "application/xml")]), BytesBody(data))

    def fault(self, request: Request, fault: Fault, call: Call | None) -> Response:
        error = etree.Element("Error")
        error.text = "NoSuchThing" if isinstance(fault, Missing) else "Bad"
        return Response(404 if isinstance(fault, Missing) else 400, Headers(), BytesBody(etree.tostring(error)))

    def unknown(self, request: Request) -> Response:
        return Response(405, Headers(), BytesBody(b"<Error>NoSuchOperation</Error>"))


def _shown(call: Call, response: Response) -> Iterable[Sighting]:
    key = THING.key(call.params)
    if response.status == 404:
        return [Sighting(key, None)]
    return [Sighting(key, {"text": etree.fromstring(response.body.read()).text or ""})]


@operation(reads=[THING], learns=_shown)
def get_thing(scope: Scope, call: Call) -> Reply:
    element = etree.Element("Thing")
    element.text = str(scope.get(THING.key(call.params))["text"])
    return Reply(200, element)


@operation(reads=[BOX], writes=[THING])
def put_thing(scope: Scope, call: Call) -> Reply:
    scope.put(THING.key(call.params), {"text": call.request.body.read().decode()})
    return Reply(200)


@operation(reads=[lambda call: [THING.within(call.query.get("prefix", ""), call["Box"])]])
def list_things(scope: Scope, call: Call) -> Reply:
    prefix, listing = call.query.get("prefix", ""), etree.Element("Things")
    for key, _ in scope.all(THING.within(prefix, call["Box"])):
        if THING.values(key)[1].startswith(prefix):
            etree.SubElement(listing, "Name").text = THING.values(key)[1]
    return Reply(200, listing)


STORE = Service(
    "store",
    ("store.test", "*.store.test"),
    XmlCodec(),
    {
        "GET /{Box}?list": list_things,
        "GET /{Box}/{Name:path}": get_thing,
        "PUT /{Box}/{Name:path}": put_thing,
    },
    (BOX, THING),
)

# --- XML-RPC: procedures by name, positions get names, failures are values

VM = kind("vm", "vm")


class CloudCodec(XmlRpcCodec):
    def succeeded(self, call: Call, response: Response) -> bool:
        value = self.value(response)
        return isinstance(value, list) and value[0] is True

    def encode(self, call: Call, reply: Reply) -> Response:
        return super().encode(call, Reply(200, [True, reply.content, 0]))

    def fault(self, request: Request, fault: Fault, call: Call | None) -> Response:
        code = 0x400 if isinstance(fault, Missing) else 0x1000
        assert call is not None
        return super().encode(call, Reply(200, [False, fault.text, code]))


def _allocated(call: Call, response: Response) -> Iterable[Sighting]:
    value = CloudCodec().value(response)
    if isinstance(value, list) and value[0] is True:
        yield Sighting(VM.of(value[1]), {"id": value[1], "template": call["template"]})


@operation(writes=[VM], learns=_allocated)
def allocate(scope: Scope, call: Call) -> Reply:
    if not call["template"]:
        raise Invalid("an empty template")
    number = int(scope.mint(VM))
    scope.put(VM.of(number), {"id": number, "template": call["template"]})
    return Reply(200, number)


@operation(reads=[VM])
def info(scope: Scope, call: Call) -> Reply:
    return Reply(200, f"<VM><T>{scope.get(VM.key(call.params))['template']}</T></VM>")


CLOUD = Service(
    "cloud",
    ("cloud.test",),
    CloudCodec(),
    {"one.vm.allocate(session, template, hold)": allocate, "one.vm.info(session, vm)": info},
    (VM,),
    credentials=("session",),
)

# --- WebSocket: pushes what REST writes, and a frame is a call

MESSAGE = kind("message", "channel message")


class Gateway(Socket):
    def __init__(self) -> None:
        self.sequence = 0

    def opened(self, scope: Scope, request: Request) -> Iterable[Frame]:
        return [self._frame({"op": 10})]

    def located(self, frame: Frame) -> Located:
        said = json.loads(frame.data)
        return Located(procedure=f"op{said['op']}", arguments=(said.get("d"),))

    def encode(self, call: Call, reply: Reply) -> Iterable[Frame]:
        return [self._frame(reply.content)]

    def pushed(self, scope: Scope, keys: Sequence[Key]) -> Iterable[Frame]:
        for key in keys:
            self.sequence += 1
            yield self._frame({"op": 0, "s": self.sequence, "t": "MESSAGE_CREATE", "d": scope.find(key)})

    @staticmethod
    def _frame(content: object) -> Frame:
        return Frame(False, "text", json.dumps(content).encode())


@operation()
def heartbeat(scope: Scope, call: Call) -> Reply:
    return Reply(200, {"op": 11})


CHAT = Service(
    "chat",
    ("chat.test",),
    JsonCodec(),
    {
        "POST /channels/{channel}/messages": create(MESSAGE, status=200),
        "GET /channels/{channel}/messages": index(MESSAGE),
        "op1(seq)": heartbeat,
    },
    (MESSAGE,),
    socket=Gateway,
    socket_paths=("/gateway",),
)
