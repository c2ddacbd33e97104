"""What counts as a secret: a table. Print it, add to it, take rows off by name.

A rule speaks of a *place*: the value of a header, a query parameter, a field of a body (form, multipart, JSON, XML
element), or a shape that is recognised anywhere in text. The rows are data; `redact.py` knows how to reach each place.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal, cast

from durable_replay.errors import UsageError
from durable_replay.redaction import general, of_services
from durable_replay.redaction.shapes import QUERY, SHAPES
from durable_replay.redaction.words import long_words

__all__ = ["DEFAULT", "Place", "Rule", "Rules"]

Place = Literal["header", "query", "field", "text"]


@dataclass(frozen=True, slots=True)
class Rule:
    """One row. `names` (any case) for headers, query parameters and fields; `pattern` for text, in which the group
    `secret`, or else the whole match, is what is replaced.

    A text rule is tried only where `hint` occurs, which keeps scanning quick: one of several texts divided by `|`, or
    after a `~` a pattern, which is quick where it begins with one plain character. `scanned` says that the shape is
    specific enough to fail a finished recording wherever it stands in the file's raw bytes; what was recorded is
    searched for every shape. `token` says that what matches begins with, and has its hint in, at least 14 letters,
    digits and `_.+~-` in a row (see words.py), so that the hint needs to be looked for in such words alone.
    """

    name: str
    place: Place
    names: frozenset[str] = frozenset()
    pattern: str = ""
    hint: str = ""
    scanned: bool = True
    token: bool = False
    compiled: re.Pattern[str] = field(init=False, repr=False, compare=False)
    sieve: re.Pattern[str] | None = field(init=False, repr=False, compare=False)
    hints: tuple[str, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", frozenset(name.lower() for name in self.names))
        try:
            object.__setattr__(self, "compiled", re.compile(self.pattern, re.DOTALL | re.ASCII))
        except re.error as wrong:
            raise UsageError(f"redaction rule {self.name!r}: its pattern does not compile: {wrong}") from None
        sieve = re.compile(self.hint[1:], re.ASCII) if self.hint.startswith("~") else None
        object.__setattr__(self, "sieve", sieve)
        object.__setattr__(self, "hints", tuple(self.hint.split("|")))
        if self.place == "text" and (not self.pattern or self.compiled.match("")):
            raise UsageError(f"redaction rule {self.name!r}: a text rule needs a pattern that matches something")
        if self.place != "text" and not self.names:
            raise UsageError(f"redaction rule {self.name!r}: a {self.place} rule needs names")


class Rules:
    """A set of rules, unique by name.

    >>> DEFAULT.without("cookies").with_(Rule("tenant", "header", frozenset({"x-tenant"})))["tenant"].place
    'header'
    """

    __slots__ = ("_by_name", "_hints", "_sieves", "_tokens", "fields", "headers", "queries", "texts")

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._by_name = {rule.name: rule for rule in rules}
        self.headers = self._index("header")
        self.queries = self._index("query")
        self.fields = self._index("field")
        self.texts: tuple[Rule, ...] = tuple(rule for rule in self if rule.place == "text")
        hinted = [(at, rule) for at, rule in enumerate(self.texts) if rule.sieve is None]
        self._hints = tuple((hint, at) for at, rule in hinted if not rule.token for hint in rule.hints)
        self._tokens = tuple((hint, at) for at, rule in hinted if rule.token for hint in rule.hints)
        self._sieves = tuple((rule.sieve, at) for at, rule in enumerate(self.texts) if rule.sieve is not None)

    def likely(self, text: str) -> list[Rule]:
        """The text rules whose patterns are worth trying, in order. Flat loops, for all texts are searched and most
        hold nothing."""
        found = {at for hint, at in self._hints if hint in text}
        found.update(at for sieve, at in self._sieves if sieve.search(text))
        if words := long_words(text):
            found.update(at for hint, at in self._tokens if hint in words)
        return [self.texts[at] for at in sorted(found)]

    def _index(self, place: Place) -> dict[str, str]:
        """The rule's name by the lower-case name of what it covers."""
        return {name: rule.name for rule in self if rule.place == place for name in rule.names}

    def __iter__(self) -> Iterator[Rule]:
        return iter(self._by_name.values())

    def __getitem__(self, name: str) -> Rule:
        return self._by_name[name]

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    def with_(self, *rules: Rule) -> Rules:
        """These rules too; one of the same name is replaced."""
        return Rules([*self, *rules])

    def without(self, *names: str) -> Rules:
        """All but these; an unknown name raises UsageError, for a misspelt name must not leave a rule on in silence."""
        for name in names:
            if name not in self:
                raise UsageError(f"no redaction rule is called {name!r}; there are: {', '.join(sorted(self._by_name))}")
        return Rules(rule for rule in self if rule.name not in names)


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_NAMED = (
    Rule("authorization", "header", _names("Authorization Proxy-Authorization X-Authorization")),
    Rule("cookies", "header", _names("Cookie Set-Cookie")),
    Rule(
        "credential-headers",
        "header",
        _names("""X-Api-Key Api-Key X-Goog-Api-Key X-Auth-Token X-Access-Token X-Session-Token X-Amz-Security-Token
        X-Amz-S3session-Token X-SFDC-Session PRIVATE-TOKEN JOB-TOKEN X-Gitlab-Token X-Vault-Token X-Shopify-Access-Token
        Heroku-Two-Factor-Code X-Hook-Secret X-OAuth-Token X-Heroku-Sudo
        X-Amz-Server-Side-Encryption-Customer-Key X-Amz-Copy-Source-Server-Side-Encryption-Customer-Key"""),
    ),
    Rule(
        "csrf-headers",
        "header",
        _names("CSRFPreventionToken X-CSRF-Token X-CSRFToken X-XSRF-Token Atl-Token X-Atlassian-Csrf-Token"),
    ),
    Rule("query-credentials", "query", frozenset(QUERY)),
    Rule("passwords", "field", _names("password passwd passphrase pwd new_password old_password newPassword")),
    Rule(
        "oauth-fields",
        "field",
        _names("""client_secret clientSecret refresh_token refreshToken access_token accessToken id_token idToken
        assertion client_assertion subject_token actor_token device_code code_verifier oauth_token oauth_token_secret
        oauth_verifier SAMLResponse"""),
    ),
    Rule(
        "secret-fields",
        "field",
        _names("""secret api_key apikey apiKey api_token apiToken token auth_token authToken private_key privateKey
        bot_token webhook_token signing_secret shared_secret webhook_secret x-hook-secret secret_key secretKey
        SecretAccessKey aws_secret_access_key SessionToken session_token sessionToken AWSAccessKeyId signature
        x-amz-signature x-amz-credential x-amz-security-token"""),
    ),
    Rule("session-fields", "field", _names("sessionId session_id sid ticket CSRFPreventionToken jsessionid atl_token")),
)


def _more() -> Iterator[Rule]:
    """The rows of the data files."""
    named = (*general.GENERAL_NAMES, *((name, place, names) for name, _, place, names in of_services.NAMES))
    for name, place, names in named:
        yield Rule(name, cast(Place, place), _names(names))
    own = ((name, hint, pattern, scanned) for name, _, hint, pattern, scanned in of_services.PATTERNS)
    for name, hint, pattern, scanned in (*SHAPES, *general.GENERAL_PATTERNS, *own):
        yield Rule(name, "text", pattern=pattern, hint=hint, scanned=scanned, token=name in general.TOKENS)


DEFAULT = Rules((*_NAMED, *_more()))
"""The rules of every recording, unless a setting says otherwise."""
