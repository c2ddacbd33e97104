"""The tests that every service gets for free, third parties' too; they need pytest and hypothesis.

::

    from durable_replay.service.contract import Contract

    class TestContract(Contract):
        service = durable_todo.service
        tapes = [[exchange("GET", "https://todo.test/tasks/7", 200, {"id": "7"})]]
        samples = {"task": {"name": "milk"}}

What they cannot know, the class attributes say. `recordings` are real ones, in any format that can be imported; what
the emulator alone answers is compared with them, and `differences` lists in what it is known to differ: that list may
only shrink.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, TypeAlias
from xmlrpc import client as xmlrpc

from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from durable_replay.drift.emulated import Asked, ask_emulators
from durable_replay.drift.fidelity import differences
from durable_replay.drift.knowledge import rules_of_service
from durable_replay.drift.recorded import as_cassette, files_of, is_recording, unclaimed
from durable_replay.engine import Engine
from durable_replay.errors import NotEmulated
from durable_replay.http import Headers, Interaction, Request, Response
from durable_replay.service.address import Address, Procedure
from durable_replay.service.api import Call, Document, Located, Operation, Scope, Service, Sighting
from durable_replay.service.checks import parameters
from durable_replay.service.codecs import JsonCodec, XmlRpcCodec, decoded
from durable_replay.service.faults import Fault
from durable_replay.service.registry import Registry
from durable_replay.testing import MemoryTape, request
from durable_replay.timeline.indexing import Indexing
from durable_replay.timeline.recordings import Recordings, open_tape
from durable_replay.timeline.resource import Key, Kind, display, overlap
from durable_replay.timeline.sessions import Sessions
from durable_replay.timeline.state import Change, SQLiteStore

if TYPE_CHECKING:
    import pytest

__all__ = ["Contract"]

Row: TypeAlias = "tuple[Address | Procedure, Operation]"
_SESSION = "contract"
_CLOCK = "2026-01-31T10:00:00+00:00"
_TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)


class Contract:
    """Subclass it under a name that begins with `Test`, and set `service`."""

    service: ClassVar[Service]
    tapes: ClassVar[Sequence[Sequence[Interaction]]] = ()
    """Recordings, each in the order in which they were made."""
    host: ClassVar[str] = ""
    """Where requests go; default: the first of the service's hosts."""
    ids: ClassVar[Mapping[str, str]] = {}
    """Values of address parameters, where the service takes no `1234567`; nothing of these names exists."""
    headers: ClassVar[Mapping[str, str]] = {}
    """Values of headers that an address asks for, by lower-case name."""
    samples: ClassVar[Mapping[str, Document]] = {}
    """A document of each kind, by its name, so that operations meet a thing that exists. The identity is added."""
    absent: ClassVar[Mapping[str, int]] = {}
    """Statuses of reading operations, by name, that do not answer 404 when what their address names is not there."""
    recordings: ClassVar[Sequence[Path]] = ()
    """Files, or folders of them, each a tape of its own. Where one is absent, what it would show is not tested."""
    differences: ClassVar[frozenset[str]] = frozenset()
    """In what emulated answers differ from those of `recordings`, as the failing test prints it:
    `todo.show task: body.$.self missing`."""
    embedded: ClassVar[frozenset[str]] = frozenset()
    """Kinds that answers show beside what they are about, though a write to one does not make those answers stale."""

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """One test a row of the table, and one a tape."""
        if not hasattr(self, "service"):
            raise TypeError(f"{type(self).__name__} needs `service = …`, the Service that it tests")
        if "row" in metafunc.fixturenames:
            metafunc.parametrize("row", self.service.addresses(), ids=list(self.service.routes))
        if "tape" in metafunc.fixturenames:
            metafunc.parametrize("tape", self.tapes, ids=[f"tape {n}" for n in range(1, len(self.tapes) + 1)])

    # ---- the table

    def test_an_address_finds_its_row_with_the_parameters_it_was_made_of(self, row: Row) -> None:
        address, operation = row
        if isinstance(address, Procedure):
            assert self.service.table.procedure(address.name) == (address, operation)
            return

        reached: list[str] = []

        @given(st.fixed_dictionaries(dict(_forms(address))))
        def comes_back(params: dict[str, str]) -> None:
            headers = Headers((name, "there") for name in address.headers)
            target = address.format(params)
            found = self.service.table.find(address.method, target, headers)
            assert found is not None, f"{address.text!r}: no row finds {target!r}"
            if found[0] is address:  # a more literal row may have this very path
                reached.append(target)
                assert found[2] == params, f"{address.text!r}: {target!r} gives other parameters"

        comes_back()
        assert reached, f"{address.text!r}: other rows take all of its requests"

    def test_a_request_made_from_an_address_reaches_its_operation(self, row: Row) -> None:
        call = self._call(row)
        assert call is not None, f"{_text(row)}: no row finds the request that this address makes"
        assert call.operation is row[1], f"{_text(row)} is answered by {call.operation.name!r}"

    def test_every_operation_has_a_name(self, row: Row) -> None:
        assert row[1].name not in ("", "do", "operation", "<lambda>"), f"{_text(row)}: give its operation `name=`"

    def test_what_varies_is_said_in_rules_that_can_be_read(self) -> None:
        rules_of_service(self.service)

    # ---- footprints

    def test_a_footprint_names_kinds_of_the_service_and_leaves_no_gap(self, row: Row) -> None:
        call = self._needed(row)
        for key in (*row[1].read_keys(call), *row[1].written_keys(call)):
            name = key[0].removesuffix(".name") if key else "the whole world"
            assert name in self.service.by_name, f"{_text(row)}: {display(key)} is of no kind of the service"
        for kind in (*row[1].reads, *row[1].writes):
            if isinstance(kind, Kind):
                there = [part in call.params for part in kind.parts]
                whole = there == sorted(there, reverse=True)
                assert whole, f"{_text(row)}: {kind.name} is cut short before {kind.parts[there.index(True)]!r}"

    def test_an_operation_touches_what_it_declares_and_answers(self, row: Row) -> None:
        """`Undeclared`, or any exception that is no Fault, comes out here."""
        for call, scope in self._runs(row):
            with suppress(Fault, NotEmulated):
                assert call.operation.do is not None
                reply = call.operation.do(scope, call)
                if isinstance(row[0], Address) or isinstance(self.service.codec, XmlRpcCodec):
                    assert isinstance(self.service.codec.encode(call, reply), Response)

    def test_an_operation_changes_no_document_but_by_put(self, row: Row) -> None:
        for call, scope in self._runs(row):
            with suppress(Fault, NotEmulated):
                assert call.operation.do is not None
                call.operation.do(scope, call)
            assert scope.spoilt() == [], f"{_text(row)} changes in place what the scope gave it"

    # ---- errors

    def test_a_thing_that_is_not_there_is_told_in_the_services_own_words(self, row: Row) -> None:
        address, operation = row
        call = self._needed(row)
        if operation.do is None or operation.writes or not self._reads_one(call) or not self._answers(row):
            return
        response = self._engine().answer(_SESSION, call.request).response
        _readable(self.service, response, call.request)
        if isinstance(address, Procedure):
            assert not self.service.codec.succeeded(call, response), f"{_text(row)}: a thing that is not there is found"
        else:
            wanted = self.absent.get(operation.name, 404)
            assert response.status == wanted, f"{_text(row)} answers {response.status}, wanted {wanted} (see `absent`)"

    def test_an_unknown_operation_gets_the_services_own_error(self) -> None:
        asked = request("UNHEARD", f"https://{self._host()}/durable/no/such/operation")
        assert self.service.find(asked) is None
        answer = self._engine().answer(_SESSION, asked)
        assert answer.response == self.service.codec.unknown(asked)
        _readable(self.service, answer.response, asked)
        rpc = isinstance(self.service.codec, XmlRpcCodec)
        assert rpc or 400 <= answer.response.status < 500 or answer.response.status == 501

    def test_an_operation_that_is_not_emulated_says_so(self, row: Row) -> None:
        if row[1].do is not None or not self._answers(row):
            return
        answer = self._engine().answer(_SESSION, self._needed(row).request)
        assert (answer.source, answer.response.status) == ("refused", 501)
        assert row[1].name in answer.why and "not emulated" in answer.why

    # ---- recordings

    def test_a_tape_that_is_played_in_order_is_told_as_it_was_recorded(self, tape: Sequence[Interaction]) -> None:
        engine = self._engine(tape)
        for number, one in enumerate(tape, 1):
            if one.frames:
                continue
            answer = engine.answer(_SESSION, one.request)
            place = f"#{number} {one.request.method} {one.request.target}"
            assert (answer.source, answer.interaction) == ("recorded", number), f"{place}: {answer.why}"
            assert answer.response == one.response, f"{place} is answered with other bytes"

    def test_every_recorded_answer_can_be_learnt_from(self, tape: Sequence[Interaction]) -> None:
        """What it shows is of declared kinds and below the footprint: else a write would not make it stale."""
        indexing = Indexing(Registry([self.service], {self._host(): self.service.name}))
        for number, one in enumerate(tape, 1):
            call = indexing.understand(one.request).call
            if call is None or call.operation.learns is None:
                continue
            place = f"#{number} {one.request.method} {one.request.target} ({call.operation.name})"
            for sighting in call.operation.learns(call, one.response):
                assert isinstance(sighting, Sighting), f"{place} teaches a {type(sighting).__name__}"
                assert sighting.key[0] in self.service.by_name, f"{place} shows {display(sighting.key)}, of no kind"
                if sighting.key[0] not in self.embedded:
                    declared = (*call.operation.read_keys(call), *call.operation.written_keys(call))
                    named = [key[0] for key in declared if self._is_named(key[0])]
                    within = sighting.key[0] in named or any(overlap(key, sighting.key) for key in declared)
                    assert within, f"{place} shows {display(sighting.key)}, which it does not declare (see `embedded`)"

    def test_emulated_answers_differ_from_recorded_ones_in_what_is_known_and_no_more(self) -> None:
        """A recording that is not there is not compared, and what it alone would show stays on the list."""
        there = [path for path in self.recordings if path.exists()]
        found = {str(one) for one in differences(self._asked(there))}
        new = sorted(found - self.differences)
        assert not new, "the emulator differs from the recordings:\n" + "\n".join(new)
        gone = sorted(self.differences - found)
        if len(there) == len(self.recordings):
            assert not gone, "these differ no more; take them off `differences`:\n" + "\n".join(gone)

    def _asked(self, recordings: Sequence[Path]) -> Iterator[Asked]:
        for path in (path for path, _ in files_of(recordings) if is_recording(path)):
            with as_cassette(path) as cassette:
                hosts = dict.fromkeys(unclaimed(cassette, Registry([self.service])), self.service.name)
                indexing = Indexing(Registry([self.service], hosts))
                recorded = open_tape([cassette], indexing)
                yield from ask_emulators(recorded, indexing)
                if isinstance(recorded, Recordings):
                    recorded.close()

    # ---- how a row is asked

    def _host(self) -> str:
        first = self.service.hosts[0] if self.service.hosts else "service.test"
        return self.host or first.replace("*", "contract", 1)

    def _engine(self, tape: Iterable[Interaction] = ()) -> Engine:
        indexing = Indexing(Registry([self.service], {self._host(): self.service.name}))
        recorded = MemoryTape(tape, indexing)
        return Engine(recorded, indexing, Sessions(recorded, SQLiteStore(None), clock=_CLOCK))

    def _answers(self, row: Row) -> bool:
        """Whether a row is reached by a request; a frame's is not."""
        return isinstance(row[0], Address) or isinstance(self.service.codec, XmlRpcCodec)

    def _call(self, row: Row) -> Call | None:
        address, operation = row
        url = f"https://{self._host()}"
        if isinstance(address, Address):
            params = {name: _word(address, name) or self.ids.get(name, "1234567") for name in address.parameters}
            query, body = _example(operation.example)
            target = address.format(params)
            joined = target + (query.replace("?", "&", 1) if "?" in target else query)
            fields = {name: self.headers.get(name, "there") for name in address.headers}
            if body and isinstance(self.service.codec, JsonCodec):
                fields["content-type"] = self.service.codec.content_type
            return self.service.find(request(address.method, url + joined, body.encode() or None, fields))
        arguments = json.loads(operation.example or "null") or [self.ids.get(p, "1234567") for p in address.positions]
        if isinstance(self.service.codec, XmlRpcCodec):
            body = xmlrpc.dumps(tuple(arguments), address.name)
            headers = {"content-type": "text/xml"}
            return self.service.find(request("POST", url + self.service.codec.path, body.encode(), headers))
        located = Located(procedure=address.name, arguments=tuple(arguments))
        return self.service.call(request("GET", url + "/"), located)

    def _needed(self, row: Row) -> Call:
        call = self._call(row)
        assert call is not None, f"{_text(row)}: no row finds the request that this address makes"
        return call

    def _reads_one(self, call: Call) -> bool:
        kinds = [kind for kind in call.operation.reads if isinstance(kind, Kind)]
        return any(kind.is_whole(kind.key(call.params)) for kind in kinds)

    def _is_named(self, name: str) -> bool:
        """Whether things of this kind go by names, which a recorded request may use for a key."""
        return name in self.service.by_name and bool(self.service.by_name[name].names)

    # ---- worlds to run it in

    def _runs(self, row: Row) -> Iterator[tuple[Call, _Watched]]:
        """The row's call in an empty and in a filled world, and what the tapes have of it before and after them."""
        if row[1].do is None:
            return
        call = self._needed(row)
        yield self._ready(self._engine(), call, filled=False)
        yield self._ready(self._engine(), call, filled=True)
        for tape in self.tapes:
            engine = self._engine(tape)
            calls = [understood.call for understood in map(engine.indexing.understand, _requests(tape))]
            mine = [one for one in calls if one is not None and one.operation is row[1]]
            yield from (self._ready(engine, one, filled=False) for one in (call, *mine))
            for asked in _requests(tape):
                engine.answer(_SESSION, asked)
            yield from (self._ready(engine, one, filled=False) for one in mine)

    def _ready(self, engine: Engine, call: Call, *, filled: bool) -> tuple[Call, _Watched]:
        """The call as the engine would run it, on a scope that watches."""
        session = engine.sessions.get(_SESSION)
        call, names = engine.emulator.resolved(session, call)
        world = engine.emulator.world(session, self.service, call.tenant)
        reads, writes = (*call.operation.read_keys(call), *names), call.operation.written_keys(call)
        all_ = Scope(world, ((),), ((),), now=session.clock.now())
        if self.service.seed:
            self.service.seed(all_)
        for key in (*reads, *writes) if filled else ():
            self._put_sample(all_, key)
        put = {world.full(key): one for key, one in all_.changes.items() if world.known(key) == "unknown"}
        session.commit(Change(put, None, all_.counters, {}))
        return call, _Watched(world, reads, writes, now=session.clock.now())

    def _put_sample(self, scope: Scope, key: Key) -> None:
        kind = self.service.by_name.get(key[0])
        if kind is not None and kind.is_whole(key) and kind.name in self.samples and not scope.exists(key):
            scope.put(key, {kind.identity: kind.values(key)[-1], **deepcopy(self.samples[kind.name])})


class _Watched(Scope):
    """A scope that remembers what it gave out."""

    def __init__(self, *arguments: object, **options: object) -> None:
        super().__init__(*arguments, **options)  # type: ignore[arg-type]
        self._given: list[tuple[Key, Document, Document, Document]] = []

    def find(self, key: Key) -> Document | None:
        document = super().find(key)
        if document is not None and key not in self.changes:
            self._given.append((key, document, dict(document), deepcopy(document)))
        return document

    def all(self, prefix: Key) -> Iterator[tuple[Key, Document]]:
        found = list(super().all(prefix))
        for key, document in found:
            if key not in self.changes:
                self._given.append((key, document, dict(document), deepcopy(document)))
        return iter(found)

    def spoilt(self) -> list[str]:
        """What was changed without `put`; and fields whose lists or objects were changed at all: these are shared."""
        found = []
        for key, document, shallow, before in self._given:
            if shallow != before:
                fields = [name for name in before if shallow[name] != before[name]]
                found.append(f"{display(key)}: inside {', '.join(fields)}; copy it first")
            elif document != before and key not in self.changes:
                found.append(f"{display(key)}: changed, and never put")
        return found


def _requests(tape: Iterable[Interaction]) -> list[Request]:
    return [one.request for one in tape if not one.frames]


def _text(row: Row) -> str:
    address = row[0]
    return address.text if isinstance(address, Address) else f"{address.name}({', '.join(address.positions)})"


def _words(address: Address, name: str) -> tuple[str, str]:
    """What stands behind the colon of a segment: `path`, or the words that it may be."""
    found = (segment[1:-1].partition(":") for segment in address.segments if segment[:1] == "{")
    return next(((known, form) for known, _, form in found if known == name), (name, ""))


def _word(address: Address, name: str) -> str:
    form = _words(address, name)[1]
    return "" if form == "path" else form.partition("|")[0]


def _forms(address: Address) -> Iterator[tuple[str, st.SearchStrategy[str]]]:
    for name in parameters(address):
        form = _words(address, name)[1]
        yield name, st.sampled_from(form.split("|")) if form not in ("", "path") else _TEXT


def _example(text: str) -> tuple[str, str]:
    """An example's query (with its question mark) and body."""
    if not text.startswith("?"):
        return "", text
    query, _, body = text.partition("\n")
    return query, body


def _readable(service: Service, response: Response, asked: Request) -> None:
    """An error is in the service's own form: whoever parses its answers can parse this one."""
    data = decoded(response)
    place = f"{asked.method} {asked.target}: the error"
    assert response.status < 500 or response.status == 501, f"{place} is a {response.status}"
    if not data or asked.method == "HEAD":
        return
    if isinstance(service.codec, JsonCodec):
        assert "json" in response.headers.get("content-type"), f"{place} is not called JSON"
        json.loads(data)
    elif isinstance(service.codec, XmlRpcCodec):
        with suppress(xmlrpc.Fault):
            xmlrpc.loads(data)
    elif "xml" in response.headers.get("content-type") or data.startswith(b"<"):
        etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True))
