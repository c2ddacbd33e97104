"""One port that speaks as a proxy and as the service itself; it knows sockets and TLS, and nothing of answers.

server.py       start, stop, the settings at work          settings.py     limits and settings, values only
connection.py   one client: whose turn, which protocol     wire.py         bytes → one request's head and body
address.py      which host, which session a request means  reply.py        an answer → bytes, and their cache
delivery.py     large bodies out, with flow control        spool.py        large bodies in, to disk
tls.py          the authority and its leaves               websocket.py    a conversation on a socket
admin.py        `/_durable/`                               environment.py  what a child process needs
trust.py        merged bundles, Java's trust store

bytes → wire → address → engine (`recall` on the loop, else `answer` in a worker) → reply, delivery → bytes
"""
