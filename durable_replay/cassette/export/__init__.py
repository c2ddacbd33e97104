"""Cassettes for other tools, in bytes that depend on the cassette alone.

::

    exported.py   what was written, and what the other format cannot hold, by count
    messages.py   what the formats share: bodies as text or base64, headers by name, repeated requests
    har.py        HAR 1.2
    vcrpy.py      vcrpy's YAML
    wiremock.py   WireMock's mappings
    hoverfly.py   Hoverfly's simulations
    export.py     a cassette into a file

# Rule: what a format cannot hold is counted, never dropped in silence.
"""
