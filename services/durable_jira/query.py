"""Whether an issue answers a JQL query, and in which order: the tree of ``jql.py`` against Jira's issue JSON.

Rule: a clause that the emulator cannot judge raises; nothing is ever silently ignored. A query is checked as a whole
(`check`) before any issue is looked at, so that an error does not hang on the data.

Semantics, from Atlassian's references "JQL operators" and "JQL fields": negative operators leave out EMPTY fields;
``NOT field = v`` means ``field != v``, so NOT is pushed down to the operators; in ascending order EMPTY comes last.
Text search is by whole words, all of them, without the real service's stemming.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import TypeVar

from durable_jira.dates import boundary, moment, stored
from durable_jira.errors import JqlError, Unsupported, text
from durable_jira.fields import (
    Field,
    JsonObject,
    aliases,
    operators,
    refuse_function,
    resolve,
    texts,
    values,
)
from durable_jira.jql import (
    And,
    Call,
    Clause,
    Empty,
    History,
    Node,
    Not,
    Operator,
    Or,
    Query,
    Single,
    Value,
    Values,
    unparse_operand,
)

__all__ = ["Context", "check", "fields_named", "is_bounded", "matches", "ordering", "select", "values_named"]


@dataclass(frozen=True, slots=True)
class Context:
    """What a query is asked against.

    ``now`` is aware, in the asker's zone; ``current_user`` is an accountId, name or key (None: nobody is logged in);
    ``known_fields`` are the site's custom fields; ``priorities`` names the priorities, highest first.
    """

    now: datetime
    current_user: str | None = None
    known_fields: tuple[Field, ...] = ()
    priorities: tuple[str, ...] = ("Highest", "High", "Medium", "Low", "Lowest")


def check(query: Query, context: Context) -> None:
    """Raise ``JqlError`` for the first clause that Jira would refuse, ``Unsupported`` for one that only we refuse."""
    for clause in _leaves(query.where):
        if isinstance(clause, History):
            raise Unsupported(text("jql.unsupported", what=f"the history operator '{clause.operator.upper()}'"))
        _check_clause(clause, resolve(clause.field, context.known_fields), context)
    for sort in query.order:
        resolve(sort.field, context.known_fields)


def matches(query: Query, issue: JsonObject, context: Context) -> bool:
    """Does ``issue`` answer ``query``? Raises as ``check`` does."""
    check(query, context)
    return query.where is None or _holds(query.where, issue, context, negated=False)


def ordering(query: Query, issues: Iterable[JsonObject], context: Context) -> list[JsonObject]:
    """``issues`` in the query's order; stable, and untouched when the query has none."""
    found = list(issues)
    for sort in reversed(query.order):
        field = resolve(sort.field, context.known_fields)
        found.sort(key=partial(_sort_key, field, context), reverse=bool(sort.descending))
    return found


def select(query: Query, issues: Iterable[JsonObject], context: Context) -> list[JsonObject]:
    """The issues that answer ``query``, in its order; checked once. Raises as ``check`` does."""
    check(query, context)
    where = query.where
    found = (each for each in issues if where is None or _holds(where, each, context, negated=False))
    return ordering(query, found, context)


def fields_named(query: Query) -> set[str]:
    """The field names that ``query`` speaks of, casefolded, as written (``cf[10001]`` for a custom field by number)."""
    named = {clause.field for clause in _leaves(query.where)} | {sort.field for sort in query.order}
    return {name.casefold() for name in named}


def values_named(query: Query, field: str) -> list[str]:
    """The literal values that the query's clauses compare this field with."""
    clauses = (one for one in _leaves(query.where) if isinstance(one, Clause) and one.field.casefold() == field)
    return [single.text for clause in clauses for single in _singles(clause) if isinstance(single, Value)]


def is_bounded(query: Query) -> bool:
    """Has the query a restriction? ``/search/jql`` refuses one that has none (sentence ``jql.unbounded``)."""
    return query.where is not None


def _leaves(node: Node | None) -> Iterator[Clause | History]:
    match node:
        case None:
            return
        case Not(inner):
            yield from _leaves(inner)
        case And(nodes) | Or(nodes):
            for each in nodes:
                yield from _leaves(each)
        case _:
            yield node


_NEGATION: dict[Operator, Operator] = {
    "=": "!=",
    "!=": "=",
    "<": ">=",
    ">=": "<",
    ">": "<=",
    "<=": ">",
    "~": "!~",
    "!~": "~",
    "in": "not in",
    "not in": "in",
    "is": "is not",
    "is not": "is",
}


def _holds(node: Node, issue: JsonObject, context: Context, *, negated: bool) -> bool:
    match node:
        case Not(inner):
            return _holds(inner, issue, context, negated=not negated)
        case And(nodes) | Or(nodes):
            quantifier = all if isinstance(node, And) != negated else any
            return quantifier(_holds(each, issue, context, negated=negated) for each in nodes)
        case Clause(field, operator, operand):
            actual = _NEGATION[operator] if negated else operator
            return _clause_holds(Clause(field, actual, operand), issue, context)
        case History():
            raise AssertionError("check() refuses history operators")


def _singles(clause: Clause) -> tuple[Single, ...]:
    return clause.operand.items if isinstance(clause.operand, Values) else (clause.operand,)


# --- checking ---------------------------------------------------------------------------------------------------


def _check_clause(clause: Clause, field: Field, context: Context) -> None:
    operator, operand = clause.operator, clause.operand
    named = {"operator": operator, "field": clause.field}
    if operator not in operators(field.kind):
        raise JqlError(text("jql.operator.unsupported", **named))
    if operator in ("is", "is not") and not isinstance(operand, Empty):
        raise JqlError(text("jql.operator.not_empty", **named))
    if operator in ("in", "not in") and isinstance(operand, Value | Empty):
        raise JqlError(text("jql.operator.not_list", **named, value=unparse_operand(operand)))
    if isinstance(operand, Values) and operator not in ("in", "not in"):
        raise JqlError(text("jql.operator.list", **named, value=unparse_operand(operand)))
    for single in _singles(clause):
        _check_single(single, clause, field, context)


def _check_single(single: Single, clause: Clause, field: Field, context: Context) -> None:
    if isinstance(single, Empty):
        if clause.operator in ("<", "<=", ">", ">=", "~", "!~"):
            raise JqlError(text("jql.operator.unsupported", operator=clause.operator, field=clause.field))
        return
    if isinstance(single, Call) and not _is_known_call(single, field):
        raise refuse_function(single.name, clause.field)
    if clause.operator in ("~", "!~") and not _said(single, context):
        raise JqlError(text("jql.text.empty", field=clause.field))
    if field.kind in ("date", "datetime"):
        _moment(single, field, context)
    elif field.kind == "number" and _number(_said(single, context)) is None:
        raise JqlError(text("jql.value.unknown", value=_said(single, context), field=clause.field))
    elif field.kind == "priority" and clause.operator in ("<", "<=", ">", ">="):
        _rank(_said(single, context), context, clause.field)
    elif field.kind == "key" and clause.operator in ("<", "<=", ">", ">="):
        _key(_said(single, context), clause.field)


def _is_known_call(call: Call, field: Field) -> bool:
    name = call.name.casefold()
    if field.kind in ("date", "datetime"):
        return name == "now" or name.startswith(("startof", "endof"))
    return name == "currentuser" and field.kind == "user"


# --- judging one clause -----------------------------------------------------------------------------------------


def _clause_holds(clause: Clause, issue: JsonObject, context: Context) -> bool:
    field = resolve(clause.field, context.known_fields)
    if field.kind == "text" or clause.operator in ("~", "!~"):
        return _text_holds(clause, texts(field, issue), context)
    held = values(field, issue)
    singles = _singles(clause)
    match clause.operator:
        case "=" | "in" | "is":
            return any(_equal(single, field, held, context) for single in singles)
        case "!=" | "not in" | "is not":
            return bool(held) and not any(_equal(single, field, held, context) for single in singles)
        case operator:
            wanted = _SIGNS[operator]
            return any(
                sign in wanted for each in held for sign in _signs(field, each, singles[0], context, clause.field)
            )


def _equal(single: Single, field: Field, held: Sequence[object], context: Context) -> bool:
    if isinstance(single, Empty) or _is_unresolved(single, field):
        return not held
    if field.kind in ("date", "datetime", "number"):
        return any(sign == 0 for each in held for sign in _signs(field, each, single, context, field.id))
    said = _said(single, context).casefold()
    return bool(said) and any(said in aliases(each) for each in held)


def _is_unresolved(single: Single, field: Field) -> bool:
    # "resolution = Unresolved" is Jira's own word for EMPTY there.
    return field.id == "resolution" and isinstance(single, Value) and single.text.casefold() == "unresolved"


def _said(single: Single, context: Context) -> str:
    match single:
        case Value(said):
            return said
        case Call():
            return context.current_user or ""
        case Empty():
            return ""


_SIGNS: dict[Operator, tuple[int, ...]] = {"<": (-1,), "<=": (-1, 0), ">": (1,), ">=": (1, 0)}
_Scalar = TypeVar("_Scalar", datetime, date, float, int, tuple[str, int])


def _sign(mine: _Scalar, asked: _Scalar) -> int:
    return (mine > asked) - (mine < asked)


def _signs(field: Field, held: object, single: Single, context: Context, named: str) -> Iterator[int]:
    """How the held value stands to the asked one (-1, 0, 1); nothing when the held one cannot be read."""
    if field.kind in ("date", "datetime"):
        mine, asked = stored(held, context.now), _moment(single, field, context)
        if mine is not None:
            # A field without a time of day is compared by the asker's calendar.
            zone = context.now.tzinfo
            whole = field.kind == "date"
            yield _sign(mine.date(), asked.astimezone(zone).date()) if whole else _sign(mine, asked)
        return
    said = _said(single, context)
    if field.kind == "number":
        number, wanted = _number(held), _number(said)
        if number is not None and wanted is not None:
            yield _sign(number, wanted)
    elif field.kind == "priority":
        # Positions count down from the highest; a higher priority is the greater one.
        for name in aliases(held) & {each.casefold() for each in context.priorities}:
            yield _sign(_rank(name, context, named), _rank(said, context, named))
    elif field.kind == "key" and isinstance(held, dict):
        mine_key, asked_key = _key(str(held["key"]), named), _key(said, named)
        if mine_key[0] == asked_key[0]:
            yield _sign(mine_key, asked_key)


def _moment(single: Single, field: Field, context: Context) -> datetime:
    written = unparse_operand(single) if isinstance(single, Call) else _said(single, context)
    found: datetime | None
    if isinstance(single, Call):
        try:
            found = _called(single, context.now)
        except (ValueError, OverflowError):
            found = None
        else:
            if found is None:
                raise refuse_function(single.name, field.names[0])
    else:
        found = moment(written, context.now)
    if found is None:
        raise JqlError(text("jql.date.invalid", value=written, field=field.names[0]))
    return found


def _called(call: Call, now: datetime) -> datetime | None:
    if call.name.casefold() == "now":
        return now
    return boundary(call.name, call.arguments[0] if call.arguments else "", now)


def _number(value: object) -> float | None:
    try:
        return float(str(value))
    except ValueError:
        return None


def _rank(name: str, context: Context, field: str) -> int:
    names = [each.casefold() for each in context.priorities]
    if name.casefold() not in names:
        raise JqlError(text("jql.value.unknown", value=name, field=field))
    return -names.index(name.casefold())


def _key(written: str, field: str) -> tuple[str, int]:
    found = re.fullmatch(r"([A-Za-z][A-Za-z0-9_]*)-(\d{1,18})", written)
    if found is None:
        raise JqlError(text("jql.value.unknown", value=written, field=field))
    return found[1].upper(), int(found[2])


# --- text search ------------------------------------------------------------------------------------------------

_SOUGHT = re.compile(r'"([^"]*)"|(\w[\w-]*\*?)')
_WORD = re.compile(r"\w+")


def _text_holds(clause: Clause, held: Sequence[str], context: Context) -> bool:
    filled = [each for each in held if each]
    if clause.operator not in ("~", "!~"):
        return bool(filled) == (clause.operator in ("is not", "!=", "not in"))
    said = _said(_singles(clause)[0], context)
    found = any(_contains(each, said) for each in filled)
    return found if clause.operator == "~" else bool(filled) and not found


def _contains(held: str, said: str) -> bool:
    words = [each.casefold() for each in _WORD.findall(held)]
    return all(_has_phrase(words, *sought) for sought in _sought(said))


def _sought(said: str) -> Iterator[tuple[list[str], bool]]:
    for phrase, word in _SOUGHT.findall(said):
        parts = [each.casefold() for each in _WORD.findall(phrase or word)]
        if parts:
            yield parts, word.endswith("*")


def _has_phrase(words: Sequence[str], phrase: Sequence[str], prefix: bool) -> bool:
    head, last = list(phrase[:-1]), phrase[-1]
    for start in range(len(words) - len(phrase) + 1):
        end = words[start + len(head)]
        if list(words[start : start + len(head)]) == head and (end.startswith(last) if prefix else end == last):
            return True
    return False


# --- ordering ---------------------------------------------------------------------------------------------------


_SortKey = tuple[bool, tuple[float, str, int]]


def _sort_key(field: Field, context: Context, issue: JsonObject) -> _SortKey:
    held = texts(field, issue) if field.kind == "text" else values(field, issue)
    if not held:
        return True, (0.0, "", 0)
    return False, _position(field, held[0], context)


def _position(field: Field, held: object, context: Context) -> tuple[float, str, int]:
    if field.kind in ("date", "datetime"):
        found = stored(held, context.now)
        return (found.timestamp() if found else 0.0, "", 0)
    if field.kind == "number":
        return (_number(held) or 0.0, "", 0)
    if field.kind == "key" and isinstance(held, dict):
        return (0.0, *_key(str(held["key"]), field.id))
    shown = _shown(held)
    if field.kind == "priority":
        names = [each.casefold() for each in context.priorities]
        return (float(-names.index(shown) if shown in names else -len(names)), shown, 0)
    return (0.0, shown, 0)


def _shown(held: object) -> str:
    if isinstance(held, dict):
        for name in ("name", "displayName", "value", "key"):
            if held.get(name):
                return str(held[name]).casefold()
    return str(held).casefold()
