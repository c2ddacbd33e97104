"""A cassette is one SQLite file: recorded interactions in order (the tape), and their bodies, each stored once.

::

    store.py        the way in: Cassette (reader.py) and CassetteWriter (writer.py), the only SQL of the tape
    rows.py         an interaction as the values of its row, with the checksum that guards them, and back
    bodies.py       content-addressed bodies: compressed, in chunks when large, never whole in memory
    places.py       the numbers by which rows name bodies and origins
    held.py         what was appended and is not in the file yet
    dictionary.py   what the messages of one cassette have in common, stored once
    index.py        what is derived from the tape for replay; facts.py packs its rows
    sqlite_file.py  opening the file, telling what it is, and naming what is wrong with it
    lock.py         one writer at a time
    tables.py       the schema's one source (SQLModel); schema.sql is what it makes, and all that a program needs
    migrations.py   from older schemas to this one: numbered, recorded; shorter_rows.py is one of them
    formats/        other tools' recordings

Reading and appending need the standard library's sqlite3 alone: see docs/decisions/0003.
"""
