"""The values of a comparison: what differs, where, how often, and what was set aside."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, TypeAlias

from durable_replay.http import Interaction

__all__ = [
    "Comparison",
    "Endpoint",
    "Example",
    "Exchange",
    "Finding",
    "Kind",
    "Origin",
    "Severity",
    "Suppression",
    "Unpaired",
]


class Severity(StrEnum):
    """For a reader of the API: breaking may fail a client, additive is new, cosmetic is neither."""

    breaking = "breaking"
    additive = "additive"
    cosmetic = "cosmetic"


class Kind(StrEnum):
    """What sort of difference; the text is what reports and rules use."""

    endpoint_gone = "endpoint-gone"
    """Answered before, and now 404, 405, 410 or 501 to each request; or absent from the after side."""
    endpoint_new = "endpoint-new"
    """The reverse."""
    status = "status"
    """Another status for the same request."""
    auth = "auth"
    """Now asks for credentials that it did not ask for (401, 403), or the reverse, or by another scheme."""
    newly_required = "newly-required"
    """A request that was accepted is now refused as incomplete or wrong (400, 422)."""
    content_type = "content-type"
    """Another media type, or another charset."""
    header_added = "header-added"
    header_removed = "header-removed"
    header_changed = "header-changed"
    field_added = "field-added"
    field_removed = "field-removed"
    field_optional = "field-optional"
    """Was in each answer, and now is missing in some."""
    type_changed = "type-changed"
    """Null, boolean, number, string, array or object became another of these."""
    number_kind = "number-kind"
    """Whole numbers became fractions, or the reverse."""
    nullable = "nullable"
    """Was never null, and now is in some answers or in all."""
    format_changed = "format-changed"
    """A string that always was of one format (date and time, date, UUID, number…) now is of another."""
    enum_added = "enum-added"
    """A value that was never seen among a small fixed set of values."""
    enum_removed = "enum-removed"
    """A value of a small fixed set that is no longer seen, where it was to be expected."""
    element_shape = "element-shape"
    """The elements of an array are of another type."""
    paging = "paging"
    """How a listing is cut into pages: its cursor, its links, the size of a page."""
    value = "value"
    """The same request is answered with another value, where values are stable."""


Origin: TypeAlias = Literal["learnt", "service", "rule", "format", "order", "default"]
"""Why a difference was set aside: it varies between recordings of one request on one side; the service says so; a
rule of the user; both values are of a format that names nothing lasting (an id, a time, a token); only the order of
elements differs; a header that says nothing of the API."""


@dataclass(frozen=True, slots=True, order=True)
class Endpoint:
    """What was asked, with ids blanked.

    `world` is the service's name, or `host` or `host:port` where no service is known; `path` is the address of the
    service's table, or the path with `{}` for each id. `operation` is the service's name for it, or empty.
    """

    world: str
    method: str
    path: str
    operation: str = ""

    def __str__(self) -> str:
        return f"{self.world} {self.method} {self.path}"


@dataclass(frozen=True, slots=True)
class Exchange:
    """One recorded interaction, with what it asked: its endpoint and its canonical request key (16 bytes)."""

    endpoint: Endpoint
    key: bytes
    interaction: Interaction


@dataclass(frozen=True, slots=True)
class Example:
    """Both sides of one difference, as short texts (at most 200 characters, JSON for values; "" where absent).

    `before_number` and `after_number` are the interactions' places on their tapes, 0 where there is none; `place` is
    the concrete path, with indexes and keys: `body.$.items[2].name`.
    """

    before: str
    after: str
    before_number: int = 0
    after_number: int = 0
    place: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference of one endpoint at one path.

    `path` is `endpoint`, `status`, `header.<name in lower case>`, `trailer.<name>`, `frames.$…` or `body.$…`, in which
    `[]` stands for the elements of an array and `{}` for the keys of a map. `count` of `seen` answers on the after side
    show it.
    """

    endpoint: Endpoint
    path: str
    kind: Kind
    severity: Severity
    text: str
    """One sentence for people: `is now a string, was an integer`."""
    count: int
    seen: int
    examples: tuple[Example, ...] = ()


@dataclass(frozen=True, slots=True)
class Suppression:
    """A difference that was set aside. `reason` is a sentence that names the evidence or the rule."""

    finding: Finding
    origin: Origin
    reason: str


@dataclass(frozen=True, slots=True)
class Unpaired:
    """Requests of an endpoint that only one side has."""

    endpoint: Endpoint
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """The whole result, in a stable order: by endpoint, path, kind. `pairs` counts the answers compared in pairs."""

    findings: tuple[Finding, ...]
    suppressed: tuple[Suppression, ...] = ()
    unpaired: tuple[Unpaired, ...] = ()
    pairs: int = 0
    before: int = 0
    """Interactions on the before side."""
    after: int = 0
