"""Secrets in one piece of text: shapes anywhere, and the named pairs of query strings, forms, cookies and credentials.

Only what is secret changes; every other character stays where it was, so that what is not redacted is byte for byte.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterable
from urllib.parse import quote, unquote, unquote_plus

from durable_replay.redaction.placeholders import Constant, Replacement, is_placeholder
from durable_replay.redaction.rules import Rule, Rules

__all__ = ["Text"]

_ENCODED = re.compile(r"%[0-9A-Fa-f]{2}")
_PARAMETER = re.compile(r'(?P<name>[\w-]+)=(?P<quote>"?)(?P<value>[^",\s]*)(?P=quote)')
_LEARNT_PARAMETERS = frozenset({"token", "oauth_token", "access_token"})
_SECRET_PARAMETERS = _LEARNT_PARAMETERS | {
    "credential",
    "signature",
    "response",
    "cnonce",
    "mac",
    "oauth_signature",
    "oauth_consumer_key",
    "oauth_nonce",
}
_SCHEME = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9-]*) +(?P<rest>\S.*)", re.DOTALL)
_COOKIE_LEARNT = 12
_SHORTEST = 6  # of a text that a shape could stand in
_CUT = re.compile(r"secret-[0-9a-f]{1,15}")


class Text:
    """Replaces secrets in text under a set of rules; each secret found in a named place is also told to `learn`."""

    __slots__ = ("_learn", "_replacement", "rules")

    def __init__(self, rules: Rules, replacement: Replacement, learn: Callable[[str], None]) -> None:
        self.rules = rules
        self._replacement = replacement
        self._learn = learn

    def secret(self, value: str, learnt: bool = True) -> str:
        """What stands for a whole value; one that is percent-encoded stays so."""
        if _ENCODED.search(value):
            return quote(self.secret(unquote(value, errors="surrogateescape"), learnt), safe="*")
        if learnt and not is_placeholder(value):
            self._learn(value)
        return self._replacement.of(value)

    def number(self, digits: str) -> str:
        return self._replacement.number(digits)

    @property
    def keeps_placeholders(self) -> bool:
        """Whether those of an earlier redaction stay as they are."""
        return not isinstance(self._replacement, Constant)

    def shapes(self, text: str, likely: Iterable[Rule] | None = None) -> str:
        """The text without known shapes of secrets; of the `likely` rules, where somebody has looked already."""
        begun = text = self._replacement.seen(text)
        if len(text) < _SHORTEST:
            return text
        for rule in self.rules.likely(text) if likely is None else likely:
            text = rule.replaced(text, self._shape)
        return text if text is begun else self._replacement.seen(text)

    def fitted(self, text: str) -> str:
        """The same, each replaced by as many characters: cut or padded."""
        for rule in self.rules.likely(text):
            text = rule.replaced(text, self._fitted_shape)
        return text

    def _fitted_shape(self, match: re.Match[str]) -> str:
        shown = self._shape(match)
        if len(shown) == len(match[0]) or shown == match[0]:
            return shown
        start, end = (at - match.start() for at in match.span(_group(match)))
        secret, after = match[0][start:end], len(match[0]) - end
        return match[0][:start] + self.fit(secret, shown[start : len(shown) - after]) + match[0][end:]

    def fit(self, secret: str, shown: str) -> str:
        """A placeholder as long as what it stands for; one that is cut can still be told from a secret."""
        if len(shown) > len(secret) and not shown.startswith("secret-"):
            shown = self.secret(f"{secret} ", learnt=False)
        return shown[: len(secret)].ljust(len(secret), "-")

    def _shape(self, match: re.Match[str]) -> str:
        whole, group = match[0], _group(match)
        if is_placeholder(match[group]):
            return whole
        start, end = (at - match.start() for at in match.span(group))
        if group == "person":
            return whole[:start] + self._replacement.person(match[group]) + whole[end:]
        return whole[:start] + self._credential(match[group], learnt=group == 0) + whole[end:]

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Where shapes stand."""
        return [match.span() for rule in self.rules.likely(text) for match in rule.matches(text)]

    def found(self, text: str, every: bool = True, likely: Iterable[Rule] | None = None) -> list[tuple[Rule, int]]:
        """The shapes that stand in a text (not `every`: the scanned ones), each with its offset; placeholders are
        none. Only the `likely` rules are tried, where somebody has looked already."""
        return [
            (rule, match.start())
            for rule in (self.rules.likely(text) if likely is None else likely)
            if every or rule.scanned
            for match in rule.matches(text)
            if not _hidden(match[_group(match)])
        ]

    def pairs(self, text: str, names: dict[str, str]) -> str:
        """A query string or a form: the values of these names replaced."""
        if "=" not in text:
            return text
        return "&".join(self._pair(part, names) for part in text.split("&"))

    def _pair(self, part: str, names: dict[str, str]) -> str:
        name, equals, value = part.partition("=")
        rule = names.get(unquote_plus(name).lower())
        if rule is None or not value:
            return part
        return f"{name}{equals}{self._credential(value, learnt='sig' not in name.lower())}"

    def _credential(self, value: str, learnt: bool = True) -> str:
        """X-Amz-Credential is a key id with a scope, which clients and servers parse: the scope stays."""
        key, separator, scope = _partition(value, ("/", "%2F", "%2f"))
        if scope.endswith("aws4_request"):
            return f"{self.secret(key, learnt)}{separator}{scope}"
        return self.secret(value.replace("+", "%20") if _ENCODED.search(value) else value, learnt)

    def header(self, name: str, value: str) -> str:
        """The value of a header."""
        rule = self.rules.headers.get(name.lower())
        if rule is None or not value:
            return self.shapes(value)
        lower = name.lower()
        if lower in ("cookie", "set-cookie"):
            return self.shapes(self._cookies(lower, value))
        if "authorization" in lower:
            return self.shapes(self._authorization(value))
        return self.secret(value)

    def _cookies(self, name: str, value: str) -> str:
        if name == "cookie":
            return ";".join(self._cookie(part) for part in value.split(";"))
        first, semicolon, attributes = value.partition(";")
        return self._cookie(first) + semicolon + attributes

    def _cookie(self, part: str) -> str:
        name, equals, value = part.partition("=")
        inner = value.strip().strip('"')
        if not inner:
            return part
        learnt = len(inner) >= _COOKIE_LEARNT and any(sign.isdigit() for sign in inner)
        return f"{name}{equals}{value.replace(inner, self.secret(inner, learnt))}"

    def _authorization(self, value: str) -> str:
        """The scheme's word and the structure stay. RFC 9110 11.6.2; AWS SigV2 and SigV4; Proxmox's own schemes."""
        for start in ("PVEAPIToken", "PVEAuthCookie"):
            if value.startswith(start):
                return self._proxmox(start, value)
        match = _SCHEME.fullmatch(value)
        if match is None:
            return self.secret(value)
        scheme, rest = match["scheme"], match["rest"]
        head = value[: match.start("rest")]
        if scheme.lower() == "basic":
            return head + self.basic(rest)
        if scheme == "AWS":
            key, colon, signature = rest.partition(":")
            return f"{head}{self.secret(key)}{colon}{self.secret(signature, learnt=False)}"
        if _PARAMETER.match(rest) and not rest.rstrip("=").isalnum() and ("," in rest or '"' in rest):
            return head + _PARAMETER.sub(self._parameter, rest)
        return head + self.secret(rest)

    def _proxmox(self, scheme: str, value: str) -> str:
        rest = value[len(scheme) :]
        if scheme == "PVEAPIToken" and (match := re.fullmatch(r"([= ][^=\s]+[= ])(.+)", rest)):
            return f"{scheme}{match[1]}{self.secret(match[2])}"
        return f"{scheme}{rest[:1]}{self.secret(rest[1:])}"

    def _parameter(self, match: re.Match[str]) -> str:
        name, mark, value = match["name"], match["quote"], match["value"]
        if name.lower() not in _SECRET_PARAMETERS or not value:
            return match[0]
        learnt = name.lower() in _LEARNT_PARAMETERS
        shown = self._credential(value) if name == "Credential" else self.secret(value, learnt)
        return f"{name}={mark}{shown}{mark}"

    def basic(self, value: str) -> str:
        """user:password in base64. A token is often sent as the user with no password, or with a dummy one."""
        try:
            user, colon, password = base64.b64decode(value, validate=True).decode("utf-8").partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return self.secret(value)
        if not colon:
            return self.secret(value)
        if password:
            user, password = self.shapes(user), self.secret(password)
        else:
            user = self.secret(user)
        return base64.b64encode(f"{user}:{password}".encode()).decode()


def _group(match: re.Match[str]) -> str | int:
    """What of a match is replaced: the group `secret` or `person`, else all."""
    named = match.re.groupindex
    return "secret" if "secret" in named else "person" if "person" in named else 0


def _hidden(value: str) -> bool:
    """Whether a value is a placeholder, or what is left of one where lengths had to stay."""
    return is_placeholder(value) or "secret-".startswith(value) or _CUT.fullmatch(value) is not None


def _partition(text: str, separators: tuple[str, ...]) -> tuple[str, str, str]:
    for separator in separators:
        if separator in text:
            return text.partition(separator)
    return text, "", ""
