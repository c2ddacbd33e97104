"""Other tools' recordings become cassettes: a format reads a file, entry by entry, into interactions.

::

    importing.py    import_into: files and folders into one cassette, all or nothing
    registry.py     the formats, and which of them a file is of
    source.py       a file: opened, looked into, named in errors; Format, the seam
    shape.py        what the first part of a file tells of its structure, for sniffing
    json_stream.py  JSON and YAML entry by entry, in memory of one entry
    yaml_stream.py
    yaml_block.py   an entry line by line, its scalars in yaml_scalar.py, its names in yaml_anchors.py
    plain.py        values of a document, and the questions that readers ask of them
    exchange.py     what the source lost, mended so that a real client accepts the answer
    har.py …        one module a format

Import the names from these modules; nothing of this is loaded by replay.
"""
