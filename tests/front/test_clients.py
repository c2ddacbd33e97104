"""Clients that people use, through the proxy with nothing but an environment, or at the direct endpoint."""

from __future__ import annotations

import json
import os
import shutil
import ssl
import subprocess
import sys

import httpx
import pytest
import requests

from durable_replay.front.environment import child_environment
from tests.front.conftest import House

URL = "https://api.example.com/items?x=1"
ANSWER = b"GET https://api.example.com/items?x=1"


def environment(front: House) -> dict[str, str]:
    return child_environment(front.server.proxy_url("worker-7"), front.authority, os.environ)


def run(front: House, *command: str) -> bytes:
    done = subprocess.run(command, env=environment(front), capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def test_httpx(front: House) -> None:
    context = ssl.create_default_context(cadata=front.authority.pem.decode())
    with httpx.Client(proxy=front.server.proxy_url("worker-7"), verify=context) as client:
        for _ in range(2):
            assert client.get(URL).content == ANSWER
        assert client.put(URL, content=iter([b"a" * 70_000, b"b"])).status_code == 200
    assert {session for session, _ in front.engine.seen} == {"worker-7"}
    assert front.engine.bodies[-1] == 70_001


def test_requests(front: House) -> None:
    proxies = {"http": front.server.proxy_url("worker-7"), "https": front.server.proxy_url("worker-7")}
    with requests.Session() as client:
        client.trust_env = False
        for url in (URL, "http://api.example.com/plain"):
            reply = client.get(url, proxies=proxies, verify=str(front.authority.path), timeout=10)
            assert reply.content == f"GET {url}".encode()


AIOHTTP = """
import aiohttp, asyncio
async def main():
    async with aiohttp.ClientSession(trust_env=True) as session:
        async with session.get("https://api.example.com/items?x=1") as reply:
            print(await reply.text())
        async with session.ws_connect("wss://gw.example.com/?v=10", compress=15) as socket:
            print(await socket.receive_str())
            await socket.send_str("again")
            print(await socket.receive_str())
asyncio.run(main())
"""


def test_aiohttp_and_its_websocket(front: House) -> None:
    assert run(front, sys.executable, "-c", AIOHTTP).decode().split("\n")[:3] == [ANSWER.decode(), "hello", "again"]
    assert {session for session, _ in front.engine.seen} == {"worker-7"}


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_curl(front: House) -> None:
    assert run(front, "curl", "-sS", "--fail", URL) == ANSWER
    assert (
        run(front, "curl", "-sS", "--fail", "--http2", "http://api.example.com/h2c")
        == b"GET http://api.example.com/h2c"
    )
    assert run(front, "curl", "-sS", "--fail", "-d", "x" * 3000, "-H", "Expect: 100-continue", URL)
    assert front.engine.bodies[-1] == 3000
    direct = run(front, "curl", "-sS", "--fail", f"{front.server.url}/direct")
    assert direct == f"GET http://127.0.0.1:{front.port}/direct".encode()


PYTHON = "import urllib.request; print(urllib.request.urlopen({!r}).read().decode())"


def test_the_standard_library_of_python(front: House) -> None:
    assert run(front, sys.executable, "-c", PYTHON.format(URL)).strip() == ANSWER


NODE = """
const http = require('http'), tls = require('tls'), https = require('https');
const proxy = new URL(process.env.HTTPS_PROXY);
const auth = 'Basic ' + Buffer.from(proxy.username + ':').toString('base64');
http.request({host: proxy.hostname, port: proxy.port, method: 'CONNECT', path: 'api.example.com:443',
              headers: {'Proxy-Authorization': auth}}).on('connect', (reply, socket) => {
  https.get({host: 'api.example.com', path: '/items?x=1',
             createConnection: () => tls.connect({socket, servername: 'api.example.com'})}, answer => {
    let text = ''; answer.on('data', d => text += d);
    answer.on('end', () => console.log(JSON.stringify([answer.headers['x-durable-source'], text])));
  });
}).end();
"""


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_node(front: House) -> None:
    assert json.loads(run(front, "node", "-e", NODE)) == ["emulated", ANSWER.decode()]
    assert front.engine.seen[0][0] == "worker-7"
