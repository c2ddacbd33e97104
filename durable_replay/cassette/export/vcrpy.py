"""vcrpy's cassettes, version 1. https://vcrpy.readthedocs.io

Bodies stand as they were on the wire; those that are no text as `!!binary`. Texts are quoted as in JSON, which is YAML.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from durable_replay.cassette.export.exported import Losses, Tape
from durable_replay.cassette.export.messages import as_base64, as_text, by_name, held
from durable_replay.http import Body, Headers, Interaction

__all__ = ["vcrpy"]

# What YAML 1.1 takes for a line's end, or refuses, within quotes; JSON leaves it as it is.
_UNPRINTABLE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_quote = json.JSONEncoder(ensure_ascii=False).encode


def vcrpy(tape: Tape, losses: Losses) -> Iterator[str]:
    """See Exporter."""
    yield "interactions:"
    empty = True
    for interaction in held(tape(), losses):
        losses.add("notes", int(bool(interaction.note)))
        losses.add("times", int(interaction.started > 0))
        losses.add("HTTP versions other than 1.1", int(interaction.http_version != "HTTP/1.1"))
        yield from _interaction(interaction, losses)
        empty = False
    yield " []\nversion: 1\n" if empty else "\nversion: 1\n"


def _interaction(interaction: Interaction, losses: Losses) -> Iterator[str]:
    request, response = interaction.request, interaction.response
    yield f"\n- request:\n    body: {_body(request.body) if request.body else 'null'}\n    headers:"
    yield from _headers(request.headers, losses)
    yield f"\n    method: {_quoted(request.method)}\n    uri: {_quoted(request.url)}"
    yield f"\n  response:\n    body:\n      string: {_body(response.body)}\n    headers:"
    yield from _headers(response.headers, losses)
    yield f"\n    status:\n      code: {response.status}\n      message: {_quoted(response.reason)}"


def _headers(headers: Headers, losses: Losses) -> Iterator[str]:
    if not headers:
        yield " {}"
    for name, values in by_name(headers, losses).items():
        yield f"\n      {_quoted(name)}:"
        for value in values:
            yield f"\n      - {_quoted(value)}"


def _body(body: Body) -> str:
    text = as_text(body)
    return f'!!binary "{as_base64(body)}"' if text is None else _quoted(text)


def _quoted(text: str) -> str:
    return _UNPRINTABLE.sub(lambda match: f"\\u{ord(match[0]):04x}", _quote(text))
