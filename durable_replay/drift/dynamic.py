"""Objects that are maps: their keys are data (ids, dates, addresses), and no names of fields."""

from __future__ import annotations

import re
from collections.abc import Collection

__all__ = ["all_dynamic"]

_DYNAMIC = re.compile(
    r"""
      \d+                                                   # 42
    | [0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}  # a UUID
    | (?=[a-f]*\d)[0-9a-f]{12,}                             # an object id, a digest
    | \d{4}-\d\d(?:-\d\d(?:[T ].*)?)?                       # 2024-05-01, 2024-05-01T10:00:00Z
    | [^@\s]+@[^@\s]+\.[^@\s]+                              # an address
    | (?:[a-z]+:/)?/.+                                      # a path or URL
    | \d+(?:\.\d+){1,3}                                     # a version or address
    | [A-Za-z]{1,12}[-_:]\d+                                # user_17, PROJ-4
    | [A-Za-z]{1,12}\d{3,}                                  # u1001
    | (?=[\w-]*\d)(?=[\w-]*[A-Za-z])[\w-]{20,}              # a token with digits
    """,
    re.VERBOSE,
)
_LOCALE = re.compile(r"[a-z]{2}[-_][A-Z]{2}")
_CURRENCY = re.compile(r"[A-Z]{3}")


def all_dynamic(keys: Collection[str]) -> bool:
    """Whether no key of an object is the name of a field.

    >>> all_dynamic(["2024-05-01", "2024-05-02"]), all_dynamic(["id", "customfield_10010"])
    (True, False)
    """
    if all(map(_DYNAMIC.fullmatch, keys)):
        return True
    return len(keys) > 1 and (all(map(_LOCALE.fullmatch, keys)) or all(map(_CURRENCY.fullmatch, keys)))
