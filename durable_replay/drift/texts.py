"""Strings of one path on both sides: their format, and whether they are a small fixed set."""

from __future__ import annotations

import re
from collections.abc import Iterator

from durable_replay.drift.difference import BY_CHANCE, Difference, Evidence, by_chance, chance_of, example_text
from durable_replay.drift.finding import Example, Kind
from durable_replay.drift.shape import Shape

__all__ = ["is_enum", "text_differences"]

MOST_VALUES = 12
"""Values of a set that is small."""
SURELY_ALL = 8
"""Observations for each value, after which a new one is no coincidence even of other things."""
_STRONG = ("date", "time", "uuid", "ulid", "email", "uri", "ip", "duration")
"""Formats that no other text has by chance; `date-time:…` among them."""
_WEAK = ("integer", "number", "boolean", "hex", "jwt", "semver", "path")
"""Formats that a text may have by chance: two values at least must agree, or nothing but strings be there."""
_WORD = re.compile(r"[^\W\d][\w.:/+-]*(?: [\w+-]+){0,2}")
_SAYS_ONE_OF = re.compile(
    r"(?i)(?:^|[._\[\]-]|(?<=[a-z]))(?:status|state|type|kind|role|level|priority|visibility|category|method|mode"
    r"|phase|severity|currency|plan|tier|unit|scope|resolution|stage|condition|outcome|result)(?:\[\])?$"
)
"""Names of fields that usually have one of a few values."""
_NAMES_A_THING = re.compile(
    r"(?i)(?:display|full|first|last|user|nick|channel|screen|real|given|family|host|file|pretty)_?(?:name|title)(?:\[\])?$"
    r"|(?:^|[._\[\]-])(?:title|login|author|owner|email|label|address|city|tag|tags|slug)(?:\[\])?$"
)
"""Names of fields that hold what somebody or something is called: others are no new members of a set."""


def text_differences(before: Shape, after: Shape, path: str, evidence: Evidence) -> Iterator[Difference]:
    """A changed format, or values of a small set that are new or gone."""
    changed = _format_change(before, after, path, evidence)
    if changed is not None:
        yield changed
    elif is_enum(before, path, evidence.repeats):
        yield from _enum_added(before, after, path, evidence)
        yield from _enum_removed(before, after, path, evidence)


def _format_change(before: Shape, after: Shape, path: str, evidence: Evidence) -> Difference | None:
    if len(before.formats) != 1 or not after.formats:
        return None
    was, seen = next(iter(before.formats.items()))
    if was in after.formats or not _is_strong(was, seen, evidence.untyped):
        return None
    now = max(after.formats, key=lambda name: (after.formats[name], name))
    if (was, now) == ("number", "integer"):
        return None
    kind = Kind.number_kind if (was, now) == ("integer", "number") else Kind.format_changed
    number, value = after.first[str]
    example = Example(example_text(before.first[str][1]), example_text(value), before.first[str][0], number, path)
    text = f"is now {_named(now)}, was {_named(was)}"
    # A free text may look like an address, and another one not: that tells less than another form does.
    chance = 0.0 if now else chance_of(seen, before.count, after.count, evidence.mirrored())
    return Difference(path, kind, text, after.counts[str], after.count, (example,), chance=chance)


def _is_strong(name: str, seen: int, untyped: bool) -> bool:
    if name.partition(":")[0] in (*_STRONG, "date-time"):
        return True
    return name in _WEAK and (seen >= 2 or (untyped and name in ("integer", "number", "boolean")))


def _named(name: str) -> str:
    words, _, variant = name.partition(":")
    said = _NAMED[words]
    return f"{said} ({variant})" if variant else said


_NAMED = {
    "": "text of no known format",
    "date-time": "a date and time",
    "date": "a date",
    "time": "a time of day",
    "duration": "a duration",
    "uuid": "a UUID",
    "ulid": "a ULID",
    "hex": "a hexadecimal token",
    "base64": "a token",
    "jwt": "a JSON web token",
    "etag": "an entity tag",
    "uri": "a URL",
    "path": "a path",
    "email": "a mail address",
    "ip": "an IP address",
    "integer": "a text of digits",
    "number": "a number as text",
    "boolean": "true or false as text",
    "semver": "a version number",
}
"""Formats for people."""


# -- small sets -------------------------------------------------------------------------------------------------------


def is_enum(shape: Shape, path: str, repeats: float = 1.0) -> bool:
    """Whether the strings at a path are one of a few: so often repeated that a new one is a surprise."""
    texts = shape.texts
    if not texts or len(texts) > MOST_VALUES or not all(len(t) <= 40 and _WORD.fullmatch(t) for t in texts):
        return False
    if any(name not in ("", "boolean") for name in shape.formats):
        return False
    seen = sum(texts.values()) / repeats
    once = sum(count / repeats < 1.5 for count in texts.values())
    if _SAYS_ONE_OF.search(path):
        return seen >= 4 and len(texts) * 2 <= seen and once * 3 <= seen
    # One value alone is as likely an account's name, the same all over a recording.
    if _NAMES_A_THING.search(path):
        return False
    return len(texts) > 1 and seen >= 8 and len(texts) * 3 <= seen and not once


def _enum_added(before: Shape, after: Shape, path: str, evidence: Evidence) -> Iterator[Difference]:
    if before.texts is None or after.texts is None:
        return
    changed = evidence.changed.get(path, frozenset())
    if any(now in before.texts for _, now in changed):
        return  # things go from one known value to another by themselves, and so may have come to one not seen yet
    if not changed and sum(before.texts.values()) < SURELY_ALL * len(before.texts) * evidence.repeats:
        return  # other things than before, of which the few that were seen need not have shown each value
    new = sorted(text for text in after.texts if text and text not in before.texts)
    if new:
        count = sum(after.texts[text] for text in new)
        known = ", ".join(sorted(before.texts))
        examples = tuple(
            Example("", example_text(text), before.first[str][0], after.numbers[text], path) for text in new[:3]
        )
        text = f"has the new value {', '.join(map(repr, new))}; was one of {known}"
        yield Difference(path, Kind.enum_added, text, count, after.count, examples, chance=float(not changed))


def _enum_removed(before: Shape, after: Shape, path: str, evidence: Evidence) -> Iterator[Difference]:
    if before.texts is None or after.texts is None:
        return
    replaced = {was for was, now in evidence.changed.get(path, ()) if now not in before.texts}
    gone = [
        text
        for text, count in sorted(before.texts.items())
        if text not in after.texts
        and (text in replaced or by_chance(int(count / evidence.repeats), before.count, after.count) < BY_CHANCE)
    ]
    if gone:
        examples = tuple(
            Example(example_text(text), "", before.numbers[text], after.first[str][0], path) for text in gone[:3]
        )
        text = f"no longer has the value {', '.join(map(repr, gone))}; was one of {', '.join(sorted(before.texts))}"
        chance = float(not replaced)
        yield Difference(path, Kind.enum_removed, text, after.count, after.count, examples, chance=chance)
