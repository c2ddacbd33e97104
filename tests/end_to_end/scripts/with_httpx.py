"""A note is made and read, and one is asked for that is not there; prints all that it is told."""

import sys

import httpx

SERVICE = sys.argv[1]
with httpx.Client() as client:
    print(client.post(f"{SERVICE}/notes", json={"text": "milk"}).text)
    for path in ("/notes/1", "/notes/9", "/notes/1"):
        answer = client.get(f"{SERVICE}{path}")
        print(answer.status_code, answer.text)
