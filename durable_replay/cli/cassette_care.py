"""`durable-replay cassette merge`, `split`, `prune`, `verify` and `edit`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from durable_replay.cli.counting import counting, indexed, there
from durable_replay.cli.options import File, Format, Shape
from durable_replay.cli.quick import QuickCommand
from durable_replay.cli.terminal import megabytes, plain

if TYPE_CHECKING:
    from durable_replay.cassette.care.checking import Report
    from durable_replay.cassette.care.pruning import Pruned
    from durable_replay.cassette.care.splitting import PartOf
    from durable_replay.http import Interaction

__all__ = ["add_to"]

_EXAMPLES = {
    "merge": "durable-replay cassette merge all.cassette jira.cassette s3.cassette",
    "split": "durable-replay cassette split all.cassette --by host --into parts",
    "prune": "durable-replay cassette prune s3.cassette --duplicates --older-than 90d --dry-run",
    "verify": "durable-replay cassette verify s3.cassette",
    "edit": "durable-replay cassette edit s3.cassette 41 --status 503 --header 'Retry-After: 1'",
}
_SHOWN = 20


def add_to(app: typer.Typer) -> None:
    """Registers the commands."""
    for command in (merge, split, prune, verify, edit):
        app.command(cls=QuickCommand, epilog=f"Example: {_EXAMPLES[command.__name__]}")(command)


def merge(
    target: Annotated[Path, typer.Argument(metavar="TARGET", help="Where to; made if it is not there.")],
    sources: Annotated[list[Path], typer.Argument(metavar="SOURCE...", help="Cassettes, in their order.")],
    by_time: Annotated[
        bool, typer.Option("--by-time", help="In the order in which the interactions began, not tape after tape.")
    ] = False,
    shape: Format = Shape.text,
) -> int:
    """Put the tapes of several cassettes at the end of one, all or none."""
    from durable_replay.cassette.care.merging import merge as merged

    with counting("merging") as progress:
        count = merged(target, [there(source) for source in sources], by_time=by_time, on_progress=progress)
    indexed(target)
    if shape is Shape.json:
        plain({"interactions": count, "cassette": str(target)})
    else:
        print(f"merged {count:,} interactions of {len(sources):,} cassettes into {target}")
    return 0


def split(
    file: File,
    by: Annotated[str, typer.Option("--by", metavar="host|operation|N", help="What a part is; N: so many of them.")],
    into: Annotated[Path, typer.Option("--into", help="The folder for the parts.")],
    shape: Format = Shape.text,
) -> int:
    """Part a tape into several cassettes, by host, by the service's operation, or by number. The source stays."""
    from durable_replay.cassette.care.splitting import split as parted

    with counting("splitting") as progress:
        made = parted(there(file), _part_of(file, by), into, progress)
    indexed(*made)
    if shape is Shape.json:
        plain({str(path): count for path, count in made.items()})
    else:
        for path, count in made.items():
            print(f"{path}: {count:,} interactions")
    return 0


def _part_of(file: Path, by: str) -> PartOf:
    from durable_replay.cassette.care.splitting import by_host, every
    from durable_replay.errors import UsageError

    if by == "host":
        return by_host
    if by.isascii() and by.isdigit() and len(by) < 10:
        return every(int(by))
    if by != "operation":
        raise UsageError(f"--by {by!r} is neither host nor operation nor a number")
    from durable_replay.settings import Settings
    from durable_replay.tapes import understanding

    indexing = understanding([file], Settings.load(Path.cwd()), {})

    def operation(interaction: Interaction) -> str:
        call = indexing.understand(interaction.request).call
        return interaction.request.host if call is None else f"{call.service.name}.{call.operation.name}"

    return operation


def prune(
    file: File,
    unused_in: Annotated[
        list[Path] | None,
        typer.Option(
            "--unused-in", metavar="REPORT", help="Unused in this run, by `replay --format json`; repeated: in all."
        ),
    ] = None,
    duplicates: Annotated[
        bool, typer.Option("--duplicates", help="Reads that repeat one before, with no write to their host between.")
    ] = False,
    older_than: Annotated[
        str | None, typer.Option("--older-than", metavar="AGE", help="Recorded longer ago: 90d, 12h, 2w.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only tell; exit 1 when there is anything to take off.")
    ] = False,
    shape: Format = Shape.text,
) -> int:
    """Take recordings off that nobody needs; name at least one reason."""
    from datetime import UTC, datetime

    from durable_replay.cassette.care.age import parse_age
    from durable_replay.cassette.care.pruning import Unneeded
    from durable_replay.cassette.care.pruning import prune as pruned
    from durable_replay.errors import UsageError

    if not (unused_in or duplicates or older_than):
        raise UsageError("nothing to look for: give --unused-in, --duplicates or --older-than")
    age = None if older_than is None else parse_age(older_than)
    unneeded = Unneeded(tuple(unused_in or ()), duplicates, age, datetime.now(UTC))
    with counting("looking through") as progress:
        found = pruned(there(file), unneeded, dry_run=dry_run, on_progress=progress)
    if found.gone and not dry_run:
        indexed(file)
    _tell_pruned(found, file, shape, dry_run=dry_run)
    return 1 if dry_run and found.gone else 0


def _tell_pruned(found: Pruned, file: Path, shape: Shape, *, dry_run: bool) -> None:
    if shape is Shape.json:
        plain({"gone": {str(number): why for number, why in found.gone.items()}, "left": found.left})
        return
    reasons = ", ".join(f"{count:,} {why}" for why, count in found.by_reason().items())
    verb = "would take" if dry_run else "took"
    print(f"{verb} {len(found.gone):,} off {file}{f' ({reasons})' if reasons else ''}; {found.left:,} stay")
    for number, why in list(found.gone.items())[:_SHOWN] if dry_run else ():
        print(f"  #{number} {why}")
    if dry_run and len(found.gone) > _SHOWN:
        print(f"  … and {len(found.gone) - _SHOWN:,} more; --format json lists all")


def verify(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Cassettes.")], shape: Format = Shape.text
) -> int:
    """Read every byte of cassettes and compare it with what was written; exit 1 on damage.

    Told too: answers that their service's lessons cannot read, and whether the index fits. Both are no damage.
    """
    from durable_replay.cassette.care.checking import Report
    from durable_replay.cassette.care.checking import verify as verified
    from durable_replay.errors import CorruptCassette
    from durable_replay.settings import Settings
    from durable_replay.tapes import understanding

    reports: dict[Path, Report] = {}
    for file in files:
        try:
            indexing = understanding([there(file)], Settings.load(Path.cwd()), {})
            with counting(f"reading {file}") as progress:
                reports[file] = verified(file, indexing, progress)
        except CorruptCassette as error:
            reports[file] = Report(0, 0, 0, (str(error),))
    if shape is Shape.json:
        plain([{"cassette": str(file), "sound": report.sound, **asdict(report)} for file, report in reports.items()])
    else:
        for file, report in reports.items():
            _tell_report(file, report)
    return 0 if all(report.sound for report in reports.values()) else 1


def _tell_report(file: Path, report: Report) -> None:
    if not report.sound:
        print(f"{file}: damaged")
        for line in report.damage[:_SHOWN]:
            print(f"  {line}")
        return
    fits = {"fits": "the index fits", "absent": "no index fits: durable-replay cassette index"}.get(report.index, "")
    print(
        f"{file}: sound, {report.interactions:,} interactions, {report.bodies:,} bodies of "
        f"{megabytes(report.body_bytes)}; {fits}"
    )
    for line in report.unread[:_SHOWN]:
        print(f"  {line}")


def edit(
    file: File,
    number: Annotated[int, typer.Argument(metavar="NUMBER", min=1, help="Which interaction, from 1.")],
    status: Annotated[int | None, typer.Option("--status", help="Another status.")] = None,
    reason: Annotated[str | None, typer.Option("--reason", help="Another reason phrase.")] = None,
    headers: Annotated[
        list[str] | None, typer.Option("--header", metavar="NAME:VALUE", help="A header in the place of its name's.")
    ] = None,
    without: Annotated[
        list[str] | None, typer.Option("--without", metavar="NAME", help="Leave this header out.")
    ] = None,
    body: Annotated[str | None, typer.Option("--body", help="Another body, as text.")] = None,
    body_file: Annotated[Path | None, typer.Option("--body-file", help="Another body: this file's bytes.")] = None,
    shape: Format = Shape.text,
) -> int:
    """Change a recorded answer. Its note says from then on what was edited; Content-Length follows the body."""
    from durable_replay.cassette.care.editing import Changes
    from durable_replay.cassette.care.editing import edit as edited
    from durable_replay.errors import UsageError
    from durable_replay.http import Body, BytesBody, FileBody

    if body is not None and body_file is not None:
        raise UsageError("--body and --body-file exclude each other")
    given: Body | None = None if body is None else BytesBody(body.encode("utf-8"))
    if body_file is not None:
        if not body_file.is_file():
            raise UsageError(f"there is no file {body_file}; check the name")
        given = FileBody(body_file)
    changes = Changes(status, reason, tuple(map(_field, headers or ())), tuple(without or ()), given)
    with counting("rewriting") as progress:
        changed = edited(there(file), number, changes, progress)
    indexed(file)
    if shape is Shape.json:
        plain({"number": number, "note": changed.note, "status": changed.response.status})
    else:
        print(f"#{number} of {file}: {changed.note}")
    return 0


def _field(text: str) -> tuple[str, str]:
    from durable_replay.errors import UsageError

    name, colon, value = text.partition(":")
    if not colon:
        raise UsageError(f"--header {text!r} is not NAME:VALUE")
    return name.strip(), value.strip()
