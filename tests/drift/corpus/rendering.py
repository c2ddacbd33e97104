"""Templates of answers become answers: what lasts is drawn from the request, what varies from the recording's chance.

`{{pick a|b}}` is drawn anew for each answer; `{{=pick a|b}}`, with a `=`, is the same for each request of one target
in every version. A string that is one expression alone keeps its type; in a longer one expressions become text.
A mapping may also be a construct:

- `{$each: 3, of: X}` a list of three; `{$each: 2..5, of: X}` of two to five, drawn anew; `=2..5` drawn by target
- `{$map: 2..4, key: "{{uuid}}", of: X}` an object with such keys
- `{$any: [X, Y]}` one of them, drawn anew; `{$one: [X, Y]}` one after the other, by the element's index
- `{$shuffle: X}` the elements of a list in any order; `{$null: X}` null half the time
- `{$for: {"1002": X}, else: Y}` X where the thing asked for is 1002
- `name?: X` there half the time; a value `$gone` is left out.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime
from hashlib import sha256
from random import Random
from typing import TypeAlias
from uuid import UUID

__all__ = ["Chance", "Place", "Tree", "render"]

Tree: TypeAlias = "bool | int | float | str | bytes | list[Tree] | dict[str, Tree] | None"

_EXPRESSION = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_WORDS = ("river", "lantern", "copper", "meadow", "signal", "harbour", "paper", "timber", "orbit", "velvet", "garden")
_GONE = "$gone"


@dataclass
class Chance:
    """What differs from recording to recording: dice with a seed, a clock that moves, and a count of answers."""

    random: Random
    clock: float
    count: int = 0

    def tick(self) -> None:
        """Some time goes by before each answer."""
        self.clock += self.random.uniform(0.05, 4.0)
        self.count += 1


@dataclass(frozen=True, slots=True)
class Place:
    """Where a template is rendered: the request's target, the name of what it asks for, and the element's indexes."""

    chance: Chance
    target: str
    name: str
    indexes: tuple[int, ...] = field(default=())

    def dice(self, expression: str, *, fixed: bool) -> Random:
        if not fixed:
            return self.chance.random
        seed = json.dumps([self.target, self.indexes, expression])
        return Random(int.from_bytes(sha256(seed.encode()).digest()[:8]))


def render(template: Tree, place: Place) -> Tree:
    """The tree with each expression and construct replaced by what it says."""
    if isinstance(template, str):
        return _text(template, place)
    if isinstance(template, list):
        rendered = (render(each, _at(place, index)) for index, each in enumerate(template))
        return [each for each in rendered if each != _GONE]
    if isinstance(template, dict):
        construct = next((name for name in template if name in _CONSTRUCTS), None)
        return _CONSTRUCTS[construct](template, place) if construct else dict(_fields(template, place))
    return template


def _fields(template: Mapping[str, Tree], place: Place) -> Iterator[tuple[str, Tree]]:
    for name, value in template.items():
        if name.endswith("?") and place.chance.random.random() < 0.5:
            continue
        rendered = render(value, place)
        if rendered != _GONE:
            yield str(_text(name.removesuffix("?"), place)), rendered


def _at(place: Place, index: int) -> Place:
    return replace(place, indexes=(*place.indexes, index))


# -- constructs --------------------------------------------------------------------------------------------------------


def _number(given: Tree, place: Place) -> int:
    text = str(given)
    low, _, high = text.removeprefix("=").partition("..")
    return place.dice(text, fixed=text.startswith("=")).randint(int(low), int(high or low))


def _each(template: Mapping[str, Tree], place: Place) -> Tree:
    count = _number(template["$each"], place)
    return [render(template["of"], _at(place, index)) for index in range(count)]


def _map(template: Mapping[str, Tree], place: Place) -> Tree:
    places = [_at(place, index) for index in range(_number(template["$map"], place))]
    return {str(render(template["key"], each)): render(template["of"], each) for each in places}


def _any(template: Mapping[str, Tree], place: Place) -> Tree:
    return render(place.chance.random.choice(_listed(template["$any"])), place)


def _one(template: Mapping[str, Tree], place: Place) -> Tree:
    choices = _listed(template["$one"])
    return render(choices[place.indexes[-1] % len(choices)], place)


def _shuffle(template: Mapping[str, Tree], place: Place) -> Tree:
    rendered = _listed(render(template["$shuffle"], place))
    return place.chance.random.sample(rendered, len(rendered))


def _null(template: Mapping[str, Tree], place: Place) -> Tree:
    return None if place.chance.random.random() < 0.5 else render(template["$null"], place)


def _for(template: Mapping[str, Tree], place: Place) -> Tree:
    choices = template["$for"]
    assert isinstance(choices, dict)
    return render(choices.get(place.name, template["else"]), place)


def _listed(tree: Tree) -> list[Tree]:
    assert isinstance(tree, list)
    return tree


_CONSTRUCTS: Mapping[str, Callable[[Mapping[str, Tree], Place], Tree]] = {
    "$each": _each,
    "$map": _map,
    "$any": _any,
    "$one": _one,
    "$shuffle": _shuffle,
    "$null": _null,
    "$for": _for,
}

# -- expressions -------------------------------------------------------------------------------------------------------


def _text(template: str, place: Place) -> Tree:
    alone = _EXPRESSION.fullmatch(template)
    if alone and template.count("{{") == 1:
        return _value(alone[1], place)
    return _EXPRESSION.sub(lambda found: str(_value(found[1], place)), template)


def _value(expression: str, place: Place) -> Tree:
    fixed = expression.startswith("=")
    word, _, rest = expression.removeprefix("=").partition(" ")
    if word in _OF_THE_PLACE:
        return _OF_THE_PLACE[word](place)
    dice = place.dice(expression, fixed=fixed)
    if word in ("time", "now"):
        return _moment(word, rest.split(" "), dice, place.chance)
    return _DRAWN[word](dice, rest.split("|" if word == "pick" else " "))


def _moment(word: str, rest: list[str], dice: Random, chance: Chance) -> Tree:
    """`now FORM [SECONDS]` is the recording's clock and so many seconds; `time FORM` some moment of 2025."""
    moved = float(rest[1]) if len(rest) > 1 else 0.0
    at = chance.clock + moved if word == "now" else 1735689600 + dice.randrange(365 * 86400) + dice.random()
    return _FORMS[rest[0]](at)


def _utc(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)


def _berlin(at: float) -> str:
    return datetime.fromtimestamp(int(at), timezone(timedelta(hours=2))).isoformat()


def _uuid(dice: Random, _: list[str]) -> str:
    return str(UUID(int=dice.getrandbits(128), version=4))


def _drawn(alphabet: str) -> Callable[[Random, list[str]], Tree]:
    return lambda dice, rest: "".join(dice.choice(alphabet) for _ in range(int(rest[0])))


def _base64(dice: Random, rest: list[str]) -> str:
    return base64.b64encode(dice.randbytes(int(rest[0]))).decode()


def _jwt(dice: Random, _: list[str]) -> str:
    parts = ({"alg": "HS256", "typ": "JWT"}, {"sub": str(dice.randrange(10**6)), "iat": dice.randrange(10**9)})
    coded = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts]
    return ".".join([*coded, base64.urlsafe_b64encode(dice.randbytes(32)).rstrip(b"=").decode()])


def _float(dice: Random, rest: list[str]) -> float:
    return round(dice.uniform(float(rest[0]), float(rest[1])), int(rest[2]) if len(rest) > 2 else 3)


def _sentence(dice: Random, rest: list[str]) -> str:
    return " ".join(dice.choice(_WORDS) for _ in range(int(rest[0]))).capitalize()


_OF_THE_PLACE: Mapping[str, Callable[[Place], Tree]] = {
    "name": lambda place: place.name,
    "number": lambda place: int(place.name),
    "index": lambda place: place.indexes[-1],
    "counter": lambda place: 48_000 + int(place.chance.clock) % 100_000 + place.chance.count,
}
_DRAWN: Mapping[str, Callable[[Random, list[str]], Tree]] = {
    "uuid": _uuid,
    "ulid": lambda dice, _: "01J" + "".join(dice.choice(_CROCKFORD) for _ in range(23)),
    "hex": _drawn("0123456789abcdef"),
    "letters": _drawn(_LETTERS),
    "digits": _drawn("123456789"),
    "b64": _base64,
    "jwt": _jwt,
    "bytes": lambda dice, rest: dice.randbytes(int(rest[0])),
    "int": lambda dice, rest: dice.randint(int(rest[0]), int(rest[1])),
    "float": _float,
    "half": lambda dice, rest: dice.randint(int(rest[0]), int(rest[1])) + 0.5,
    "bool": lambda dice, _: dice.random() < 0.5,
    "pick": lambda dice, rest: dice.choice(rest),
    "words": _sentence,
}
_FORMS: Mapping[str, Callable[[float], Tree]] = {
    "iso": lambda at: _utc(at).strftime("%Y-%m-%dT%H:%M:%SZ"),
    "millis": lambda at: _utc(at).strftime("%Y-%m-%dT%H:%M:%S.") + f"{int(at * 1000) % 1000:03d}Z",
    "micros": lambda at: _utc(at).strftime("%Y-%m-%dT%H:%M:%S.%f+00:00"),
    "berlin": _berlin,
    "jira": lambda at: _utc(at).strftime("%Y-%m-%dT%H:%M:%S.000+0000"),
    "date": lambda at: _utc(at).strftime("%Y-%m-%d"),
    "sql": lambda at: _utc(at).strftime("%Y-%m-%d %H:%M:%S"),
    "compact": lambda at: _utc(at).strftime("%Y%m%dT%H%M%SZ"),
    "epoch": int,
    "epochms": lambda at: int(at * 1000),
    "epochf": lambda at: round(at, 6),
    "http": lambda at: format_datetime(_utc(int(at)), usegmt=True),
    "rfc2822": lambda at: format_datetime(_utc(int(at))),
}
