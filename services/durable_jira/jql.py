"""JQL as values: ``parse`` reads a query into a small tree, ``unparse`` writes it back.

``parse(unparse(query)) == query`` for every tree. The grammar is ``jql.lark``. Syntax errors are Jira's sentences,
with its 1-based line and character (see ``errors.py`` for their sources).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

from lark import Lark, Token, Transformer, v_args
from lark.exceptions import UnexpectedCharacters, UnexpectedToken, VisitError

from durable_jira.errors import JqlError, text

__all__ = [
    "MAX_DEPTH",
    "MAX_LENGTH",
    "And",
    "Call",
    "Clause",
    "Empty",
    "History",
    "Node",
    "Not",
    "Operand",
    "Operator",
    "Or",
    "Predicate",
    "Query",
    "Single",
    "Sort",
    "Value",
    "Values",
    "parse",
    "quote",
    "unparse",
    "unparse_operand",
]

MAX_LENGTH = 100_000
"""Characters of one query; far above what clients send, and a bound on parsing."""
MAX_DEPTH = 100
"""Levels of AND, OR and NOT inside each other."""

Operator = Literal["=", "!=", "<", "<=", ">", ">=", "~", "!~", "in", "not in", "is", "is not"]


@dataclass(frozen=True, slots=True)
class Value:
    """A literal; quoted and bare ones mean the same."""

    text: str


@dataclass(frozen=True, slots=True)
class Empty:
    """``EMPTY`` or ``NULL``."""


@dataclass(frozen=True, slots=True)
class Call:
    """A function: ``startOfDay("-1d")``."""

    name: str
    arguments: tuple[str, ...] = ()


Single = Value | Empty | Call


@dataclass(frozen=True, slots=True)
class Values:
    """A list in parentheses; never empty."""

    items: tuple[Single, ...]


Operand = Single | Values


@dataclass(frozen=True, slots=True)
class Clause:
    """``field operator operand``; a custom field by number has the name ``cf[10001]``."""

    field: str
    operator: Operator
    operand: Operand


@dataclass(frozen=True, slots=True)
class Predicate:
    """A condition on a change: ``AFTER "2024/01/31"``, ``BY currentUser()``."""

    word: str
    operand: Operand


@dataclass(frozen=True, slots=True)
class History:
    """``field WAS [NOT] [IN] operand`` or, without operand, ``field CHANGED``."""

    field: str
    operator: str
    operand: Operand | None
    predicates: tuple[Predicate, ...] = ()


@dataclass(frozen=True, slots=True)
class Not:
    """Negation."""

    node: "Node"


@dataclass(frozen=True, slots=True)
class And:
    """All of two or more."""

    nodes: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Any of two or more."""

    nodes: tuple["Node", ...]


Node = Clause | History | Not | And | Or


@dataclass(frozen=True, slots=True)
class Sort:
    """One field of ORDER BY; ``descending`` is None when the query does not say."""

    field: str
    descending: bool | None = None


@dataclass(frozen=True, slots=True)
class Query:
    """A whole query; both parts may be missing."""

    where: Node | None = None
    order: tuple[Sort, ...] = ()


def parse(jql: str) -> Query:
    """Read ``jql``; raises ``JqlError`` with Jira's sentence."""
    if len(jql) > MAX_LENGTH:
        raise JqlError(text("jql.too_long", limit=MAX_LENGTH))
    try:
        query = _parser().parse(jql)
    except UnexpectedToken as error:
        raise JqlError(_unexpected(error)) from None
    except UnexpectedCharacters as error:
        raise JqlError(_unreadable(error, jql)) from None
    except VisitError as error:
        if isinstance(error.orig_exc, JqlError):
            raise error.orig_exc from None
        raise
    assert isinstance(query, Query)
    if query.where is not None:
        _refuse_depth(query.where)
    return query


def unparse(query: Query) -> str:
    """Write ``query`` in one canonical form: fields and values quoted, groups in parentheses."""
    parts = [] if query.where is None else [_write(query.where)]
    if query.order:
        parts.append("ORDER BY " + ", ".join(_write_sort(sort) for sort in query.order))
    return " ".join(parts)


def quote(value: str) -> str:
    """``value`` as a JQL string in double quotes."""
    return '"' + value.translate(_ESCAPES) + '"'


def unparse_operand(operand: Operand) -> str:
    """Write one operand."""
    match operand:
        case Value(value):
            return quote(value)
        case Empty():
            return "EMPTY"
        case Call(name, arguments):
            return f"{quote(name)}({', '.join(map(quote, arguments))})"
        case Values(items):
            return f"({', '.join(map(unparse_operand, items))})"


_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"})
_CUSTOM = re.compile(r"cf\[\d+\]")


def _write_field(name: str) -> str:
    return name if _CUSTOM.fullmatch(name) else quote(name)


def _write_sort(sort: Sort) -> str:
    direction = {None: "", True: " DESC", False: " ASC"}[sort.descending]
    return _write_field(sort.field) + direction


def _write(node: Node) -> str:
    match node:
        case Clause(field, operator, operand):
            return f"{_write_field(field)} {operator.upper()} {unparse_operand(operand)}"
        case History(field, operator, operand, predicates):
            parts = [_write_field(field), operator.upper()]
            parts += [] if operand is None else [unparse_operand(operand)]
            parts += [f"{each.word.upper()} {unparse_operand(each.operand)}" for each in predicates]
            return " ".join(parts)
        case Not(inner):
            return f"NOT ({_write(inner)})"
        case And(nodes):
            return " AND ".join(f"({_write(each)})" for each in nodes)
        case Or(nodes):
            return " OR ".join(f"({_write(each)})" for each in nodes)


def _refuse_depth(root: Node) -> None:
    # A loop, not recursion: this check is what makes recursion over the tree safe everywhere else.
    rest = [(root, 1)]
    while rest:
        node, depth = rest.pop()
        if depth > MAX_DEPTH:
            raise JqlError(text("jql.too_deep", limit=MAX_DEPTH))
        if isinstance(node, Not):
            rest.append((node.node, depth + 1))
        elif isinstance(node, And | Or):
            rest.extend((each, depth + 1) for each in node.nodes)


@cache
def _parser() -> Lark:
    grammar = files(__package__).joinpath("jql.lark").read_text("utf-8")
    return Lark(grammar, start="query", parser="lalr", lexer="basic", transformer=_Tree(), maybe_placeholders=True)


@cache
def _reserved() -> frozenset[str]:
    return frozenset(files(__package__).joinpath("reserved_words.txt").read_text("utf-8").split())


def _at(line: int, column: int) -> str:
    return f"line {line}, character {column}"


_SIMPLE = {"n": "\n", "r": "\r", "t": "\t"}


def _unescape(written: str) -> str:
    def one(found: re.Match[str]) -> str:
        return chr(int(found[1], 16)) if found[1] else _SIMPLE.get(found[2], found[2])

    return re.sub(r"\\(?:u([0-9a-fA-F]{4})|(.))", one, written, flags=re.DOTALL)


def _bare(token: Token) -> str:
    if token.lower() in _reserved():
        at = _at(token.line or 1, token.column or 1)
        raise JqlError(text("jql.word.reserved", got=str(token), at=at))
    return _unescape(token)


def _unexpected(error: UnexpectedToken) -> str:
    """Jira's sentence for a token out of place, chosen by what the grammar would have taken."""
    token, expected = error.token, error.accepts or error.expected
    at_end = token.type == "$END"
    if "COMPARE" in expected:
        name = "operator"
    elif "EMPTY" in expected or ("QUOTED" in expected and "RPAR" in expected):
        name = "value"
    elif "QUOTED" in expected:
        name = "field"
    elif at_end:
        return text("jql.bracket.expected_end")
    else:
        name = "connective"
    if at_end:
        return text(f"jql.{name}.expected_end")
    return text(f"jql.{name}.expected", got=str(token), at=_at(token.line or 1, token.column or 1))


def _unreadable(error: UnexpectedCharacters, jql: str) -> str:
    start = error.pos_in_stream or 0
    got, at = jql[start], _at(error.line, error.column)
    if got in "\"'":
        return text("jql.string.open", got=jql[start + 1 :], at=at)
    return text("jql.character.reserved", got=got, escape=f"\\u{ord(got):04x}", at=at)


@v_args(inline=True)
class _Tree(Transformer[Token, Query]):
    """Builds the tree while the parser reduces; the method names are the grammar's."""

    def query(self, where: Node | None, order: tuple[Sort, ...] | None) -> Query:
        return Query(where, order or ())

    def or_clause(self, *parts: Node | Token) -> Node:
        return Or(tuple(each for each in parts if not isinstance(each, Token)))

    def and_clause(self, *parts: Node | Token) -> Node:
        return And(tuple(each for each in parts if not isinstance(each, Token)))

    def negated(self, _word: Token, node: Node) -> Not:
        return Not(node)

    def comparison(self, field: str, sign: Token, operand: Operand) -> Clause:
        return Clause(field, _COMPARISONS[str(sign)], operand)

    def membership(self, field: str, negation: Token | None, _word: Token, operand: Operand) -> Clause:
        return Clause(field, "not in" if negation else "in", operand)

    def emptiness(self, field: str, _word: Token, negation: Token | None, operand: Operand) -> Clause:
        return Clause(field, "is not" if negation else "is", operand)

    def was(
        self,
        field: str,
        _word: Token,
        negation: Token | None,
        inside: Token | None,
        operand: Operand,
        *predicates: Predicate,
    ) -> History:
        operator = "was" + (" not" if negation else "") + (" in" if inside else "")
        return History(field, operator, operand, predicates)

    def changed(self, field: str, _word: Token, *predicates: Predicate) -> History:
        return History(field, "changed", None, predicates)

    def predicate(self, word: Token, operand: Operand) -> Predicate:
        return Predicate(word.lower(), operand)

    def values(self, *items: Single) -> Values:
        return Values(items)

    def empty(self, _word: Token) -> Empty:
        return Empty()

    def function(self, name: str, *arguments: Value | None) -> Call:
        return Call(name, tuple(each.text for each in arguments if each is not None))

    def word(self, token: Token) -> str:
        return _unescape(token[1:-1]) if token.type == "QUOTED" else _bare(token)

    def bare_value(self, token: Token) -> Value:
        return Value(_bare(token))

    def quoted_value(self, token: Token) -> Value:
        return Value(_unescape(token[1:-1]))

    def bare_field(self, token: Token) -> str:
        return _bare(token)

    def quoted_field(self, token: Token) -> str:
        return _unescape(token[1:-1])

    def custom_field(self, token: Token) -> str:
        return "".join(token.lower().split())

    def order(self, _word: Token, *sorts: Sort) -> tuple[Sort, ...]:
        return sorts

    def sort(self, field: str, direction: Token | None) -> Sort:
        return Sort(field, None if direction is None else direction.type == "DESC")


_COMPARISONS: Mapping[str, Operator] = {
    "=": "=",
    "!=": "!=",
    "<": "<",
    "<=": "<=",
    ">": ">",
    ">=": ">=",
    "~": "~",
    "!~": "!~",
}
