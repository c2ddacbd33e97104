"""Values that name nothing lasting: two of them may differ, and the API is the same.

A time, a UUID, a token, a placeholder of redaction, an id under a name for ids, a counter, a measure of load, and
texts and URLs that differ in nothing else. `active` and `archived`, 50 and 20 under `maxResults`, `1.2` and `2.0`
under `apiVersion`, `/v1/` and `/v2/` in a URL are real differences.
"""

# Rule: when in doubt the difference is real; what varies by itself is learnt elsewhere, from repeated recordings.

from __future__ import annotations

import re
from functools import lru_cache
from itertools import zip_longest
from urllib.parse import SplitResult, parse_qsl, urlsplit

from durable_replay.drift.documents.form import Node
from durable_replay.drift.names import classes_of
from durable_replay.drift.text_formats import epoch_of, format_of, is_mixed
from durable_replay.redaction.placeholders import CONSTANT, PLACEHOLDER

__all__ = ["epoch_of", "format_of", "same_but_volatile"]

_VOLATILE = frozenset({"uuid", "ulid", "jwt", "hex", "base64", "etag"})
_LONGEST = 4096
_MOST_WORDS = 200
_YEAR = re.compile(r"(?<!\d)(\d{4})")
_VERSION = re.compile(r"v\d+(?:\.\d+)*(?:[a-z]+\d*)?|\d+\.\d+(?:\.\d+)?", re.IGNORECASE)
_TICKET = re.compile(r"[A-Z][A-Z0-9_]{0,9}-\d+")
_BEFORE_A_VERSION = frozenset({"api", "rest", "version", "v"})
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_SEPARATED = re.compile(r"[-_.:/|,;=!]")
_EMBEDDED = re.compile(
    r"(?<![0-9A-Za-z])(?:[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|(?=[a-f]*\d)[0-9a-f]{16,}|\d{9,}"
    r"|20\d\d-[01]\d-[0-3]\d[T ][0-2]\d:[0-5]\d(?::[0-6]\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)(?![0-9A-Za-z])"
)
"""What is an id or a time wherever it stands in a text."""
_LETTERS = re.compile(r"[^\d]+")
_MARKS = ".,;:!?()[]{}<>\"'`#"
_PLACEHOLDER_MARKS = ("secret-", "c2VjcmV0L", "REDACTED", "erson-", "198.1", "2001:db8")


def same_but_volatile(name: str, before: Node, after: Node) -> str:
    """Why two differing values of a field of this name say nothing of the API: the name of a format, `id`, `epoch`,
    `token`, `counter`, `measure`, `placeholder`, `text`; "" where the difference is real."""
    if type(before) is str and type(after) is str:
        return _strings(name, before, after)
    if isinstance(before, int | float) and isinstance(after, int | float):
        if type(before) is bool or type(after) is bool:
            return ""
        return _numbers(name, before, after)
    return ""


def _numbers(name: str, before: float, after: float) -> str:
    kinds = classes_of(name)
    whole = _is_whole(before) and _is_whole(after)
    if "id" in kinds and whole:
        return "id"
    if "fleeting" in kinds:
        return "token"
    if epoch_of(before) and epoch_of(before) == epoch_of(after) and ("time" in kinds or "size" not in kinds):
        return "epoch"
    if whole and ("counter" in kinds or "popular" in kinds):
        return "counter"
    return "measure" if "measure" in kinds else ""


def _is_whole(number: float) -> bool:
    """Of any size: the largest whole numbers are no fractions."""
    return isinstance(number, int) or number.is_integer()


def _strings(name: str, before: str, after: str) -> str:
    if len(before) > _LONGEST or len(after) > _LONGEST or not before or not after:
        return ""
    if _holds_placeholder(before) or _holds_placeholder(after):
        before, after = PLACEHOLDER.sub(CONSTANT, before), PLACEHOLDER.sub(CONSTANT, after)
        if before == after or CONSTANT in (before, after):
            return "placeholder"
    return _remembered(name, before, after)


def _holds_placeholder(text: str) -> bool:
    return any(mark in text for mark in _PLACEHOLDER_MARKS) and PLACEHOLDER.search(text) is not None


@lru_cache(maxsize=4096)
def _remembered(name: str, before: str, after: str) -> str:
    form, other = (format_of(text).partition(",")[0] for text in (before, after))
    if name.startswith("@xmlns"):
        return ""  # a namespace has the version of the API in it, often as a date
    if form and form == other:
        return _of_form(name, form, before, after)
    if "id" in classes_of(name) and _alike(before, after):
        return "id"
    if "fleeting" in classes_of(name) and not (_is_word(before) and _is_word(after)):
        return "token"
    if form and other and {form, other} <= _VOLATILE:
        return form
    return "" if form and other else _texts(before, after)


def _is_word(text: str) -> bool:
    return len(text) < 16 and text.isalpha() and text.islower()


def _of_form(name: str, form: str, before: str, after: str) -> str:
    kinds = classes_of(name)
    if form in ("integer", "number"):
        return _numbers(name, float(before), float(after)) if len(before) < 40 and len(after) < 40 else ""
    if form in _VOLATILE:
        return form
    if form.startswith("date") or form == "time":
        return form if "version" not in kinds and (form == "time" or (_is_near(before) and _is_near(after))) else ""
    if form == "duration":
        return form if kinds & {"measure", "time"} else ""
    if form in ("uri", "path"):
        return form if _same_address(before, after) else ""
    return "token" if "fleeting" in kinds else ""


def _is_near(text: str) -> bool:
    """Whether a date is one of now, and none that stands for never."""
    year = _YEAR.search(text)
    return year is not None and 2001 <= int(year[1]) < 2100


# -- ids --------------------------------------------------------------------------------------------------------------


def _alike(before: str, after: str) -> bool:
    """Whether both are ids of one make: they differ in numbers and in letters that mean nothing."""
    if max(len(before), len(after)) > 200 or " " in before or " " in after:
        return False
    if _TICKET.fullmatch(before) and _TICKET.fullmatch(after):
        return True
    pieces = zip_longest(_SEPARATED.split(before), _SEPARATED.split(after), fillvalue="")
    return all(one == other or _opaque(one, other) for one, other in pieces)


def _opaque(one: str, other: str) -> bool:
    if not one or not other:
        return False
    if _LETTERS.findall(one) == _LETTERS.findall(other):
        return True
    return _by_chance(one) and _by_chance(other)


def _by_chance(piece: str) -> bool:
    digits = sum(char.isdigit() for char in piece)
    return (len(piece) >= 5 and digits / len(piece) >= 0.3) or (
        len(piece) >= 8 and (is_mixed(piece) or is_mixed(f"{piece}0"))
    )


# -- URLs and texts ---------------------------------------------------------------------------------------------------


def _same_address(before: str, after: str) -> bool:
    try:
        one, other = urlsplit(before), urlsplit(after)
        same = one.scheme == other.scheme and _same_host(one, other)
    except ValueError:
        return False
    return same and _same_path(one.path, other.path) and _same_query(one, other)


def _same_host(one: SplitResult, other: SplitResult) -> bool:
    """Loopback servers of tests have another port each time."""
    return one.netloc == other.netloc or (one.hostname == other.hostname and one.hostname in _LOOPBACK)


def _same_path(before: str, after: str) -> bool:
    ones, others = before.split("/"), after.split("/")
    if len(ones) != len(others):
        return False
    segments = zip(ones, others, ["", *ones], strict=False)
    return all(one == other or _same_segment(one, other, previous) for one, other, previous in segments)


def _same_segment(one: str, other: str, previous: str) -> bool:
    if _VERSION.fullmatch(one) or _VERSION.fullmatch(other):
        return False
    if one.isdigit() and other.isdigit():
        return previous.lower() not in _BEFORE_A_VERSION
    form = format_of(one)
    if form == "date":
        return previous != "" and format_of(other) == "date"
    return (form in _VOLATILE and format_of(other) in _VOLATILE) or _alike(one, other)


def _same_query(one: SplitResult, other: SplitResult) -> bool:
    if one.query == other.query:
        return one.fragment == other.fragment or _alike(one.fragment, other.fragment)
    ones = sorted(parse_qsl(one.query, keep_blank_values=True, max_num_fields=_MOST_WORDS))
    others = sorted(parse_qsl(other.query, keep_blank_values=True, max_num_fields=_MOST_WORDS))
    return [name for name, _ in ones] == [name for name, _ in others] and all(
        value == now or same_but_volatile(name, value, now)
        for (name, value), (_, now) in zip(ones, others, strict=True)
    )


def _texts(before: str, after: str) -> str:
    if len(before) > 9 and _EMBEDDED.sub("0", before) == _EMBEDDED.sub("0", after):
        return "text"
    ones, others = before.split(), after.split()
    if len(ones) != len(others) or not 1 < len(ones) <= _MOST_WORDS:
        return ""
    words = ((one.strip(_MARKS), other.strip(_MARKS)) for one, other in zip(ones, others, strict=True))
    same = all(one == other or _same_word(one, other) for one, other in words)
    return "text" if same else ""


def _same_word(one: str, other: str) -> bool:
    """A number is an id in a text from six digits on: 50 and 20 items are a difference."""
    form = format_of(one)
    if not form or form != format_of(other):
        return bool(_TICKET.fullmatch(one) and _TICKET.fullmatch(other)) or ("=" in one and _same_pair(one, other))
    if form == "integer":
        return len(one) >= 6 and len(other) >= 6
    return bool(_of_form("", form, one, other))


def _same_pair(one: str, other: str) -> bool:
    name, _, value = one.partition("=")
    other_name, _, now = other.partition("=")
    return name == other_name and bool(same_but_volatile(name, value.strip(_MARKS), now.strip(_MARKS)))
