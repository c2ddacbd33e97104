"""The table, against Atlassian's own descriptions and our README."""

import json
import re
from importlib.resources import files
from pathlib import Path

import durable_jira
from durable_replay.service.address import Address
from durable_replay.service.coverage import operations_table

SPECS = ("jira-cloud-platform-v3.openapi.json", "jira-dc-10.3.openapi.json")


def described(folder: Path) -> set[str]:
    """`GET /rest/api/issue/{}` of all that Atlassian describes, without the version."""
    found: set[str] = set()
    for name in SPECS:
        for path, methods in json.loads((folder / name).read_text())["paths"].items():
            found |= {f"{method.upper()} {_plain(path)}" for method in methods}
    return found


def _plain(path: str) -> str:
    path = re.sub(r"^(?:/rest)?/api/\w+", "/api", path)
    return re.sub(r"\{[^}]*\}", "{}", re.sub(r"^(?:/rest)?/agile/1.0", "/agile", path))


def test_every_address_is_one_that_atlassian_describes(shared: Path) -> None:
    known = described(shared / "specs" / "jira")
    for address, _ in durable_jira.service.addresses():
        assert isinstance(address, Address)
        path = "/" + "/".join(address.segments).replace("{api:2|3|latest}", "2")
        assert f"{address.method} {_plain(path)}" in known, address.text


def test_the_readme_has_the_table_of_operations() -> None:
    readme = Path(str(files("durable_jira").joinpath("README.md"))).read_text("utf-8")
    table = operations_table(durable_jira.service)
    assert table in readme, "write the README's table anew: python -m durable_replay.service.coverage jira"
