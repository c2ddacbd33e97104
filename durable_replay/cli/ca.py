"""`durable-replay ca`: the authority that clients have to trust."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from durable_replay.cli.options import Format, Shape
from durable_replay.cli.quick import QuickCommand, QuickGroup
from durable_replay.cli.terminal import plain

__all__ = ["app"]

app = typer.Typer(
    cls=QuickGroup,
    help="The certificate authority that clients have to trust: made at first use, its key for you alone.",
    epilog="Example: durable-replay ca show",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command(cls=QuickCommand, epilog="Example: durable-replay ca show")
def show(shape: Format = Shape.text) -> int:
    """Show the authority: its name, until when it is good, its fingerprint and where it is."""
    from cryptography.hazmat.primitives.hashes import SHA256

    from durable_replay.front.tls import Authority

    authority = Authority.load_or_create()
    certificate = authority.certificate
    shown = {
        "subject": certificate.subject.rfc4514_string(),
        "not_after": certificate.not_valid_after_utc.isoformat(),
        "sha256": certificate.fingerprint(SHA256()).hex(":"),
        "certificate": str(authority.path),
    }
    if shape is Shape.json:
        plain(shown)
        return 0
    for name, value in shown.items():
        print(f"{name.replace('_', ' '):<12} {value}")
    return 0


@app.command(cls=QuickCommand, epilog='Example: curl --cacert "$(durable-replay ca path)" https://api.example.com/')
def path() -> int:
    """Print the certificate's path, for a client's own option."""
    from durable_replay.front.tls import Authority

    print(Authority.load_or_create().path)
    return 0


@app.command(cls=QuickCommand, epilog="Example: durable-replay ca export durable-ca.pem")
def export(
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", help="Where to; without it: stdout.")] = None,
) -> int:
    """Write the certificate (never the key) as PEM, to bake it into an image or to hand it to a browser."""
    from durable_replay.errors import UsageError
    from durable_replay.front.tls import Authority

    pem = Authority.load_or_create().pem
    if file is None:
        sys.stdout.write(pem.decode("ascii"))
        return 0
    try:
        file.write_bytes(pem)
    except OSError as error:
        raise UsageError(f"{file} cannot be written ({error.strerror}); name another file") from error
    return 0
