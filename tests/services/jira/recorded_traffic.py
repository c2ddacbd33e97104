"""Reads what other tools recorded against real Jira sites: vcrpy's YAML, HAR, and Nango's JSON. For tests alone."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlencode, urlsplit

import yaml

from durable_replay.http import BytesBody, Headers, Interaction, Request, Response

START = 1_750_000_000.0


def files(folder: Path) -> list[Path]:
    """The recordings below a folder, in a fixed order."""
    return sorted(one for one in folder.rglob("*") if one.suffix in (".yaml", ".har") or one.name.endswith("test.json"))


def interactions(path: Path) -> list[Interaction]:
    """A file's interactions in order, one second apart."""
    readers = {".yaml": _vcr, ".har": _har, ".json": _nango}
    return [
        Interaction(request, response, started=START + number)
        for number, (request, response) in enumerate(readers[path.suffix](path))
    ]


def _vcr(path: Path) -> Iterator[tuple[Request, Response]]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    for one in yaml.load(path.read_bytes(), Loader=loader)["interactions"]:
        asked, told = one["request"], one["response"]
        status = told["status"]
        yield (
            _request(asked["method"], asked["uri"], asked["headers"], asked["body"]),
            Response(status["code"], _headers(told["headers"]), _body(told["body"].get("string")), status["message"]),
        )


def _har(path: Path) -> Iterator[tuple[Request, Response]]:
    for one in json.loads(path.read_text())["log"]["entries"]:
        asked, told = one["request"], one["response"]
        sent = asked.get("postData", {}).get("text")
        yield (
            _request(asked["method"], asked["url"], _named(asked["headers"]), sent),
            Response(
                told["status"],
                Headers((field["name"], field["value"]) for field in told["headers"]),
                _body(told["content"].get("text")),
                told["statusText"],
            ),
        )


def _nango(path: Path) -> Iterator[tuple[Request, Response]]:
    for method, paths in json.loads(path.read_text()).get("api", {}).items():
        for place, one in paths.items():
            asked = one.get("request", {})
            query = f"?{urlencode(asked['params'])}" if asked.get("params") else ""
            sent = json.dumps(asked["data"]) if "data" in asked else None
            told = json.dumps(one["response"]) if one["response"] != "" else None
            headers = {**asked.get("headers", {}), **({"Content-Type": "application/json"} if sent else {})}
            yield (
                _request(method.upper(), f"https://api.atlassian.com{place}{query}", headers, sent),
                Response(one["status"], _headers(one["headers"]), _body(told)),
            )


def _request(method: str, url: str, headers: Mapping[str, Any], body: Any) -> Request:
    parts = urlsplit(url)
    scheme: Literal["http", "https"] = "https" if parts.scheme == "https" else "http"
    port = parts.port or (443 if scheme == "https" else 80)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Request(method, scheme, parts.hostname or "", port, target, _headers(headers), _body(body))


def _named(fields: list[dict[str, str]]) -> dict[str, str]:
    return {field["name"]: field["value"] for field in fields}


def _headers(headers: Mapping[str, Any]) -> Headers:
    pairs = ((name, value if isinstance(value, list) else [value]) for name, value in headers.items())
    return Headers((name, str(one)) for name, values in pairs for one in values)


def _body(text: Any) -> BytesBody:
    return BytesBody(text if isinstance(text, bytes) else (text or "").encode())
