"""Jira on the wire: sites and their addresses, the two views of rich text, and the error envelope.

# Rule: only this module knows a host, a base address or a REST version; what is kept knows none of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from durable_jira.adf import to_adf, to_markup
from durable_jira.errors import envelope, text
from durable_replay.http import Request, Response
from durable_replay.service.api import Call, Json, Located, Reply
from durable_replay.service.codecs import JsonCodec, fault_status
from durable_replay.service.faults import Fault, Missing

__all__ = ["JiraCodec", "base_url", "rest_version"]

# https://site/rest/..., https://api.atlassian.com/ex/jira/{cloudId}/rest/... and, on Data Center, a context path of up
# to three segments.
_ADDRESS = re.compile(r"(?P<prefix>/ex/jira/[\w-]+|(?:/[\w.~-]+){0,3}?)(?P<rest>/rest(?:/.*)?)")
_SELF = re.compile(r"(?:https?://[^/]+(?:/[^/?]+){0,3}?)?/rest/api/(?:2|3|latest)(/.*)", re.DOTALL)
_LOOPBACK = re.compile(r"localhost|127(?:\.\d+){3}|::1|\[::1\]")
_AUTHORITY = re.compile(r"(?:[\w.-]+|\[[0-9a-fA-F:.]+\])(?::\d{1,5})?")
_RICH = ("description", "environment")
_DEPTH = 60
"""Levels of a document that are rewritten; Jira's own nest a tenth of that."""
View = Callable[[str, Json, str], "Json | None"]


def base_url(request: Request) -> str:
    """The site as the client calls it: scheme, authority, and the gateway's or context path.

    The authority is the `Host` field's, so that addresses in answers lead back here even where a plain endpoint
    stands for a site of another name: clients follow `self`.
    """
    named = request.headers.get("host")
    authority = named if _AUTHORITY.fullmatch(named) else request.authority
    return f"{request.scheme}://{authority}{_prefix(request)}"


def rest_version(call: Call) -> str:
    """`2` or `3`, the version whose documents this call sees; `latest` is 2, on Cloud too [seen in recordings]."""
    return "3" if call.params.get("api") == "3" else "2"


def _prefix(request: Request) -> str:
    found = _ADDRESS.fullmatch(request.path)
    return found["prefix"] if found else ""


class JiraCodec(JsonCodec):
    """Jira Cloud's and Data Center's wire."""

    content_type = "application/json;charset=UTF-8"

    def locate(self, request: Request) -> Located | None:
        found = _ADDRESS.fullmatch(request.path)
        if found is None:
            return None
        query = f"?{request.query_string}" if request.query_string else ""
        # Clients send `/user/?username=`; the service takes a slash at the end.
        return Located(request.method, (found["rest"].rstrip("/") or "/") + query)

    def tenant(self, request: Request) -> str:
        """The site. All loopback addresses are one, whatever the port, so that a mock may move to another."""
        host = "localhost" if _LOOPBACK.fullmatch(request.host) else request.authority
        return host + _prefix(request)

    def encode(self, call: Call, reply: Reply) -> Response:
        content = _viewed(call, reply.content)  # type: ignore[arg-type]  # operations reply with JSON
        return super().encode(call, Reply(reply.status, content, reply.headers))

    def fault(self, request: Request, fault: Fault, call: Call | None) -> Response:
        status = fault.details.get("status")
        return self.json(status if isinstance(status, int) else fault_status(fault), _body(fault))

    def unknown(self, request: Request) -> Response:
        # The form of Data Center's answer to an address that nothing serves.
        return self.json(404, {"message": f"null for uri: {request.url}", "status-code": 404})


def _body(fault: Fault) -> object:
    errors = fault.details.get("errors")
    if isinstance(errors, dict):
        return envelope(errors=errors)
    if field := getattr(fault, "field", ""):
        return envelope(errors={field: fault.text})
    if isinstance(fault, Missing) and fault.key[0] == "project":
        return envelope(text("project.missing", key=fault.key[-1]))
    if fault.details.get("warnings"):  # seen: Cloud's JQL errors have warningMessages in place of errors
        return {"errorMessages": [fault.text], "warningMessages": []}
    return envelope(fault.text)


def _viewed(call: Call, content: Json) -> Json:
    base, version = base_url(call.request), rest_version(call)
    rich = _as_adf if version == "3" else _as_markup

    def view(name: str, value: Json, around: str) -> Json | None:
        if name == "self" and isinstance(value, str) and (found := _SELF.fullmatch(value)):
            return f"{base}/rest/api/{version}{found[1]}"
        return rich(name, value, around)

    return _walk(content, view, "", 0)


def _walk(value: Json, view: View, around: str, depth: int) -> Json:
    if depth > _DEPTH:
        return value
    if isinstance(value, list):
        return [_walk(one, view, around, depth + 1) for one in value]
    if not isinstance(value, dict):
        return value
    # An object with an author and a body is a comment.
    place = "comment" if "body" in value and "author" in value else around
    return {
        name: _walk(one, view, name, depth + 1) if (seen := view(name, one, place)) is None else seen
        for name, one in value.items()
    }


def _as_adf(name: str, value: Json, around: str) -> Json | None:
    is_rich = (around == "fields" and name in _RICH) or (around == "comment" and name == "body")
    return to_adf(value) if is_rich and isinstance(value, str) else None  # type: ignore[return-value]


def _as_markup(name: str, value: Json, around: str) -> Json | None:
    return to_markup(value) if isinstance(value, dict) and value.get("type") == "doc" and "content" in value else None
