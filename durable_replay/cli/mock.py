"""`durable-mock-<service>`: one emulator as an executable of its own."""

from __future__ import annotations

import typer

from durable_replay.cli.options import DataDir, Host, Port
from durable_replay.cli.quick import QuickCommand, QuickGroup
from durable_replay.cli.running import run

__all__ = ["app_of", "jira", "s3"]


def app_of(service: str) -> typer.Typer:
    """The command line of one service's executable."""
    name = f"durable-mock-{service}"
    app = typer.Typer(
        cls=QuickGroup,
        name=name,
        no_args_is_help=True,
        rich_markup_mode=None,
        add_completion=False,
        pretty_exceptions_enable=False,
    )

    @app.callback(help=f"A durable emulator of {service}: real clients, no account, no network.")
    def _root() -> None:
        pass

    @app.command("start", cls=QuickCommand, epilog=f"Example: {name} start --port 8000 --data-dir /tmp/{service}")
    def start(host: Host = "127.0.0.1", port: Port = 8000, data_dir: DataDir = None) -> int:
        """Run the emulator at http://HOST:PORT until Ctrl-C."""
        from durable_replay.cli.serve import serve_until_stopped

        return serve_until_stopped(service, host, port, data_dir)

    return app


def _main(service: str) -> int:
    return run(app_of(service), f"durable-mock-{service}", None)


def s3() -> int:
    """`durable-mock-s3`."""
    return _main("s3")


def jira() -> int:
    """`durable-mock-jira`."""
    return _main("jira")
