"""What counts as a secret: a table. Print it, add to it, take rows off by name.

A rule speaks of a *place*: the value of a header, a query parameter, a field of a body (form, multipart, JSON, XML
element), or a shape that is recognised anywhere in text. The rows are data; `redact.py` knows how to reach each place.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal, cast

from durable_replay.errors import UsageError
from durable_replay.redaction import general, of_services
from durable_replay.redaction.grams import SIZE, Grams, beginnings, cases
from durable_replay.redaction.shapes import QUERY, SHAPES

__all__ = ["DEFAULT", "Place", "Rule", "Rules"]

Place = Literal["header", "query", "field", "text"]


@dataclass(frozen=True, slots=True)
class Rule:
    """One row. `names` (any case) for headers, query parameters and fields; `pattern` for text, in which the group
    `secret`, or else the whole match, is what is replaced.

    A text rule is tried only where `hint` occurs, which is what makes a search quick: one of several texts divided by
    `|`, best of three signs or more; after `i~` the same in any case; or after a `~` a pattern, which is quick where it
    begins with plain characters. `scanned` says that the shape is specific enough to fail a finished recording
    wherever it stands in the file's raw bytes; what was recorded is searched for every shape.
    `reach` says how many characters a match may begin before its hint, and end after the hint's beginning, look-ahead
    included: a pattern that is slow is then tried only there.
    """

    name: str
    place: Place
    names: frozenset[str] = frozenset()
    pattern: str = ""
    hint: str = ""
    scanned: bool = True
    reach: tuple[int, int] | None = None
    compiled: re.Pattern[str] = field(init=False, repr=False, compare=False)
    sieve: re.Pattern[str] | None = field(init=False, repr=False, compare=False)
    hints: tuple[str, ...] = field(init=False, repr=False, compare=False)
    headed: bool = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", frozenset(name.lower() for name in self.names))
        try:
            object.__setattr__(self, "compiled", re.compile(self.pattern, re.DOTALL | re.ASCII))
        except re.error as wrong:
            raise UsageError(f"redaction rule {self.name!r}: its pattern does not compile: {wrong}") from None
        sieve = re.compile(self.hint[1:], re.ASCII) if self.hint.startswith("~") else None
        object.__setattr__(self, "sieve", sieve)
        texts = () if sieve else tuple(self.hint.removeprefix(_ANY_CASE).split("|"))
        object.__setattr__(self, "hints", texts)
        object.__setattr__(self, "headed", not self.any_case and _headed(self.pattern, texts))
        if self.place == "text" and (not self.pattern or self.compiled.match("")):
            raise UsageError(f"redaction rule {self.name!r}: a text rule needs a pattern that matches something")
        if self.place != "text" and not self.names:
            raise UsageError(f"redaction rule {self.name!r}: a {self.place} rule needs names")

    @property
    def any_case(self) -> bool:
        """Whether the hints are of any case."""
        return self.hint.startswith(_ANY_CASE)

    def likely(self, text: str) -> bool:
        """Whether the pattern is worth trying."""
        if self.sieve is not None:
            return self.sieve.search(text) is not None
        return self.any_case or any(hint in text for hint in self.hints)

    def hinted(self, text: str) -> Iterable[int]:
        """Where hints begin; the text is of ASCII if their case may be any."""
        if self.sieve is not None:
            return (match.start() for match in self.sieve.finditer(text))
        if self.any_case:
            return _places(text.lower(), tuple(hint.lower() for hint in self.hints))
        return _places(text, self.hints)

    def matches(self, text: str) -> Iterator[re.Match[str]]:
        """What `compiled.finditer` gives, without a look at every place where no match can begin."""
        if self.headed:
            return self._heads(text)
        return self._near(text, *self.reach) if self.reach else self.compiled.finditer(text)

    def _heads(self, text: str) -> Iterator[re.Match[str]]:
        end = 0
        for at in _places(text, self.hints):
            if at >= end and (match := self.compiled.match(text, at)) is not None:
                end = match.end()
                yield match

    def _near(self, text: str, before: int, after: int) -> Iterator[re.Match[str]]:
        """Hints that are close together are looked at together; what begins behind the last of them is not seen whole,
        and has a hint of its own."""
        end = 0
        for first, last in _together(_places(text, self.hints), before + after):
            start, stop = max(end, first - before), last + before + after + 2
            for match in self.compiled.finditer(text, start, stop):
                if match.start() > last:
                    break
                end = match.end()
                yield match

    def replaced(self, text: str, by: Callable[[re.Match[str]], str]) -> str:
        """What `compiled.sub` gives."""
        if not self.headed and not self.reach:
            return self.compiled.sub(by, text)
        pieces, end = [], 0
        for match in self.matches(text):
            pieces += [text[end : match.start()], by(match)]
            end = match.end()
        return "".join((*pieces, text[end:])) if pieces else text


_ANY_CASE = "i~"
_BEHIND = re.compile(r"\(\?<![^()]*\)")


def _headed(pattern: str, hints: tuple[str, ...]) -> bool:
    """Whether every match begins with a hint: so it is written, but for what must not stand before."""
    behind = _BEHIND.match(pattern)
    start = pattern[behind.end() if behind else 0 :]
    if "" in hints or not hints:
        return False
    if len(hints) == 1:
        return start.startswith(_escaped(hints[0])) and not _divided(start)
    return start.startswith(f"(?:{'|'.join(map(_escaped, hints))})") and not _divided(start)


def _escaped(hint: str) -> str:
    return re.escape(hint).replace(r"\-", "-").replace(r"\ ", " ")


def _divided(pattern: str) -> bool:
    """Whether a pattern has alternatives outside of every group."""
    depth = 0
    for sign in re.findall(r"\\.|\[\^?\]?[^\]]*\]|[()|]", pattern):
        depth += (sign == "(") - (sign == ")")
        if sign == "|" and not depth:
            return True
    return False


def _places(text: str, hints: tuple[str, ...]) -> list[int]:
    """Where texts occur, in order."""
    found: list[int] = []
    for hint in hints:
        at = text.find(hint)
        while at >= 0:
            found.append(at)
            at = text.find(hint, at + 1)
    return sorted(found) if len(hints) > 1 else found


def _together(places: list[int], gap: int) -> Iterator[tuple[int, int]]:
    """The first and the last of places that are no more than a gap apart."""
    first = last = -1
    for at in places:
        if first >= 0 and at - last > gap:
            yield first, last
            first = at
        first, last = (at if first < 0 else first), at
    if first >= 0:
        yield first, last


class Rules:
    """A set of rules, unique by name.

    >>> DEFAULT.without("cookies").with_(Rule("tenant", "header", frozenset({"x-tenant"})))["tenant"].place
    'header'
    """

    __slots__ = ("_between", "_by_name", "_first", "fields", "headers", "queries", "texts")

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._by_name = {rule.name: rule for rule in rules}
        self.headers = self._index("header")
        self.queries = self._index("query")
        self.fields = self._index("field")
        self.texts: tuple[Rule, ...] = tuple(rule for rule in self if rule.place == "text")
        self._first: _First | None = None
        self._between: dict[str, bool] = {}

    def likely(self, text: str, data: bytes | None = None) -> list[Rule]:
        """The text rules whose patterns are worth trying, in order; `data` is the text in latin-1, where somebody has
        it."""
        if self._first is None:  # when it is needed: many programs only ask for names
            self._first = _First(self.texts)
        found = self._first.of(text, text.encode("latin-1", "replace") if data is None else data)
        return [self.texts[at] for at in sorted(found)] if found else []

    def stay_between(self, sign: str) -> bool:
        """Whether no rule's hint reaches over a sign, so that the pieces between can be looked at one by one."""
        if sign not in self._between:
            self._between[sign] = all(_stays(rule, sign) for rule in self.texts)
        return self._between[sign]

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


class _First:
    """The first look: all texts are searched, and most hold nothing."""

    __slots__ = ("_grams", "_others", "_sieved")

    def __init__(self, rules: tuple[Rule, ...]) -> None:
        told = {at: _signs(rule) for at, rule in enumerate(rules)}
        self._grams = Grams((signs, at) for at, several in told.items() for signs in several or ())
        self._sieved = {at: rule.sieve for at, rule in enumerate(rules) if rule.sieve is not None and told[at]}
        self._others = tuple((at, rules[at]) for at, several in told.items() if several is None)

    def of(self, text: str, data: bytes) -> set[int]:
        """The places of the rules that may match."""
        found = self._grams.numbers(data)
        if found and not self._sieved.keys().isdisjoint(found):
            found = {at for at in found if at not in self._sieved or self._sieved[at].search(text)}
        found.update(at for at, rule in self._others if rule.likely(text))
        return found


_ESCAPED = re.compile(r"\\[wdb\W]")
_RANGE = re.compile(r"(?s)(.)-(?=(.))")


def _stays(rule: Rule, sign: str) -> bool:
    """A pattern stays where it is of nothing but plain signs, words, digits and word ends."""
    if rule.sieve is None:
        return all(hint and sign not in hint for hint in rule.hints)
    hint = rule.hint[1:]
    if sign in hint or not frozenset(".^$\\").isdisjoint(_ESCAPED.sub("", hint)):
        return False
    return not any(first <= sign <= last for first, last in _RANGE.findall(hint))


def _signs(rule: Rule) -> list[tuple[str, ...]] | None:
    """The signs of each place of a rule's hints; None where they are too short or no texts."""
    if rule.sieve is not None:
        begun = beginnings(rule.hint[1:])
        return [begun] if begun else None
    if min(map(len, rule.hints)) < SIZE:
        return None
    return [cases(hint) if rule.any_case else tuple(hint) for hint in rule.hints]


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
        yield Rule(name, "text", pattern=pattern, hint=hint, scanned=scanned, reach=general.REACHES.get(name))


DEFAULT = Rules((*_NAMED, *_more()))
"""The rules of every recording, unless a setting says otherwise."""
