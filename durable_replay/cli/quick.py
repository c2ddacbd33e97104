"""Commands whose values are read without pydantic.

Newer versions of typer read every option through pydantic, whose import takes longer than `--help` may take. These
classes read the few types that our options have by themselves; under a typer that does not look for it nothing changes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import typer
from typer.core import TyperCommand, TyperGroup

__all__ = ["QuickCommand", "QuickGroup"]

_READ_BY = "_runtime_param"


class QuickCommand(TyperCommand):
    """A command of ours."""

    def get_params(self, ctx: typer.Context) -> list[Any]:  # type: ignore[override]
        """Its parameters, each told how it is read."""
        return [_quick(param) for param in super().get_params(ctx)]


class QuickGroup(TyperGroup):
    """A group of commands of ours."""

    def get_params(self, ctx: typer.Context) -> list[Any]:  # type: ignore[override]
        """Its parameters, each told how it is read."""
        return [_quick(param) for param in super().get_params(ctx)]


def _quick(param: Any) -> Any:
    described = getattr(param, "type_descriptor", None)
    if described is not None and getattr(param, _READ_BY, param) is None:
        kind, many = _kind(described.annotation)
        if kind is not None:
            info = described.parameter_info
            setattr(param, _READ_BY, _Reader(kind, many, getattr(info, "min", None), getattr(info, "max", None)))
    return param


def _kind(annotation: Any) -> tuple[Callable[[str], object] | None, bool]:
    """How one word of this type is read, and whether there may be several; None: a type that is not ours."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _kind(get_args(annotation)[0])
    if origin in (Union, UnionType):
        inner = [each for each in get_args(annotation) if each is not NoneType]
        return _kind(inner[0]) if len(inner) == 1 else (None, False)
    if origin is list:
        return _kind(get_args(annotation)[0])[0], True
    known = isinstance(annotation, type) and (annotation in (str, int, Path, bool) or issubclass(annotation, StrEnum))
    return (annotation if known else None), False


@dataclass(frozen=True, slots=True)
class _Reader:
    """Stands where typer keeps its own reader of one parameter."""

    kind: Callable[[str], object]
    many: bool
    low: float | None
    high: float | None

    def coerce(self, value: Any, *, param: Any, ctx: Any) -> Any:
        """The value of a word, or of a list of words; raises BadParameter."""
        if value is None:
            return None
        if self.many:
            return [self._one(each, param, ctx) for each in value] or None
        return self._one(value, param, ctx)

    def _one(self, value: Any, param: Any, ctx: Any) -> object:
        if self.kind is bool:
            return bool(value)
        try:
            read = self.kind(value)
        except ValueError:
            raise typer.BadParameter(f"{value!r} is not {self._allowed()}", ctx=ctx, param=param) from None
        if isinstance(read, int) and not (
            (self.low is None or read >= self.low) and (self.high is None or read <= self.high)
        ):
            raise typer.BadParameter(f"{read} is not {self._allowed()}", ctx=ctx, param=param)
        return read

    def _allowed(self) -> str:
        if isinstance(self.kind, type) and issubclass(self.kind, StrEnum):
            return f"one of {', '.join(self.kind)}"
        if self.low is not None or self.high is not None:
            low, high = ("" if end is None else f"{end:g}" for end in (self.low, self.high))
            return f"a whole number from {low or 'any'} to {high or 'any'}"
        return "a whole number"
