"""A cassette as text that people read: in a review, in an editor, on a terminal.

::

    layout.py     JSON, XML and forms over many lines, and back to the very same characters
    escaping.py   characters that a terminal or an editor would not show as they are
    bodies.py     a body as lines, and back to the very same bytes
    grammar.py    what the lines of the text form are
    writing.py    a cassette as its exact text: nothing is lost
    reading.py    the exact text as interactions again
    volatile.py   what differs between two recordings of the same traffic (volatile.json is the list)
    review.py     the text without that: what `git diff` shows
    folders.py    either text as a folder, with a file for each interaction
    showing.py    one body for a terminal: by its type, or in hex
    git.py        has git show that text
"""
