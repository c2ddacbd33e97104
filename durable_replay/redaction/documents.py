"""Secrets in named fields of bodies: JSON, forms, multipart forms, XML.

JSON is lexed rather than parsed and written anew: every byte that is not a secret's must stay as the service sent it
(number spelling, spaces, escapes), which no parser gives back.
"""

from __future__ import annotations

import json
import re
from html import escape, unescape

from durable_replay.redaction.pieces import words
from durable_replay.redaction.text import Text

__all__ = ["Documents", "kind_of"]

_STRING = r'"[^"\\]*(?:\\.[^"\\]*)*"'
_LEXEME = re.compile(rf"(?P<key>{_STRING})(?P<colon>\s*:\s*)(?P<value>{_STRING}|-?\d[\d.eE+-]*)?|(?P<text>{_STRING})")
_KEY = re.compile(r'"([\w.-]{2,64})\\*"\s*:')
_TAG = re.compile(r"<([\w.:-]+)")
_NAME = re.compile(r"[\w.-]+")
_DEEPEST = 8
_PART = re.compile(
    r'(?P<head>content-disposition:[^\r\n]*?[; ]name="?(?P<name>[^"\r\n;]+)"?(?P<more>[^\r\n]*)\r?\n'
    r"(?:[^\r\n]+\r?\n)*\r?\n)(?P<value>.*?)(?=\r?\n--)",
    re.IGNORECASE | re.DOTALL,
)


def kind_of(content_type: str, start: bytes) -> str:
    """How a body is read for named fields: json, form, multipart, xml, text or binary.

    An absent or generic type is sniffed, for many clients send JSON without saying so.
    """
    media = content_type.partition(";")[0].strip().lower()
    if "json" in media:
        return "json"
    if media == "application/x-www-form-urlencoded":
        return "form" if start.lstrip()[:1] not in (b"{", b"[") else "json"
    if media.startswith("multipart/"):
        return "multipart"
    if media.endswith("xml"):
        return "xml"
    if media.startswith(("image/", "audio/", "video/", "font/")) or b"\0" in start[:512]:
        return "binary"
    return {b"{": "json", b"[": "json", b"<": "xml"}.get(start.lstrip()[:1], "text")


def _tags(text: str) -> set[str]:
    """The names of all elements, in lower case."""
    return {tag.lower() for tag in set(_TAG.findall(text))}


class Documents:
    """Replaces the values of fields that the rules name."""

    __slots__ = ("_element", "_form_pair", "_json_pair", "_member", "_plain", "_small_part", "_text")

    def __init__(self, text: Text) -> None:
        self._text = text
        self._plain = all(map(_NAME.fullmatch, text.rules.fields))
        names = "|".join(sorted(map(re.escape, text.rules.fields), key=len, reverse=True)) or r"(?!)"
        self._json_pair = re.compile(
            rf'(?i)(?P<head>"(?:{names})"\s*:\s*)(?P<value>"[^"\\]{{0,8000}}(?:\\.[^"\\]{{0,8000}}){{0,500}}")'
        )
        in_form = "|".join(map(re.escape, sorted({*text.rules.fields, *text.rules.queries}))) or r"(?!)"
        self._form_pair = re.compile(rf"(?i)(?:^|(?<=&))(?P<name>{in_form})=(?P<value>[^&]+)")
        self._small_part = re.compile(
            rf'(?is)(?P<head>content-disposition:[^\r\n]*?[; ]name="?(?P<name>{names})"?(?P<more>[;\s][^\r\n]*)?\r?\n'
            r"(?:[^\r\n]+\r?\n){0,20}?\r?\n)(?P<value>.{0,12000}?)(?=\r?\n--)"
        )
        self._element = re.compile(
            rf"(?i)<(?P<tag>(?:[\w.-]+:)?(?:{names}))(?P<more>\s[^<>]*)?>(?:<!\[CDATA\[(?P<cdata>.*?)\]\]>|(?P<value>[^<]*))"
            r"(?=</)",
            re.DOTALL,
        )
        self._member = re.compile(  # XML-RPC
            rf"(?i)(?P<head><name>\s*(?:{names})\s*</name>\s*<value>\s*(?:<string>)?)(?P<value>[^<]+)"
        )

    def fields(self, kind: str, text: str) -> str:
        """The body's text with named fields replaced; shapes are another step."""
        if kind == "form":
            return self._text.pairs(text, self._text.rules.fields | self._text.rules.queries)
        if kind == "multipart":
            return _PART.sub(self._part, text)
        if kind == "xml":
            return self._xml(text)
        return self.json(text) if kind in ("json", "text") else text

    def named(self, kind: str, text: str) -> bool:
        """Whether `fields` may find anything; "" is the kind of a text of which nobody says one."""
        kind = kind or kind_of("", text[:256].encode("utf-8", "replace"))
        if kind == "xml":
            tags = _tags(text)
            return "name" in tags or self._tagged(tags)
        return kind in ("form", "multipart") or (kind != "binary" and self._names_one(text))

    def _xml(self, text: str) -> str:
        tags = _tags(text)
        if self._tagged(tags):
            text = self._element.sub(self._element_value, text)
        return self._member.sub(self._member_value, text) if "name" in tags else text

    def _tagged(self, tags: set[str]) -> bool:
        """Whether an element may be one of the rules'."""
        return not self._plain or not self._text.rules.fields.keys().isdisjoint(tag.rpartition(":")[2] for tag in tags)

    def _names_one(self, text: str) -> bool:
        """Whether any key in the text is one of the rules'; what keeps most bodies from being lexed."""
        fields = self._text.rules.fields
        if fields.keys().isdisjoint(words(text)):
            return False
        return not fields.keys().isdisjoint(name.lower() for name in set(_KEY.findall(text)))

    def passing(self, kind: str, text: str) -> str:
        """A piece of a large body, which no reader can begin in: named members, elements, pairs and parts."""
        if kind == "form":
            names = {**self._text.rules.fields, **self._text.rules.queries}
            return self._form_pair.sub(lambda match: self._text.pairs(match[0], names), text)
        if kind == "multipart":
            return self._small_part.sub(self._part, text)
        if self._names_one(text):
            text = self._json_pair.sub(lambda match: match["head"] + self._value(match["value"]), text)
        return self._element.sub(self._element_value, text) if "</" in text and self._tagged(_tags(text)) else text

    def spans(self, kind: str, text: str) -> list[tuple[int, int]]:
        """Where named fields stand in such a piece."""
        patterns = {"form": [self._form_pair], "multipart": [self._small_part]}.get(kind, [])
        if not patterns and self._names_one(text):
            patterns.append(self._json_pair)
        if kind not in ("form", "multipart") and self._tagged(_tags(text)):
            patterns.append(self._element)
        return [match.span() for pattern in patterns for match in pattern.finditer(text)]

    def json(self, text: str, depth: int = 0) -> str:
        """JSON, several documents in a row, or text with JSON in it (an event stream)."""
        return _LEXEME.sub(lambda match: self._lexeme(match, depth), text) if self._names_one(text) else text

    def _lexeme(self, match: re.Match[str], depth: int) -> str:
        if match["text"] is not None:
            return self._inner(match["text"], depth)
        value = match["value"]
        if value is None:
            return match[0]
        shown = self._inner(value, depth)
        if match["key"][1:-1].lower() in self._text.rules.fields and value != '""':
            shown = self._value(value)
        return f"{match['key']}{match['colon']}{shown}"

    def _value(self, literal: str) -> str:
        if not literal.startswith('"'):
            return self._text.number(literal) if len(literal) > 3 and literal.isdigit() else literal
        try:
            value = json.loads(literal, strict=False)
        except ValueError:
            value = literal[1:-1]
        return json.dumps(self._text.secret(value))

    def _inner(self, literal: str, depth: int) -> str:
        """A string that is itself a JSON document, as webhooks and queues nest them."""
        if depth >= _DEEPEST or '\\"' not in literal or literal[1:2] not in ("{", "["):
            return literal
        try:
            inside = json.loads(literal, strict=False)
        except ValueError:
            return literal
        shown = self.json(inside, depth + 1)
        return literal if shown == inside else json.dumps(shown)

    def _part(self, match: re.Match[str]) -> str:
        if match["name"].lower() not in self._text.rules.fields or "filename" in (match["more"] or "").lower():
            return match[0]
        return match["head"] + self._text.secret(match["value"])

    def _element_value(self, match: re.Match[str]) -> str:
        head = f"<{match['tag']}{match['more'] or ''}>"
        if match["cdata"] is not None:
            return f"{head}<![CDATA[{self._text.secret(match['cdata'])}]]>"
        value = match["value"]
        return head + (escape(self._text.secret(unescape(value)), quote=False) if value.strip() else value)

    def _member_value(self, match: re.Match[str]) -> str:
        return match["head"] + escape(self._text.secret(unescape(match["value"])), quote=False)
