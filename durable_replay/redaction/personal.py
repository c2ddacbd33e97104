"""Personal data, which is replaced only where a project asks for it. Data, no code.

A mail address becomes another under `example.invalid`, an IP address one of the ranges for benchmarks and documentation
(RFC 2544, RFC 3849), a name another name; the same person is the same pseudonym all over the cassette.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from durable_replay.redaction.rules import Rule

__all__ = ["PERSONAL"]

_NAMES = (
    r"(?:display_?name|full_?name|first_?name|last_?name|given_?name|family_?name|middle_?name|real_?name|nick_?name"
    r"|global_name|author_?name|user_full_name|GECOS)"
)
_BYTE = r"(?:25[0-5]|2[0-4]\d|1?\d?\d)"

PERSONAL: Mapping[str, tuple[Rule, ...]] = MappingProxyType(
    {
        "email": (
            Rule(
                "personal-email",
                "text",
                pattern=r"(?<![\w.+%-])(?P<person>[\w.+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24})(?![\w@-])",
                hint="@",
                scanned=False,
            ),
        ),
        "ip": (
            Rule(
                "personal-ipv4",
                "text",
                pattern=rf"(?<![\w.-])(?!127\.|0\.0\.0\.0)(?P<person>{_BYTE}(?:\.{_BYTE}){{3}})(?![\w-]|\.\d)",
                hint=r"~\.\d",
                scanned=False,
            ),
            Rule(
                "personal-ipv6",
                "text",
                pattern=r"(?<![\w:.])(?P<person>(?:[0-9A-Fa-f]{1,4}:){7}[0-9A-Fa-f]{1,4}"
                r"|(?:[0-9A-Fa-f]{1,4}:){2,6}(?::[0-9A-Fa-f]{1,4}){1,5})(?![\w:.])",
                hint="~:[0-9A-Fa-f]{1,4}:",
                scanned=False,
            ),
        ),
        "name": (
            Rule(
                "personal-name-json",
                "text",
                pattern=rf"\\?\"(?i:{_NAMES})\\?\"\s{{0,4}}:\s{{0,4}}\\?\"(?P<person>(?:[^\"\\]|\\u[0-9A-Fa-f]{{4}}){{1,200}})(?=\\?\")",
                hint='ame"|ame\\"|_NAME|GECOS',
                scanned=False,
            ),
            Rule(
                "personal-name-form",
                "text",
                pattern=rf"(?:^|[?&])(?i:{_NAMES})=(?P<person>[^&\s\"'<>]{{1,200}})",
                hint="ame=|NAME=",
                scanned=False,
            ),
            Rule(
                "personal-name-xml",
                "text",
                pattern=rf"<(?:\w{{1,20}}:)?(?i:{_NAMES})>(?P<person>[^<]{{1,200}})(?=</)",
                hint="ame>|NAME>|GECOS>",
                scanned=False,
            ),
        ),
    }
)
