"""Care of cassettes that a team keeps for years.

::

    building.py   a new cassette is put in its place whole, an old one is changed in one transaction
    hosts.py      which hosts were mapped to a service
    merging.py    several tapes as one
    splitting.py  one tape as several
    pruning.py    recordings that nobody needs
    editing.py    another answer for one request, with a note that says so
    checking.py   whether a cassette is whole, and its services understand it
    age.py        how old it is
    anew.py       a recording taken anew beside its cassette, and how it takes its place

# Rule: whatever fails leaves the file as it was.
"""
