"""A message's body, whatever its media type, in one form that can be compared: dicts, lists and scalars.

==============  ======================================================================================================
form            root
==============  ======================================================================================================
none            None: no body
json            the value
ndjson          a list of the values
xml             `{root name: content}`; see `xml`
xmlrpc          `{"value": …}`, `{"fault": …}` or `{"methodName": …, "params": …}`
form            `{name: value}`, a list where a name is repeated
csv             a list of dicts by the names of the first line
events          a list of `{"event", "id"?, "data"}`
multipart       `{part name: {"media-type", "filename"?, "content"}}`
frames          a list of `{"from", "kind", "data"}`: a WebSocket conversation
html            `{"title": …}`: pages are for people, their wording is no API
text            the string
binary, large   `{"media-type", "size", "sha256"}`
==============  ======================================================================================================
"""

from durable_replay.drift.documents.form import Document, Form, Node
from durable_replay.drift.documents.reading import conversation, document

__all__ = ["Document", "Form", "Node", "conversation", "document"]
