"""Kinds of things, the keys that name them, and when two keys overlap.

A key is a path: `("object", "photos", "cat.jpg")`. A key cut short is a prefix and names everything below it:
`("object", "photos")` is every object of that bucket.

# Rule: two keys overlap when one is a prefix of the other, and only then.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote

__all__ = ["Key", "Kind", "ancestors", "decode", "display", "encode", "kind", "overlap", "prefixes", "upper_bound"]

Key = tuple[str, ...]
_PLAIN = " :@!$&'()*+,;=~"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of resource.

    `parts` are the parameter names that make up a key, outermost first. `identity` is the field of a document that
    holds the last part; `names` are fields that name the same thing another way (Jira's `key` beside `id`): a
    request may use any of them (with `fold`, in any case), the key is always made from `identity`. With `split`, the
    last part is cut after each occurrence of that text, so that `a/b` lies below `a/` (S3's prefixes).
    """

    name: str
    parts: tuple[str, ...]
    identity: str = "id"
    names: tuple[str, ...] = ()
    split: str = ""
    fold: bool = False

    def key(self, params: Mapping[str, object]) -> Key:
        """The key that these parameters name, cut short at the first part that they lack."""
        key: list[str] = [self.name]
        for part in self.parts:
            value = params.get(part)
            if value is None:
                return tuple(key)
            key.append(str(value))
        return self._split(key) if self.split else tuple(key)

    def of(self, *values: object) -> Key:
        """The key made of these values, outermost first; fewer values make a prefix."""
        return self.key(dict(zip(self.parts, values, strict=False)))

    def within(self, text: str, *outer: object) -> Key:
        """With `split`: the prefix of all things whose last part begins with `text`, as narrow as a key can say."""
        folders = text.split(self.split)[:-1]
        return (self.name, *map(str, outer), *(folder + self.split for folder in folders))

    def values(self, key: Key) -> tuple[str, ...]:
        """The values of a whole key's parts; the reverse of `of`."""
        if not self.split:
            return key[1:]
        fixed = len(self.parts)
        return (*key[1:fixed], "".join(key[fixed:]))

    def is_whole(self, key: Key) -> bool:
        """Whether a key of this kind names one thing rather than a prefix."""
        if self.split:
            return key[-1] == "" and len(key) >= len(self.parts) + 2
        return len(key) == len(self.parts) + 1

    def _split(self, key: list[str]) -> Key:
        # The empty last part is a terminator: the object "a/" is then no prefix of the object "a/b".
        pieces = key.pop().split(self.split)
        return (*key, *(piece + self.split for piece in pieces[:-1]), *pieces[-1:], *([""] if pieces[-1] else []))


def kind(name: str, parts: str, *, identity: str = "id", names: str = "", split: str = "", fold: bool = False) -> Kind:
    """`kind("object", "Bucket Key")`: the parts as words, outermost first."""
    return Kind(name, tuple(parts.split()), identity, tuple(names.split()), split, fold)


def overlap(one: Key, other: Key) -> bool:
    """Whether one key is a prefix of the other (equal keys are)."""
    return one[: len(other)] == other[: len(one)]


def prefixes(keys: Iterable[Key]) -> set[Key]:
    """All prefixes of all keys, each key itself among them, the empty key not."""
    return {key[:length] for key in keys for length in range(1, len(key) + 1)}


def ancestors(key: Key) -> Iterator[Key]:
    """The proper prefixes of a key, shortest first."""
    return (key[:length] for length in range(1, len(key)))


def encode(key: Key) -> bytes:
    """A key as bytes whose order is that of the keys and in which a prefix is a prefix (with `upper_bound`)."""
    return b"".join(
        part.replace("\x01", "\x01\x02").replace("\x00", "\x01\x01").encode("utf-8", "surrogatepass") + b"\0"
        for part in key
    )


def decode(data: bytes) -> Key:
    """The reverse of `encode`."""
    parts = data.split(b"\0")[:-1]
    return tuple(
        part.decode("utf-8", "surrogatepass").replace("\x01\x01", "\x00").replace("\x01\x02", "\x01") for part in parts
    )


def upper_bound(prefix: bytes) -> bytes:
    """The first encoded key after all those below an encoded prefix."""
    return prefix[:-1] + b"\x01" if prefix else b"\xff"


def display(key: Key) -> str:
    """A key for people: `object/photos/cats/one.jpg`; slashes inside a part are percent-encoded, but for those at
    which a kind splits it."""
    text = ""
    for part in key[:-1] if key and key[-1] == "" else key:
        folder = "/" if len(part) > 1 and part.endswith("/") else ""
        text += ("" if not text or text.endswith("/") else "/") + quote(part.removesuffix(folder), safe=_PLAIN) + folder
    return text
