"""Another answer for one request of the tape, and a note that says what is not as it was recorded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from durable_replay.cassette.care.building import Progress, changing, counted, silent
from durable_replay.cassette.store import Cassette
from durable_replay.errors import UsageError
from durable_replay.http import Body, Headers, Interaction, Response

__all__ = ["Changes", "edit", "is_edited"]

_EDITED = "edited: "
_BETWEEN = "; "


@dataclass(frozen=True, slots=True)
class Changes:
    """What is to be another than recorded; None: as it is. A body is given without content coding."""

    status: int | None = None
    reason: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    """In the place of those of the same name."""
    without: tuple[str, ...] = ()
    """Names of headers to leave out."""
    body: Body | None = None

    def named(self) -> list[str]:
        """For the note."""
        parts = [
            "status" if self.status is not None or self.reason is not None else "",
            *dict.fromkeys(f"header {name.lower()}" for name in (*(name for name, _ in self.headers), *self.without)),
            "body" if self.body is not None else "",
        ]
        return [part for part in parts if part]


def edit(path: Path, number: int, changes: Changes, on_progress: Progress = silent) -> Interaction:
    """Change the response of an interaction, whole or not at all; gives it as it is now. Raises CassetteError, and
    UsageError where nothing is to be changed or a change could not be sent."""
    _require_sensible(changes)
    with Cassette.open(path) as cassette:
        _changed(cassette.interaction(number), changes)  # before anything is copied
    with changing(path) as writer, Cassette.open(path) as cassette:
        changed = _changed(cassette.interaction(number), changes)

        def tape() -> Iterator[Interaction]:
            for interaction in counted(cassette.interactions(), len(cassette), on_progress):
                yield changed if interaction.number == number else interaction

        writer.replace_all(tape())
    return changed


def _require_sensible(changes: Changes) -> None:
    if not changes.named():
        raise UsageError("nothing to change: give a status, a header or a body")
    if changes.status is not None and not 100 <= changes.status <= 999:
        raise UsageError(f"{changes.status} is no HTTP status; name one from 100 to 999")
    for name, value in (*changes.headers, *((name, "") for name in changes.without), ("reason", changes.reason or "")):
        if not name or any(char in "\r\n\0" for char in name + value) or set(name) & set(" :\t"):
            raise UsageError(f"{name!r} with {value!r} cannot be sent as a header or reason")
        try:
            (name + value).encode("latin-1")
        except UnicodeEncodeError:
            raise UsageError(f"the header {name!r} holds characters beyond latin-1; encode them first") from None


def is_edited(interaction: Interaction) -> bool:
    """Whether its note says that its answer is another than recorded."""
    return any(part.startswith(_EDITED) for part in interaction.note.split(_BETWEEN))


def _changed(interaction: Interaction, changes: Changes) -> Interaction:
    response = interaction.response
    headers = _headers(response.headers, changes)
    edited = Response(
        response.status if changes.status is None else changes.status,
        headers,
        response.body if changes.body is None else changes.body,
        _reason(response, changes),
        response.trailers,
    )
    note = _BETWEEN.join(part for part in (interaction.note, f"{_EDITED}{', '.join(changes.named())}") if part)
    return replace(interaction, response=edited, note=note)


def _reason(response: Response, changes: Changes) -> str:
    if changes.reason is not None:
        return changes.reason
    if changes.status is None or changes.status == response.status:
        return response.reason
    from http import HTTPStatus

    try:
        return HTTPStatus(changes.status).phrase if response.reason else ""  # HTTP/2 has none
    except ValueError:
        return ""


def _headers(headers: Headers, changes: Changes) -> Headers:
    if changes.body is not None:
        headers = headers.without("content-encoding")
        if "content-length" in headers:
            headers = Headers(
                (name, str(changes.body.size) if name.lower() == "content-length" else value) for name, value in headers
            )
    return _replaced(headers, changes.headers).without(*changes.without)


def _replaced(headers: Headers, given: tuple[tuple[str, str], ...]) -> Headers:
    """New values in the place of the first of their name, new names at the end."""
    left = list(given)
    fields: list[tuple[str, str]] = []
    names = {name.lower() for name, _ in given}
    for name, value in headers:
        if name.lower() not in names:
            fields.append((name, value))
            continue
        fields += [pair for pair in left if pair[0].lower() == name.lower()]
        left = [pair for pair in left if pair[0].lower() != name.lower()]
    return Headers((*fields, *left))
