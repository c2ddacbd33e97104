"""Logs in at $SERVER in each way that it is told, uses what it is given, prints what it learns, but no credential."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Mapping

import requests

SERVER = os.environ["SERVER"]
SESSION = requests.Session()


def show(response: requests.Response) -> None:
    print(response.status_code, response.json() if "json" in response.headers["Content-Type"] else "")


def oauth() -> None:
    """RFC 6749 4.3 and 6: a token, its end, a fresh one by the refresh token."""
    client = {"client_id": "app", "client_secret": "the-clients-secret-0815"}
    first = {"grant_type": "password", "username": "joe", "password": "hunter2-hunter2", **client}
    granted = SESSION.post(f"{SERVER}/token", data=first).json()
    print(sorted(granted), granted["expires_in"])
    for _ in range(2):  # the second time it has expired
        show(SESSION.get(f"{SERVER}/me", headers=bearer(granted)))
    again = {"grant_type": "refresh_token", "refresh_token": granted["refresh_token"], **client}
    renewed = SESSION.post(f"{SERVER}/token", data=again).json()
    assert renewed["access_token"] != granted["access_token"]
    show(SESSION.get(f"{SERVER}/me", headers=bearer(renewed)))


def bearer(granted: Mapping[str, str]) -> dict[str, str]:
    return {"Authorization": f"Bearer {granted['access_token']}"}


def cookie() -> None:
    """A form with a CSRF token, a session cookie, and the token again in a header."""
    page = SESSION.get(f"{SERVER}/login").text
    found = re.search(r'name="csrf_token" type="hidden" value="([^"]+)"', page)
    assert found is not None
    form = {"user": "joe", "password": "hunter2-hunter2", "csrf_token": found[1]}
    show(SESSION.post(f"{SERVER}/login", data=form))
    assert "JSESSIONID" in SESSION.cookies
    show(SESSION.get(f"{SERVER}/inbox"))
    show(SESSION.post(f"{SERVER}/notes", json={"text": "hi"}, headers={"X-CSRF-Token": found[1]}))


def soap() -> None:
    """Salesforce's partner API: the session id of a SOAP answer comes back in two headers and in a SOAP header."""
    envelope = '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/">{}</e:Envelope>'
    inner = "<e:Body><login><username>joe</username><password>hunter2-hunter2TOKEN</password></login></e:Body>"
    kind = {"Content-Type": "text/xml; charset=UTF-8", "SOAPAction": "login"}
    answer = SESSION.post(f"{SERVER}/services/Soap/u/60.0", data=envelope.format(inner), headers=kind).text
    found = re.search(r"<sessionId>([^<]+)</sessionId>", answer)
    assert found is not None and found[1].startswith("00D") and "!" in found[1]
    session = found[1]
    show(
        SESSION.get(
            f"{SERVER}/query", params={"q": "SELECT Id FROM Account"}, headers={"Authorization": f"Bearer {session}"}
        )
    )
    show(SESSION.get(f"{SERVER}/job", headers={"X-SFDC-Session": session}))
    header = f"<e:Header><SessionHeader><sessionId>{session}</sessionId></SessionHeader></e:Header><e:Body/>"
    show(SESSION.post(f"{SERVER}/soap-call", data=envelope.format(header), headers=kind))


def ticket() -> None:
    """Proxmox: a ticket that goes back in a cookie, and its CSRF token in a header."""
    form = {"username": "root@pam", "password": "hunter2-hunter2"}
    data = SESSION.post(f"{SERVER}/api2/json/access/ticket", data=form).json()["data"]
    assert data["ticket"].startswith("PVE:root@pam:")
    SESSION.cookies.set("PVEAuthCookie", data["ticket"])
    show(SESSION.get(f"{SERVER}/nodes"))
    show(SESSION.post(f"{SERVER}/start", headers={"CSRFPreventionToken": data["CSRFPreventionToken"]}))


WAYS: dict[str, Callable[[], None]] = {"oauth": oauth, "cookie": cookie, "soap": soap, "ticket": ticket}
for way in sys.argv[1:]:
    SESSION.cookies.clear()
    print(f"-- {way}")
    WAYS[way]()
