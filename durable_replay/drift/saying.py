"""What objects say of themselves: which of several things they are, and whether a call succeeded."""

from __future__ import annotations

from durable_replay.drift.documents import Node

__all__ = ["ENVELOPED", "FAILURE", "SAYS_WHAT", "SAYS_WHETHER", "SHALLOW", "SUCCESS", "said_of"]

SAYS_WHAT = (
    *("type", "kind", "event", "object", "__typename", "@type", "_type", "resourceType", "event_type", "eventType"),
    *("messageType", "op", "t"),
)
"""Names of fields that say what an object is, as unions are discriminated by."""
SAYS_WHETHER = ("#0", "ok", "success", "successful")
"""Names of booleans that say whether a call succeeded; what is beside them is an answer, or an error. `#0` is the first
position of an XML-RPC answer."""
SUCCESS, FAILURE = "\0success", "\0failure"
"""What answers of both sorts are kept apart by."""
SHALLOW = 3
"""Steps from the root within which an answer says whether it is one."""
ENVELOPED = ("data", "d", "payload")
"""Names under which an envelope, such as a frame of a conversation, has what it is about."""


def said_of(value: dict[str, Node], depth: int) -> tuple[str, str]:
    """The name of the field that says what an object is, so many steps from the root, and what it says; "" for none."""
    for name in SAYS_WHAT:
        said = value.get(name)
        if type(said) is str:
            return name, said
    if depth < SHALLOW:
        for name in SAYS_WHETHER:
            if type(value.get(name)) is bool:
                return name, SUCCESS if value[name] else FAILURE
    return "", ""
