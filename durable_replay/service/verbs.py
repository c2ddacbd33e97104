"""Five operations that need no code: show, index, create, merge, remove.

Each carries its footprint, its effect, its reply and what a recorded answer of it teaches. They speak JSON documents
through a `JsonCodec`; what they cannot say is an `@operation` of the service's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cmp_to_key
from itertools import pairwise

from durable_replay.errors import BadService
from durable_replay.http import Response
from durable_replay.service.api import Call, Document, Footing, Kind, Operation, Reply, Scope, Sighting
from durable_replay.service.codecs import JsonCodec
from durable_replay.timeline.resource import Key
from durable_replay.timeline.scope import Listed, Mint

__all__ = ["create", "index", "merge", "patched", "remove", "show"]

Form = Callable[[Mint], str]
Defaults = Callable[[Scope, Call], Document]
Where = Callable[[Call, Document], bool]
Order = Callable[[Document], float | str]


def _codec(call: Call) -> JsonCodec:
    if not isinstance(call.service.codec, JsonCodec):
        raise BadService(f"service {call.service.name!r}: verbs need a JsonCodec")
    return call.service.codec


def _key(kind: Kind, call: Call, document: Document) -> Key:
    """A shown document's key: the call's outer parts, and the document's own identity."""
    outer = [call.params[part] for part in kind.parts[:-1] if part in call.params]
    return kind.of(*outer, document[kind.identity])


def _identified(kind: Kind, document: object) -> bool:
    return isinstance(document, dict) and kind.identity in document


def _require(scope: Scope, call: Call, needs: Iterable[Kind]) -> None:
    for kind in needs:
        scope.get(kind.key(call.params))


def show(kind: Kind, *, needs: Sequence[Kind] = (), name: str = "") -> Operation:
    """One thing, whole."""

    def do(scope: Scope, call: Call) -> Reply:
        _require(scope, call, needs)
        return Reply(200, scope.get(kind.key(call.params)))

    def learns(call: Call, response: Response) -> Iterable[Sighting]:
        if response.status == 404:
            return [Sighting(kind.key(call.params), None)]
        content = _codec(call).read(response) if response.status == 200 else None
        return [Sighting(_key(kind, call, content), content)] if _identified(kind, content) else []  # type: ignore[arg-type]

    return Operation(name or f"show {kind.name}", do, (kind, *needs), (), learns)


def index(
    kind: Kind,
    *,
    where: Where | None = None,
    order: Order | None = None,
    paging: Sequence[str] = (),
    needs: Sequence[Kind] = (),
    name: str = "",
) -> Operation:
    """All things below the key that the call's parameters name; `where` filters by the call, `order` sorts new ones."""

    def do(scope: Scope, call: Call) -> Reply:
        _require(scope, call, needs)
        keep = (lambda document: where(call, document)) if where else (lambda document: True)
        documents, listed = patched(scope, kind.key(call.params), keep, order)
        recorded = None if listed is None else _codec(call).read(listed.response)
        return Reply(200, _codec(call).page(call, documents, recorded))

    def learns(call: Call, response: Response) -> Iterable[Sighting]:
        if response.status != 200:
            return
        content = _codec(call).read(response)
        for document in _codec(call).documents(content):
            if kind.identity in document:
                yield Sighting(_key(kind, call, document), document, whole=False)
        if _codec(call).is_complete(call, content):
            yield Sighting(kind.key(call.params), {}, complete=True)

    return Operation(name or f"index {kind.name}", do, (kind, *needs), (), learns, tuple(paging))


def patched(
    scope: Scope, prefix: Key, keep: Callable[[Document], bool], order: Order | None = None
) -> tuple[list[Document], Listed | None]:
    """A listing: the last recorded one with this session's writes applied; without one, all that is known.

    Gives the documents in order, and the recorded listing that it stands on.
    """
    known = dict(scope.all(prefix))
    listed = scope.listed()
    if listed is None:
        in_order = _inserted([], [document for document in known.values() if keep(document)], order)
        return in_order, None
    stay = [key for key in listed.keys if key in known and (key not in listed.touched or keep(known[key]))]
    new = [key for key in known if key in listed.touched and key not in listed.keys and keep(known[key])]
    documents = _inserted([known[key] for key in stay], [known[key] for key in new], order)
    return documents, listed


def _inserted(documents: list[Document], new: list[Document], order: Order | None) -> list[Document]:
    """Each new one before the first that the order puts after it; a recorded order that is not ours stays as it is."""
    if order is None:
        return [*documents, *new]
    placed = [(order(document), document) for document in documents]
    more = [(order(document), document) for document in new]
    if not any(_precedes(later[0], earlier[0]) for earlier, later in pairwise(placed)):
        in_order = sorted((*placed, *more), key=cmp_to_key(_compare))
        return [document for _, document in in_order]
    for one in more:
        after = (at for at, other in enumerate(placed) if _precedes(one[0], other[0]))
        placed.insert(next(after, len(placed)), one)
    return [document for _, document in placed]


def _compare(one: tuple[float | str, Document], other: tuple[float | str, Document]) -> int:
    return -1 if _precedes(one[0], other[0]) else int(_precedes(other[0], one[0]))


def _precedes(one: float | str, other: float | str) -> bool:
    if isinstance(one, str) or isinstance(other, str):
        return str(one) < str(other)
    return one < other


def create(
    kind: Kind,
    form: Form | None = None,
    *,
    defaults: Defaults | None = None,
    needs: Sequence[Kind] = (),
    status: int = 201,
    name: str = "",
) -> Operation:
    """A new thing below the key that the call's parameters name; its identity is minted by `form`."""

    def do(scope: Scope, call: Call) -> Reply:
        _require(scope, call, needs)
        outer = [call.params[part] for part in kind.parts[:-1]]
        identity = scope.mint(kind, *outer, form=form) if form else scope.mint(kind, *outer)
        base = defaults(scope, call) if defaults else {}
        document: Document = {kind.identity: identity, **base, **_codec(call).fields(call)}
        scope.put(kind.of(*outer, identity), document)
        return Reply(status, document)

    return Operation(name or f"create {kind.name}", do, tuple(needs), (_prefix(kind),), _shown(kind))


def merge(kind: Kind, *, status: int = 200, needs: Sequence[Kind] = (), name: str = "") -> Operation:
    """Sets the fields that the body names, keeps all others."""

    def do(scope: Scope, call: Call) -> Reply:
        _require(scope, call, needs)
        document = scope.merge(kind.key(call.params), _codec(call).fields(call))
        return Reply(status, None if status == 204 else document)

    return Operation(name or f"merge {kind.name}", do, (kind, *needs), (kind,), _shown(kind))


def remove(
    kind: Kind, *, status: int = 204, needs: Sequence[Kind] = (), below: Sequence[Kind] = (), name: str = ""
) -> Operation:
    """The thing is gone, and with it all of the kinds `below` whose keys contain its own."""

    def do(scope: Scope, call: Call) -> Reply:
        _require(scope, call, needs)
        scope.get(kind.key(call.params))
        scope.delete(kind.key(call.params))
        for inner in below:
            scope.clear(inner.key(call.params))
        return Reply(status, None if status == 204 else {})

    def learns(call: Call, response: Response) -> Iterable[Sighting]:
        return [Sighting(kind.key(call.params), None)] if response.status in (200, 202, 204, 404) else []

    return Operation(name or f"remove {kind.name}", do, (kind, *needs), (kind, *below), learns)


def _prefix(kind: Kind) -> Footing:
    def footing(call: Call) -> list[Key]:
        return [kind.key({part: call.params[part] for part in kind.parts[:-1] if part in call.params})]

    return footing


def _shown(kind: Kind) -> Callable[[Call, Response], Iterable[Sighting]]:
    def learns(call: Call, response: Response) -> Iterable[Sighting]:
        if response.status not in (200, 201) or not response.body:
            return []
        content = _codec(call).read(response)
        return [Sighting(_key(kind, call, content), content)] if _identified(kind, content) else []  # type: ignore[arg-type]

    return learns
