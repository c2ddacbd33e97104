"""The formats that are known, and which of them a file is of."""

from __future__ import annotations

from durable_replay.cassette.formats import json_stream, yaml_stream
from durable_replay.cassette.formats.betamax import Betamax
from durable_replay.cassette.formats.bodies import Bodies
from durable_replay.cassette.formats.cassettes import Cassettes
from durable_replay.cassette.formats.flows import Flows
from durable_replay.cassette.formats.gateway import Gateway
from durable_replay.cassette.formats.go_vcr import GoVcr
from durable_replay.cassette.formats.har import Har
from durable_replay.cassette.formats.hoverfly import Hoverfly
from durable_replay.cassette.formats.nango import Nango
from durable_replay.cassette.formats.nock import Nock
from durable_replay.cassette.formats.postman import Postman
from durable_replay.cassette.formats.pyone import Pyone
from durable_replay.cassette.formats.ruby_vcr import RubyVcr
from durable_replay.cassette.formats.source import Format, Source
from durable_replay.cassette.formats.vcrpy import Vcrpy
from durable_replay.cassette.formats.wiremock import WireMock
from durable_replay.errors import UsageError

__all__ = ["FORMATS", "named", "sniffed", "unknown"]

FORMATS: tuple[Format, ...] = (
    Cassettes(),
    Flows(),
    Har(),
    Postman(),
    Hoverfly(),
    Bodies(),
    Nango(),
    Pyone(),
    Gateway(),
    Betamax(),  # before Ruby VCR's, whose records it writes
    RubyVcr(),
    GoVcr(),
    Vcrpy(),
    WireMock(),
    Nock(),
)


def named(name: str) -> Format:
    """The format of this name; UsageError for any other."""
    for known in FORMATS:
        if known.name == name:
            return known
    raise UsageError(f"'{name}' is no format that can be imported. Those known are {_names()}.")


def _names() -> str:
    """For people: with that of a cassette's own text, which makes a whole cassette and is read elsewhere."""
    return ", ".join(sorted((*(known.name for known in FORMATS), "text")))


def sniffed(source: Source) -> Format | None:
    """The format that a file looks like; None where it looks like none."""
    return next((known for known in FORMATS if known.sniff(source.head)), None)


def unknown(source: Source) -> UsageError:
    """The error for a file of no known format; raises CassetteError instead where it is broken JSON or YAML."""
    suffix = source.path.suffix.lower()
    if not source.head.data:
        return UsageError(f"{source.path} is empty. Name a file that holds recordings.")
    if suffix in (".json", ".har") or source.head.kind == "json":
        json_stream.load(source)
    elif suffix in (".yaml", ".yml"):
        yaml_stream.load(source)
    return UsageError(
        f"{source.path} is of no format that is known ({_names()}). Name its format if it is one of these; "
        "bodies alone need a map to their requests."
    )
